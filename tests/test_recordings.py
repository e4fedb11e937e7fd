"""Raw recordings to cases by the commands: one file, several on one clock, again when they have grown."""

import bz2
import gzip
import lzma
import subprocess
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from mmdmad.cases import Case, Cases, Part
from mmdmad.cli import app
from mmdmad.commands.common import windows_of
from mmdmad.errors import ConfigError, DataError, ManifestError, MmdmadError, RunError
from mmdmad.manifest import read_cases
from mmdmad.recordings import recordings, write_cases
from mmdmad.store import attempt, db
from mmdmad.store.run import Run
from mmdmad.windows import Windows, cut

START = datetime(2026, 5, 1, 12)
PIPELINE = {"parts": {"sensor": {"detector": "gaussian-diffusion"}}, "false_alarm_rate": 0.1}


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(w) for w in words])


def write_table(path: Path, rows: int, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(rows) * 2 * np.pi / 20) + rng.normal(0, 0.1, rows)
    times = [(START + timedelta(seconds=i)).isoformat(sep=" ") for i in range(rows)]
    pd.DataFrame({"time": times, "level": wave.round(4)}).to_csv(path, index=False)
    return path


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """A table of 100 s and a log beside it."""
    write_table(tmp_path / "pump.csv", 100)
    lines = [f"2026-05-01 12:{s // 60:02d}:{s % 60:02d},000 INFO step {s}" for s in range(0, 100, 9)]
    (tmp_path / "app.log").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_manifest_of_windows_is_read_as_it_was_cut(plant: Path) -> None:
    found = recordings(None, {"sensor": plant / "pump.csv", "text": plant / "app.log"})
    made = cut(found, Windows.of("25s"))
    back = read_cases(write_cases(made, plant / "cases.csv"))
    assert [(c.id, c.time, c.recording) for c in back] == [(c.id, c.time, c.recording) for c in made]
    for one, two in zip(back, made, strict=True):
        for name in ("sensor", "text"):
            assert (one.parts[name].path, one.parts[name].start, one.parts[name].stop) == (
                two.parts[name].path,
                two.parts[name].start,
                two.parts[name].stop,
            )
    assert not back.refused


def test_the_command_writes_what_a_person_can_edit(plant: Path) -> None:
    said = call("cases", "make", plant / "cases.csv", "--sensor", plant / "pump.csv", "--text", plant / "app.log",
                "--window", "25s", "--split", "train", "--offset", "text=-9s")  # fmt: skip
    assert said.exit_code == 0, said.output
    assert said.output.splitlines()[-1] == f"4 cases of 1 recordings: {plant / 'cases.csv'}"
    table = pd.read_csv(plant / "cases.csv", dtype=str)
    assert table.iloc[1].to_dict() == {
        "id": "pump@2026-05-01T12:00:16",
        "time": "2026-05-01T12:00:16",
        "text_file": "app.log#3:6",
        "sensor": "pump.csv#16:41",
        "split": "train",
        "recording": "pump",
    }


