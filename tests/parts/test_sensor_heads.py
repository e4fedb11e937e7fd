"""Where a table begins in its file: lines above the names, rows between them and the readings, or no names at all."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read
from mmdmad.parts.sensor_text import is_table

N = 24
STAMPS = [f"2026-04-03 06:{i:02d}:00" for i in range(N)]
WARM = [f"{20 + i % 7 / 10:.2f}" for i in range(N)]
WIND = [f"{5 + i % 5 / 10:.2f}" for i in range(N)]


def get(folder: Path, text: str, name: str = "t.csv", **where: int) -> Sensor:
    (folder / name).write_text(text)
    made = read(Part("sensor", folder / name, **where))
    assert isinstance(made, Sensor)
    return made


def rows(mark: str, *columns: list[str]) -> str:
    return "".join(mark.join(cells) + "\n" for cells in zip(*columns, strict=True))


TOA5 = (
    '"TOA5","Hut 3","CR300","99","CR300.Std.10","CPU:hut.CR3","12","Ten_min"\n'
    '"TIMESTAMP","RECORD","AirT","Wind"\n"TS","RN","Deg C","meters/second"\n"","","Avg","Smp"\n'
)


def test_a_logger_with_four_lines_of_header_is_read_from_its_first_row(tmp_path: Path) -> None:
    body = rows(",", [f'"{s}"' for s in STAMPS], [str(700 + i) for i in range(N)], WARM, WIND)
    made = get(tmp_path, TOA5 + body, "hut.dat")
    assert (made.channels, made.units, len(made.values)) == (("AirT", "Wind"), ("Deg C", "meters/second"), N)
    assert str(made.start) == "2026-04-03 06:00:00"
    assert made.values[:, 0].tolist() == [float(cell) for cell in WARM]
    said = " | ".join(made.notes)
    for part in ("1 line stands above the header", "left out: 'Avg Smp'", "numbers the rows"):
        assert part in said
    assert is_table(tmp_path / "hut.dat")


def test_a_first_line_as_wide_as_the_names_is_not_taken_for_them(tmp_path: Path) -> None:
    """TOA5 says so of itself; elsewhere the row with a time among its names counts, or the last of the words."""
    eight = TOA5.replace('"AirT","Wind"', '"A","B","C","D","E","F"').replace(
        '"Deg C","meters/second"', ",".join(['"Volts"'] * 6)
    )
    body = rows(",", STAMPS, [str(i) for i in range(N)], *[WARM] * 6)
    assert get(tmp_path, eight.replace('"Avg","Smp"', ",".join(['"Avg"'] * 6)) + body).channels == tuple("ABCDEF")
    titled = "Plant;North\nZeit;Druck\n;bar\n" + rows(";", STAMPS, WARM)
    made = get(tmp_path, titled)
    assert (made.channels, made.units) == (("Druck",), ("bar",))
    titled = "Plant;North\nDatum/Uhrzeit;Druck\n" + rows(";", STAMPS, WARM)
    assert get(tmp_path, titled).channels == ("Druck",)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("padded", [False, True])
def test_lines_above_the_names_are_left_out_and_told(mark: str, padded: bool, tmp_path: Path) -> None:
    above = ["Logger 7", f"Serial{mark}4711", f"Started{mark}2026-04-03 06:00:00", "Note: pump hall"]
    if padded:
        above = [line + mark * (2 - line.count(mark)) for line in above]
    head = "\n".join(above) + "\n\n" + mark.join(("time", "warm", "wind")) + "\n"
    made = get(tmp_path, head + rows(mark, STAMPS, WARM, WIND))
    assert (made.channels, len(made.values)) == (("warm", "wind"), N)
    assert "4 lines stand above the header and are left out" in made.notes


def test_rows_without_names_are_all_read_and_columns_numbered(tmp_path: Path) -> None:
    spaced = "".join(f" 1  {i + 1:4d}   {a}  {b}\n" for i, (a, b) in enumerate(zip(WARM, WIND, strict=True)))
    made = get(tmp_path, spaced, "engine.txt")
    assert made.channels == ("column 1", "column 3", "column 4")  # the second counts the rows
    assert made.values[:, 1].tolist() == [float(cell) for cell in WARM]
    assert any("no row names the columns" in note for note in made.notes)
    assert is_table(tmp_path / "engine.txt")
    made = get(tmp_path, rows(",", STAMPS, WARM, WIND))
    assert (made.channels, len(made.values)) == (("column 2", "column 3"), N)
    part = get(tmp_path, rows(",", STAMPS, WARM, WIND), start=3, stop=9)
    assert (part.channels, part.values[0].tolist()) == (("column 2", "column 3"), [float(WARM[3]), float(WIND[3])])


def test_white_space_parts_dates_and_clocks_too(tmp_path: Path) -> None:
    made = get(tmp_path, "Date Time Warm Wind\n" + rows("   ", STAMPS, WARM, WIND), "t.txt")
    assert made.channels == ("Warm", "Wind")
    assert made.times[:3].tolist() == [0.0, 60.0, 120.0]


def test_a_first_row_that_holds_marks_is_a_row(tmp_path: Path) -> None:
    """Words in the first row of readings do not make it a line of the header."""
    made = get(tmp_path, "time,warm,wind\n2026-04-03 05:59:00,OVER,OVER\n" + rows(",", STAMPS, WARM, WIND))
    assert len(made.values) == N + 1
    assert np.isnan(made.values[0]).all()


def test_logs_are_no_tables(tmp_path: Path) -> None:
    log = tmp_path / "app.txt"
    log.write_text("".join(f"2026-04-03 06:{i:02d}:00 pump ok {i}\n" for i in range(N)))
    assert not is_table(log)
    log.write_text("The pump hums.\nNobody knows why.\n")
    assert not is_table(log)
    with pytest.raises(PartError):
        read(Part("sensor", log))


@settings(max_examples=30, deadline=None)
@given(
    above=st.lists(st.sampled_from(["Plant North", "Serial,17", "Made,by,ACME", "", "Site: 4"]), max_size=4),
    units=st.sampled_from([None, ("s", "°C", "m/s"), ("[s]", "[°C]", "[m/s]"), ("", "Volts", "-")]),
    extra=st.booleans(),
    named=st.booleans(),
    rows_count=st.integers(6, 40),
    seed=st.integers(0, 99),
)
def test_generated_heads_never_move_or_lose_a_reading(
    above: list[str],
    units: tuple[str, ...] | None,
    extra: bool,
    named: bool,
    rows_count: int,
    seed: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(20, 3, (rows_count, 2)), 2)
    lines = [*above, *(["time,warm,wind"] if named or above or units or extra else [])]
    if units is not None:
        lines += [",".join(units), *[",Avg,Smp"] * extra]
    lines += [f"{i * 5},{a},{b}" for i, (a, b) in enumerate(values.tolist())]
    made = get(tmp_path_factory.mktemp("heads"), "\n".join(lines) + "\n")
    if named or above or units or extra:
        assert made.channels == ("warm", "wind")
        assert made.times.tolist() == [5.0 * i for i in range(rows_count)]
        assert np.array_equal(made.values, values)
    else:
        assert np.array_equal(made.values[:, -2:], values)
