"""Tables as oscilloscopes, loggers and weather stations write them: settings beside, headers of two lines, signs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read


def table(folder: Path, lines: list[str], encoding: str = "utf-8", name: str = "t.csv") -> Sensor:
    path = folder / name
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return read(Part("sensor", path))


def scope(channels: int = 1, units: bool = True) -> list[str]:
    settings = [("Record Length", "40"), ("", ""), ("Source", "CH{}"), ("Vertical Units", "V")]
    settings += [("Horizontal Units", "s")] if units else [("Serial", "C7")]
    lines = []
    for i in range(40):
        blocks = []
        for number in range(1, channels + 1):
            key, value = settings[i] if i < len(settings) else ("", "")
            blocks.append(f"{key},{value.format(number)},,{1e-5 * (i - 20):.6f},  {(i % 7) * number}.5,")
        lines.append(",".join(blocks))
    return lines


@pytest.mark.parametrize("channels", [1, 2])
def test_settings_beside_the_readings_of_an_oscilloscope_name_them(tmp_path: Path, channels: int) -> None:
    made = table(tmp_path, scope(channels))
    assert made.channels == ("CH1", "CH2")[:channels]
    assert made.units == ("V", "V")[:channels]
    assert made.times == pytest.approx(1e-5 * np.arange(40), abs=1e-9)
    assert made.values[:, -1].tolist() == [i % 7 * channels + 0.5 for i in range(40)]
    assert any("hold the settings of the instrument" in note for note in made.notes)


def test_settings_that_do_not_name_the_readings_are_refused_with_what_to_write(tmp_path: Path) -> None:
    lines = scope(units=False)
    with pytest.raises(PartError, match=r"keep those, below a row that names them, as in 'time \[s\],CH1 \[V\]'"):
        table(tmp_path, lines)
    cured = ["time [s],CH1 [V]", *(",".join(line.split(",")[3:5]) for line in lines)]
    assert table(tmp_path, cured).channels == ("CH1",)


def test_a_table_that_lacks_early_readings_has_no_settings_beside(tmp_path: Path) -> None:
    made = table(tmp_path, ["time,a,b", *(f"{i},{'' if i > 5 else i % 3},{i % 4}" for i in range(40))])
    assert made.channels == ("a", "b")


def logger(sign: str = "+   ") -> list[str]:
    lines = ['"ベンダ","X Corporation"', '"アンプ設定"', '"CH","信号名","入力","レンジ","フィルタ","スパン"']
    lines += ['"CH1","入口温度","TEMP","TC_K","Off","200.0","-50.0","℃"', '"データ"']
    lines += ['"番号","日付 時間","ms","CH1","CH2"', '"NO.","時間","ms","℃","V"']
    for i in range(60):
        above = "+++++++" if i in (9, 10) else f"{sign}2.{i % 7}"
        burnt = "BURNOUT" if i >= 50 else f"-   {i % 5}.5"
        lines.append(f"{i + 1},2026/11/10 13:00:{i // 2:02},{300 * (i % 2)},{above},{burnt}")
    return lines


def test_a_logger_with_milliseconds_apart_signs_apart_and_letters_of_the_east(tmp_path: Path) -> None:
    made = table(tmp_path, logger(), "cp932")
    assert made.channels == ("CH1", "CH2")
    assert made.units == ("℃", "V")
    assert made.start == datetime(2026, 11, 10, 13)
    assert made.times.tolist() == pytest.approx([i // 2 + 0.3 * (i % 2) for i in range(60)])
    assert np.isnan(made.values[:, 0]).nonzero()[0].tolist() == [9, 10]
    assert made.values[3].tolist() == [2.3, -3.5]
    assert np.isnan(made.values[:, 1]).nonzero()[0].tolist() == list(range(50, 60))
    for said in (
        "Shift-JIS",
        "'BURNOUT' in 10 of 60 cells, the first in row 51",
        "part of a second",
        "2 cells of marks",
    ):
        assert any(said in note for note in made.notes), said


@pytest.mark.parametrize("unit", ["ms", "msec", "Milliseconds"])
def test_milliseconds_that_are_readings_stay_readings(tmp_path: Path, unit: str) -> None:
    made = table(tmp_path, [f"time,{unit},a", *(f"2026-05-01 12:00:{i:02},{300 + i % 4},{i % 3}" for i in range(40))])
    assert unit in made.channels


def station(date: str = "{m}/{d}/{y}", header: str = "Date") -> list[str]:
    lines = ["\t\tTemp\tHi\tLow\tWind\tWind\t", f"{header}\tTime\tOut\tTemp\tTemp\tSpeed\tDir\t"]
    for i in range(96):
        at = datetime(2026, 11, 9) + timedelta(minutes=45 * i)
        clock = f"{at.hour % 12 or 12}:{at:%M}{'a' if at.hour < 12 else 'p'}"
        day = date.format(m=at.month, d=at.day, y="26")
        lines.append(f"{day}\t{clock}\t{i % 5}.1\t{i % 5}.4\t{i % 5}.0\t{i % 3}\t{'NS'[i % 2]}\t")
    return lines


@pytest.mark.parametrize("header", ["Date", "Date [MM/DD/YY]", "Day, local [MM/DD/YY]"])
def test_two_lines_of_a_header_make_one_and_twelve_hours_are_read(tmp_path: Path, header: str) -> None:
    made = table(tmp_path, station(header=header), name="w.txt")
    assert made.channels[:4] == ("Temp Out", "Hi Temp", "Low Temp", "Wind Speed")
    assert made.channels[4:] == ("Wind Dir=N", "Wind Dir=S")
    assert made.start == datetime(2026, 11, 9)
    assert made.times.tolist() == [2700.0 * i for i in range(96)]


def test_a_group_over_several_columns_is_part_of_each_name(tmp_path: Path) -> None:
    rows = [f"2026-05-01 12:00:{i:02};{i % 3};{i % 4};{i % 5};{i % 6}" for i in range(30)]
    made = table(tmp_path, [";Pump 1;;Pump 2;", "time;flow;heat;flow;heat", *rows])
    assert made.channels == ("Pump 1 flow", "Pump 1 heat", "Pump 2 flow", "Pump 2 heat")


def test_names_that_two_lines_leave_alike_are_refused(tmp_path: Path) -> None:
    rows = [f"2026-05-01 12:00:{i:02},{i % 3},{i % 4}" for i in range(30)]
    with pytest.raises(PartError, match="two channels are called 'heat'"):
        table(tmp_path, [",A,A", "time,heat,heat", *rows])


def dated(form: str, step: timedelta, count: int = 200) -> list[str]:
    start = datetime(2026, 11, 9)
    return ["when,a", *(f"{(start + i * step).strftime(form)},{i % 7}" for i in range(count))]


@pytest.mark.parametrize(
    "form", ["%d/%m/%y %H:%M", "%m/%d/%y %H:%M", "%y/%m/%d %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"]
)
def test_days_that_follow_one_another_decide_the_order(tmp_path: Path, form: str) -> None:
    made = table(tmp_path, dated(form, timedelta(minutes=30)))
    assert made.start == datetime(2026, 11, 9)
    assert made.times[-1] == 199 * 1800


@pytest.mark.parametrize("form", ["%d/%m/%y %H:%M", "%m/%d/%Y %H:%M"])
@pytest.mark.parametrize(
    ("step", "count"), [(timedelta(minutes=1), 200), (timedelta(days=1), 3), (timedelta(days=30), 3)]
)
def test_dates_that_nothing_decides_are_asked_about(tmp_path: Path, form: str, step: timedelta, count: int) -> None:
    with pytest.raises(PartError, match=r"name the order behind the name in the header: '\[DD/MM/YY"):
        table(tmp_path, dated(form, step, count))


@pytest.mark.parametrize(
    ("header", "ahead"),
    [
        ("Date Time, GMT+02:00", 2),
        ("time (UTC-0530)", -5.5),
        ("timestamp UTC+1", 1),
        ("Date Time, GMT+02:00 [MM/DD/YYYY]", 2),
    ],
)
def test_a_zone_in_the_header_is_the_zone_of_the_times(tmp_path: Path, header: str, ahead: float) -> None:
    rows = [f"10/{28 + i // 24}/2026 {i % 24:02}:00:00,{i % 5}" for i in range(40)]
    made = table(tmp_path, [f'"{header}",a', *rows])
    assert made.start == datetime(2026, 10, 28, tzinfo=UTC) - timedelta(hours=ahead)


def test_rows_below_the_readings_have_no_time_and_are_told(tmp_path: Path) -> None:
    rows = [f"2026-05-01 12:00:{i:02};{i % 5}" for i in range(30)]
    made = table(tmp_path, ["time;a", *rows, "Sum;61", ";0"])
    assert len(made.times) == 30
    assert "one row of totals ('Sum') left out" in made.notes
    assert "the last row has no time and is left out" in made.notes
    assert len(table(tmp_path, ["time;a", *rows[:27], "Sum;61", *rows[27:]]).times) == 30
    with pytest.raises(PartError, match="row 28 has the time 'restarted'"):
        table(tmp_path, ["time;a", *rows[:27], "restarted;61", *rows[27:]])


def test_columns_of_a_few_remarks_are_left_out_together_and_columns_of_many_named_together(tmp_path: Path) -> None:
    rows = [f"2026-05-01 12:{i // 60:02}:{i % 60:02},{i % 5},," for i in range(100)]
    made = table(tmp_path, ["time,a,Connected,Stopped", *rows[:-1], "2026-05-01 12:01:40,,Logged,Logged"])
    assert made.channels == ("a",)
    assert sum("is left out" in note and "a word in one row of 100" in note for note in made.notes) == 2
    words = [f"2026-05-01 12:00:{i:02},{i % 5},note {i},mark {i}" for i in range(60)]
    with pytest.raises(PartError, match=r"leave the column out; and so are columns 'mark'"):
        table(tmp_path, ["time,a,note,mark", *words])


def test_a_clock_that_is_set_back_stands_back_behind_dates(tmp_path: Path) -> None:
    rows = [f"00:00:{i % 6:02},2026-05-01 12:00:{i:02},{i % 5}" for i in range(60)]
    made = table(tmp_path, ["Time,Date,a", *rows])
    assert made.clock == "Date"
    assert made.times.tolist() == list(range(60))


def test_rows_of_another_width_say_what_to_write(tmp_path: Path) -> None:
    rows = [f"2026-05-01 12:00:{i:02},{i % 5},free words, and more" for i in range(30)]
    with pytest.raises(PartError, match="row 1 has 4 cells and the header names 3 columns: write a name for each"):
        table(tmp_path, ["time,a,b", *rows])


def side_by_side(names: str, late: int = 20, fewer: int = 10) -> list[str]:
    start = datetime(2026, 5, 1)
    lines = [names]
    for i in range(30):
        cells = [f"{start + timedelta(minutes=i)},{i % 5}", f"{start + timedelta(minutes=i, seconds=late)},{i % 3}"]
        cells += [f"{start + timedelta(minutes=3 * i)},{i % 4}" if i < 30 - fewer else ","]
        lines.append(",,".join(cells))
    return lines


@pytest.mark.parametrize(
    "names", ["Time,a,,Time,b,,Time,c", "t1,a,,t2,b,,t3,c", "A Timestamp,a,,B Timestamp,b,,C Timestamp,c"]
)
def test_recordings_side_by_side_are_refused_with_a_cure_that_works(tmp_path: Path, names: str) -> None:
    import pandas as pd

    with pytest.raises(PartError, match="columns 1, 4, 7 each hold the times of the readings on their right") as caught:
        table(tmp_path, side_by_side(names))
    said = caught.value.reason
    code = said[said.index("pd.concat") : -1].replace("'one.csv'", repr(str(tmp_path / "one.csv")))
    eval(code, {"pd": pd, "table": pd.read_csv(tmp_path / "t.csv")})  # the cure is what a person would run
    made = read(Part("sensor", tmp_path / "one.csv"))
    assert made.channels == ("a", "b", "c")
    assert np.isfinite(made.values).sum(axis=0).tolist() == [30, 30, 20]
    assert made.times[:3].tolist() == [0.0, 20.0, 60.0]


def test_begin_and_end_of_rows_are_no_recordings_side_by_side(tmp_path: Path) -> None:
    start = datetime(2026, 5, 1)
    rows = [
        f"{start + timedelta(minutes=i)},{i % 5},{start + timedelta(minutes=i, seconds=9)},{i % 3}" for i in range(30)
    ]
    assert table(tmp_path, ["time,a,end time of day,b", *rows]).channels == ("a", "b")


@pytest.mark.parametrize("form", ["3/14/2026 08:00:{:02}:{:03}", "2026-03-14 08:00:{:02}:{:03}", "08:00:{:02}:{:03}"])
def test_milliseconds_behind_a_colon_are_read(tmp_path: Path, form: str) -> None:
    rows = [f"{form.format(i, 213 + i)},{i % 7}.5" for i in range(40)]
    made = table(tmp_path, ["Time,101 <Zone1> [C]", *rows])
    assert made.times.tolist() == pytest.approx([1.001 * i for i in range(40)])
    if "2026" in form:
        assert made.start == datetime(2026, 3, 14, 8, microsecond=213000)


def wave(i: int, channel: int) -> str:
    return f"{((7 * i + channel) % 11) / 4 - 1:.3e}"


@pytest.mark.parametrize(
    ("header", "row", "channels"),
    [
        (["X,CH1,Start,Increment", "Sequence,Volt,-3.00e-3,1.0e-6"], "{i},{a},,", ("CH1",)),
        (["X,CH1,CH2,Start,Increment,", "Sequence,VOLT,VOLT,-6.0e-6,1.0e-6"], "{i},{a},{b},", ("CH1", "CH2")),
        (["Time(s),CH1V,CH2V,t0 =-2.0e-02s, tInc = 1.0e-06,"], "{t:.8e},{a},{b},,", ("CH1", "CH2")),
        (["CH1V,CH2V,t0 =-2.0e-02s, tInc = 1.0e-06,"], "{a},{b},,", ("CH1", "CH2")),
        (["CH1(V),t0 =-2.0e-02, tInc = 1.0e-06"], "{a},,", ("CH1",)),
        (["x-axis,1,2", "second,Volt,Volt"], "{t:.8e},{a},{b}", ("CH1", "CH2")),
    ],
)
def test_start_and_step_in_the_header_of_an_oscilloscope_are_its_time(
    tmp_path: Path, header: list[str], row: str, channels: tuple[str, ...]
) -> None:
    rows = [row.format(i=i, t=1e-6 * i - 0.005, a=wave(i, 0), b=wave(i, 3)) for i in range(50)]
    made = table(tmp_path, [*header, *rows])
    assert made.channels == channels
    assert set(made.units) == {"V"}
    assert made.times == pytest.approx(1e-6 * np.arange(50), abs=1e-10)
    assert made.values[:, 0].tolist() == [float(wave(i, 0)) for i in range(50)]
    assert made.values[:, -1].tolist() == [float(wave(i, 3 * (len(channels) - 1))) for i in range(50)]
    if "{t" not in row:
        assert any("one every 1.0e-" in note for note in made.notes)