def test_files_elsewhere_need_a_word(plant: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("elsewhere") / "cases.csv"
    said = call("cases", "make", out, "--sensor", plant / "pump.csv", "--window", "25s")
    assert "--allow-outside" in said.output
    assert not read_cases(out).items
    assert len(read_cases(out, allow_outside=True)) == 4


def test_frames_have_the_rate_that_was_given(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "cam").mkdir()
    for i in range(20):
        Image.new("L", (8, 8), i).save(tmp_path / "cam" / f"{i:03d}.png")
    out = tmp_path / "cases.csv"
    assert call("cases", "make", out, "--video", tmp_path / "cam", "--window", "1s").exit_code == 1
    said = call("cases", "make", out, "--video", tmp_path / "cam", "--window", "1s", "--rate", "video=5")
    assert said.exit_code == 0, said.output
    assert pd.read_csv(out)[["id", "video", "video_rate"]].values.tolist()[1] == ["cam@1s", "cam#5:10", 5.0]


def test_one_file_a_folder_and_a_manifest_are_recordings(plant: Path) -> None:
    alone = recordings(plant / "pump.csv")
    assert [(c.id, tuple(c.parts)) for c in alone] == [("pump", ("sensor",))]
    assert alone.root == plant.resolve()
    assert alone.extra["manifest"] == "pump.csv"
    assert {c.id for c in recordings(plant)} == {"pump", "app"}
    (plant / "list.csv").write_text("id,sensor\nmonday,pump.csv\n")
    assert [c.id for c in recordings(plant / "list.csv", rates={"sensor": 2.0})] == ["monday"]
    assert recordings(plant / "list.csv", rates={"sensor": 2.0})[0].parts["sensor"].rate == 2.0


def test_what_is_no_recording_is_refused(plant: Path) -> None:
    (plant / "a.xyz").write_text("x")
    for data, files, says in [
        (plant / "a.xyz", {}, "neither a manifest nor a recording"),
        (plant / "gone.csv", {}, "no such file"),
        (None, {"sensor": plant / "gone.csv"}, "no such file"),
        (None, {}, "no recording was given"),
        (plant, {"sensor": plant / "pump.csv"}, "give one of them"),
    ]:
        with pytest.raises(ManifestError, match=says):
            recordings(data, files)
    for rates in ({"text": 5.0}, {"sensor": 0.0}):
        with pytest.raises(ConfigError, match="rows or frames a second of sensor, video"):
            recordings(plant / "pump.csv", rates=rates)
    memory = Cases((Case("a", {"sensor": Part("sensor", value=np.zeros((3, 1)))}),))
    with pytest.raises(ManifestError, match="lies in memory"):
        write_cases(memory, plant / "m.csv")
    with pytest.raises(ManifestError, match=r"ends in .csv"):
        write_cases(memory, plant / "m.jsonl")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--offset", "text"), "is no NAME=VALUE; write --offset video=2.5s"),
        (("--rate", "=5"), "is no NAME=VALUE; write --rate video=10"),
        (("--rate", "video=fast"), "is no number"),
        (("--window", "60x"), "is not a duration"),
    ],
)
def test_slips_in_options_end_in_one_line(plant: Path, words: tuple[str, ...], says: str) -> None:
    said = call("cases", "make", plant / "o.csv", "--sensor", plant / "pump.csv", *words)
    assert isinstance(said.exception, ConfigError)
    assert says in str(said.exception)
    assert not (plant / "o.csv").exists()


def test_a_manifest_that_is_a_recording_says_how_it_is_cut(plant: Path) -> None:
    for name in ("pump.csv", "app.log"):
        with pytest.raises(ManifestError, match="--window 60s"):
            read_cases(plant / name)


def test_fit_and_score_cut_alike_and_take_only_what_is_new(tmp_path: Path) -> None:
    normal, late, run = write_table(tmp_path / "normal.csv", 1800), tmp_path / "late.csv", tmp_path / "run"
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(PIPELINE))
    said = call("fit", "--data", normal, "--window", "20s", "--config", tmp_path / "p.yaml", "--run", run)
    assert said.exit_code == 0, said.output
    assert "90 cases, windows of 20 s" in said.output
    write_table(late, 70, seed=1)
    said = call("score", run, "--data", late)
    assert said.output.splitlines()[-2].startswith("3 cases judged")
    assert said.output.splitlines()[-1].startswith("Watched for drift: 3 cases in the order of time")
    assert "late: the last 10 s are no whole window and are left out" in said.output
    write_table(late, 70, seed=1)
    with late.open("a") as file:
        for i in range(70, 100):
            file.write(f"{(START + timedelta(seconds=i)).isoformat(sep=' ')},0.5\n")
    said = call("score", run, "--data", late)
    assert any(line.startswith("2 cases judged; ") for line in said.output.splitlines())
    with closing(Run.open(run)) as opened:
        assert {f.case_id for f in opened.findings()} == {
            f"late@2026-05-01T12:{s // 60:02d}:{s % 60:02d}" for s in range(0, 100, 20)
        }
    other = call("score", run, "--data", late, "--window", "25s")
    assert isinstance(other.exception, RunError)
    assert "learned from windows of 20 s, these cases are windows of 25 s" in str(other.exception)


