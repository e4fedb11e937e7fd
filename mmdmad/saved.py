"""Files of a fitted model, read without trust: a run may come from somebody else, or from a failing disk.

Arrays are safetensors, values are JSON. What is read must be whole, finite, of the shapes that belong together and
within the range of its field; anything else is a `ModelError` of one line that names the file. Hashes are a matter of
`pipeline.model_manifest`; these checks hold where somebody has made new hashes for changed files, too.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from mmdmad.errors import ModelError, UnknownNameError
from mmdmad.files import parsed, replacing, write_json

LARGEST_VALUES = 128 * 2**20  # bytes of a JSON file: the ids of some million normal cases
KINDS = {
    "f": (("float32", "float64"), "floats of 4 or 8 bytes"),
    "h": (("float16",), "floats of 2 bytes"),
    "i": (("int8", "uint8", "int32", "int64"), "whole numbers"),
    "b": (("bool",), "yes or no"),
}
"""The letter of a kind, what arrays of it are written as (another width was converted by somebody), and its words."""
M = TypeVar("M", bound=BaseModel)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turns whatever reading and rebuilding from `file` throws into a ModelError that names it.

    Damaged content meets libraries and constructors that raise nearly every built-in exception, so the net is wide;
    only work on the content of that one file belongs inside.
    """
    try:
        yield
    except ModelError as why:
        raise why if why.file is not None else ModelError(why.reason, file) from why
    except FileNotFoundError as why:
        raise ModelError("the file is missing", file) from why
    except UnknownNameError as why:
        reason = f"the {why.kind} {why.name!r} is not registered; the distribution that brought it is not installed"
        raise ModelError(reason, file, "install that distribution, or fit again with another") from why
    except KeyError as why:
        raise ModelError(f"{why} is missing in it", file) from why
    except MemoryError as why:
        raise ModelError("it asks for more memory than there is", file) from why
    except Exception as why:
        raise ModelError(getattr(why, "strerror", None) or str(why) or type(why).__name__, file) from why


@contextmanager
def system_errors() -> Iterator[None]:
    """Gives the OSErrors back that safetensors has wrapped while writing ("I/O error: … (os error 28)")."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as why:
        number = re.search(r"\(os error (\d+)\)", str(why))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from why


def write_arrays(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as safetensors; the file appears whole or not at all."""
    from safetensors.numpy import save_file

    with replacing(file) as unfinished, system_errors():
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, unfinished)


def read_arrays(file: Path, *, gaps: bool = False) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file; ModelError where it is none or, but for `gaps`, a number is not finite."""
    from safetensors.numpy import load_file

    with reading(file):
        arrays: dict[str, np.ndarray] = load_file(file)
        for name, array in () if gaps else arrays.items():
            check_finite(name, array)
    return arrays


def write_values(file: Path, values: Any) -> None:
    """Write JSON values; the file appears whole or not at all."""
    write_json(file, values)


def read_values(file: Path) -> Any:
    """The JSON values of a file, every number of them finite; ModelError otherwise."""
    with reading(file):
        with file.open("rb") as stream:
            data = stream.read(LARGEST_VALUES + 1)
        require(len(data) <= LARGEST_VALUES, f"it has more than {LARGEST_VALUES} bytes; values of a model have fewer")
        return parsed(data.decode("utf-8"), parse_constant=_no_number, parse_float=_finite)


def validated(kind: type[M], values: Any) -> M:
    """Values as the pydantic model `kind`; ModelError where they do not fit."""
    try:
        return kind.model_validate(values)
    except ValidationError as why:
        first = why.errors()[0]
        where = ".".join(str(piece) for piece in first["loc"])
        raise ModelError(f"{where}: {first['msg']}" if where else first["msg"]) from why


def read_model(file: Path, kind: type[M]) -> M:
    """The JSON values of a file as the pydantic model `kind`; ModelError where they do not fit."""
    values = read_values(file)
    with reading(file):
        return validated(kind, values)


def check_finite(name: str, array: np.ndarray) -> None:
    """ModelError where an array of floats holds NaN or infinity."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ModelError(f"{name} holds numbers that are not finite")


def check_arrays(arrays: Mapping[str, np.ndarray], forms: Mapping[str, str], **sizes: int) -> dict[str, int]:
    """Check kinds, finiteness and shapes of named arrays; returns the sizes that the letters of the forms stand for.

    A form is the letter of a kind (see `KINDS`) and then one word an axis: a number, or a name that must mean the same
    size wherever it stands. `sizes` are those known before.

    >>> check_arrays({"mean": np.zeros(3), "basis": np.ones((3, 2))}, {"mean": "f d", "basis": "f d k"})
    {'d': 3, 'k': 2}
    """
    found = dict(sizes)
    for name, form in forms.items():
        if name not in arrays:
            raise ModelError(f"{name} is missing in it")
        array, (kind, *axes) = arrays[name], form.split()
        kinds, word = KINDS[kind]
        wanted = [int(axis) if axis.isdigit() else found.get(axis, axis) for axis in axes]
        if array.dtype.name not in kinds or array.ndim != len(wanted):
            raise ModelError(f"{name} is {array.dtype} of shape {array.shape}; {word} ({', '.join(axes)}) are needed")
        for axis, want, have in zip(axes, wanted, array.shape, strict=True):
            if isinstance(want, int) and want != have:
                raise ModelError(f"{name} has the shape {array.shape}, where {axis} is {want}")
            found[axis] = have
        check_finite(name, array)
    return {name: size for name, size in found.items() if not name.isdigit()}


def require(holds: bool | np.bool_, what: str) -> None:
    """ModelError saying `what` must hold, if it does not."""
    if not holds:
        raise ModelError(what)


def _no_number(word: str) -> float:
    raise ModelError(f"it holds {word}, which is no finite number")


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ModelError(f"it holds {word[:20]}, which is no finite number")
    return number
