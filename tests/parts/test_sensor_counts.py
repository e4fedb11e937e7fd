"""Columns that count or time the recording are no readings; ramps, setpoints and counts that fall are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.encoders.sensor import Windows
from mmdmad.encoders.sensor_state import SensorState
from mmdmad.errors import PartError
from mmdmad.parts.sensor import Sensor, read_sensor

N = 120
RNG = np.random.default_rng(5)


def read(tmp_path: Path, columns: dict[str, Sequence[float]], first: int = 0) -> Sensor:
    """A table of these columns beside one real reading, a row every ten seconds."""
    rows = [
        f"2026-11-28T06:{i // 6 % 60:02d}:{i % 6}0" for i in range(first, first + len(next(iter(columns.values()))))
    ]
    level = RNG.normal(size=len(rows))
    lines = [",".join(["timestamp", "level", *columns])]
    lines += [
        ",".join([row, f"{level[i]:.3f}", *(f"{c[i]:.10g}" for c in columns.values())]) for i, row in enumerate(rows)
    ]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines))
    return read_sensor(Part("sensor", path=path))


AT = np.arange(N)
COUNTS = {
    "Data_Point": AT + 4001,
    "counter": AT * 5 + 17,
    "Record No": AT + 12,
    "Cycle_Index": AT // 30 + 7,
    "pulse-count": np.cumsum(AT % 3),
    "anything": AT + 900,
    "Test_Time(s)": AT * 10.0 + 500,
    "TestTime": AT * 10 / 3600 + 3,
    "x_value": AT * 10.0,
    "Step_Time(s)": (AT % 40) * 10.0,
    "Betriebsstunden": np.floor(AT * 10 / 360) / 10 + 4711,
    "Zählerstand": np.cumsum(0.1 + 0.3 * (AT % 7)),
    "Energy (kWh)": np.cumsum(0.1 + 0.3 * (AT % 7)) + 52000,
}
READINGS = {
    "temperature": 20 + 0.1 * AT + 0.01 * np.sin(AT),
    "temp (°C)": AT + 20.0,
    "tank": np.floor(AT / 7) + 20,
    "set_point": np.floor(AT / 30) * 5 + 20,
    "people_count": 10 + AT % 11,
    "Response_Time(ms)": 40 + AT % 13,
    "charge (Ah)": (AT % 60) * 0.0027,
    "Step_Index": AT // 20 % 4,
    "step_no_index": AT // 30 + 1,
    "ramp": AT * 0.7,
    "position": (AT % 40) * 10.0,
    "timeout": AT % 2 * 10.0,
}


@pytest.mark.parametrize("name", COUNTS)
def test_what_counts_or_times_the_recording_is_left_out_and_told(tmp_path: Path, name: str) -> None:
    table = read(tmp_path, {name: COUNTS[name]})
    assert table.channels == ("level",)
    plain = name.split("(")[0].strip()
    assert any(f"column {plain!r}" in note and "left out" in note for note in table.notes)


@pytest.mark.parametrize("name", READINGS)
def test_what_only_looks_like_it_stays_a_channel(tmp_path: Path, name: str) -> None:
    table = read(tmp_path, {name: READINGS[name]})
    assert len(table.channels) == 2
    assert table.counts == ()


def test_a_time_that_is_set_back_halfway_through_a_step_is_no_clock(tmp_path: Path) -> None:
    odd = (AT % 40) * 10.0 + 130 * (AT % 80 >= 40)
    assert len(read(tmp_path, {"Step_Time(s)": odd}).channels) == 2


def test_what_a_fit_left_out_is_left_out_when_it_stays_the_same(tmp_path: Path) -> None:
    def recording(first: int, cycle: np.ndarray) -> Sensor:
        return read(tmp_path, {"Data_Point": AT + first, "Cycle_Index": cycle})

    learned = [recording(1 + N * i, AT // 30 + 1 + 4 * i) for i in range(4)]
    short = recording(9, np.full(N, 3.0))
    assert [t.channels for t in (learned[0], short)] == [("level",), ("level", "Cycle_Index")]
    encoder = Windows(length=16)
    assert encoder.odd([*learned, short]) == {}
    encoder.fit([*learned, short])
    assert encoder.fitted_.channels == ("level",)
    assert encoder.fitted_.counts == ("Cycle_Index", "Data_Point")
    again = Windows(length=16)
    again.set_state(*encoder.state())
    assert isinstance(again.fitted_, SensorState)
    assert again.fitted_.counts == encoder.fitted_.counts
    assert set(again.encode(short).layout.channels or ()) == {"level"}


def test_a_reading_that_looks_like_a_count_in_one_table_stays_one_in_the_others(tmp_path: Path) -> None:
    tables = [read(tmp_path, {"people_count": 10 + AT % 11}) for _ in range(3)]
    odd = read(tmp_path, {"people_count": AT // 20 + 3})
    assert odd.counts == ("people_count",)
    assert Windows(length=16).odd([*tables, odd]) == {3: "the table has other channels: missing people_count"}
    encoder = Windows(length=16).fit(tables)
    with pytest.raises(PartError, match="missing people_count"):
        encoder.encode(odd)


def undated(tmp_path: Path, header: str, column: np.ndarray) -> Sensor:
    path = tmp_path / "undated.csv"
    rows = [f"{value:.10g},{level:.3f}" for value, level in zip(column, RNG.normal(size=len(column)), strict=True)]
    path.write_text("\n".join([f"{header},level", *rows]))
    return read_sensor(Part("sensor", path=path))


@pytest.mark.parametrize(("header", "scale"), [("Test_Time(s)", 1), ("TestTime [min]", 60), ("Laufzeit", 1)])
def test_elapsed_time_is_the_time_where_nothing_else_is(tmp_path: Path, header: str, scale: float) -> None:
    uneven = np.cumsum(np.where(AT % 5, 0.5, 3.0)) + 77
    table = undated(tmp_path, header, uneven)
    assert table.channels == ("level",)
    assert table.times.tolist() == pytest.approx((scale * (uneven - uneven[0])).tolist())
    assert any("is read as the time, in " in note for note in table.notes)


def test_what_rises_evenly_with_the_rows_is_no_reading_where_nothing_is_the_time(tmp_path: Path) -> None:
    table = undated(tmp_path, "X_Value", AT * 0.25)
    assert (table.channels, table.counts) == (("level",), ("X_Value",))
    assert undated(tmp_path, "X_Value", AT * 0.25 + 0.01 * np.sin(AT)).channels == ("X_Value", "level")
    assert undated(tmp_path, "ramp [°C]", AT * 0.25).channels == ("ramp", "level")
