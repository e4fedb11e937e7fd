"""Long tables of changes, each series with times of its own: channels on one clock on which the last value holds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read
from mmdmad.parts.sensor import row_times

BEGIN = datetime(2026, 3, 14, 7, tzinfo=UTC)


def table(folder: Path, lines: list[str], rate: float | None = None, rows: str = "") -> Sensor:
    path = folder / "history.csv"
    path.write_text("\n".join([*lines, ""]))
    start, stop = (None, None) if not rows else map(int, rows.split(":"))
    return read(Part("sensor", path, rate=rate, start=start, stop=stop))


def stamp(seconds: float) -> str:
    return f"{BEGIN + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def history(header: str = "entity_id,state,last_changed") -> list[str]:
    """A temperature each minute at 3.2 s, a power each half minute at 17.1 s, a pump that is switched, twice lost."""
    lines = [f"sensor.flow,{60 + i % 5}.5,{stamp(60 * i + 3.2)}" for i in range(60)]
    lines[20] = f"sensor.flow,unavailable,{stamp(1203.2)}"
    lines += [f"sensor.power,{1000 + 10 * (i % 7)},{stamp(30 * i + 17.1)}" for i in range(120)]
    lines += [f"switch.pump,{('on', 'off')[i % 2]},{stamp(600 * i + 44.0)}" for i in range(5)]
    lines += [f"switch.pump,unknown,{stamp(3300.0)}"]
    return [header, *lines]


def test_changes_of_home_automation_are_channels_on_one_clock(tmp_path: Path) -> None:
    made = table(tmp_path, history())
    assert made.channels == ("sensor.flow", "sensor.power", "switch.pump=off", "switch.pump=on")
    assert np.unique(np.diff(made.times)).tolist() == [30.0]
    assert made.start == BEGIN + timedelta(seconds=30)
    flow, power, off, on = made.values.T
    assert flow[0] == 60.5
    assert flow[1] == 60.5
    assert flow[2] == 61.5
    assert power[0] == 1000
    assert power[1] == 1010
    # Lost at 07:20:03, back at 07:21:03: missing at 07:20:30 and 07:21:00.
    assert np.flatnonzero(np.isnan(flow)).tolist() == [40, 41]
    assert np.isnan(on[0])
    assert on[1] == 1
    assert off[1] == 0
    assert on[20] == 1
    assert on[21] == 0
    assert off[21] == 1
    assert np.isnan(on[109:]).all()
    assert np.isfinite(on[1:109]).all()
    said = " | ".join(made.notes)
    for told in ("3 series, named in 'entity_id'", "one clock of 30 s", "last value holds", "(2 rows) are no reading"):
        assert told in said, told


def test_slices_and_windows_count_rows_of_the_clock(tmp_path: Path) -> None:
    whole = table(tmp_path, history())
    some = table(tmp_path, history(), rows="10:20")
    assert np.array_equal(some.values, whole.values[10:20], equal_nan=True)
    assert some.start == BEGIN + timedelta(seconds=330)
    line = row_times(Part("sensor", tmp_path / "history.csv"))
    assert line.start == BEGIN + timedelta(seconds=30)
    assert len(line.times) == len(whole.values)


def test_a_rate_names_the_clock_and_changes_between_its_steps_are_counted(tmp_path: Path) -> None:
    made = table(tmp_path, history(), rate=1 / 60)
    assert np.unique(np.diff(made.times)).tolist() == [60.0]
    assert any("60 changes that another followed within a step are not seen" in note for note in made.notes)
    assert not any("not seen" in note for note in table(tmp_path, history()).notes)


def test_a_history_in_the_order_of_time_reads_alike(tmp_path: Path) -> None:
    first = table(tmp_path, history())
    lines = history()
    made = table(tmp_path, [lines[0], *sorted(lines[1:], key=lambda line: line.rsplit(",", 1)[1])])
    assert set(made.channels) == set(first.channels)
    place = [made.channels.index(name) for name in first.channels]
    assert np.array_equal(made.values[:, place], first.values, equal_nan=True)


@pytest.mark.parametrize("more", ["sensor.boot,{},", "sensor.text,word number {} of many,"])
def test_series_of_times_or_words_are_left_out_and_named(tmp_path: Path, more: str) -> None:
    others = [more.format(stamp(i) if "boot" in more else f"x{i}") + stamp(40 * i + 1.5) for i in range(50)]
    made = table(tmp_path, [*history(), *others])
    assert made.channels == ("sensor.flow", "sensor.power", "switch.pump=off", "switch.pump=on")
    assert any(f"{more.split(',')[0]!r} holds neither numbers nor a few states" in note for note in made.notes)


def historian(name: str = "TagName", quality: str = "") -> list[str]:
    lines = [f"Level,{i % 9},2026-03-14 08:{i // 6:02}:{10 * (i % 6) + 1:02}" for i in range(120)]
    lines += [f"Flow,{i % 4}.25,2026-03-14 08:{i // 6:02}:{10 * (i % 6) + 4:02}" for i in range(120)]
    more = [f",{('Good', 'Bad')[i % 40 == 7]}" if quality else "" for i in range(240)]
    return [f"{name},Value,Time{',' + quality if quality else ''}", *map(str.__add__, lines, more)]


def test_tags_of_a_historian_in_blocks_or_mixed_are_channels(tmp_path: Path) -> None:
    for name, mixed in (("TagName", False), ("TagName", True), ("Bezeichnung", False)):
        lines = historian(name)
        body = sorted(lines[1:], key=lambda line: line.rsplit(",", 1)[1]) if mixed else lines[1:]
        made = table(tmp_path, [lines[0], *body])
        assert set(made.channels) == {"Level", "Flow"}
        assert made.start == datetime(2026, 3, 14, 8, 0, 10)
        level = made.values[:, made.channels.index("Level")]
        assert level.tolist() == [i % 9 for i in range(120)]
        assert np.unique(np.diff(made.times)).tolist() == [10.0]


def test_a_quality_beside_changes_is_refused_with_what_to_leave_out(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="column 'Quality' changes within a series too: leave it out"):
        table(tmp_path, historian(quality="Quality"))


def test_units_of_series_are_read_and_two_of_one_series_refused(tmp_path: Path) -> None:
    lines = historian()
    units = ["unit", *["m"] * 120, *["l/s"] * 120]
    made = table(tmp_path, list(map(",".join, zip(lines, units))))
    assert dict(zip(made.channels, made.units)) == {"Level": "m", "Flow": "l/s"}
    with pytest.raises(PartError, match="series 'Flow' has the units 'l/min' and 'l/s'"):
        table(tmp_path, list(map(",".join, zip(lines, [*units[:-1], "l/min"]))))


def test_states_beside_a_value_and_series_one_after_the_other_are_no_long_table(tmp_path: Path) -> None:
    rows = [f"2026-03-14 08:{i // 6:02}:{10 * (i % 6):02},{('auto', 'hand')[i % 2]},{i % 9}" for i in range(120)]
    assert table(tmp_path, ["time,mode,value", *rows]).channels == ("mode=auto", "mode=hand", "value")
    rows = [f"2026-03-14 08:{i // 6:02}:{10 * (i % 6):02},{('A', 'B')[i // 60]},{i % 9}" for i in range(120)]
    assert table(tmp_path, ["time,sensor,value", *rows]).channels == ("sensor=A", "sensor=B", "value")


def test_a_long_table_of_one_hour_of_local_time_is_no_end_of_summer_time(tmp_path: Path) -> None:
    lines = [f"{tag},{i % 9},2026-03-14 08:{i // 60:02}:{i % 60:02}.{late}" for tag, late in (("a", 1), ("b", 6))
             for i in range(3600)]  # fmt: skip
    made = table(tmp_path, ["tag,value,time", *lines])
    assert made.channels == ("a", "b")
    assert len(made.values) == 3600
