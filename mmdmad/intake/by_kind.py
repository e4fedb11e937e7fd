"""Cases from what is given kind by kind: pictures, frames, tables, texts, clips."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mmdmad.cases import Cases, Modality, Part, Refusal
from mmdmad.errors import ConfigError, DataError, PartError
from mmdmad.intake.clips import of_frames
from mmdmad.intake.files import is_path, of_files
from mmdmad.intake.joining import joined
from mmdmad.intake.memory import of_values
from mmdmad.modalities.base import modalities, modality_of
from mmdmad.roles import split_of
from mmdmad.windows import Windows, cut

KINDS: dict[str, Modality] = {
    "images": "image",
    "frames": "video",
    "tables": "sensor",
    "texts": "text",
    "videos": "video",
}


def cases_from(
    *,
    images: Any = None,
    frames: Any = None,
    tables: Any = None,
    texts: Any = None,
    videos: Any = None,
    window: str | float | None = None,
    step: str | float | None = None,
    rates: Mapping[Modality, float] | None = None,
    offsets: Mapping[Modality, str | float] | None = None,
    log_time: str | None = None,
    split: str | None = None,
) -> Cases:
    """Cases from folders, globs, files, arrays and DataFrames.

    On disk, each kind is a folder (its folders' names say what is normal, as in `read_cases`), a glob, one file, or a
    list of paths (of texts: of `pathlib.Path`); `frames` are folders of pictures, each one clip. In memory it is a
    list, or a mapping from ids: images: arrays (H, W) or (H, W, 3), Pillow images, or one array (N, H, W, C); tables:
    DataFrames, arrays (T, C), or one such table, or (N, T, C); texts: strings (one string alone names a file, folder or
    glob); videos and frames: arrays uint8 (F, H, W, 3). None in a list is a part that is missing.

    Several kinds are parts of the same cases: files by their names below each folder, lists by position, mappings by
    id, and one of each kind are one case. `rates` are rows or frames per second of what does not say
    (`{"video": 25}`; `frames` without times in their names need it). With `window` ("60s", "auto", "entry"; `step`)
    every case is a recording that is cut into windows; `offsets` are added to the clocks of single parts (seconds, or
    "-2h"), `log_time` says how times are written in logs (the letters of `strptime`). `split` is given to all cases.

    What cannot be used is in `refused`, what was decided in `extra["notes"]`. DataError where something else was
    given, or nothing; ConfigError for a wrong option.

    >>> cases_from(texts=["Seal replaced.", "Belt started."])[1].id
    '1'
    """
    named = {"images": images, "frames": frames, "tables": tables, "texts": texts, "videos": videos}
    given = {name: what for name, what in named.items() if what is not None}
    if not given:
        raise DataError(f"nothing was given; give {', '.join(named)}")
    if frames is not None and videos is not None:
        raise ConfigError("both frames and videos were given; a case has one clip: give one of them")
    rates = _checked(rates or {})
    if step is not None and window is None:
        raise ConfigError("a step was given without a window; give both: window='60s', step='30s'")
    if window is None and (offsets or log_time is not None):
        raise ConfigError("offsets or log_time were given without a window; give one: window='60s'")
    windows = None if window is None else Windows.of(window, step, offsets, log_time)
    made = joined({name: _of_kind(name, what, rates) for name, what in given.items()})
    if split is not None:
        word = split_of(split) or split
        made = replace(made, items=tuple(replace(case, split=word) for case in made))
    return made if windows is None else cut(_tables_read(made), windows)


def _of_kind(name: str, given: Any, rates: Mapping[Modality, float]) -> Cases:
    kind = KINDS[name]
    rate = rates.get(kind)
    if name == "frames" and is_path(name, given):
        return of_frames(given, rate)
    if name == "frames" and rate is None:
        raise ConfigError("nothing says how many frames a second there are; give them: rates={'video': 25}")
    if is_path(name, given):
        return of_files(name, kind, given, rate)
    return of_values(name, kind, given, rate)


def _checked(rates: Mapping[Modality, float]) -> Mapping[Modality, float]:
    for name, rate in rates.items():
        if not modality_of(name).rated or not 1e-9 < rate < 1e9:
            rated = ", ".join(m.name for m in modalities().values() if m.rated)
            raise ConfigError(f"a rate of {rate:g} for {name} was given; give rows or frames a second of {rated}")
    return rates


def _tables_read(cases: Cases) -> Cases:
    """Tables in memory decoded as a whole, so that dates and marks are decided over all rows and not in each window."""
    from mmdmad.parts import read

    items, refused = [], list(cases.refused)
    for case in cases:
        parts: dict[Modality, Part] = {}
        for name, part in case.parts.items():
            try:
                in_memory = part.path is None and name == KINDS["tables"]
                parts[name] = replace(part, value=read(part)) if in_memory else part
            except PartError as why:
                refused.append(Refusal(case.id, name, why.reason, case.row))
        if parts:
            items.append(replace(case, parts=parts))
    return replace(cases, items=tuple(items), refused=tuple(refused))
