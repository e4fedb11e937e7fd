"""Logs as programs of many kinds write them: how many entries there are, when the first was, how long they last."""

import bz2
import gzip
import json
import lzma
import os
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.cases import Part
from mmdmad.checking.sources import read_any
from mmdmad.errors import PartError
from mmdmad.intake import cases_from
from mmdmad.manifest import read_cases
from mmdmad.parts import read
from mmdmad.parts.log_times import entries_of, log_times
from mmdmad.recordings import kind_of

WRITTEN = datetime(2026, 3, 15, 12)


def log(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (WRITTEN.timestamp(), WRITTEN.timestamp()))
    return path


@pytest.mark.parametrize(
    "line",
    [
        "\x1b[2m2026-03-14T07:00:{0:02d}.5Z\x1b[0m \x1b[32m INFO\x1b[0m served {0}",
        "03-14 07:00:{0:02d}.500  1234  1240 I ActivityManager: Start proc {0}",
        "03-14 07:00:{0:02d}.500 W/Tag( 123): slow {0}",
        "I0314 07:00:{0:02d}.500000   12345 controller.go:{0}] sync",
        "Mar 14 2026 07:00:{0:02d}.5 fw01 : %ASA-6-302013: Built {0}",
        "March 14, 2026 07:00:{0:02d}.5 Pump {0}",
        "14-MAR-26 07:00:{0:02d}.5  SRVO-0{0:02d} Overtravel error",
        "14. mars 2026 07:00:{0:02d}.5 pumpe {0}",
        "10,03/14/26,07:00:{0:02d}.5,Assign,10.0.0.{0}",
        "20260314T0700{0:02d}.5 state {0}",
        "20260314 07:00:{0:02d}.5 state {0}",
        "####<Mar 14, 2026 7:00:{0:02d}.5 AM CET> <Info> <BEA-00{0}>",
        "14Mar2026  7:00:{0:02d}.5 accept {0}",
        "03/14-07:00:{0:02d}.500000  [**] alert {0}",
        "[14.03.2026 07:00:{0:02d}.5] Motor {0}",
    ],
)
def test_forms_of_stamps(tmp_path: Path, line: str) -> None:
    found = log_times(log(tmp_path / "a.log", "".join(line.format(i) + "\n" for i in range(30))))
    assert found.start is not None
    assert found.start.replace(tzinfo=None) == datetime(2026, 3, 14, 7, 0, 0, 500_000)
    assert found.times.tolist() == list(range(30))
    assert found.entries is not None
    assert len(found.entries) == 30


def test_seconds_since_boot_behind_a_priority(tmp_path: Path) -> None:
    found = log_times(log(tmp_path / "kmsg.log", "".join(f"<6>[{i * 1.5:12.6f}] cpu{i}: up\n" for i in range(9))))
    assert found.times.tolist() == [1.5 * i for i in range(9)]


@pytest.mark.parametrize("stamp", ["%y/%m/%d %H:%M:%S", "%d/%m/%y %H:%M:%S", "%d.%m.%y %H:%M:%S", "%y%m%d %H%M%S"])
def test_each_order_that_is_offered_for_short_years_can_be_taken(tmp_path: Path, stamp: str) -> None:
    times = [datetime(2012, 3, 10, 7) + timedelta(seconds=i) for i in range(30)]
    path = log(tmp_path / "a.log", "".join(f"{one.strftime(stamp)} task {i}\n" for i, one in enumerate(times)))
    with pytest.raises(ValueError, match="years of two digits") as said:
        log_times(path)
    offered = re.findall(r"(\d{4}-\d\d-\d\d) \(--log-time '([^']+)'\)", str(said.value))
    assert len(offered) >= 2
    for date, pattern in offered:
        begin = log_times(path, pattern).start
        assert begin is not None
        assert begin.date().isoformat() == date
    assert stamp in [pattern for _, pattern in offered]


@pytest.mark.parametrize("stamp", ["%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y, %H:%M:%S", "%d/%m/%Y %H:%M:%S.%f"])
def test_each_order_that_is_offered_for_days_and_months_reads_the_same_clock(tmp_path: Path, stamp: str) -> None:
    times = [datetime(2026, 3, 4, 19) + timedelta(seconds=i) for i in range(30)]
    path = log(tmp_path / "a.log", "".join(f"{one.strftime(stamp)} task {i}\n" for i, one in enumerate(times)))
    with pytest.raises(ValueError, match="--log-time") as said:
        log_times(path)
    offered = re.search(r"--log-time '([^']+)', or '([^']+)'", str(said.value))
    assert offered is not None
    assert stamp in offered.groups()
    for pattern in offered.groups():
        begin = log_times(path, pattern).start
        assert begin is not None
        assert begin.time() == times[0].time()


def test_lines_that_hold_dates_of_something_go_on(tmp_path: Path) -> None:
    one = "2026-03-14 07:00:{:02d} INFO config\nkey: value\nstarted: 2020-01-01 00:00:00\nlast: 2021-01-01 00:00:00\n"
    found = log_times(log(tmp_path / "a.log", "".join(one.format(i) for i in range(20))))
    assert found.entries is not None
    assert found.entries.tolist() == list(range(0, 80, 4))


def test_indented_lines_of_a_text_without_times_go_on(tmp_path: Path) -> None:
    path = log(tmp_path / "net.log", "info: A[14]\n      listening\nfail: B[2]\n      gone\n      at C.D()\n")
    found = entries_of(path)
    assert found.entries is not None
    assert found.entries.tolist() == [0, 2]
    assert "does not stand behind spaces" in found.notes[-1]


