"""Entries that a collector wrote in several stamped lines are one entry, in every door and in the text that is read."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdmad.cases import Part
from mmdmad.parts import read
from mmdmad.parts.log_times import log_times

AT = "2026-03-14T07:00:{:02d}.123456789Z"


def made(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def entries(path: Path) -> list[int]:
    found = log_times(path).entries
    assert found is not None
    return found.tolist()


def test_pieces_of_kubernetes_belong_to_the_next_full_line_of_their_stream(tmp_path: Path) -> None:
    lines = [
        f"{AT.format(0)} stdout F started",
        f"{AT.format(1)} stdout P the first, ",
        f"{AT.format(1)} stdout P the second ",
        f"{AT.format(1)} stdout F and the last piece",
        f"{AT.format(2)} stderr F a warning",
    ]
    path = made(tmp_path / "pod.log", lines)
    line = log_times(path)
    assert line.entries is not None
    assert line.entries.tolist() == [0, 1, 4]
    assert line.times.tolist() == [0, 1, 1, 1, 2]
    assert any("an entry lies in several stamped lines" in note for note in line.notes)
    text = read(Part("text", path, start=1, stop=4)).text
    assert text.rstrip("\n") == f"{AT.format(1)} stdout F the first, the second and the last piece"
    assert read(Part("text", path)).text.split("\n")[4] == lines[4]  # each line keeps its number


def test_a_line_of_another_stream_between_pieces_is_said(tmp_path: Path) -> None:
    lines = [f"{AT.format(0)} stdout P a", f"{AT.format(1)} stderr F b", f"{AT.format(2)} stdout F c"]
    path = made(tmp_path / "pod.log", [*lines, f"{AT.format(3)} stdout F d"])
    assert entries(path) == [0, 3]
    assert any("hold lines of another stream" in note for note in log_times(path).notes)


def test_lines_of_a_stack_trace_that_a_runtime_stamped_go_on(tmp_path: Path) -> None:
    trace = ["java.lang.IllegalStateException: gone", "\tat a.B.c(B.java:7)", "Caused by: x", "\t... 3 more"]
    lines = [f"{AT.format(i)} stderr F {what}" for i, what in enumerate([*["served"] * 6, *trace, *["served"] * 6])]
    assert entries(made(tmp_path / "pod.log", lines)) == [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15]


def test_where_the_program_stamps_its_entries_the_others_go_on(tmp_path: Path) -> None:
    held = ["2026-03-14 07:00:00 INFO up", "2026-03-14 07:00:01 ERROR gone", "ValueError: x", "2026-03-14 07:00:02 ok"]
    lines = [f"{AT.format(i)} stdout F {what}" for i, what in enumerate(held)]
    assert entries(made(tmp_path / "pod.log", lines)) == [0, 1, 3]


def test_traces_longer_than_what_the_program_stamps_go_on(tmp_path: Path) -> None:
    held = ["2026-03-14 07:00:00 ERROR x", "Traceback (most recent call last):", '  File "a.py"', "ValueError: y"]
    lines = [
        json.dumps({"log": one + "\n", "stream": "stderr", "time": AT.format(i)}) for i in range(6) for one in held
    ]
    assert entries(made(tmp_path / "c.log", lines)) == [0, 4, 8, 12, 16, 20]


def test_pieces_of_docker_have_no_line_end(tmp_path: Path) -> None:
    said = ["up\n", "a long ", "long line\n", "served\n", "served\n"]
    lines = [json.dumps({"log": one, "stream": "stdout", "time": AT.format(i)}) for i, one in enumerate(said)]
    path = made(tmp_path / "c-json.log", lines)
    assert entries(path) == [0, 1, 3, 4]
    assert read(Part("text", path, start=1, stop=3)).text.strip("\n") == "a long long line"


@pytest.mark.parametrize(
    "marks",
    [
        ({"partial_message": "true", "partial_last": "false"}, {"partial_message": "true", "partial_last": "true"}),
        ({"logtag": "P"}, {"logtag": "F"}),
        ({"_LINE_BREAK": "line-max"}, {}),
        ({"CONTAINER_PARTIAL_MESSAGE": "true"}, {}),
    ],
)
def test_collectors_that_say_what_is_a_piece(tmp_path: Path, marks: tuple[dict[str, str], dict[str, str]]) -> None:
    pieces = [{"message": "one ", **marks[0]}, {"message": "entry", **marks[1]}]
    held = [{"message": "up"}, *pieces, {"message": "down"}]
    path = made(tmp_path / "c.log", [json.dumps({"time": AT.format(i), **one}) for i, one in enumerate(held)])
    assert entries(path) == [0, 1, 3]
    assert "one entry" in read(Part("text", path, start=1, stop=3)).text.split("\n")[0]


def test_syslog_writes_a_tab_as_a_number(tmp_path: Path) -> None:
    held = ["started", "java.lang.Error: x", "#011at a.B.c(B.java:7)", "#011at a.B.d(B.java:9)", "served"]
    lines = [f"Mar 14 07:00:{i:02d} host app[{7}]: {what}" for i, what in enumerate(held)]
    assert entries(made(tmp_path / "syslog", lines)) == [0, 1, 4]


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 4), min_size=2, max_size=12))
def test_as_many_entries_as_were_written(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    """Entries of any number of pieces: each begins where its first piece stands."""
    lines, begins = [], []
    for number, size in enumerate(sizes):
        begins.append(len(lines))
        tags = ["P"] * (size - 1) + ["F"]
        lines += [f"{AT.format(number)} stdout {tag} w{number}-{i}" for i, tag in enumerate(tags)]
    path = made(tmp_path_factory.mktemp("pods") / "pod.log", lines)
    assert entries(path) == begins
    for number, (begin, size) in enumerate(zip(begins, sizes)):
        text = read(Part("text", path, start=begin, stop=begin + size)).text.strip("\n")
        assert text == f"{AT.format(number)} stdout F " + "".join(f"w{number}-{i}" for i in range(size))
