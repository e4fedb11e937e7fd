"""From the stamps of a log, as they are written, to seconds: years missing or short, clocks alone, patterns."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.parts.dates import DAY, Stamps, read_dates
from mmdmad.parts.log_forms import MINUTES, TIDY, YEARLESS
from mmdmad.parts.log_years import SHORT, pattern_of, with_whole_years


def seconds_of_stamps(
    path: Path, form: str, words: Any, lines: np.ndarray, pattern: str | None, near: datetime | None
) -> tuple[np.ndarray, datetime | None, list[str], np.ndarray | None]:
    """Seconds float64 (k,) of the stamps `words` (k,) from a start, and by how many (k,) their clocks are ahead of UTC.

    Between the two stand the start and what was decided; the last is None where they do not say. `lines` (k,) are where
    they stand, `form` is one of `log_forms.FORMS`, `pattern` and `near` are those of `log_times`. ValueError says what
    cannot be read and how to say it.
    """
    import pyarrow.compute as pc

    if pattern is not None:
        return _by_pattern(path, words, pattern, lines, near)
    told: tuple[str, ...] = ()
    if form in MINUTES:  # whatever stands around such a stamp, and the narrow blanks in it
        words = pc.replace_substring_regex(pc.replace_substring_regex(words, *TIDY[form]), r"[\x{a0}\x{202f}]", " ")
        words = pc.replace_substring_regex(words, r"([AaPp])\.? ?([Mm])\.?$", r"\1\2")
    if form in SHORT:
        words, told = with_whole_years(words)
    if form in TIDY:
        words = pc.replace_substring_regex(words, *TIDY[form])
    if form in ("epoch", "since boot"):
        numbers = pc.replace_substring(words, ",", ".").cast("float64").to_numpy(zero_copy_only=False)
        if form == "since boot":
            return numbers, None, [], None
        scale = 10.0 ** -(3 * ((len(str(words[0].as_py()).split(".")[0].split(",")[0]) - 10) // 3))
        start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(np.floor(numbers[0] * scale)))
        return numbers * scale - np.floor(numbers[0] * scale), start, [], None
    first = str(words[0].as_py())
    words = pc.replace_substring_regex(pc.replace_substring_regex(words, r"[ \t]+", " "), r",(\s)", r"\1")
    try:
        stamps = read_dates(words)
    except ValueError as why:
        raise ValueError(
            f"{str(why).split(', or name the order')[0]} (rows are the {len(words)} lines that have a time); or say "
            f"how times are written: --log-time {pattern_of(first, 'dmy')!r}, or {pattern_of(first, 'mdy')!r}"
        ) from None
    if stamps is None:
        raise ValueError(
            f"its times cannot be read, such as {first[:60]!r}; take --window entry, which needs none, or say how they "
            "are written in the letters of strptime: --log-time '%d.%m.%Y %H:%M:%S' is for 14.03.2026 07:00:00"
        )
    notes = [*told, *([stamps.note] if stamps.note else [])]
    if form in YEARLESS:
        return *_with_year(path, stamps, near), None
    if form == "clock":
        return _past_midnight(stamps.seconds) + stamps.nanos / 1e9, None, notes, None
    begin = int(stamps.seconds[0])
    start = datetime(1970, 1, 1, tzinfo=UTC if stamps.aware else None) + timedelta(seconds=begin)
    return (stamps.seconds - begin) + stamps.nanos / 1e9, start, notes, stamps.ahead


def _past_midnight(seconds: np.ndarray) -> np.ndarray:
    """Seconds of a clock alone: a fall by more than half a day is midnight."""
    return seconds + DAY * np.concatenate([[0], np.cumsum(np.diff(seconds) < -DAY // 2)])


def _with_year(path: Path, stamps: Stamps, near: datetime | None) -> tuple[np.ndarray, datetime, list[str]]:
    """Stamps of the year 2000 in their own years: a fall by more than half a year is a new year's eve."""
    later = np.concatenate([[0], np.cumsum(np.diff(stamps.seconds) < -180 * DAY)])
    written = datetime.fromtimestamp(path.stat().st_mtime)
    if near is not None:
        near = near.replace(tzinfo=None)
        choices = {year: abs(_year(stamps, later, year)[0] - _since_1970(near)) for year in _around(near.year)}
        year, why = min(choices, key=lambda one: choices[one]), "next to the other parts"
    else:
        bound = _since_1970(written) + DAY
        years = [y for y in _around(written.year) if _year(stamps, later, y - int(later[-1]))[-1] <= bound]
        year, why = max(years, default=written.year) - int(later[-1]), "from the last change of the file"
    seconds = _year(stamps, later, year)
    start = datetime(1970, 1, 1) + timedelta(seconds=int(seconds[0]))
    return seconds - seconds[0] + stamps.nanos / 1e9, start, [f"its dates have no year; {year} is taken, {why}"]


def _around(year: int) -> range:
    return range(year - 1, year + 2)


def _since_1970(when: datetime) -> float:
    return (when - datetime(1970, 1, 1)).total_seconds()


def _year(stamps: Stamps, later: np.ndarray, year: int) -> np.ndarray:
    """Seconds since 1970 int64 (k,) of stamps of the year 2000, moved to `year` and those after it."""
    moments = stamps.seconds.astype("M8[s]")
    months = moments.astype("M8[M]")
    rest = (moments - months.astype("M8[s]")).astype(np.int64)
    moved = months.astype(np.int64) + 12 * (year - 2000 + later)
    seconds: np.ndarray = moved.astype("M8[M]").astype("M8[s]").astype(np.int64) + rest
    return seconds


def _by_pattern(
    path: Path, words: Any, pattern: str, lines: np.ndarray, near: datetime | None
) -> tuple[np.ndarray, datetime | None, list[str], np.ndarray | None]:
    whole: list[datetime] = []
    bare = not any(letter in pattern for letter in ("%Y", "%y", "%s"))
    dateless = bare and not any(letter in pattern for letter in ("%d", "%e", "%j"))
    reading = pattern.replace("%e", "%d") + (" %Y" if bare else "")
    for line, word in zip(lines, words.to_pylist(), strict=True):
        try:
            whole.append(_parsed(f"{word} 2000" if bare else word, reading))
        except ValueError:
            raise ValueError(f"line {line + 1} has the time {word!r}, which is not {pattern!r}") from None
    aware = whole[0].tzinfo is not None
    origin = datetime(1970, 1, 1, tzinfo=UTC if aware else None)
    since = [one - origin for one in whole]
    seconds = np.array([one.days * DAY + one.seconds for one in since], np.int64)
    nanos = np.array([one.microseconds * 1000 for one in since], np.int64)
    if dateless:
        return _past_midnight(seconds % DAY) + nanos / 1e9, None, [], None
    if bare:
        return *_with_year(path, Stamps(seconds, nanos, "stamp"), near), None
    offsets = [offset.total_seconds() for one in whole if "%z" in pattern and (offset := one.utcoffset()) is not None]
    ahead = np.array(offsets) if len(offsets) == len(whole) else None
    return (seconds - seconds[0]) + nanos / 1e9, origin + timedelta(seconds=int(seconds[0])), [], ahead


def _parsed(word: str, pattern: str) -> datetime:
    if "%s" in pattern:
        return datetime.fromtimestamp(int(word), UTC)
    if "%f" in pattern:
        word = re.sub(r"(\d{6})\d{1,3}(?!\d)", r"\1", word)  # strptime knows six digits of a second
    return datetime.strptime(word, pattern)
