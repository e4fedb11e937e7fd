"""Splits and ties go by content and seed: copies stay together, and no name moves a p-value."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmdmad.calibration.patterns import JointCalibration, Measures
from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import DataError
from mmdmad.parts import case_key, content
from mmdmad.pipeline.config import PipelineConfig, Shares
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.splits import Split, split, too_few
from mmdmad.pipeline.stages import fingerprint


def cases_of(contents: list[str], prefix: str = "c") -> list[Case]:
    return [Case(f"{prefix}{i:04d}", {"text": Part("text", value=words)}) for i, words in enumerate(contents)]


def contents(rows: Split) -> list[list[str]]:
    parts = (rows.fit, rows.reference, rows.calibration)
    return [sorted(rows.cases[i].parts["text"].value for i in part) for part in parts]


def some(seed: int, copies: int) -> list[str]:
    """Texts of which many occur several times, up to `copies`."""
    rng = random.Random(seed)
    return [f"text {i}" for i in range(rng.randrange(1, 90)) for _ in range(rng.randrange(1, copies + 1))]


@pytest.mark.parametrize("copies", [1, 2, 7, 60])
def test_no_row_and_no_content_is_in_two_parts(copies):
    for seed in range(40):
        cases = cases_of(some(seed, copies))
        rows = split(cases, Shares(), seed)
        parts = [rows.fit, rows.reference, rows.calibration]
        assert [i for part in parts for i in part] == list(range(len(cases)))
        assert {id(c) for c in rows.cases} == {id(c) for c in cases}
        found = [{rows.keys[i] for i in part} for part in parts]
        assert sum(map(len, found)) == len(set.union(*found))
        assert rows.keys == tuple(case_key(case) for case in rows.cases)
        assert list(rows.held_out) == [*rows.reference, *rows.calibration]


def test_shares_are_kept_as_well_as_copies_allow():
    for count in (10, 57, 100, 400):
        rows = split(cases_of([f"text {i}" for i in range(count)]), Shares(), 0)
        sizes = [len(rows.fit), len(rows.reference), len(rows.calibration)]
        assert np.abs(np.array(sizes) - np.array([0.5, 0.2, 0.3]) * count).max() <= 1
    for copies in (2, 5):  # a cut is off by half of the copies that it must not part, at most
        rows = split(cases_of([f"text {i}" for i in range(40) for _ in range(copies)]), Shares(), 3)
        assert abs(len(rows.fit) - 20 * copies) <= copies / 2
    for seed in range(20):  # a content that makes up most of all leaves no part empty
        rows = split(cases_of([*["the usual line"] * 300, *(f"text {i}" for i in range(100))]), Shares(), seed)
        assert (len(rows.fit), len(rows.reference), len(rows.calibration)) == (300, 40, 60)
    for kinds in (3, 4, 5, 9):
        rows = split(cases_of([f"text {i % kinds}" for i in range(30)]), Shares(), 0)
        assert min(len(rows.fit), len(rows.reference), len(rows.calibration)) >= 30 // kinds


def test_neither_names_nor_order_matter():
    given = some(5, 4)
    expected = contents(split(cases_of(given), Shares(), 7))
    for seed in range(5):
        mixed = random.Random(seed).sample(given, len(given))
        renamed = split(cases_of(mixed, prefix=f"other-{seed}-"), Shares(), 7)
        assert contents(renamed) == expected
    assert contents(split(cases_of(given), Shares(), 8)) != expected


def test_labels_groups_and_times_do_not_matter():
    cases = cases_of(some(6, 2))
    changed = [replace(c, label=i % 2, group=f"g{i}", split="train", row=i) for i, c in enumerate(cases)]
    assert contents(split(changed, Shares(), 0)) == contents(split(cases, Shares(), 0))


def test_files_are_known_by_what_is_in_them_and_read_once(tmp_path):
    def made(folder: Path, name: str) -> list[Case]:
        folder.mkdir()
        cases = []
        for i in range(40):
            file = folder / f"{name}{i}.txt"
            file.write_text(f"text {i % 30}" if i % 9 else "")  # some are empty and cannot be hashed
            cases.append(Case(f"{name}-{i}", {"text": Part("text", file)}))
        return cases

    first = made(tmp_path / "one", "a")
    before = content._hash_file.cache_info()
    rows = split(first, Shares(), 0)
    fingerprint(PipelineConfig(), rows)
    after = content._hash_file.cache_info()
    assert after.misses - before.misses == sum(c.parts["text"].path.stat().st_size > 0 for c in first)
    other = split(made(tmp_path / "two", "b"), Shares(), 0)
    told = [[k for k in s.keys if not k.startswith("unreadable")] for s in (rows, other)]
    assert told[0] == told[1]
    assert len(told[0]) == 35
    shutil.rmtree(tmp_path / "two")
    assert {case_key(c) for c in other.cases} == {""}


def test_cases_of_which_nothing_can_be_read_are_spread_over_the_parts(tmp_path):
    empty = [Case(f"c{i}", {"text": Part("text", tmp_path / "nothing.txt")}) for i in range(60)]
    rows = split(empty, Shares(), 0)
    assert (len(rows.fit), len(rows.reference), len(rows.calibration)) == (30, 12, 18)


def test_what_a_case_holds_is_its_key():
    text, table = Part("text", value="fine"), Part("sensor", value=np.zeros((4, 1)))
    keys = [
        case_key(Case("a", {"text": text})),
        case_key(Case("a", {"text": Part("text", value="fine.")})),
        case_key(Case("a", {"text": text, "sensor": table})),
        case_key(Case("a", {"sensor": table})),
        case_key(Case("a", {"sensor": replace(table, rate=5.0)})),
        case_key(Case("a", {"sensor": replace(table, stop=3)})),
    ]
    assert len(set(keys)) == len(keys)
    assert case_key(Case("b", {"sensor": table, "text": text}, group="g", label=1)) == keys[2]


TEXTS = {"parts": {"text": {"encoder": "tiny-text", "detector": "knn"}}, "min_parts": 5, "false_alarm_rate": 0.05}


def sentences(seed: int, count: int) -> list[str]:
    """Texts of so few words that many have the same letters, and so the same score."""
    rng = np.random.default_rng(seed)
    return [f"{' '.join(rng.choice(['amber', 'cobalt', 'green'], 3))} {i}" for i in range(count)]


def test_another_name_moves_no_p_value(tiny):
    learned, fresh = sentences(0, 160), sentences(1, 60)
    one = JointDetector.from_config(TEXTS).fit(Cases(tuple(cases_of(learned))))
    mixed = random.Random(0).sample(learned, len(learned))
    two = JointDetector.from_config(TEXTS).fit(Cases(tuple(cases_of(mixed, prefix="renamed "))))
    assert one.calibration_.state() == two.calibration_.state()
    p = [one.judge(c).p_value for c in cases_of(fresh)]
    assert p == [one.judge(c).p_value for c in cases_of(fresh, prefix="zzz")]
    assert p == [two.judge(c).p_value for c in cases_of(fresh, prefix="zzz")]
    scores = one.calibration_.scores_["joint:text"]
    assert len(np.unique(scores)) < len(scores) / 2  # there are ties to be broken
    assert len(set(p)) > 20  # and they are broken by content


def test_ties_are_broken_by_content_and_seed():
    tied = Measures({"text": np.zeros(40)}, {})
    judged = [
        [JointCalibration(seed).fit(tied, tied).judge(key, {"text": 0.0}, {}, 0.1).p_value for key in "abcdefgh"]
        for seed in (0, 0, 1)
    ]
    assert judged[0] == judged[1]
    assert judged[0] != judged[2]
    assert len(set(judged[0])) > 4


def test_copies_of_what_was_learned_do_not_raise_false_alarms(tiny):
    config = {
        "parts": {"image": {"encoder": "tiny-image", "detector": "knn", "detector_params": {"top": 1.0}}},
        "min_parts": 5,
        "false_alarm_rate": 0.05,
    }

    def picture(seed: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)

    pictures = [picture(i) for i in range(80)]
    copies = [Case(f"{i}-{k}", {"image": Part("image", value=p)}) for i, p in enumerate(pictures) for k in range(5)]
    model = JointDetector.from_config(config).fit(Cases(tuple(copies)))
    fresh = [Case(f"f{i}", {"image": Part("image", value=picture(1000 + i))}) for i in range(120)]
    flagged = sum(model.judge(case).verdict == "anomalous" for case in fresh)
    assert flagged <= 20  # 24 different calibration pictures; with copies on both sides of the cut nearly all are


def test_where_copies_leave_too_few_the_reason_says_so(tiny):
    cases = cases_of(["amber passed"] * 80)
    with pytest.raises(DataError, match="no modality can be learned"):
        JointDetector.from_config(TEXTS).fit(Cases(tuple(cases)))
    rows = split(cases, Shares(), 0)
    assert "copies stay in one split, and 1 different contents were given" in too_few(rows, "text", 5)
    assert "copies" not in too_few(split(cases_of(["a b", "c d"]), Shares(), 0), "text", 5)
