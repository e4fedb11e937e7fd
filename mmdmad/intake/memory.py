"""Cases from values in memory: lists, mappings from ids, arrays of several, one table or clip alone."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.cases import Case, Cases, Modality, Part
from mmdmad.errors import DataError

ALLOWED = {
    "images": "arrays (H, W) or (H, W, C), Pillow images, one array (N, H, W, C), or files",
    "tables": "DataFrames, arrays (T, C), one array (N, T, C), or files",
    "texts": "a list of strings, or files",
    "videos": "arrays uint8 (F, H, W, C), or files",
    "frames": "arrays uint8 (F, H, W, C), or folders of pictures",
}
SEVERAL = {"texts": 1, "images": 4, "tables": 3, "videos": 5, "frames": 5}
"""Dimensions of an array of several."""
ALONE = {"images": (2,), "tables": (1, 2), "videos": (4,), "frames": (4,)}
"""Dimensions of an array that can only be one."""
TEXT: Modality = "text"
TYPES: tuple[tuple[str, str, Modality], ...] = (
    ("pandas", "DataFrame", "sensor"),
    ("PIL.Image", "Image", "image"),
    ("mmdmad.parts.image", "Image", "image"),
    ("mmdmad.parts.sensor", "Sensor", "sensor"),
    ("mmdmad.parts.text", "Text", TEXT),
    ("mmdmad.parts.video", "Video", "video"),
)
"""Types that can only be of one modality, by module and name: what was not imported cannot have been given."""
NUMBERED = "numbered"
"""Where `Cases.extra` says that ids are positions in a list."""


def of_values(name: str, kind: Modality, given: Any, rate: float | None = None) -> Cases:
    """A case a value; `name` is what messages call what was given. DataError where it is none of `ALLOWED`."""
    values = _values(name, given)
    if not values:
        raise DataError(f"{name} is empty; give {ALLOWED[name]}")
    items = []
    for case_id, value in values.items():
        if value is None:
            continue
        _check(name, kind, case_id, value)
        items.append(Case(case_id, {kind: Part(kind, value=value, case_id=case_id, rate=rate)}))
    if not items:
        raise DataError(f"{name} holds nothing but None; give {ALLOWED[name]}")
    numbered = not isinstance(given, Mapping) and _series(given) is None
    return Cases(tuple(items), extra={"columns": {}, "simulated": False, NUMBERED: len(values) if numbered else 0})


def _values(name: str, given: Any) -> dict[str, Any]:
    """Values by id; numbers that sort like positions where there are none."""
    if (series := _series(given)) is not None:
        given = series
    if isinstance(given, Mapping):
        named = {str(key): value for key, value in given.items()}
        if len(named) < len(given):
            raise DataError(f"two of the ids of {name} are the same as words; give each case its own")
        return named
    values = list(_each(name, given))
    width = len(str(len(values) - 1))
    return {f"{i:0{width}d}": value for i, value in enumerate(values)}


def _each(name: str, given: Any) -> Iterator[Any]:
    if isinstance(given, np.ndarray):
        if given.ndim == SEVERAL.get(name):
            yield from given
        elif given.ndim in ALONE.get(name, ()):
            yield given
        else:
            several = f", or {SEVERAL[name]} dimensions for several" if name in SEVERAL else ""
            raise DataError(
                f"{name}: nothing says whether an array of shape {given.shape} is one or several; give a list{several}"
            )
    elif isinstance(given, list | tuple):
        yield from given
    else:
        yield given


def _series(given: Any) -> Mapping[Any, Any] | None:
    """A pandas Series with an index of its own, as a mapping; one that is only numbered is a list."""
    if "pandas" not in sys.modules or not isinstance(given, sys.modules["pandas"].Series):
        return None
    if not given.index.is_unique:
        raise DataError("the index of the Series names some cases twice; give each its own (reset_index(drop=True))")
    return {key: None if value is None or value != value else value for key, value in given.items()}


def value_kind(value: Any) -> Modality | None:
    """The one modality that a value of this type can be; None for arrays, strings and what nothing takes.

    >>> from mmdmad.parts import Text
    >>> value_kind(Text("a")), value_kind("a"), value_kind(np.zeros((2, 2)))
    ('text', None, None)
    """
    return next((kind for module, name, kind in TYPES if _is(value, module, name)), None)


def _check(name: str, kind: Modality, case_id: str, value: Any) -> None:
    """That a value is of the kind it was given as; what is in it is looked at when it is read."""
    if kind == TEXT:
        right = isinstance(value, str) or value_kind(value) == kind
    else:
        right = isinstance(value, np.ndarray) or value_kind(value) == kind
    if not right:
        given = type(value)
        raise DataError(f"{name}: {case_id!r} is of the type {given.__module__}.{given.__name__}; give {ALLOWED[name]}")
    if isinstance(value, str):
        _no_file(case_id, value)


def _no_file(case_id: str, value: str) -> None:
    """A string that names a file could be meant as its path: read as a text it would be learned as one."""
    try:
        is_file = len(value) < 1024 and Path(value).is_file()
    except (OSError, ValueError):
        return  # no text that could be a path
    if is_file:
        raise DataError(
            f"texts: {case_id!r} is {value!r}, which is the name of a file; give pathlib.Path for a file, in a list of "
            "its own"
        )


def _is(value: Any, module: str, name: str) -> bool:
    return module in sys.modules and isinstance(value, getattr(sys.modules[module], name))