def test_what_is_faulty_is_left_out_before_it_is_cut(tmp_path: Path) -> None:
    for folder in ("good", "bad"):
        (tmp_path / "data" / folder).mkdir(parents=True)
        write_table(tmp_path / "data" / folder / "a.csv", 1800, seed=len(folder))
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(PIPELINE))
    said = call("fit", "--data", tmp_path / "data", "--window", "20s", "--config", tmp_path / "p.yaml",
                "--run", tmp_path / "run")  # fmt: skip
    assert said.exit_code == 0, said.output
    assert "90 cases, windows of 20 s" in said.output
    assert "fitted on 90 cases" in said.output


def test_the_command_that_goes_on_names_the_windows(tmp_path: Path, plant: Path) -> None:
    made = cut(recordings(plant / "pump.csv"), Windows.of("25s", "5s"))
    run = Run.create(tmp_path / "run", {})
    assert run.windows is None
    with Session(run._engine) as session, session.begin():
        attempt.remember(session, made)
    with Session(run._engine) as session:
        told = attempt.go_on(session, run.path)
    assert told == (
        f"mmdmad fit --data {plant.resolve() / 'pump.csv'} --run {run.path} --resume --window 25.0 --step 5.0"
    )
    assert run.windows == Windows(25.0, 5.0, {})
    with Session(run._engine) as session, session.begin():
        session.merge(db.MetaRow(key="fit_window", value="long"))
    with pytest.raises(RunError, match=r"restore cases\.sqlite"):
        _ = run.windows
    with Session(run._engine) as session, session.begin():
        attempt.remember(session, read_cases(plant))
    assert run.windows is None
    run.close()


def test_how_times_are_written_is_said_to_every_command_and_remembered(tmp_path: Path) -> None:
    path, pattern = tmp_path / "line.log", "%y%m%d-%H%M%S"
    path.write_text("".join(f"2605{1 + s // 3600:02d}-12{s // 60:02d}{s % 60:02d} step {s}\n" for s in range(120)))
    asked = call("check", path, "--window", "20s", "--no-estimate")
    assert "--log-time" in asked.output + str(asked.exception)
    said = call("check", path, "--window", "20s", "--log-time", pattern, "--no-estimate")
    assert "5 cases" in said.output, said.output
    made = cut(recordings(path), Windows.of("20s", log_time=pattern))
    run = Run.create(tmp_path / "run", {})
    with Session(run._engine) as session, session.begin():
        attempt.remember(session, made)
    with Session(run._engine) as session:
        assert f"--log-time {pattern}" in attempt.go_on(session, run.path)
    assert run.windows == Windows(20.0, None, {}, pattern)
    assert windows_of(None, None, None, run.windows) == run.windows
    assert windows_of("10s", None, None, run.windows) == Windows(10.0, None, {}, pattern)
    assert windows_of(None, None, "%s", run.windows) == Windows(20.0, None, {}, "%s")
    run.close()
    for words in (("fit", "--data", path, "--run", tmp_path / "other"), ("check", path)):
        assert "--log-time was given without a window" in str(call(*words, "--log-time", pattern).exception)


def test_the_clocks_of_parts_are_moved_by_every_command_and_remembered(tmp_path: Path) -> None:
    plant = tmp_path / "plant"
    plant.mkdir()
    clock = [f"2026-05-01 12:{s // 60:02d}:{s % 60:02d}" for s in range(240)]
    (plant / "pump.csv").write_text("time,bar\n" + "".join(f"{t},{i % 7}\n" for i, t in enumerate(clock)))
    (plant / "pump.log").write_text("".join(f"{t} step\n" for t in clock[:60]))
    words = ("check", plant, "--window", "60s", "--no-estimate")
    assert "4 cases" in call(*words).output
    late = cut(recordings(plant), Windows.of("60s", offsets={"text": "1 min"}))
    assert [case.id[-8:] for case in late if "text" in case.parts] == ["12:01:00"]
    apart = call(*words, "--offset", "text=-10min")
    assert "no second in common" in apart.output + str(apart.exception)
    run = Run.create(tmp_path / "run", {})
    with Session(run._engine) as session, session.begin():
        attempt.remember(session, late)
    assert run.windows == Windows(60.0, None, {"text": 60.0})
    with Session(run._engine) as session:
        assert attempt.go_on(session, run.path).endswith("--window 60.0 --offset text=60s")
    assert windows_of(None, None, None, run.windows) == run.windows
    assert windows_of(None, None, None, run.windows, ["text=2s"]) == Windows(60.0, None, {"text": 2.0})
    for stored, said in (('{"text": "x"}', "offsets cannot be read"), ('{"smell": 1}', "smell"), ("[", "offsets")):
        with Session(run._engine) as session, session.begin():
            session.merge(db.MetaRow(key="fit_offset", value=stored))
        with pytest.raises(MmdmadError, match=said):
            _ = run.windows
    run.close()
    assert "--offset was given without a window" in str(call("check", plant, "--offset", "text=1s").exception)


