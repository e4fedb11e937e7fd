"""Which steps bring an older run up to date, whichever of its two numbers is the older one; what guards a database."""

import json
import sqlite3
from pathlib import Path

import pytest

from mmdmad.errors import ModelError, RunError
from mmdmad.store import format, guarded, rows, upgrades
from mmdmad.store.format import Step
from mmdmad.store.run import Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Run.create(tmp_path / "run", {"false_alarm_rate": 0.01}).close()
    return tmp_path / "run"


def numbered(folder: Path, declared: int | None, stored: int) -> None:
    file = folder / "config.json"
    settings = json.loads(file.read_text())
    settings.pop("format")
    file.write_text(json.dumps(settings | ({} if declared is None else {"format": declared})))
    store = sqlite3.connect(folder / "cases.sqlite")
    store.execute(f"PRAGMA user_version={stored}")
    store.close()


@pytest.mark.parametrize(
    ("declared", "stored", "taken"),
    [
        (None, 1, [2, 3, 4]), (None, 0, [2, 3, 4]), (None, 4, [2, 3, 4]), (1, 1, [2, 3, 4]), (2, 0, [3, 4]),
        (2, 2, [3, 4]), (3, 1, [2, 3, 4]), (1, 3, [2, 3, 4]), (3, 3, [4]), (3, 0, [4]), (3, 4, [4]), (4, 3, [4]),
        (4, 4, []), (4, 0, []), (4, 1, [2, 3, 4]),
    ],
)  # fmt: skip
def test_the_steps_after_the_older_of_the_two_numbers_are_taken(folder, monkeypatch, declared, stored, taken):
    numbered(folder, declared, stored)
    seen: list[int] = []
    steps = tuple(Step(to, (lambda run, connection, to=to: seen.append(to),)) for to in (2, 3, 4))
    monkeypatch.setattr(format, "STEPS", steps)
    run = Run.open(folder)
    assert seen == taken
    assert run._settings["format"] == json.loads((folder / "config.json").read_text())["format"] == format.FORMAT
    run.close()
    with sqlite3.connect(folder / "cases.sqlite") as store:
        assert store.execute("PRAGMA user_version").fetchone() == (format.FORMAT,)


def test_each_step_has_its_actions():
    assert [(step.to, step.actions) for step in format.STEPS] == [
        (2, (format._list_model,)), (3, (format.fill,)), (4, (upgrades.reference_to_normal,)), (5, ()), (6, ()),
        (7, (rows.rate_free,)), (8, ()), (9, ()), (10, ()), (11, ()), (12, (rows.tell_lacking,)),
    ]  # fmt: skip
    assert (format.FORMAT, format.FIRST, format.DATABASE, format.CONFIG) == (12, 1, "cases.sqlite", "config.json")


@pytest.mark.parametrize(("declared", "stored"), [(13, 12), (12, 13), (13, 0)])
def test_one_number_above_is_newer(folder, declared, stored):
    numbered(folder, declared, stored)
    with pytest.raises(RunError, match="has the run format 13; this mmdmad reads formats up to 12; read it"):
        Run.open(folder)


def test_a_model_is_listed_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(format, "write_manifest", calls.append)
    format._list_model(tmp_path, None)
    assert calls == []  # there is no model
    (tmp_path / "model").mkdir()
    format._list_model(tmp_path, None)
    assert calls == [tmp_path / "model"]
    (tmp_path / "model" / "manifest.json").write_text("{}")
    format._list_model(tmp_path, None)
    assert len(calls) == 1


def test_a_damaged_model_is_left_without_a_list(tmp_path, monkeypatch, caplog):
    def fails(model):
        raise ModelError("it is torn", model / "a.json")

    monkeypatch.setattr(format, "write_manifest", fails)
    (tmp_path / "model").mkdir()
    format._list_model(tmp_path, None)
    assert "it is torn" in caplog.text
    assert "the findings can still be read, the model cannot be used" in caplog.text


OLD = {
    "ids": ["a"], "groups": [None], "n_cases": 1, "sensor": [[0, 1]], "units": ["V"], "video": [[2, 3]], "n_texts": 2,
    "words": {"x": 1}, "templates": {"y": 2},
}  # fmt: skip


def test_what_was_one_table_goes_to_its_modalities():
    head = {"ids": ["a"], "groups": [None], "n_cases": 1}
    sensor, video = {"ranges": [[0, 1]], "units": ["V"]}, {"ranges": [[2, 3]]}
    text = {"words": {"x": 1}, "templates": {"y": 2}, "n_texts": 2}
    assert upgrades._by_modality(OLD) == {**head, "learned": {"sensor": sensor, "video": video, "text": text}}
    for gone, left in (
        ({"sensor": []}, {"video": video, "text": text}), ({"video": []}, {"sensor": sensor, "text": text}),
        ({"n_texts": 0}, {"sensor": sensor, "video": video}),
    ):  # fmt: skip
        assert upgrades._by_modality({**OLD, **gone}) == {**head, "learned": left}


def test_a_schema_in_other_words_or_forms_is_refused():
    ours, theirs = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    ours.execute('CREATE TABLE a (x INTEGER NOT NULL, "y" TEXT DEFAULT 3, PRIMARY KEY (x)) WITHOUT ROWID')
    ours.execute("CREATE INDEX i ON a (y)")
    sound = [
        'CREATE TABLE a ("y" TEXT DEFAULT 3, x INTEGER NOT NULL, PRIMARY KEY (x)) WITHOUT ROWID',
        "CREATE INDEX i   ON a (y)",
    ]

    def told(check, *lines: str) -> str:
        for kind, name in theirs.execute("SELECT type, name FROM sqlite_master WHERE sql NOT NULL").fetchall():
            theirs.execute(f"DROP {kind} IF EXISTS {name}")
        for line in lines:
            theirs.execute(line)
        try:
            check(theirs, ours, "file")
        except RunError as why:
            return str(why)
        return ""

    whole, strangers = guarded.refuse_other_schema, guarded.refuse_strangers
    assert told(whole, *sound) == told(strangers, *sound) == ""
    assert told(strangers, "CREATE TABLE a (x INTEGER)") == ""  # columns may be lacking
    assert told(whole) == "file lacks the index i; restore it from a copy, or move it away and score again"
    assert told(whole, *sound, "CREATE TABLE b (x)").startswith("file holds the 'table b', which mmdmad did not make;")
    other = "file holds the table a in another form than mmdmad makes it"
    for line in (
        sound[0].replace(" WITHOUT ROWID", ""), sound[0].replace("DEFAULT 3", "DEFAULT 4"),
        sound[0].replace("INTEGER NOT NULL", "INTEGER"), sound[0].replace("TEXT", "BLOB"),
        sound[0].replace("PRIMARY KEY (x)", 'PRIMARY KEY (x, "y")'),
    ):  # fmt: skip
        if "INTEGER," in line:  # a primary key without rowid is never null
            continue
        assert told(whole, line, sound[1]).startswith(other)
    assert told(whole, sound[0], "CREATE INDEX i ON a (x)").startswith("file holds the index i in another form")
    assert told(strangers, "CREATE TABLE a (x INTEGER CHECK (x > 1))").startswith("file holds the table 'a', which")
    assert told(strangers, "CREATE TABLE c (x)").startswith("file holds the table 'c', which mmdmad did not make so;")
    long = "t" * 200
    assert f"the table '{'t' * 79}," in told(strangers, f"CREATE TABLE {long} (x)")
    assert guarded._words(['CREATE "Table" x', None, "y = 'Some Words'"]) == {
        "create",
        "table",
        "x",
        "y",
        "=",
        "'some words'",
    }
