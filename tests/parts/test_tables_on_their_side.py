"""Tables whose times run from left to right, units of several scales in one column, and rows of several kinds."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read

N = 60
STAMPS = [f"2025-11-04 10:{i:02d}:00" for i in range(N)]


def get(folder: Path, *lines: str, **where: int) -> Sensor:
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    made = read(Part("sensor", folder / "t.csv", **where))
    assert isinstance(made, Sensor)
    return made


PLATE = (
    *("Application: kinetics;;;", "Date:;03.11.2025", "Cycle Nr.;" + ";".join(map(str, range(1, N + 1)))),
    *("Time [s];" + ";".join(f"{300 * i},5" for i in range(N)), "A1;" + ";".join(f"0,{10 + i % 7}" for i in range(N))),
    *("A2;" + ";".join(f"0,{20 + i % 5}" for i in range(N)), "End Time:;03.11.2025 22:00"),
)


def test_times_from_left_to_right_are_read_and_said(tmp_path: Path) -> None:
    made = get(tmp_path, *PLATE)
    assert made.channels == ("A1", "A2")
    assert made.times.tolist() == [300.0 * i for i in range(N)]
    assert made.values[:8, 0].tolist() == [0.1, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.1]
    assert any("lies on its side" in note and "3 other lines" in note for note in made.notes)
    part = get(tmp_path, *PLATE, start=10, stop=20)
    assert part.values.tolist() == made.values[10:20].tolist()


def test_a_table_that_stands_is_not_turned(tmp_path: Path) -> None:
    made = get(tmp_path, "time," + ",".join("abcdefghi"), *[f"{i}" + f",{i % 5}" * 9 for i in range(N)])
    assert len(made.channels) == 9


@pytest.mark.parametrize(
    ("small", "large", "factor"),
    [
        ("MiB", "GiB", 1024),
        ("kB/s", "MB/s", 1000),
        ("ms", "s", 1000),
        ("W", "kW", 1000),
        ("", "k", 1000),
        ("s", "min", 60),
    ],
)
def test_units_of_several_scales_are_brought_to_one(small: str, large: str, factor: int, tmp_path: Path) -> None:
    numbers = [round(0.7 * factor) + round(i * factor / 100) for i in range(N)]
    cells = [f"{n} {small}".strip() if n < factor else f"{n / factor:.6f} {large}" for n in numbers]
    made = get(tmp_path, "time;x", *[f"{stamp};{cell}" for stamp, cell in zip(STAMPS, cells, strict=True)])
    assert made.values[:, 0].tolist() == pytest.approx(numbers, rel=1e-5)
    assert any(f"1 {large} = {factor}" in note for note in made.notes)
    assert made.units == (small,)


def test_large_kilobytes_are_counted_in_1024(tmp_path: Path) -> None:
    cells = ["1010 KB" if i % 2 else "1.5 MB" for i in range(N)]
    made = get(tmp_path, "time,x", *[f"{stamp},{cell}" for stamp, cell in zip(STAMPS, cells, strict=True)])
    assert sorted(set(made.values[:, 0].tolist())) == [1010.0, 1536.0]


@pytest.mark.parametrize(
    "cells", [("5 °C", "41 °F"), ("3 MB", "3 Mb"), ("300 K", "290"), ("3 m", "20 s"), ("1 MiB", "1 MB")]
)
def test_units_of_two_quantities_are_refused(cells: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(PartError, match="write all of them in one unit"):
        get(tmp_path, "time,x", *[f"{stamp},{cells[i % 2]}" for i, stamp in enumerate(STAMPS)])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=3, max_size=30), st.sampled_from([".", ","]))
def test_numbers_of_any_scale_come_back(numbers: list[int], mark: str) -> None:
    import pyarrow as pa

    from mmdmad.parts.cell_scales import one_scale

    scales = [next(s for s in (10**6, 10**3, 1) if n >= s) for n in numbers]
    words = [repr(n / s).replace(".", mark) for n, s in zip(numbers, scales, strict=True)]
    units = [{1: "W", 10**3: "kW", 10**6: "MW"}[s] for s in scales]
    found = one_scale(pa.array(words), pa.array(units), ["W", "kW", "MW"])
    if mark == "," and found is None:  # 1,234 may be a thousand
        return
    assert found is not None
    back = [float(word.replace(mark, ".")) for word in found[0].to_pylist()]
    assert back == pytest.approx(numbers, rel=1e-12)


def kinds(others: int) -> list[str]:
    rows = [f"{i},{stamp},EGV,,{100 + i % 9},,phone" for i, stamp in enumerate(STAMPS)]
    rows[5 : 5 + others] = [f"{i},{STAMPS[i]},Carbs,,,{40 + i},phone" for i in range(5, 5 + others)]
    lead = ["1,,FirstName,Fall,,,", "2,,Alert,High,200,,phone"]
    return ["Index,Timestamp,Event,Subtype,Glucose (mg/dL),Carbs,Device ID", *lead, *rows]


def test_settings_above_and_rare_rows_of_another_kind_are_left_out_and_said(tmp_path: Path) -> None:
    made = get(tmp_path, *kinds(3))
    assert (made.channels, made.units, len(made.times)) == (("Glucose",), ("mg/dL",), N - 3)
    assert made.start == datetime(2025, 11, 4, 10)
    assert made.values.max() < 120  # the limit of 200 is no reading
    said = " | ".join(made.notes)
    assert "the first 2 rows have no time and are left out" in said
    assert "those of 'EGV' (57 of 60) are read, the others, 'Carbs' (3), are left out" in said
    assert "column 'Device ID' holds the same word in every row" in said


def test_kinds_of_which_none_has_nearly_all_rows_are_asked_about(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"rows are of several kinds.*table\['Event'\] == 'EGV'"):
        get(tmp_path, *kinds(25))


def test_a_state_that_never_changes_stays_a_channel(tmp_path: Path) -> None:
    made = get(tmp_path, "time,valve,hostname,x", *[f"{s},open,web1,{i % 5}" for i, s in enumerate(STAMPS)])
    assert made.channels == ("valve=open", "x")
