"""Units behind numbers, months in other languages, times of day in digits, and several series in one table."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read
from mmdmad.parts.dates import read_dates
from mmdmad.parts.sensor import row_times

N = 20
STAMPS = [f"2026-04-03 06:00:{i:02d}" for i in range(N)]


def get(folder: Path, *columns: tuple[str, list], mark: str = ";") -> Sensor:
    rows = [[name for name, _ in columns], *zip(*(cells for _, cells in columns), strict=True)]
    (folder / "t.csv").write_text("".join(mark.join(map(str, row)) + "\n" for row in rows))
    made = read(Part("sensor", folder / "t.csv"))
    assert isinstance(made, Sensor)
    return made


@pytest.mark.parametrize(
    ("cells", "unit", "values"),
    [
        ([f"{20 + i},5 °C" for i in range(N)], "°C", [20.5 + i for i in range(N)]),
        ([f"{i}%" for i in range(N)], "%", list(range(N))),
        ([f"-{i}.25\u00a0l/min" for i in range(N)], "l/min", [-i - 0.25 for i in range(N)]),
        ([f"{i + 1} 234,5 W" for i in range(N)], "W", [1000 * (i + 1) + 234.5 for i in range(N)]),
        ([f"{i + 1}'000 1/min" for i in range(N)], "1/min", [1000.0 * (i + 1) for i in range(N)]),
    ],
)
def test_a_unit_behind_every_number_is_its_unit(cells: list[str], unit: str, values: list, tmp_path: Path) -> None:
    made = get(tmp_path, ("time", STAMPS), ("x", ["", *cells[1:]]))
    assert made.units == (unit,)
    assert np.isnan(made.values[0, 0])
    assert made.values[1:, 0].tolist() == values[1:]
    assert any(f"{unit!r} stands behind its numbers" in note for note in made.notes)


@pytest.mark.parametrize(
    ("name", "cells", "says"),
    [
        ("x", ["1 A", "200 mV"] * (N // 2), "'A' and with 'mV'"),
        ("x", ["1 A", "2"] * (N // 2), "'A' and with no unit"),
        ("x [K]", ["1 °C", "2 °C"] * (N // 2), r"'K' in its header and '°C' in its cells"),
    ],
)
def test_units_that_differ_are_a_question(name: str, cells: list[str], says: str, tmp_path: Path) -> None:
    with pytest.raises(PartError, match=says):
        get(tmp_path, ("time", STAMPS), (name, cells))


def test_states_that_begin_with_a_number_and_dates_have_no_unit(tmp_path: Path) -> None:
    assert read_dates(pa.array(["3 Mai 2026"] * 3)) is not None
    made = get(tmp_path, ("time", [f"{i} min" for i in range(N)]), ("x", range(N - 1, -1, -1)))
    assert made.times[:3].tolist() == [0.0, 60.0, 120.0]


@pytest.mark.parametrize(
    "written",
    [
        *("31 août 2026", "31. August 2026", "31 de agosto de 2026", "31 Aug. 2026", "lundi 31 août 2026"),
        *("August 31st, 2026", "31 sierpnia 2026", "31 ago 2026", "2026年8月31日", "31-aoû-2026"),
    ],
)
def test_months_are_read_in_the_languages_of_europe(written: str) -> None:
    words = pa.array([f"{written} 23:55:00", f"{written} 23:56:00"])
    if "aoû-" in written:
        with pytest.raises(ValueError, match="'aoû' for a month"):
            read_dates(words)
        return
    stamps = read_dates(words)
    assert stamps is not None
    assert str(np.datetime64(int(stamps.seconds[0]), "s")) == "2026-08-31T23:55:00"


def test_a_month_that_two_languages_read_differently_is_asked_for() -> None:
    with pytest.raises(ValueError, match="'listopada' for a month"):
        read_dates(pa.array(["3 listopada 2026"] * 3))


def digits(seconds: int) -> int:
    return seconds // 3600 * 10_000 + seconds // 60 % 60 * 100 + seconds % 60


def test_whole_numbers_of_dates_and_clocks_are_one_time(tmp_path: Path) -> None:
    when = [6 * 3600 + 60 * i for i in range(2000)]
    days, hands = [20260301 + t // 86400 for t in when], [digits(t % 86400) for t in when]
    made = get(tmp_path, ("date", days), ("time", hands), ("x", [i % 7 for i in range(2000)]))
    assert made.channels == ("x",)
    assert np.array_equal(made.times, 60.0 * np.arange(2000))
    assert str(made.start) == "2026-03-01 06:00:00"
    made = get(tmp_path, ("date", days), ("time", [1000 * one for one in hands]), ("x", [i % 7 for i in range(2000)]))
    assert np.array_equal(made.times, 60.0 * np.arange(2000))


def test_seconds_since_midnight_are_seconds(tmp_path: Path) -> None:
    hands = [36_000 + 60 * i for i in range(200)]
    made = get(tmp_path, ("date", [20260301] * 200), ("time", hands), ("x", [i % 7 for i in range(200)]))
    assert np.array_equal(made.times, 60.0 * np.arange(200))
    assert str(made.start) == "2026-03-01 10:00:00"


@pytest.mark.parametrize(
    ("hands", "says"),
    [
        ([60_000 + i for i in range(N)], r"times of day without colons \(101500\) or seconds"),
        ([600 + i for i in range(N)], "may"),
    ],
)
def test_digits_that_run_evenly_both_ways_are_a_question(hands: list[int], says: str, tmp_path: Path) -> None:
    with pytest.raises(PartError, match=says):
        get(tmp_path, ("date", [20260301] * len(hands)), ("time", hands), ("x", [i % 7 for i in range(len(hands))]))


def long_table(folder: Path, patients: int = 1) -> tuple:
    names = ("pulse", "spo2", "pressure")
    rows = [
        (stamp, f"P{p}", name, 80 + k)
        for stamp in STAMPS
        for p in range(patients)
        for k, name in enumerate(names)
        if name != "pressure" or stamp.endswith("0")
    ]
    columns = list(zip(*rows, strict=True))
    return tuple(zip(("charttime", "patient", "variable", "value"), map(list, columns), strict=True))


def test_a_long_table_is_refused_with_its_columns_named(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"'variable' \(pressure, pulse, spo2\).*pivot\(index='charttime', columns="):
        get(tmp_path, *long_table(tmp_path))
    with pytest.raises(PartError, match=r"'patient' \(P0, P1\) and 'variable'.*a table of its own for each 'patient'"):
        get(tmp_path, *long_table(tmp_path, 2))
    with pytest.raises(PartError, match="pivot"):
        row_times(Part("sensor", tmp_path / "t.csv"))


@pytest.mark.parametrize("order", ["by time", "by machine"])
def test_machines_in_one_table_are_told_apart(order: str, tmp_path: Path) -> None:
    rows = [(stamp, m, 3.0 + m, 1.0 + k % 3) for k, stamp in enumerate(STAMPS) for m in (1, 2, 3)]
    if order == "by machine":
        rows.sort(key=lambda row: row[1])
    columns = [list(column) for column in zip(*rows, strict=True)]
    with pytest.raises(PartError, match=r"told apart by 'machineID' \(1, 2, 3\): write a table of its own for each"):
        get(tmp_path, *zip(("datetime", "machineID", "volt", "amps"), columns, strict=True))


def test_several_readings_a_second_and_states_are_one_series(tmp_path: Path) -> None:
    stamps = [f"2026-04-03 06:00:{i // 3:02d}" for i in range(60)]
    states = [("RUN", "IDLE")[(i // 7) % 2] for i in range(60)]
    made = get(tmp_path, ("time", stamps), ("state", states), ("gear", [i % 2 for i in range(60)]), ("x", range(60)))
    assert len(made.values) == 60
    assert any("spread evenly" in note for note in made.notes)
