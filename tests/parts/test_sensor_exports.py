"""What business software, scopes, spreadsheets and long tables do to a table."""

from pathlib import Path

import numpy as np
import pytest

from mmdmad import read_cases
from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import ManifestError, PartError
from mmdmad.parts.sensor import Sensor, read_sensor, row_times
from mmdmad.parts.timeline import Timeline
from mmdmad.windows import Windows, cut


def read(tmp_path: Path, lines: list[str], name: str = "table.csv") -> Sensor:
    (tmp_path / name).write_text("\n".join(lines))
    return read_sensor(Part("sensor", path=tmp_path / name))


def to_the_minute(counts: list[int]) -> list[str]:
    rows = [
        f"2026-11-28 06:{minute:02d};{i},5"
        for minute, count in enumerate(counts, 58)
        if minute < 60
        for i in range(count)
    ]
    rows += [f"2026-11-28 07:{minute:02d};{i},5" for minute, count in enumerate(counts[2:]) for i in range(count)]
    return ["Zeit;a", *rows]


def test_rows_that_share_a_minute_are_spread_over_it(tmp_path: Path) -> None:
    table = read(tmp_path, to_the_minute([10, 30, 30, 30, 7]))
    assert table.times.tolist() == (2.0 * np.arange(107)).tolist()
    assert table.start is not None
    assert table.start.isoformat() == "2026-11-28T06:58:40"  # the first minute is filled from its end
    assert any("several rows share a minute" in note for note in table.notes)


@pytest.mark.parametrize("counts", [[30, 30, 29, 30, 30], [30, 40, 40, 40, 41], [30, 30]])
def test_minutes_of_other_counts_are_refused_with_a_cure(tmp_path: Path, counts: list[int]) -> None:
    with pytest.raises(PartError, match=r"cut to the minute, each with \d+ to \d+ rows.*write the times with seconds"):
        read(tmp_path, to_the_minute(counts))
    with pytest.raises(PartError, match="cut to the minute"):
        row_times(Part("sensor", path=tmp_path / "table.csv"))


def test_rows_that_share_hours_are_spread_over_them() -> None:
    from mmdmad.parts.sensor_spread import spread

    times, _, note = spread(np.repeat([0.0, 3600.0, 7200.0], 4), None)
    assert times.tolist() == (900.0 * np.arange(12)).tolist()
    assert "share an hour" in note


@pytest.mark.parametrize("step", [1e-6, 2.5e-7, 1e-3, 1.0])
def test_windows_of_any_step_hold_every_row_once(tmp_path: Path, step: float) -> None:
    times = (np.arange(2000) - 1000) * step
    (tmp_path / "scope.csv").write_text("TIME,a\n" + "\n".join(f"{t:.6e},{i % 9}" for i, t in enumerate(times)))
    case = Case("scope", {"sensor": Part("sensor", path=tmp_path / "scope.csv")})
    made = cut(Cases((case,), (), tmp_path, {}), Windows(100 * step))
    spans = [(one.parts["sensor"].start, one.parts["sensor"].stop) for one in made]
    assert spans == [(100 * i, 100 * i + 100) for i in range(20)]


def test_a_time_that_misses_the_edge_by_rounding_is_in_the_window() -> None:
    line = Timeline(np.array([0.0, 59.9999999999, 120.0000000001]))
    assert [line.between(60, 120), line.between(0, 60)] == [(1, 2), (0, 1)]


def test_a_table_that_is_none_of_labview_keeps_its_names(tmp_path: Path) -> None:
    table = read(tmp_path, ["time,flow,Comment", *(f"{i},{i % 7},{i % 5}" for i in range(40))])
    assert table.channels == ("flow", "Comment")


def test_a_minus_behind_a_number_is_its_sign(tmp_path: Path) -> None:
    rows = [f"{i};1.25{i % 10},00;{i % 5},5{'-' if i % 2 else ''}" for i in range(40)]
    table = read(tmp_path, ["time;amount;deviation", *rows])
    assert table.values[:, 1].tolist() == [(-1) ** i * (i % 5 + 0.5) for i in range(40)]
    assert "column 'deviation': a minus behind a number is read as its sign" in table.notes


