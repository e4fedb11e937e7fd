"""Tables of meters with a row a day and a column a half-hour: one long series with its time."""

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read

FIRST = date(2026, 3, 23)


def table(folder: Path, lines: list[str], rows: tuple[int, int] | None = None) -> Sensor:
    path = folder / "meter.csv"
    path.write_text("\n".join([*lines, ""]))
    start, stop = (None, None) if rows is None else rows
    return read(Part("sensor", path, start=start, stop=stop))


def clocks(step: int, first: int) -> list[str]:
    return [f"{m // 60:02}:{m % 60:02}" for m in range(first, first + 1440, step)]


def days(count: int, slots: int, form: str = "%d/%m/%Y", mark: str = ".") -> list[list[str]]:
    """Readings that count on: of day d and slot s it is 100 d + s, and a quarter."""
    return [[f"{FIRST + timedelta(d):{form}}", *(f"{100 * d + s}{mark}25" for s in range(slots))] for d in range(count)]


@pytest.mark.parametrize(
    ("names", "begin"),
    [
        (clocks(30, 0), "00:00"),
        (clocks(30, 30), "00:30"),
        ([*clocks(30, 30)[:-1], "00:00"], "00:30"),
        ([f"{one}-{two}" for one, two in zip(clocks(30, 0), clocks(30, 30))], "00:00"),
        ([f"HH{n:02}" for n in range(1, 49)], "00:00"),
        ([f"HH{n}" for n in range(48)], "00:00"),
        ([f"P{n}" for n in range(1, 49)], "00:00"),
        ([str(n) for n in range(1, 49)], "00:00"),
        ([one.replace(":", "") for one in clocks(30, 0)], "00:00"),
        (clocks(60, 0), "00:00"),
        ([f"H{n}" for n in range(1, 25)], "00:00"),
        (clocks(15, 15), "00:15"),
    ],
)
def test_columns_of_times_of_day_are_one_series(tmp_path: Path, names: list[str], begin: str) -> None:
    made = table(tmp_path, [",".join(["Reading Date", *names]), *map(",".join, days(5, len(names)))])
    assert made.channels == ("value",)
    assert made.values[:, 0].tolist() == [100 * d + s + 0.25 for d in range(5) for s in range(len(names))]
    assert np.unique(np.diff(made.times)).tolist() == [86400 / len(names)]
    assert made.start == datetime.fromisoformat(f"2026-03-23 {begin}")
    assert any("a row a day ('Reading Date')" in note for note in made.notes)
    assert "dates are read with the day first" in made.notes
    some = table(tmp_path, [",".join(["Reading Date", *names]), *map(",".join, days(5, len(names)))], rows=(30, 40))
    assert np.array_equal(some.values, made.values[30:40])


def test_a_german_table_with_meter_unit_total_and_gaps(tmp_path: Path) -> None:
    rows = [["DE001", "kWh", *row, "9999,5"] for row in days(6, 96, "%d.%m.%Y", ",")]
    rows[2][10] = ""
    del rows[4]
    lines = [";".join(["Zählpunkt", "Einheit", "Datum", *clocks(15, 0), "Summe"]), *map(";".join, rows)]
    made = table(tmp_path, lines)
    assert (made.channels, made.units, made.clock) == (("value",), ("kWh",), "Datum")
    assert np.flatnonzero(np.isnan(made.values[:, 0])).tolist() == [2 * 96 + 7]
    assert made.times[-96] == 5 * 86400
    assert any("left out: 'Zählpunkt', 'Summe'" in note for note in made.notes)


def test_rows_of_several_meters_are_a_channel_each(tmp_path: Path) -> None:
    rows = days(4, 48)
    lines = [f"{meter},{','.join(row)}" for meter in ("m1", "m2") for row in rows if meter == "m1" or row != rows[1]]
    made = table(tmp_path, [",".join(["meter", "date", *clocks(30, 0)]), *lines])
    assert made.channels == ("m1", "m2")
    assert np.isfinite(made.values[:, 0]).all()
    assert np.flatnonzero(np.isnan(made.values[:, 1])).tolist() == list(range(48, 96))
    with pytest.raises(PartError, match="rows 1 and 5 are of one day"):
        table(tmp_path, [",".join(["date", *clocks(30, 0)]), *map(",".join, [*rows, rows[0]])])


def test_days_of_46_and_50_half_hours_keep_their_place_and_are_said(tmp_path: Path) -> None:
    short, long = date(2026, 3, 29), date(2026, 10, 25)
    for day, many in ((short, 46), (long, 50)):
        rows, value = [], 0
        for d in range(-2, 3):
            count = many if d == 0 else 48
            rows.append([str(day + timedelta(d)), *(str((value + s) % 7) + ".5" for s in range(count))])
            rows[-1] += [""] * (51 - len(rows[-1]))
            value += count
        names = [f"HH{n:02}" for n in range(1, 51)]
        made = table(tmp_path, [",".join(["date", *names]), *map(",".join, rows)])
        assert made.values[:, 0].tolist() == [i % 7 + 0.5 for i in range(4 * 48 + many)]
        assert np.unique(np.diff(made.times)).tolist() == [1800.0]
        assert any(f"{day} has {many} readings" in note for note in made.notes)


def test_an_empty_hour_of_a_clock_that_goes_forward_is_missing_and_said(tmp_path: Path) -> None:
    rows = days(8, 48, "%Y-%m-%d")
    rows[6][3] = rows[6][4] = ""  # 2026-03-29, 01:00 and 01:30
    made = table(tmp_path, [",".join(["date", *clocks(30, 0)]), *map(",".join, rows)])
    assert np.flatnonzero(np.isnan(made.values[:, 0])).tolist() == [6 * 48 + 2, 6 * 48 + 3]
    assert any("an hour of 2026-03-29 is empty, as where clocks go forward" in note for note in made.notes)


def test_times_of_day_without_a_date_are_a_question_and_other_columns_stay(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="from '00:00' to '23:30' are the times of a day, and no column holds its date"):
        table(
            tmp_path, [",".join(["meter", *clocks(30, 0)]), *(f"m{i % 2}," + ",".join(["1.5"] * 48) for i in range(6))]
        )
    rows = [",".join(row) for row in days(8, 24, "%Y-%m-%d")]
    made = table(tmp_path, [",".join(["date", *(f"T{n}" for n in range(1, 25))]), *rows])
    assert len(made.channels) == 24
    rows = [f"2026-05-01 12:{i:02}:00," + ",".join(["1.5", "2.5"] * 12) for i in range(8)]
    made = table(tmp_path, [",".join(["time", *(f"H{n}" for n in range(1, 25))]), *rows])
    assert len(made.channels) == 24
