"""Tables among lines of other shapes: statistics above, marks between, patterns of times in the header."""

from datetime import datetime
from pathlib import Path

import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Sensor, read

N = 120


def get(folder: Path, *lines: str, name: str = "t.csv") -> Sensor:
    (folder / name).write_text("\n".join(lines) + "\n")
    made = read(Part("sensor", folder / name))
    assert isinstance(made, Sensor)
    return made


def refusal(folder: Path, *lines: str) -> str:
    with pytest.raises(PartError) as refused:
        get(folder, *lines)
    return str(refused.value)


STATISTICS = (
    *("Device:;testo", "Begin:;01.11.2025 00:00:00", "Channel;Min;Max;Mean;Limits", "Temp [°C];2,8;7,9;4,91;2,0/8,0"),
    *("Hum [%];31,2;58,4;44,0;---", "", "id;Date;Temp [°C];Hum [%]"),
)
LOGGED = [f"{i + 1};01.11.2025 {i // 60:02d}:{i % 60:02d}:00;{4 + i % 5},{i % 10};{40 + i % 7},5" for i in range(N)]


def test_statistics_above_the_names_are_no_table(tmp_path: Path) -> None:
    made = get(tmp_path, *STATISTICS, *LOGGED)
    assert (made.channels, made.units, len(made.times)) == (("Temp", "Hum"), ("°C", "%"), N)
    assert made.values[0].tolist() == [4.0, 40.5]
    assert made.start == datetime(2025, 11, 1)
    assert any("5 lines stand above the header" in note for note in made.notes)


SOLAR = (
    *(";SN: 1;SN: 1;SN: 2;SN: 2", ";5000TL;5000TL;3000TL;3000TL", ";Load;Power;Load;Power"),
    *(";Analog;Counter;Analog;Counter", "dd/MM/yyyy HH:mm:ss;%;kW;%;kW"),
)
SUNNY = [f"03/04/2025 {i // 60:02d}:{i % 60:02d}:00;{i % 7},5;{i % 5},25;{i % 3},5;{i % 4},1" for i in range(N)]


def test_a_pattern_in_the_header_names_the_order_and_the_rows_above_the_columns(tmp_path: Path) -> None:
    made = get(tmp_path, "sep=;", "Version CSV1|Tool SE", "", *SOLAR, *SUNNY)
    assert made.channels == ("SN: 1 Load", "SN: 1 Power", "SN: 2 Load", "SN: 2 Power")
    assert made.units == ("%", "kW", "%", "kW")
    assert made.start == datetime(2025, 4, 3)
    swapped = [row.replace("dd/MM", "MM/dd") for row in SOLAR]
    assert get(tmp_path, "sep=;", *swapped, *SUNNY).start == datetime(2025, 3, 4)


@pytest.mark.parametrize("head", [("dd/MM/yyyy HH:mm;a;b;c;d",), ("Time;a;b;c;d", "dd/MM/yyyy HH:mm;%;kW;%;kW")])
def test_a_pattern_as_a_name_or_a_unit(head: tuple[str, ...], tmp_path: Path) -> None:
    made = get(tmp_path, *head, *SUNNY)
    assert (made.channels, made.start, len(made.times)) == (("a", "b", "c", "d"), datetime(2025, 4, 3), N)


def test_lines_of_a_serial_monitor_between_the_rows_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [f"{1000 + 100 * i},{20 + i % 5}.5,{i % 9}" for i in range(N)]
    head = ["=~=~= PuTTY log 2025.11.04 09:12:33 =~=~=", "34,23.4", "Pump rig v1.3 ready", "millis,temp_C,rpm"]
    made = get(tmp_path, *head, *rows[:50], "WARN: sensor timeout", *rows[50:90], "4100,2", *rows[90:])
    assert made.channels == ("temp_C", "rpm")
    assert made.times.tolist() == pytest.approx([0.1 * i for i in range(N)])
    assert any("2 rows have fewer cells" in note and "WARN: sensor timeout" in note for note in made.notes)


def test_many_short_rows_are_refused(tmp_path: Path) -> None:
    rows = [f"{i},{i % 5},{i % 9}" if i % 10 else f"{i},{i % 5}" for i in range(N)]
    said = refusal(tmp_path, "time,a,b", *rows)
    assert "12 rows have fewer cells than the 3 columns, the first '0,0'" in said


def test_where_a_count_of_time_begins_again_the_message_says_from_what_to_what(tmp_path: Path) -> None:
    rows = [f"{1000 + 100 * (i % 60)},{20 + i % 5}" for i in range(N)]
    assert "begins again in row 61, as where recordings stand one below the other (from 6900 to 1000)" in refusal(
        tmp_path, "millis,temp", *rows
    )


def test_a_short_table_above_another_is_asked_about(tmp_path: Path) -> None:
    first = ["time,a", *[f"{i},{i % 5}" for i in range(5)]]
    said = refusal(tmp_path, *first, "time,b,c", *[f"{i},{i % 5},{i % 7}" for i in range(N)])
    assert "cut it above this row into two files" in said
