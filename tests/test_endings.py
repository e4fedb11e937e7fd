"""Every ending is one line with what to do: full, read-only and locked disks and databases, damage, strange names.

Full and read-only disks are real ones: a small tmpfs in a mount name space of its own, where that is allowed.
"""

import json
import logging
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from mmdmad.cases import Case, Part, Refusal
from mmdmad.endings import one_line
from mmdmad.errors import DataError, FileError, MmdmadError, RunError
from mmdmad.files import replacing
from mmdmad.manifest import read_cases
from mmdmad.store.run import Run

ROOT = Path(__file__).parent
CONFIG = {"calibration": "split", "parts": {"sensor": {"detector": "gaussian-diffusion"}}, "false_alarm_rate": 0.1}
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def ran(name: str, *words: object) -> list:
    """What `tests/full_disks.py` found in one of its scenes; skips where no mount name space is allowed."""
    script = [sys.executable, str(ROOT / "full_disks.py"), name, *map(str, words)]
    done = subprocess.run(["unshare", "-rm", *script], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    if done.returncode == 77 or (done.returncode and "unshare" in done.stderr):
        pytest.skip(f"no small disk can be mounted here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    found: list = json.loads(done.stdout.splitlines()[-1])
    return found


def one(end: tuple[int, str], *words: str) -> None:
    """An ending with exit code 1 and one line, after the progress that was shown, holding all the words."""
    code, said = end
    assert code == 1, said
    assert "Traceback" not in said
    last = said.splitlines()[-1]
    assert last.startswith("mmdmad: ")
    for word in words:
        assert word in last, last


@pytest.fixture(scope="module")
def line(tmp_path_factory) -> Path:
    """Tables of a small machine with a configuration that is fitted in a second."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("endings_line", ROOT / "tiny_pipeline.py")
    module = importlib.util.module_from_spec(spec)
    from mmdmad.encoders import base

    before = base.encoders()
    spec.loader.exec_module(module)
    for name in set(base.encoders()) - set(before):
        base._REGISTRY.remove(name)
    folder = tmp_path_factory.mktemp("line")
    module.write_line(folder, count=80, seed=20)
    for file in (*folder.glob("*.png"), folder / "manifest.csv"):
        file.unlink()
    rows = [f"{f.stem},{f.name},{f.stem.split('-')[0]}" for f in sorted(folder.glob("*.csv"))]
    (folder / "manifest.csv").write_text("\n".join(["id,sensor,split", *rows]) + "\n")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return folder


@pytest.fixture(scope="module")
def fitted(line, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    run = Run.create(folder, CONFIG)
    run.fit(read_cases(line / "manifest.csv").where(split="train"))
    run.close()
    return folder


@pytest.fixture
def scored(fitted, line, tmp_path) -> Path:
    folder = Path(shutil.copytree(fitted, tmp_path / "run"))
    run = Run.open(folder)
    run.score(read_cases(line / "manifest.csv").where(split="test"))
    run.close()
    return folder


def test_a_disk_that_fills_while_fitting_loses_nothing(line, fitted, tmp_path):
    first, second, third, fourth, stages = ran("fit", tmp_path, line, fitted)
    one(first, "the disk is full; free space, then run the same command again")
    one(second, "model.part", "the disk is full; free space, then run the same command again")
    assert "sensor" in stages
    assert third[0] == 0, third
    assert fourth[0] == 0, fourth


def test_a_disk_that_fills_while_scoring_keeps_what_was_judged(fitted, line, tmp_path):
    first, judged, second, times = ran("score", tmp_path, line, fitted)
    one(first, "the disk is full")
    assert 0 < judged < 20
    assert second[0] == 0, second
    assert len(times) == len(set(times)) == 20


def test_read_only_disks_are_named_with_a_way_out(scored, line, tmp_path):
    ends = ran("read-only", tmp_path, line, scored)
    assert len(ends) == 4
    one(ends[0], "the disk is read-only; name a folder on another one")
    for end in ends[1:]:
        one(end, "read-only")


def test_a_report_that_finds_no_room_leaves_the_one_before(scored, tmp_path):
    end, content, names = ran("report", tmp_path, scored)
    one(end, "report.html: the disk is full")
    assert (content, names) == ("before", ["report.html"])


def test_a_locked_database_is_said_to_be_in_use(scored):
    run = Run.open(scored)
    with run._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
    other = sqlite3.connect(scored / "cases.sqlite")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RunError, match=r"cases\.sqlite: another program is writing into it; wait"):
        run.feedback(run.findings()[0].case_id, "confirmed")
    other.rollback()
    other.close()
    run.feedback(run.findings()[0].case_id, "confirmed")
    run.close()


def test_a_damaged_database_is_refused_in_one_line(scored):
    whole = (scored / "cases.sqlite").read_bytes()
    pages = bytearray(whole)
    pages[4096 * 2 :] = b"\xff" * (len(whole) - 4096 * 2)
    for content in (b"no database" * 1000, whole[:5000], bytes(pages)):
        (scored / "cases.sqlite").write_bytes(content)
        with pytest.raises(RunError, match=r"cases\.sqlite.*restore") as why:
            Run.open(scored).findings()
        assert "\n" not in str(why.value)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("UPDATE documents SET finding = replace(finding, '\"score\":', '\"score\":1')", "not what was written"),
        ("UPDATE documents SET finding = 'x', digest = NULL", "damaged"),
        ("UPDATE documents SET finding = '{}', digest = NULL", "damaged"),
        ("UPDATE documents SET finding = CAST(X'ff' AS TEXT), digest = NULL", "restore"),
        ("UPDATE documents SET finding = (SELECT max(finding) FROM documents), digest = NULL", "is of case"),
        ("DROP TABLE documents", "restore"),
        ("ALTER TABLE cases DROP COLUMN score", "restore"),
    ],
)
def test_damaged_rows_are_refused_in_one_line(scored, sql, word):
    store = sqlite3.connect(scored / "cases.sqlite")
    if "DROP COLUMN" in sql:
        store.execute("DROP INDEX cases_by_rank")
    store.execute(sql)
    store.commit()
    store.close()
    with pytest.raises(RunError, match=word) as why:  # where the tables are not ours, at opening already
        Run.open(scored).findings()
    assert "\n" not in str(why.value)


@pytest.mark.parametrize(
    "source", ["{", "[]", "{}", '{"parts": {"text": 3}, "time": 5}', '{"parts": {}, "time": "late"}']
)
def test_a_damaged_case_is_refused_in_one_line(scored, source):
    store = sqlite3.connect(scored / "cases.sqlite")
    store.execute("UPDATE documents SET source = ?", (source,))
    store.commit()
    store.close()
    run = Run.open(scored)
    with pytest.raises(RunError, match=r"the files of case 'test-000' is damaged"):
        run.case("test-000")
    run.close()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"config": 3}', "\udcff", "[" * 100_000, '{"a": ' + "9" * 5000 + "}"]
)
def test_a_damaged_configuration_is_refused_in_one_line(scored, text):
    (scored / "config.json").write_text(text, errors="surrogateescape")
    with pytest.raises(RunError, match=r"config\.json cannot be read .*restore it from a copy") as why:
        Run.open(scored)
    assert "\n" not in str(why.value)


def test_folders_in_the_place_of_files_are_named(scored, tmp_path, capsys, monkeypatch):
    from mmdmad.cli import main

    (tmp_path / "report.html").mkdir()
    (tmp_path / "file").write_text("x")
    (scored / "report.html").mkdir()
    other = Path(shutil.copytree(scored, tmp_path / "other"))
    (other / "config.json").unlink()
    (other / "config.json").mkdir()
    for words in (
        ["report", str(scored), "--out", str(tmp_path / "report.html")],
        ["report", str(scored), "--out", str(tmp_path / "file" / "report.html")],
        ["report", str(scored)],
        ["report", str(other)],
        ["report", str(tmp_path / "file")],
    ):
        monkeypatch.setattr("sys.argv", ["mmdmad", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr().err.strip()
        assert stop.value.code == 1
        assert said.startswith("mmdmad: "), said
        assert "\n" not in said
        assert "Traceback" not in said


def test_damaged_pictures_and_texts_do_not_end_a_report(scored, caplog):
    from mmdmad.report import write_report

    flagged = sorted(p.name for p in (scored / "artifacts").iterdir())
    assert flagged
    for folder in (scored / "artifacts").iterdir():
        for picture in folder.glob("*.png"):
            picture.write_bytes(picture.read_bytes()[:200])
        (folder / "sensor.json").write_text('{"text": 3}')
    with caplog.at_level(logging.WARNING, "mmdmad"):
        run = Run.open(scored)
        assert flagged[0] in write_report(run, scored / "again.html").read_text()
        run.close()
    assert "is left out, as it cannot be read" in caplog.text
    assert caplog.text.count("sensor.json is left out") == len(flagged)


def test_a_picture_of_a_giant_size_is_left_out(tmp_path, caplog, monkeypatch):
    from mmdmad.report import pictures

    monkeypatch.setattr(pictures, "MAX_PIXELS", 50)
    Image.new("RGB", (10, 10)).save(tmp_path / "a.png")
    assert pictures.opened(tmp_path / "a.png") is None
    assert "10 x 10 pixels" in caplog.text
    assert pictures.opened(tmp_path / "none.png") is None


def test_names_that_are_not_utf8_are_read_fitted_and_listed(tmp_path, line):
    folder = os.fsencode(tmp_path / "data") + b"/caf\xe9"
    os.makedirs(folder)
    for i, table in enumerate(sorted(line.glob("train-*.csv"))[:70]):
        shutil.copy(table, os.path.join(folder, b"stra\xdfe-%03d.csv" % i))
    with open(os.path.join(folder, b"r\xe9sum\xe9.docx"), "wb"):
        pass
    with open(os.path.join(folder, b"kaputt-\xff.csv"), "wb"):
        pass
    cases = read_cases(tmp_path / "data")
    assert cases.refused == (Refusal("café/résumé.docx", "case", "unknown kind of file '.docx'", None),)
    run = Run.create(tmp_path / "run", CONFIG)
    run.fit(cases)
    refused = run.refusals()
    assert {r.case_id for r in refused} == {"café/résumé.docx", "café/kaputt-ÿ"}
    run.score(cases)
    assert run.count() == 70
    finding = run.finding("café/straße-000")
    assert finding.group == "café"
    part = run.case(finding.case_id).parts["sensor"]
    assert part.path.exists()
    run.export(tmp_path / "table.csv")
    run.close()


@pytest.mark.parametrize("name", ["id", "split", "group"])
def test_half_characters_are_refused_where_a_case_is_made(name):
    values = {"id": "a", "parts": {"text": Part("text", value="x")}, name: "b\ud800"}
    with pytest.raises(DataError, match=f"the {name} .* half a character"):
        Case(**values)


def test_words_of_a_manifest_with_half_characters_are_written_out(tmp_path):
    row = {"id": "a", "text": "all is well", "group": "line \ud800", "split": "tr\udfffain"}
    (tmp_path / "manifest.jsonl").write_text(json.dumps(row) + "\n")
    (case,) = read_cases(tmp_path / "manifest.jsonl")
    assert (case.group, case.split) == ("line \\ud800", "tr\\udfffain")


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    (tmp_path / "file").write_text("before")

    def fill() -> None:
        with replacing(tmp_path / "file") as unfinished:
            unfinished.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(FileError, match=r"file: the disk is full"):
        fill()
    assert (tmp_path / "file").read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_only_faults_of_the_program_keep_their_traceback(monkeypatch):
    assert one_line(RunError("no\nrun")) == "no run"
    assert one_line(PermissionError(13, "Permission denied", "run")).startswith("run: this account may not do that")
    assert "not UTF-8" in one_line(UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"))
    assert one_line(TypeError("a slip")) is None
    monkeypatch.setenv("MMDMAD_DEBUG", "1")
    try:
        raise RunError("no run")
    except RunError as error:
        said = one_line(error)
    assert said.startswith("Traceback")
    assert said.splitlines()[-2:] == ["mmdmad.errors.RunError: no run", "no run"]


def told(folder: Path, cases) -> list:
    """All that a run says: its stored findings, and what its model makes of cases."""
    run = Run.open(folder)
    try:
        stored = [f.model_dump_json() for f in run.findings(order="id")]
        judged = [run.model.judge(case, 0.1) for case in cases]
        return [stored, run.false_alarm_rate, [(j.score, j.p_value) for j in judged]]
    finally:
        run.close()


@pytest.mark.parametrize("tries", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_flipped_bits_and_cut_files_are_refused_or_change_nothing(scored, line, tmp_path, tries):
    cases = read_cases(line / "manifest.csv").where(split="test").items[:2]
    wanted = told(scored, cases)
    files = [scored / "config.json", scored / "cases.sqlite", *sorted((scored / "model").rglob("*.*"))]
    rng, refused, lines = random.Random(0), 0, 0
    for number in range(tries):
        name = rng.choice(files).relative_to(scored)
        folder = Path(shutil.copytree(scored, tmp_path / f"run-{number}", ignore=shutil.ignore_patterns("work")))
        data = bytearray((folder / name).read_bytes())
        at = rng.randrange(len(data))
        if rng.random() < 0.2:
            del data[at:]
        else:
            data[at] ^= 1 << rng.randrange(8)
        (folder / name).write_bytes(data)
        try:
            assert told(folder, cases) == wanted, name
        except MmdmadError as why:
            refused += len(str(why).splitlines()) == 1
            lines += len(str(why).splitlines())
        shutil.rmtree(folder)
    assert refused == lines > tries / 2
