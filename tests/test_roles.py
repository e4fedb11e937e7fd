"""What people call folders, splits and labels."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdmad.labels import Labels, read_labels, unused
from mmdmad.roles import asks_of, label_of, roles_of, said, split_of

ROLES = {
    "train": "train Train TRAINING train_set training-images Trainset train01 lernen",
    "test": "test Test_01 testing eval evaluation TestSet test_images holdout",
    "validation": "val Valid validation dev",
    "normal": "good OK ok_parts okay normal Normals nominal pass passed healthy gut i.O. iO defect-free no_defects "
    "anomaly_free not_defective without_faults ohne_Fehler fehlerfrei Gutteile undamaged",
    "faulty": "bad NG n.g. ng_parts NOK n.i.O. nio not_ok not_good unhealthy abnormal anomaly Anomalies anomalous "
    "defect defects defective faulty fail failed reject rejected crack cracks scratches Kratzer schlecht nicht_ok",
    "mask": "ground_truth groundtruth GroundTruth gt mask masks Masken segmentation annotations labels",
    "normal train": "train_good good-train TrainOK train.normal",
    "normal test": "test_good test-ok",
    "faulty test": "test_bad defects_test",
    "": "images img data pictures 2026-05-01 20260501_1200 rgb_images",
}
UNKNOWN = "kos01 def_front hook line_3 A B 0 1 12 blue ok_nok good_and_bad train_test kangaroo not_images unknown"


@pytest.mark.parametrize(("name", "roles"), [(name, r) for r, names in ROLES.items() for name in names.split()])
def test_the_usual_words_say_their_roles(name: str, roles: str) -> None:
    assert roles_of(name) == frozenset(roles.split())
    assert roles_of(name.upper()) == roles_of(name) or name != name.lower()  # capitals join words in CamelCase


@pytest.mark.parametrize("name", UNKNOWN.split())
def test_a_word_that_is_not_known_says_nothing(name: str) -> None:
    assert roles_of(name) is None


@given(st.text(max_size=40))
def test_any_word_is_read_or_unknown(name: str) -> None:
    roles = roles_of(name)
    assert roles is None or roles <= {"train", "test", "validation", "normal", "faulty", "mask"}
    assert split_of(name) in (None, "train", "test", "validation")
    assert label_of(name) in (None, 0, 1)
    said([name])


@pytest.mark.parametrize(
    ("asks", "normal", "faulty", "neither"),
    [
        (
            "label",
            "0 0.0 false good OK n/o_defect normal pass i.O. negative",
            "1 1.0 True bad NG nok n.i.O. fail",
            "yes 2",
        ),
        ("faulty", "0 no nein none - false good", "1 yes ja True crack", "maybe 3"),
        ("normal", "1 yes ja True ok", "0 no False bad", "none 2"),
        ("words", "good OK", "bad defect", "0 1 yes no True"),
    ],
)
def test_labels_are_read_by_what_their_column_asks(asks: str, normal: str, faulty: str, neither: str) -> None:
    assert [label_of(word, asks) for word in normal.replace("n/o_defect", "no_defect").split()] == [0] * len(
        normal.split()
    )
    assert [label_of(word, asks) for word in faulty.split()] == [1] * len(faulty.split())
    assert [label_of(word, asks) for word in neither.split()] == [None] * len(neither.split())


def test_a_doubt_a_split_and_a_contradiction_are_no_labels() -> None:
    assert [label_of(word) for word in ("bad?", "train_good", "good or bad", "mask", "")] == [None] * 5


def columns(name: str, values: list) -> dict:
    return {str(i): {name: value} for i, value in enumerate(values)}


def labels_of(name: str, values: list) -> list | str | None:
    found = read_labels(columns(name, values), {})
    if found is None or found.question:
        return found and found.question
    return [found.labels.get(str(i)) for i in range(len(values))]


def test_a_column_under_another_name_that_asks_for_faults_holds_labels() -> None:
    assert labels_of("defective", ["yes", "no", "", 1]) == [1, 0, None, 1]
    assert labels_of("Is Good", ["yes", "no", float("nan"), 1]) == [0, 1, None, 0]
    assert labels_of("verdict", ["OK", "n.i.O.", "ok"]) == [0, 1, 0]
    assert read_labels(columns("defective", [1]), {"0": "good"}).labels == {"0": 0}  # the column label comes first
    assert asks_of("hardness") is None


def test_a_column_that_may_hold_labels_is_a_question() -> None:
    assert "holds 0 and 1: are these labels?" in labels_of("class", [0, 1, 1])
    assert "holds 'bad' beside 'blue': are these labels?" in labels_of("class", ["bad", "blue"])
    for name, values in (("class", ["blue", "red"]), ("class", [1, 1]), ("speed", [0, 1])):
        assert labels_of(name, values) is None


def test_words_that_cannot_be_read_keep_the_ids_that_carry_them() -> None:
    found = read_labels({}, {"a": "good", "b": "so so", "c": "so so", "d": "bad"})
    assert (found.labels, found.unread) == ({"a": 0, "d": 1}, {"so so": ("b", "c")})
    assert read_labels(columns("defective", ["yes", "no", "?"]), {}).note == (
        "column 'defective' holds labels: 1 normal, 1 faulty; '?' cannot be read"
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("pass", [1, 0]),
        ("accepted", ["yes", "no"]),
        ("conforme", ["oui", "non"]),
        ("scrap", ["yes", "no"]),
        ("rejected", [0, 1]),
        ("pass_fail", ["P", "F"]),
        ("fault_code", [0, 17]),
        ("diagnosis", ["healthy", "pneumonia"]),
        ("class", ["bolt", "good"]),
    ],
)
def test_names_that_sound_like_labels_are_a_question_never_passed_over(name: str, values: list) -> None:
    assert re.search(f"column '{name}' holds .*: are these labels[?]", str(labels_of(name, values)))


def test_names_that_sound_like_labels_and_hold_readings_are_columns_like_others() -> None:
    assert labels_of("hole", [i / 7 for i in range(20)]) is None
    assert labels_of("pass", [1, 1]) is None
    assert labels_of("torque", [0, 1]) is None


def test_columns_that_decide_nothing_are_told() -> None:
    rows = {f"c{i}": {"shift": i % 2, "note": f"n{i}", "label_x": None, "ok": 1} for i in range(9)}
    assert unused(rows, Labels("ok", {}, {})) == (
        "columns that decide nothing: 'shift' (0, 1), 'note' (n0, n1, n2, …), 'label_x' (empty); "
        "labels stand under 'label', splits under 'split'"
    )
    many = {"a": {f"x{i}": i for i in range(10)}}
    assert "'x7' (7) and 2 more; labels" in unused(many, None)
    assert unused({"a": {}}, None) == ""


@pytest.mark.parametrize("column", ["veredicto", "Prüfergebnis", "Verdict", "Bemerk. QS", "v2"])
@pytest.mark.parametrize(
    "words", ["bueno malo dudoso", "gut schlecht unklar", "bon mauvais ?", "buono difettoso x", "goed fout"]
)
def test_verdicts_in_other_languages_are_read_or_asked_about_whatever_their_column_is_called(
    column: str, words: str
) -> None:
    good, bad, *doubtful = words.split()
    values = [good, good.upper(), bad, *doubtful]
    found = read_labels({str(i): {column: value, "lot": str(i % 2)} for i, value in enumerate(values)}, {})
    assert found is not None
    assert found.column == column
    if asks_of(column) and not doubtful:
        assert found.labels == {"0": 0, "1": 0, "2": 1}
        assert not found.question
    else:
        assert "are these labels? Write good and bad under 'label'" in found.question


@pytest.mark.parametrize(
    "words", ["ok ok", "broken kg", "blue red", "1 0", " ".join(f"good{i} bad word{i}" for i in range(20))]
)
def test_words_that_are_no_verdicts_ask_nothing(words: str) -> None:
    assert read_labels({str(i): {"operator": value} for i, value in enumerate(words.split())}, {}) is None