def test_a_log_that_looks_like_a_table_is_refused_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / "buffer.txt"
    path.write_text(
        "Nr\tDate\tTime\tEvent\n" + "".join(f"{i}\t01.05.2026\t12:{i:02d}:00\tgate {i} on\n" for i in range(60))
    )
    with pytest.raises(DataError, match=r"is not a number.*; it was taken for a table: if it is a log, call it \.log"):
        cut(recordings(path), Windows.of("60s"))
    path.rename(tmp_path / "buffer.log")
    assert len(cut(recordings(tmp_path / "buffer.log"), Windows.of("60s"))) == 59


def test_pieces_of_a_log_are_told_with_what_makes_one_of_them(tmp_path: Path) -> None:
    for name in ("app.log", "app.log.1", "app.log.2.gz", "app.log.10.gz", "other.log.1", "notes.xyz"):
        (tmp_path / name).write_text("2026-05-01 12:00:00 up\n2026-05-01 12:01:00 on\n")
    cases = read_cases(tmp_path)
    assert [case.id for case in cases] == ["app"]
    told = " ".join(str(tmp_path / name) for name in ("app.log.10.gz", "app.log.2.gz", "app.log.1", "app.log"))
    cure = f"(zcat -f {told} > whole.log)"
    why = {one.case_id: one.reason for one in cases.refused}
    assert why["notes.xyz"] == "unknown kind of file '.xyz'"
    assert "earlier piece of other.log; " in why["other.log.1"]
    for name in ("app.log.1", "app.log.2.gz", "app.log.10.gz"):
        assert "earlier piece of app.log; put the pieces into one file, oldest first" in why[name]
        assert cure in why[name]
    said = call("cases", "make", tmp_path / "out.csv", "--text", tmp_path / "app.log", "--window", "30s")
    assert "app.log: earlier pieces of this log lie beside it, unread; " in said.output
    assert cure in said.output
    assert "earlier piece" not in call("cases", "make", tmp_path / "out.csv", "--text", tmp_path / "other.log.1").output
    (tmp_path / "app.log").rename(tmp_path / "b.log")
    assert (
        "earlier"
        not in call("cases", "make", tmp_path / "o.csv", "--text", tmp_path / "b.log", "--window", "30s").output
    )


def test_the_cure_for_pieces_of_a_log_works_as_it_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "var log"
    folder.mkdir()
    packs = {"app.log.3.xz": lzma.compress, "app.log.2.bz2": bz2.compress, "app.log.1.gz": gzip.compress}
    for number, (name, pack) in enumerate({**packs, "app.log": bytes}.items()):
        (folder / name).write_bytes(pack(f"2026-05-01 12:0{number}:00 piece {number}\n".encode()))
    monkeypatch.chdir(tmp_path)
    why = read_cases(Path("var log")).refused[0].reason
    command = why.split("oldest first (")[1].removesuffix("), and give that")
    subprocess.run(["bash", "-c", command], check=True, cwd=tmp_path)
    lines = (tmp_path / "whole.log").read_text().splitlines()
    assert [line[-1] for line in lines] == ["0", "1", "2", "3"]


def test_a_log_of_json_lines_is_a_recording(tmp_path: Path) -> None:
    lines = [f'{{"level":"info","ts":"2026-05-01T12:00:{s:02d}Z","msg":"step {s}"}}' for s in range(0, 60, 5)]
    (tmp_path / "app.jsonl").write_text("\n".join(lines))
    made = cut(recordings(tmp_path / "app.jsonl"), Windows.of("20s"))
    assert [(c.parts["text"].start, c.parts["text"].stop) for c in made] == [(0, 4), (4, 8)]
    (tmp_path / "list.jsonl").write_text('{"id": "a", "text": "hello"}\n')
    assert [c.id for c in recordings(tmp_path / "list.jsonl")] == ["a"]