def test_line_ends_of_old_machines(tmp_path: Path) -> None:
    path = log(tmp_path / "a.log", "".join(f"2026-03-14 07:00:{i:02d} up {i}\r" for i in range(20)))
    cases = cases_from(texts=str(path), window="entry")
    assert [read(case.parts["text"]).text.strip()[20:] for case in cases] == [f"up {i}" for i in range(20)]
    assert any("carriage returns" in note for note in cases.extra["notes"])


def test_a_text_of_tabs_that_tells_events_is_a_log(tmp_path: Path) -> None:
    said = "Information\t14.03.2026 07:00:{:02d}\tSCM\t7036\tDer Dienst {} befindet sich im Zustand läuft.\n"
    path = log(tmp_path / "system.txt", "".join(said.format(i, i) for i in range(30)).encode("cp1252"))
    assert kind_of(path) == "text"
    assert len(cases_from(texts=str(path), window="entry")) == 30
    rows = "".join(f"14.03.2026 07:00:{i:02d}\t{i}.5\t{i}.25\n" for i in range(30))
    assert kind_of(log(tmp_path / "readings.txt", rows)) == "sensor"
    assert kind_of(log(tmp_path / "named.txt", "Time\tPump one\tState of it\n" + rows)) == "sensor"


def test_codes_of_a_terminal_are_no_words(tmp_path: Path) -> None:
    path = log(tmp_path / "ci.log", "\x1b[32;1mstep 1\x1b[0;m\n\x1b[31mstep 2\x1b[0m\n")
    assert read(Part("text", path)).text == "step 1\nstep 2\n"


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_list_is_a_line_an_object(tmp_path: Path, wrapped: bool, indent: int | None) -> None:
    events = [{"timestamp": 1773471600000 + 1000 * i, "message": f"served {i}", "id": i} for i in range(20)]
    held = {"events": events, "searched": []} if wrapped else events
    path = log(tmp_path / "export.json", json.dumps(held, indent=indent))
    cases = cases_from(texts=str(path), window="entry")
    assert len(cases) == 20
    assert cases[3].time is not None
    assert cases[3].time.isoformat() == "2026-03-14T07:00:03+00:00"
    assert read(cases[3].parts["text"]).text.strip() == "served 3 id=3"
    assert any("each is read as a line" in note for note in cases.extra["notes"])


def test_json_objects_of_several_lines_are_entries(tmp_path: Path) -> None:
    held = [
        {"__CURSOR": str(i), "__REALTIME_TIMESTAMP": str(1773471600000000 + i * 10**6), "MESSAGE": f"up {i}"}
        for i in range(9)
    ]
    path = log(tmp_path / "a.log", "\n".join(json.dumps(one, indent=8) for one in held))
    cases = cases_from(texts=str(path), window="entry")
    assert [read(case.parts["text"]).text.strip() for case in cases] == [f"up {i}" for i in range(9)]


def test_an_export_of_journald(tmp_path: Path) -> None:
    fields = "__CURSOR=s={0}\n__REALTIME_TIMESTAMP={1}\n_PID=7\nMESSAGE=up {0}\n\n"
    data = "".join(fields.format(i, 1773471600000000 + i * 10**6) for i in range(9)).encode()
    data += b"__CURSOR=s=9\n__REALTIME_TIMESTAMP=1773471609000000\nMESSAGE\n" + (3).to_bytes(8, "little") + b"a\nb\n\n"
    cases = cases_from(texts=str(log(tmp_path / "a.log", data)), window="entry")
    assert [read(case.parts["text"]).text.strip() for case in cases] == [*(f"up {i}" for i in range(9)), "a | b"]
    assert cases[9].time is not None
    assert cases[9].time.isoformat() == "2026-03-14T07:00:09+00:00"


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_packed_logs_are_read_by_every_door(tmp_path: Path, ending: str, pack) -> None:
    text = "".join(f"2026-03-14 07:00:{i:02d} up {i}\n" for i in range(20))
    path = log(tmp_path / f"app.log.{ending}", pack(text.encode()))
    assert kind_of(path) == "text"
    assert len(cases_from(texts=str(path), window="entry")) == 20
    assert [len(cases) for _, cases in read_any([path, tmp_path])] == [1, 1]
    assert read(next(iter(read_cases(tmp_path))).parts["text"]).text == text


def test_a_damaged_packed_log_is_refused(tmp_path: Path) -> None:
    path = log(tmp_path / "app.log.gz", gzip.compress(b"2026-03-14 07:00:00 up\n" * 900)[:40])
    with pytest.raises(PartError, match=r"packed .gz. and damaged"):
        read(Part("text", path))


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmdmad.parts.text_letters.WIDEST", 2**20)
    monkeypatch.setattr("mmdmad.parts.text_letters.BLOCK", 2**16)
    path = log(tmp_path / "app.log.gz", gzip.compress(b"2026-03-14 07:00:00 up\n" * 100_000))
    with pytest.raises(PartError, match=r"more than 1 MiB .* zcat OLD > NEW.log"):
        read(Part("text", path, start=0, stop=1))


@settings(max_examples=40, deadline=None)
@given(
    begin=st.datetimes(datetime(2013, 1, 1), datetime(2026, 2, 1)),
    stamp=st.sampled_from(["%b %d %Y %H:%M:%S", "%d-%b-%Y %H:%M:%S", "%B %d, %Y %H:%M:%S", "%m/%d/%y,%H:%M:%S"]),
)
def test_a_stamp_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, begin: datetime, stamp: str
) -> None:
    begin = begin.replace(microsecond=0)
    times = [begin + timedelta(hours=7 * i) for i in range(200)]  # through two months: one order alone is a date
    path = tmp_path_factory.mktemp("logs") / "a.log"
    path.write_text("".join(f"{one.strftime(stamp)} task\n" for one in times))
    found = log_times(path)
    assert found.start == begin
    assert found.times.tolist() == [7 * 3600.0 * i for i in range(200)]
