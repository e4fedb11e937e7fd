"""Length is no fault of texts: longer ones count as their most unusual run of lines, far shorter ones are refused."""

from pathlib import Path

import numpy as np
import pytest

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import PartError
from mmdmad.parts import Text
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.lengths import learned, stretches
from mmdmad.pipeline.text_lengths import TextLengths, pieces_of, runs

WORDS = ("belt", "motor", "valve", "warm", "slow", "steady", "checked", "running", "nominal", "pressure")
FAULT = "zzqx jjkw zzqx"
PART = Part("text", case_id="c", row=4)


def lines(seed: int, count: int, fault: int | None = None) -> str:
    rng = np.random.default_rng([seed, 7])
    made = [" ".join(rng.choice(WORDS, 6)) for _ in range(count)]
    if fault is not None:
        made[fault] = FAULT
    return "\n".join(made)


def case(text: str) -> Case:
    return Case("x", {"text": Part("text", value=text)})


def fit(count: int, letters: bool) -> JointDetector:
    text = {"encoder": "tiny-text", "detector": "knn", "letters": letters}
    config = {"parts": {"text": text}, "false_alarm_rate": 0.1}
    return JointDetector.from_config(config).fit(Cases(tuple(
        Case(f"n{i}", {"text": Part("text", value=lines(i, count))}) for i in range(200)
    )))  # fmt: skip


@pytest.fixture(scope="module", params=[False, True], ids=["detector", "letters too"])
def singles(request: pytest.FixtureRequest, tiny: None) -> JointDetector:
    return fit(1, request.param)


@pytest.fixture(scope="module")
def fives(tiny: None) -> JointDetector:
    return fit(5, False)


def test_what_is_learned_of_texts() -> None:
    assert learned([Text("a"), Text("b\nc\n\n"), Text("a\nb\nc\nd")]) == TextLengths(1, 2, 4)
    rare = [*[Text("a")] * 99, Text("a\n" * 9)]
    assert learned(rare) == TextLengths(1, 1, 2)
    assert learned([Text("a\n" * count) for count in (5, 6, 6, 6, 9)]) == TextLengths(5, 6, 9)
    assert learned([*rare, *[Text("a\n" * 3)] * 9]) == TextLengths(1, 1, 3)
    with pytest.raises(ValueError, match="in order"):
        TextLengths(2, 1, 3)
    assert len(pieces_of("one line\n" * 500)) == 500


@pytest.mark.parametrize(("count", "found"), [(5, []), (22, []), (3, []), (25, [(0, 10), (5, 15), (10, 20), (15, 25)])])
def test_runs_are_of_the_usual_number_of_lines(count: int, found: list[tuple[int, int]]) -> None:
    text = "\n".join(f"l{i:02d}" for i in range(count))
    known = TextLengths(5, 10, 20)
    assert runs(PART, Text(text), known) == [(4 * a, 4 * b - 1) for a, b in found]


def test_every_line_is_in_a_run() -> None:
    text = Text("\n".join(f"{i}" for i in range(137)))
    every = np.zeros(len(text.text))
    for first, last in stretches(PART, text, TextLengths(3, 4, 8)):
        every[first:last] = 1
        assert len(pieces_of(text.text[first:last])) == 4
    assert all(every[i] for i, letter in enumerate(text.text) if letter != "\n")


def test_far_shorter_and_far_too_long_texts_are_refused_with_what_is_needed() -> None:
    with pytest.raises(PartError, match=r"has 1 line or sentence, those learned from have 5 to 9; .*give at least 3"):
        runs(PART, Text("one"), TextLengths(5, 7, 9))
    with pytest.raises(PartError, match=r"more than 20000 pieces of that length"):
        runs(PART, Text("a\n" * 30_000), TextLengths(1, 1, 1))


def test_lines_of_a_longer_file_are_judged_whole() -> None:
    text = Text("\n".join("abcdefghij"))
    assert runs(Part("text", start=0, stop=10), text, TextLengths(1, 1, 1)) == []
    assert runs(Part("text", start=0, stop=10), text, TextLengths(50, 60, 70)) == []


def test_a_fault_scores_alike_in_a_short_and_a_long_text(singles: JointDetector) -> None:
    short, long = singles.judge(case(FAULT)), singles.judge(case(lines(900, 20, fault=13)))
    assert long.parts["text"].score == pytest.approx(short.parts["text"].score)
    assert long.score == pytest.approx(short.score)
    model = singles.parts_["text"]
    views = [model.looked_at(Part("text", value=text), None).views for text in (FAULT, lines(900, 20, fault=13))]
    assert views[0] == pytest.approx(views[1])  # the letters too are those of the run
    where = np.asarray(long.parts["text"].layout.where)
    assert lines(900, 20, fault=13)[int(where[0, 0]) : int(where[-1, 1])] == FAULT
    assert long.p_value == min(1.0, 20 * short.p_value)
    assert "20 stretches of 1 line or sentence," in long.guarantee.note


def test_normal_long_texts_are_not_flagged_more_often(singles: JointDetector) -> None:
    flagged = [singles.judge(case(lines(5000 + i, 4))).p_value <= 0.1 for i in range(40)]
    assert sum(flagged) <= 8  # a share of 0.1 of 40 is exceeded by 5 or more in one of 100 draws


def test_one_line_where_five_were_learned_is_refused_and_ten_are_runs_of_five(fives: JointDetector) -> None:
    with pytest.raises(PartError, match="give at least 3"):
        fives.judge(case(lines(1, 1)))
    assert fives.judge(case(lines(1, 3))).guarantee.valid
    ten = lines(1, 10, fault=8).replace(FAULT, 9 * f"{FAULT} ")
    longer = fives.judge(case(ten))
    assert longer.parts["text"].score > 1.5 * fives.judge(case(lines(1, 10))).parts["text"].score
    assert longer.parts["text"].p_value < 0.05
    where = np.asarray(longer.parts["text"].layout.where)
    assert ten[: int(where[0, 0])].count("\n") in (4, 5)


def test_lengths_of_texts_are_kept(fives: JointDetector, tmp_path: Path) -> None:
    fives.save(tmp_path / "model")
    loaded = JointDetector.load(tmp_path / "model")
    assert loaded.parts_["text"].lengths == fives.parts_["text"].lengths == TextLengths(5, 5, 5)
    assert loaded.judge(case(lines(3, 20))).p_value == fives.judge(case(lines(3, 20))).p_value
