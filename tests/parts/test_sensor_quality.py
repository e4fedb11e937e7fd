"""Readings that a column of qualities calls bad, and error values of loggers, are no readings, and that is said."""

from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read
from mmdmad.survey.tables import of_table


def table(folder: Path, header: str, rows: list[str]) -> Sensor:
    path = folder / "t.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return read(Part("sensor", path))


def stamp(i: int) -> str:
    return f"2026-05-01 12:00:{i:02}"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Quality", "Good", "Bad"),
        ("Status", "Good", "Uncertain"),
        ("Quality", "192", "0"),
        ("quality_code", "216", "88"),
        ("StatusCode", "0", "2147614720"),
        ("Validity", "1", "0"),
        ("is_valid", "1", "0"),
        ("Qualität", "gut", "schlecht"),
    ],
)
def test_readings_of_rows_that_are_called_bad_are_missing(tmp_path: Path, name: str, good: str, bad: str) -> None:
    rows = [
        f"{stamp(i)},{'0,0' if i in (4, 9) else f'{50 + i},{i % 3}'},{bad if i in (4, 9) else good}" for i in range(30)
    ]
    made = table(tmp_path, f"time,level,flow,{name}", rows)
    assert made.channels == ("level", "flow")
    assert np.flatnonzero(np.isnan(made.values).all(axis=1)).tolist() == [4, 9]
    assert np.isfinite(np.delete(made.values, [4, 9], axis=0)).all()
    assert f"column {name!r} calls 2 rows bad, the first row 5: their readings are taken as missing" in made.notes


def test_a_quality_speaks_for_its_own_channel_alone(tmp_path: Path) -> None:
    level, flow = [0 if i == 3 else 50 + i for i in range(30)], [0 if i == 5 else 2 * i + 9 for i in range(30)]
    rows = [
        f"{stamp(i)},{level[i]},{'Bad' if i == 3 else 'Good'},{flow[i]},{'Bad' if i == 5 else 'Good'}"
        for i in range(30)
    ]
    for header in ("time,level,level_quality,flow,flow_quality", "time,level,Quality A,flow,Quality B"):
        made = table(tmp_path, header, rows)
        assert made.channels == ("level", "flow")
        assert [np.flatnonzero(np.isnan(column)).tolist() for column in made.values.T] == [[3], [5]]


@pytest.mark.parametrize("values", [[7.1, 6.5, 8.0], [0, 1, 1], [3, 4, 5], [200, 230, 180]])
def test_a_reading_that_is_called_quality_stays_one(tmp_path: Path, values: list[float]) -> None:
    made = table(tmp_path, "time,level,quality", [f"{stamp(i)},{i % 7},{values[i % 3]}" for i in range(30)])
    assert made.channels == ("level", "quality")
    assert np.isfinite(made.values).all()


def test_a_quality_of_the_product_is_a_label_and_its_readings_stay(tmp_path: Path) -> None:
    rows = [f"{stamp(i)},{50 + 7 * i % 11},{i % 3},{'Bad' if i in (4, 9) else 'Good'}" for i in range(30)]
    made = table(tmp_path, "time,level,flow,Quality", rows)
    assert made.channels == ("level", "flow")
    assert made.marked == 2
    assert np.isfinite(made.values).all()


def test_states_of_a_machine_are_no_qualities(tmp_path: Path) -> None:
    made = table(tmp_path, "time,level,status", [f"{stamp(i)},{i % 7},{('RUN', 'STOP')[i % 2]}" for i in range(30)])
    assert made.channels == ("level", "status=RUN", "status=STOP")


def test_the_cure_of_a_long_table_leaves_out_what_is_not_good(tmp_path: Path) -> None:
    import pandas as pd

    rows = []
    for i in range(20):
        for tag in ("a", "b"):
            bad = tag == "b" and i in (3, 7)
            rows.append(f"{stamp(i)},{tag},{0 if bad else 50 + i},{0 if bad else 192}")
    with pytest.raises(PartError, match="it is a long table") as caught:
        table(tmp_path, "time,tag,value,quality", rows)
    said = caught.value.reason
    assert "rows that are not of good quality are left out so" in said
    code = said[said.index("in pandas: ") + len("in pandas: ") : said.index("))") + 1]
    made = eval(code, {"table": pd.read_csv(tmp_path / "t.csv")})  # the cure is what a person would run
    made.to_csv(tmp_path / "wide.csv")
    wide = read(Part("sensor", tmp_path / "wide.csv"))
    assert wide.channels == ("a", "b")
    assert np.isnan(wide.values[:, 1]).nonzero()[0].tolist() == [3, 7]


@pytest.mark.parametrize("mark", ["-7999", "7999", "-6999", "6999", "-9999", "+9.9E+37", "9.91E37"])
def test_error_values_of_loggers_are_no_readings(tmp_path: Path, mark: str) -> None:
    made = table(tmp_path, "time,air", [f"{stamp(i)},{mark if i in (4, 5, 6) else 10 + i % 5}" for i in range(30)])
    assert np.isnan(made.values[:, 0]).nonzero()[0].tolist() == [4, 5, 6]
    assert any("is taken for no reading (3 rows)" in note for note in made.notes)


def test_a_check_says_how_many_readings_are_missing_and_what_comes_again_far_outside(tmp_path: Path) -> None:
    odd = {4: "NAN", 5: '"NAN"', 8: "-4242", 9: "-4242", 10: "-4242"}
    made = of_table(table(tmp_path, "time,air", [f"{stamp(i)},{odd.get(i, 10 + i % 5)}" for i in range(40)]))
    assert "channel 'air' lacks 2 of 40 readings" in made.decisions
    assert (
        "channel 'air' is -4242 in 3 rows, the first row 9, far outside its other readings: if that stands for no "
        "reading, leave the cells empty"
    ) in made.remarks


def test_a_rare_level_that_is_not_far_outside_is_no_error_value(tmp_path: Path) -> None:
    rows = [f"{stamp(i)},{20 if i in (4, 5, 6) else 10 + i % 5}" for i in range(40)]
    assert of_table(table(tmp_path, "time,air", rows)).remarks == ()
