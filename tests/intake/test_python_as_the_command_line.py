"""What the command line takes, Python takes too: tables under the suffixes of loggers, clocks, times of logs."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

import mmdmad as mm
from mmdmad.errors import ConfigError, DataError

NOON = datetime(2026, 5, 1, 12)


@pytest.mark.parametrize("name", ["t.dat", "t.txt", "t.asc", "t.tab"])
def test_a_table_under_the_suffix_of_a_logger_is_one(tmp_path: Path, name: str) -> None:
    rows = [f"{NOON + timedelta(seconds=i)}\t{i % 7}" for i in range(60)]
    (tmp_path / name).write_text("\n".join(["time\ta", *rows]) + "\n")
    made = mm.cases_from(tables=tmp_path / name, window="20s")
    assert [case.pattern for case in made] == [("sensor",)] * 3


def test_clocks_and_times_of_logs_are_said_in_python_too(tmp_path: Path) -> None:
    log, table = tmp_path / "a.log", tmp_path / "a.csv"
    log.write_text("".join(f"{NOON + timedelta(seconds=5 * i):%H-%M-%S %d.%m.%Y} ok\n" for i in range(24)))
    table.write_text("time,a\n" + "".join(f"{NOON + timedelta(seconds=i - 60)},{i % 7}\n" for i in range(120)))
    more = {"log_time": "%H-%M-%S %d.%m.%Y", "offsets": {"sensor": "60s"}}
    made = mm.cases_from(texts=log, tables=table, window="30s", **more)
    assert [(case.time, len(case.parts)) for case in made] == [(NOON + timedelta(seconds=30 * i), 2) for i in range(4)]
    with pytest.raises(ConfigError, match="without a window"):
        mm.cases_from(texts=log, log_time="%H")


def test_events_in_a_csv_are_told_to_be_called_a_log(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("level,time\ninfo,2026-05-01 12:00:00,started\n")
    with pytest.raises(DataError, match=r"give it as tables=, or call it \.log if it is a log"):
        mm.cases_from(texts=tmp_path / "events.csv")