@pytest.mark.parametrize(("name", "units"), [("unit", "°C °F"), ("Einheit", "V mV"), ("temp_unit", "m³/h l/min")])
def test_two_units_in_a_column_of_units_are_asked(tmp_path: Path, name: str, units: str) -> None:
    one, two = units.split()
    rows = [f"{i},{20 + i % 7},{one if i < 30 else two}" for i in range(50)]
    with pytest.raises(
        PartError, match=f"column '{name}' names several units, .*{two}.* row 31.*leave this column out"
    ):
        read(tmp_path, [f"time,temperature,{name}", *rows])
    same = read(tmp_path, [f"time,temperature,{name}", *(row.replace(two, one) for row in rows)])
    assert same.channels[0] == "temperature"


def long_table(footer: list[str]) -> list[str]:
    rows = [
        f'"{name}";"28.11.2026 06:{i // 30:02d}:{2 * i % 60:02d}";{level + i % 5},5;1;{46354250000 + 23 * i}'
        for i in range(60)
        for name, level in (("Temp", 40), ("Druck", 6), ("Drehzahl", 1450))
    ]
    return ['"VarName";"TimeString";"VarValue";"Validity";"Time_ms"', *rows, *footer]


@pytest.mark.parametrize("footer", [[], ['"$RT_OFF$";"28.11.2026 06:02:02";0,0;2;46354251500']])
def test_a_long_table_is_called_so_and_its_pivot_named(tmp_path: Path, footer: list[str]) -> None:
    with pytest.raises(PartError, match=r"long table.*told apart by 'VarName'") as refused:
        read(tmp_path, long_table(footer))
    assert ".pivot(index='TimeString', columns='VarName', values='VarValue')" in str(refused.value)


def test_a_word_among_states_that_is_none_is_missing_and_told(tmp_path: Path) -> None:
    rows = [f"{i},{i % 7},{'OPEN' if i % 20 < 9 else 'SHUT'}" for i in range(200)]
    rows[150] = "150,3,$STOP$"
    table = read(tmp_path, ["time,x,valve", *rows])
    assert np.isnan(table.values[150, 1:]).all()
    assert "column 'valve': one cell that is no state is taken as missing, '$STOP$' in row 151" in table.notes
    rows[10:14] = [f"{i},3,$STOP$" for i in range(10, 14)]
    with pytest.raises(PartError, match="not a number"):
        read(tmp_path, ["time,x,valve", *rows])


def test_a_sheet_is_refused_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="save the sheet as CSV"):
        read(tmp_path, ["PK"], "heating.xlsx")
    with pytest.raises(ManifestError, match="saved as CSV first"):
        read_cases(tmp_path / "heating.xlsx")


def labview(pref: str = "Relative") -> list[str]:
    head = f"LabVIEW Measurement\t|Separator\tTab|Decimal_Separator\t,|Time_Pref\t{pref}|Date\t2026/11/28"
    more = "Time\t06:00:00,0|***End_of_Header***\t|\t|Channels\t2\t\t|Samples\t60\t60\t|X_Dimension\tTime\tTime\t"
    last = "***End_of_Header***\t\t\t|X_Value\tForce\tWay\tComment"
    rows = [f"{i / 10:.6f}\t{i % 7},25\t-{i % 5},5\t".replace(".", ",") for i in range(60)]
    return [*"|".join([head, more, last]).split("|"), *rows]


@pytest.mark.parametrize("name", ["run.lvm", "run.txt"])
def test_a_labview_file_is_read_below_its_headers(tmp_path: Path, name: str) -> None:
    table = read(tmp_path, labview(), name)
    assert (table.channels, table.clock) == (("Force", "Way"), "time")
    assert table.times.tolist() == pytest.approx([i / 10 for i in range(60)])
    assert table.values[:, 1].tolist() == [-(i % 5) - 0.5 for i in range(60)]
    assert any("2026/11/28 06:00:00,0 is not read" in note for note in table.notes)


def test_an_absolute_time_of_labview_is_not_taken_for_seconds(tmp_path: Path) -> None:
    assert read(tmp_path, labview("Absolute"), "run.lvm").clock == ""
