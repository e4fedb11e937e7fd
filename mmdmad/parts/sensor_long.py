"""Long tables of changes, each series with times of its own: home automation and historians write them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from mmdmad.parts import clock
from mmdmad.parts.dates import FORMS, order_of, read_dates, summer_time
from mmdmad.parts.limits import MAX_CHANNELS
from mmdmad.parts.sensor_columns import Columns, as_floats
from mmdmad.parts.sensor_words import is_unit

FEWEST = 8
"""Rows from which on a table is looked at."""
SHARED = 0.5
"""Share of rows whose time another row has, from which on they are rows of one time, which `sensor_series` tells."""
_VALUE = re.compile(r"(value|values|val|wert|messwert|valor|valeur|valore|reading|state|zustand)$")
_SERIES = re.compile(
    r"^_?(entity|sensor|tag|variable|signal|channel|point|measurement|metric|item|series|field|device|parameter|"
    r"kanal|messstelle|messgröße|größe|datapoint|node|object)([ _.-]?(id|name|names|path|key))?$"
)
_HOME = ("entity_id", "state")
_CHANGED = ("last_changed", "last_changed_ts", "last_updated", "last_updated_ts")
"""What Home Assistant calls its columns; of its times the first counts."""


@dataclass(frozen=True, eq=False)
class Long:
    """Places of the columns, times in nanoseconds int64 (T,), and the series of each row: `codes` into `names`."""

    time: int
    key: int
    value: int
    nanos: np.ndarray
    aware: bool
    codes: np.ndarray
    names: tuple[str, ...]
    home: bool


def long_table(table: Columns) -> Long | None:
    """Which columns are the time, the series and the value of a long table of changes; None where it is none.

    ValueError where it is one and cannot be read.
    """
    names = [name.strip().lower() for name in table.names]
    words = [i for i, column in enumerate(table.columns) if is_words(column)]
    if not words or table.stamps is not None or len(table.columns[words[0]]) < FEWEST:
        return None
    home = set(_HOME) <= set(names)
    timely = [i for i, column in enumerate(table.columns) if holds_times(column, names[i])]
    if not timely:
        return None
    ranked = [names.index(name) for name in _CHANGED if name in names and names.index(name) in timely]
    time = ranked[0] if home and ranked else timely[0]
    if home:
        keys = [names.index("entity_id")]
    else:
        keys = [i for i in words if i not in timely and _names_series(table.columns[i])]
    for key in keys:
        value = names.index("state") if home else _value(names, timely, key)
        if value is None or not is_words(table.columns[key]):
            continue
        codes, series = _coded(table.columns[key])
        if not home and not (_SERIES.match(names[key]) or _blocks(codes)):
            continue
        nanos, aware = _nanos(table, time, codes)
        if home or _beside(nanos, codes, len(series)):
            found = Long(time, key, value, nanos, aware, codes, series, home)
            _one_reading(table, found)
            return found
    return None


def is_words(column: Any) -> bool:
    """Whether a column is an Arrow array of words, neither numbers nor ready stamps."""
    return not isinstance(column, np.ndarray) and type(column).__name__ != "DatetimeIndex"


def holds_times(column: Any, name: str) -> bool:
    """Whether a column holds dates, or counts from 1970 under the name of a time."""
    import pyarrow.compute as pc

    if type(column).__name__ == "DatetimeIndex":
        return True
    if isinstance(column, np.ndarray):
        timely = name in _CHANGED or clock.named_time(name) is not None
        return timely and len(column) > 0 and bool((column >= 978_307_200).all())
    sample = column.drop_null().slice(0, 200)
    known = [form for kind, form in FORMS.items() if kind not in ("clock", "compact")]
    if len(sample) and any(pc.all(pc.match_substring_regex(sample, form)).as_py() for form in known):
        return True
    numbers = as_floats(column) if name in _CHANGED or clock.named_time(name) is not None else None
    return numbers is not None and holds_times(numbers, name)


def _names_series(column: Any) -> bool:
    """Whether words are few enough, and no numbers, to name the series of a table."""
    import pyarrow.compute as pc

    if column.null_count or as_floats(column.slice(0, 200)) is not None:
        return False
    kinds = pc.count_distinct(column).as_py()
    return 2 <= kinds <= min(MAX_CHANNELS, len(column) // 4)


def _value(names: Sequence[str], timely: Sequence[int], key: int) -> int | None:
    """The column of the readings: the one that is called so, or the only one beside time and series."""
    others = [i for i in range(len(names)) if i != key and i not in timely]
    called = [i for i in others if _VALUE.search(names[i])]
    return called[0] if len(called) == 1 else others[0] if len(others) == 1 else None


def _coded(column: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    import pyarrow.compute as pc

    coded = pc.dictionary_encode(column.fill_null("(without a name)"))
    coded = coded.combine_chunks() if hasattr(coded, "combine_chunks") else coded
    return coded.indices.to_numpy(), tuple(coded.dictionary.to_pylist())


def _blocks(codes: np.ndarray) -> bool:
    """Whether all rows of a series stand together."""
    return int((np.diff(codes) != 0).sum()) + 1 == len(np.unique(codes))


def _nanos(table: Columns, time: int, codes: np.ndarray) -> tuple[np.ndarray, bool]:
    """Nanoseconds int64 (T,) since 1970, and whether they are UTC; ValueError names a row without a time."""
    column, name = table.columns[time], table.names[time]
    if type(column).__name__ == "DatetimeIndex":
        if column.isna().any():
            raise ValueError(f"row {int(np.argmax(column.isna())) + 1} has no time")
        return column.as_unit("ns").asi8, column.tz is not None
    named = clock.named_time(name)
    numbers = column if isinstance(column, np.ndarray) else as_floats(column)
    if numbers is not None:
        seconds, start = clock.from_numbers(numbers, None if named is None else named.scale)
        assert start is not None
        return np.round(seconds * 1e6).astype(np.int64) * 1000 + round(start.timestamp() * 1e6) * 1000, True
    order = named.order if named is not None and named.order else order_of(clock.split_unit(name)[1])
    stamps = read_dates(column, order, one_series=False)
    if stamps is None:
        raise ValueError(f"column {name[:60]!r} holds times in several forms; write ISO 8601")
    if not stamps.aware:
        for code in range(int(codes.max()) + 1):
            summer_time(stamps.seconds[codes == code])
    ahead = int(named.ahead) if named is not None and named.utc and not stamps.aware else 0
    aware = stamps.aware or (named is not None and named.utc)
    return (stamps.seconds - ahead) * 10**9 + stamps.nanos, aware


def _beside(nanos: np.ndarray, codes: np.ndarray, count: int) -> bool:
    """Whether series run beside each other, and hardly two rows have one time."""
    _, counts = np.unique(nanos, return_counts=True)
    if counts[counts > 1].sum() >= SHARED * len(nanos):
        return False
    spans = sorted((int(nanos[codes == code].min()), int(nanos[codes == code].max())) for code in range(count))
    return any(later[0] < max(one[1] for one in spans[: i + 1]) for i, (_, later) in enumerate(pairwise(spans)))


def _one_reading(table: Columns, found: Long) -> None:
    """ValueError where another column than the value changes within a series: it may be a reading, or a quality."""
    if found.home:
        return
    spare = [i for i in range(len(table.names)) if i not in (found.time, found.key, found.value)]
    for i in spare:
        column, name = table.columns[i], table.names[i]
        if is_unit(name) or holds_times(column, name.strip().lower()):
            continue
        codes = column if isinstance(column, np.ndarray) else _coded(column)[0]
        for code in range(len(found.names)):
            mine = codes[found.codes == code]
            if len(mine) and not ((mine == mine[0]) | (mine != mine)).all():
                time, key, value = (table.names[k][:60] for k in (found.time, found.key, found.value))
                raise ValueError(
                    f"it is a long table of changes, the series named in {key!r}, the readings in {value!r}, and "
                    f"column {name[:60]!r} changes within a series too: leave it out (first the rows that it calls "
                    f"bad, if it is a quality) and keep {time!r}, {key!r} and {value!r}"
                )
