"""Logs of one JSON object a line: the message is the line, the time that of its field, and both are told."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import read
from mmdmad.parts.log_times import entries_of, log_times

BEGIN = datetime(2026, 3, 14, 8, tzinfo=UTC)


def journald(i: int) -> dict[str, Any]:
    micros = int(BEGIN.timestamp()) * 10**6 + i * 1_500_000 + 250_000
    message: Any = f"session opened for user {i}" if i != 3 else list(b"\xc3\xa4 torn")
    return {
        **{"__CURSOR": f"s=ab{i:x}", "__REALTIME_TIMESTAMP": str(micros), "_BOOT_ID": "6f2b", "PRIORITY": "6"},
        **{"SYSLOG_IDENTIFIER": "sshd", "_HOSTNAME": "gw", "MESSAGE": message, "SYSLOG_FACILITY": "10"},
    }


def docker(i: int) -> dict[str, Any]:
    stamp = f"{BEGIN + timedelta(seconds=1.5 * i + 0.25):%Y-%m-%dT%H:%M:%S.%f}000Z"
    return {"log": f"session opened for user {i}\n", "stream": "stdout", "time": stamp}


def bunyan(i: int) -> dict[str, Any]:
    stamp = f"{BEGIN + timedelta(seconds=1.5 * i + 0.25):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    head = {"name": "api", "hostname": "n1", "pid": 4, "level": 30}
    return {**head, "msg": f"session opened for user {i}", "time": stamp, "v": 0}


def zap(i: int) -> dict[str, Any]:
    return {"level": "info", "ts": BEGIN.timestamp() + 1.5 * i + 0.25, "msg": f"session opened for user {i}"}


def pino(i: int) -> dict[str, Any]:
    return {
        "level": 30,
        "time": int(1000 * (BEGIN.timestamp() + 1.5 * i + 0.25)),
        "msg": f"session opened for user {i}",
    }


def structlog(i: int) -> dict[str, Any]:
    stamp = f"{BEGIN + timedelta(seconds=1.5 * i + 0.25):%Y-%m-%dT%H:%M:%S.%f}+00:00"
    return {"status": 200, "event": f"session opened for user {i}", "@timestamp": stamp, "level": "info"}


def written(folder: Path, made: Any, count: int = 12, name: str = "app.log") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(made(i), ensure_ascii=False) + "\n" for i in range(count)))
    return path


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (journald, "PRIORITY=6 SYSLOG_IDENTIFIER=sshd session opened for user 7"),
        (docker, "session opened for user 7"),
        (bunyan, "level=30 session opened for user 7 name=api"),
        (zap, "level=info session opened for user 7"),
        (pino, "level=30 session opened for user 7"),
        (structlog, "level=info session opened for user 7 status=200"),
    ],
)
def test_message_and_time_of_json_lines(tmp_path: Path, made: Any, said: str) -> None:
    path = written(tmp_path, made)
    line = log_times(path)
    assert line.start == BEGIN + timedelta(seconds=0.25)
    assert line.times.tolist() == pytest.approx([1.5 * i for i in range(12)], abs=1e-6)
    assert any("its lines are JSON: each is read as its" in note for note in line.notes)
    assert read(Part("text", path, start=7, stop=8)).text == said + "\n"
    assert read(Part("text", path)).text.split("\n")[7] == said
    assert len(read(Part("text", path)).text.splitlines()) == 12


def test_bytes_traces_and_what_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, journald)
    assert "ä torn" in read(Part("text", path, start=3, stop=4)).text
    told = next(note for note in log_times(path).notes if "JSON" in note)
    assert (
        "at the time '__REALTIME_TIMESTAMP'; left out: '__CURSOR', '_BOOT_ID', '_HOSTNAME', 'SYSLOG_FACILITY'" in told
    )

    def traced(i: int) -> dict[str, Any]:
        return {**structlog(i), **({"exception": "Traceback\n  File x\nKeyError: 3"} if i == 4 else {})}

    path = written(tmp_path, traced, name="b.log")
    text = read(Part("text", path, start=4, stop=6)).text
    assert "exception=Traceback |   File x | KeyError: 3" in text
    assert len(text.splitlines()) == 2


def test_what_a_program_writes_in_json_inside_a_container_is_read_inside(tmp_path: Path) -> None:
    def nested(i: int) -> dict[str, Any]:
        return {**docker(i), "log": json.dumps({"level": "error", "msg": f"lost {i}", "ts": 3.5}) + "\n"}

    assert read(Part("text", written(tmp_path, nested), start=2, stop=3)).text == "level=error lost 2\n"


def test_other_lines_among_them_stay_and_count_with_the_entry_above(tmp_path: Path) -> None:
    path = written(tmp_path, structlog, 40)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:20], "panic: nil\n", *lines[20:]]))
    line = entries_of(path)
    assert line.entries is not None
    assert 20 not in line.entries.tolist()
    assert read(Part("text", path, start=20, stop=21)).text == "panic: nil\n"
    assert np.isclose(line.times[20], line.times[19])


def test_a_lone_object_or_objects_without_a_time_or_a_message_are_texts_as_they_stand(tmp_path: Path) -> None:
    for number, lines in enumerate(([docker(0)], [{"msg": "a"}] * 9, [{"time": "2026-03-14T08:00:00Z", "x": 1}] * 9)):
        path = tmp_path / f"{number}.log"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert read(Part("text", path)).text == path.read_text()


def test_long_logs_of_entries_of_many_lines_are_refused_with_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmdmad.parts.text_letters.LISTED", 100)
    path = tmp_path / "pretty.log"
    path.write_text("".join(json.dumps(journald(i), indent=8) + "\n" for i in range(5)))
    with pytest.raises(PartError, match="write one line each: journalctl -o json"):
        read(Part("text", path))
