from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdmad.errors import ManifestError
from mmdmad.manifest import read_cases, split_slice

ROWS = [
    {"id": "a", "time": "2026-05-01T12:30:00Z", "image": "p/1.png", "text": "Fine, today.", "label": "0", "line": "L1"},
    {"id": "b", "sensor": "s.csv#2:8", "video": "v.mp4#:10", "label": "1", "split": "test", "group": "g", "line": "L2"},
    {"id": "c", "text_file": "t.txt#1:", "video": "frames", "video_rate": "12.5", "line": "L1"},
]
COLUMNS = [
    *("id", "time", "image", "text", "text_file", "sensor", "video", "video_rate", "label", "split", "group", "line"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("p/1.png", "s.csv", "v.mp4", "t.txt", "frames/1.png"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "data"


def write(folder: Path, suffix: str) -> Path:
    table = pd.DataFrame(ROWS, columns=COLUMNS)
    path = folder / f"manifest{suffix}"
    if suffix == ".parquet":
        table["time"] = pd.to_datetime(table["time"])
        table["label"] = table["label"].astype(float)
        table["video_rate"] = table["video_rate"].astype(float)
        table.to_parquet(path)
    elif suffix == ".jsonl":
        path.write_text("".join(row.dropna().to_json() + "\n" for _, row in table.iterrows()))
    else:
        table.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_every_format_gives_the_same_cases(folder: Path, suffix: str) -> None:
    cases = read_cases(write(folder, suffix))
    assert not cases.refused
    a, b, c = cases
    assert (a.id, a.time, a.label, a.row) == ("a", datetime(2026, 5, 1, 12, 30, tzinfo=UTC), 0, 1)
    assert a.parts["image"].path == folder / "p/1.png"
    assert a.parts["text"].value == "Fine, today."
    assert b.pattern == ("sensor", "video")
    assert (b.label, b.split, b.group, b.time) == (1, "test", "g", None)
    assert (b.parts["sensor"].start, b.parts["sensor"].stop) == (2, 8)
    assert (b.parts["video"].start, b.parts["video"].stop) == (None, 10)
    assert (c.parts["text"].path, c.parts["text"].start) == (folder / "t.txt", 1)
    assert (a.recording, b.recording, c.recording) == (None, "s.csv", "t.txt")
    assert (c.parts["video"].path, c.parts["video"].rate) == (folder / "frames", 12.5)
    assert {k: v["line"] for k, v in cases.extra["columns"].items()} == {"a": "L1", "b": "L2", "c": "L1"}
    assert all(p.case_id == case.id and p.row == case.row for case in cases for p in case.parts.values())
    assert [x.id for x in cases.where(split="test")] == ["b"]
    assert len(read_cases(folder)) == 3  # a folder with a manifest is read through it


def test_excel_habits_are_taken(folder: Path) -> None:
    (folder / "m.csv").write_bytes("\ufeffid;text;label\r\n1;Größe;normal\r\n\r\n2;x;Anomalous\r\n".encode())
    cases = read_cases(folder / "m.csv")
    assert [(c.id, c.parts["text"].value, c.label, c.row) for c in cases] == [("1", "Größe", 0, 1), ("2", "x", 1, 2)]


def test_numeric_ids_of_parquet(folder: Path) -> None:
    pq.write_table(pa.table({"id": [7, 8], "text": ["a", None], "image": [None, "p/1.png"]}), folder / "n.parquet")
    cases = read_cases(folder / "n.parquet")
    assert [(c.id, c.pattern) for c in cases] == [("7", ("text",)), ("8", ("image",))]


def test_simulated_data_says_so(folder: Path) -> None:
    path = write(folder, ".csv")
    assert read_cases(path).extra["simulated"] is False
    (folder / "manifest.json").write_text('{"simulated": true, "seed": 3}')
    assert read_cases(path).extra["simulated"] is True


def test_outside_only_when_told(folder: Path) -> None:
    (folder.parent / "out.txt").write_text("out")
    (folder / "link.txt").symlink_to(folder.parent / "out.txt")
    (folder / "m.csv").write_text("id,text_file\na,../out.txt\nb,link.txt\nc,t.txt\n")
    cases = read_cases(folder / "m.csv")
    assert [c.id for c in cases] == ["c"]
    assert [(r.case_id, r.row, r.part) for r in cases.refused] == [("a", 1, "text"), ("b", 2, "text")]
    trusted = read_cases(folder / "m.csv", allow_outside=True)
    assert [c.id for c in trusted] == ["a", "b", "c"]
    assert trusted[1].parts["text"].path == folder.parent / "out.txt"


def test_links_that_stay_inside_are_followed(folder: Path) -> None:
    (folder / "again.png").symlink_to("p/1.png")
    (folder / "m.csv").write_text("id,image\na,again.png\n")
    assert read_cases(folder / "m.csv")[0].parts["image"].path == folder / "p/1.png"


def test_a_manifest_behind_a_linked_folder(folder: Path) -> None:
    (folder.parent / "alias").symlink_to(folder)
    write(folder, ".csv")
    assert len(read_cases(folder.parent / "alias" / "manifest.csv")) == 3


def test_a_file_name_may_hold_a_hash(folder: Path) -> None:
    (folder / "a#1:2").write_text("x")
    (folder / "a").write_text("x")
    (folder / "m.csv").write_text("id,text_file\nplain,a#1:2\nsliced,a#1:3\n")
    plain, sliced = read_cases(folder / "m.csv")
    assert (plain.parts["text"].path, plain.parts["text"].start) == (folder / "a#1:2", None)
    assert (sliced.parts["text"].path, sliced.parts["text"].start) == (folder / "a", 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("id,text\n", "lists no case"),
        ("id,tex\na,b\n", "did you mean 'text'"),
        ("idd,text\na,b\n", "no column 'id'"),
        ("id,weight\na,b\n", "none of the columns image, text"),
        ("text\na\n", "no column 'id'"),
        ("id,text\na,b\nb,c\na,d\n", "rows 1 and 3 have the same id 'a'; ids must differ$"),
        ("id,text\n4.1E+12,b\n4.1E+12,c\n", "ids must differ: a spreadsheet has rounded long numbers"),
        ("id,text,text\na,b,c\n", "'text' twice"),
    ],
)
def test_manifest_errors_say_what_is_wrong_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(ManifestError, match=words) as caught:
        read_cases(tmp_path / "m.csv")
    assert "\n" not in str(caught.value)


def test_a_plain_folder_makes_a_case_of_each_name(tmp_path: Path) -> None:
    for name in ("x/7.png", "x/7.txt", "x/7.csv", "x/8.png", "9.mp4", "two.png", "two.jpg", ".hidden", "x/odd.xyz"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("a")
    cases = read_cases(tmp_path)
    assert {c.id: (c.pattern, c.group) for c in cases} == {
        "x/7": (("image", "text", "sensor"), "x"),
        "x/8": (("image",), "x"),
        "9": (("video",), None),
        "two.png": (("image",), None),
        "two.jpg": (("image",), None),
    }
    assert [(r.case_id, r.part) for r in cases.refused] == [("x/odd.xyz", "case")]


@pytest.mark.parametrize(
    "name",
    [
        *("Thumbs.db", "desktop.ini", ".DS_Store", "x/._7.png", "x/7.xmp", "7.THM", "GX01.LRV", "x/@eaDir/7.png"),
        *("index00.bin", "x/INDEX00P.BIN", "x/2026.index"),
    ],
)
def test_what_systems_viewers_and_cameras_leave_is_passed_over_without_a_word(tmp_path: Path, name: str) -> None:
    for file in ("x/7.png", "x/7.csv", name):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(b"?")
    cases = read_cases(tmp_path)
    assert ([case.id for case in cases], cases.refused) == (["x/7"], ())


def test_a_link_in_a_plain_folder_may_not_leave_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.txt").write_text("out")
    (tmp_path / "in" / "a.txt").symlink_to(tmp_path / "out.txt")
    (tmp_path / "in" / "b.txt").write_text("in")
    cases = read_cases(tmp_path / "in")
    assert [c.id for c in cases] == ["b"]
    assert "leaves" in cases.refused[0].reason


@given(st.text(min_size=1).filter(lambda s: "#" not in s), st.integers(0, 10**9), st.integers(1, 10**9))
def test_slices_round_trip(name: str, start: int, length: int) -> None:
    assert split_slice(f"{name}#{start}:{start + length}") == (name, start, start + length)
    assert split_slice(f"{name}#{start}:") == (name, start, None)
    assert split_slice(name) == (name, None, None)


@given(st.text())
def test_slices_parse_or_raise_value_error(text: str) -> None:
    try:
        _, start, stop = split_slice(text)
    except ValueError:
        return
    assert start is None or start >= 0
    assert stop is None or stop > (start or 0)


def test_large_manifests_read_quickly(tmp_path: Path) -> None:
    import time

    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "m.csv").write_text("id,text_file\n" + "".join(f"{i},a.txt\n" for i in range(20_000)))
    begin = time.process_time()
    assert len(read_cases(tmp_path / "m.csv")) == 20_000
    assert time.process_time() - begin < 5  # 0.3 s where it was written


def test_a_row_that_names_a_column_twice_is_refused_by_name(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"id": "a", "id": "b", "text": "x"}\n{"id": "c", "text": "y"}\n')
    cases = read_cases(tmp_path / "m.jsonl")
    assert [case.id for case in cases] == ["c"]
    assert [(r.row, "'id' stands twice" in r.reason) for r in cases.refused] == [(1, True)]


def test_a_recording_is_what_the_manifest_says_else_the_file_behind_a_slice(folder: Path) -> None:
    (folder / "manifest.csv").write_text("id,sensor,recording\na,s.csv#0:5,shift 1\nb,s.csv#5:9,\nc,s.csv,\n")
    assert [case.recording for case in read_cases(folder)] == ["shift 1", "s.csv", None]
    (folder / "near.csv").write_text("id,sensor,recordng\na,s.csv,1\n")
    with pytest.raises(ManifestError, match="did you mean 'recording'"):
        read_cases(folder / "near.csv")
