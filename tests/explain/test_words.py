"""Which words of a log line are marked: planted in otherwise normal lines, scored by a fitted encoder and detector."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from mmdmad.agents.grounding import check

from mmdmad.cases import Case, Part
from mmdmad.detectors.base import make_detector
from mmdmad.encoders.text_form import fold
from mmdmad.encoders.text_tokens import TextEncoder
from mmdmad.explain import gather, text
from mmdmad.explain.maps import Span
from mmdmad.explain.normal import Normal
from mmdmad.explain.occlusion import MOST_UNITS, MOST_WORDS, carrying
from mmdmad.files import folder_name
from mmdmad.parts import Text
from mmdmad.pipeline.part_model import PartModel, map_scale
from mmdmad.report.pictures import marked
from mmdmad.tokens import Layout

KINDS = (
    "cache parity error corrected on rank {0}",
    "{0} ddr errors detected on rank {1}",
    "generating core {0} of {1}",
)
WORDS = ("cache", "parity", "error", "corrected", "rank", "ddr", "errors", "detected", "generating", "core")


class WordBag(TextEncoder):
    """A meaning that needs no weights: which known words occur, and how many others."""

    name = "word-bag"

    def embed(self, pieces: Sequence[str]) -> np.ndarray:
        bags = np.zeros((len(pieces), len(WORDS) + 1), np.float32)
        for bag, piece in zip(bags, pieces, strict=True):
            for word in piece.lower().split():
                bag[WORDS.index(word) if word in WORDS else -1] += 1
        return bags / np.maximum(np.linalg.norm(bags, axis=1, keepdims=True), 1e-6)


@pytest.fixture(scope="module")
def lines() -> list[Text]:
    rng = np.random.default_rng(0)
    return [Text(KINDS[i % 3].format(*rng.integers(1, 99, 2))) for i in range(150)]


@pytest.fixture(scope="module")
def part(lines: list[Text]) -> PartModel:
    encoder = WordBag(components=4).fit(lines[:100])
    model = PartModel("text", encoder, make_detector("dte-np"))
    model.detector.fit([encoder.encode(line) for line in lines[:100]])
    model.scale = map_scale(model.detector.token_scores([encoder.encode(line) for line in lines[100:]]))
    return model


@pytest.fixture(scope="module")
def normal(lines: list[Text]) -> Normal:
    return Normal.fit((Case(f"n{i}", {"text": Part("text")}), {"text": t}, {}) for i, t in enumerate(lines))


def judge(samples, part: PartModel, line: str):
    """A judgement of a text alone whose part has p = 0.004, with scores of the fitted part."""
    signal = Text(line)
    measured = part.measure(part.encoder.encode(signal), Part("text"))
    made = samples.judgement(found={"text": signal}, p={"text": 0.004})
    found = replace(
        made.parts["text"],
        token_scores=measured.token_scores,
        layout=measured.layout,
        scale=part.scale,
        again=part.again(signal),
    )
    return replace(made, parts={"text": found})


def spans_of(line: str, words: list[str]) -> list[tuple[int, int]]:
    return [(line.index(word), line.index(word) + len(word)) for word in words]


@pytest.mark.parametrize(
    ("line", "planted"),
    [
        ("cache parity zorblax error corrected on rank 12", ["zorblax"]),
        ("17 ddr errors detected on rank 3 ABORT", ["ABORT"]),
        ("SEVERED generating core 44 of 7 stream", ["SEVERED", "stream"]),
    ],
)
def test_planted_words_are_marked_and_said(samples, part, normal, tmp_path, line, planted):
    judgement = judge(samples, part, line)
    evidence = gather(judgement, normal, tmp_path / "artifacts")
    said = [e for e in evidence if e.kind == "words"]
    (carried,) = [e for e in said if e.caption.startswith("Without ")]
    facts = {f.name: f.value for f in carried.facts}
    where = [(facts[f"first character {i}"], facts[f"last character {i}"] + 1) for i in range(1, len(planted) + 1)]
    assert [line[a:b] for a, b in where] == planted
    assert facts["without them on the map scale"] < 1 < facts["peak on the map scale"]
    stored = json.loads((tmp_path / "artifacts" / folder_name("c-017") / "text.json").read_text())
    assert {(w["start"], w["stop"]) for w in stored["words"]} == set(spans_of(line, planted))
    pieces = marked(tmp_path / "artifacts" / folder_name("c-017") / "text.json")
    assert [p.text for p in pieces if p.heat == 2] == planted
    assert {p.heat for p in pieces if p.text not in planted} == {1}
    for e in said:
        assert check(e.caption, [e.id], evidence) == []
    wrong = carried.caption.replace("line 1", "line 2")
    assert check(wrong, [carried.id], evidence)


def test_letters_inside_a_number_are_no_words(normal):
    line = "parity error 8aff0003 at STATUS=81 by_SEVERED"
    span = Span(0, len(line), 2.0)
    words = [line[int(w.start) : int(w.stop)] for w in text.marks([span], line, normal.of("text"))]
    assert words == ["at", "STATUS", "by", "SEVERED"]


def test_a_score_of_a_changed_line_is_that_of_the_line_itself(part):
    text = "cache parity error corrected on rank 12"
    again = part.again(Text(text))
    own = part.measure(part.encoder.encode(Text(text)), Part("text")).token_scores
    assert again([text]) == pytest.approx(own, rel=1e-6)
    alone, other = again([text]), again(["ddr", text, "x y z"])
    assert other[1] == pytest.approx(alone[0], rel=1e-6), "not of what is asked beside"


def test_what_was_asked_of_one_line_is_not_scored_again_for_its_copy(part, monkeypatch):
    calls = []
    encode = part.encoder.encode_pieces
    monkeypatch.setattr(part.encoder, "encode_pieces", lambda *asked: calls.append(asked) or encode(*asked))
    monkeypatch.setattr(part, "_pieces", None)
    line, scale = "cache parity zorblax error corrected on rank 12", part.scale

    def carried():
        return carrying(Span(0, len(line), 2.0), line, part.again(Text(line)), scale)

    first = carried()
    asked = len(calls)
    assert carried() == first
    assert len(calls) == asked > 1
    assert part.again(Text("x"))(["ddr"]) == part.again(Text("x"))(["ddr"])
    assert len(calls) == asked + 1
    other = next(t for t in map(str, range(50)) if fold(t) != fold("x"))
    part.again(Text(other))(["ddr"])  # the words of a text of another fold are counted elsewhere
    part.again(Text("x"))(["ddr", "core"])  # and beside another piece the last digits may be others
    assert len(calls) == asked + 3
    known = part._pieces._known
    with pytest.raises(ValueError, match="read-only"):
        part.again(Text("x"))(["ddr"])[0] = 0.0
    monkeypatch.setattr("mmdmad.pipeline.pieces.MOST", len(known))
    part.again(Text("x"))(["core"])
    assert len(known) == len(calls) - 1


def test_known_words_that_do_not_belong_carry_a_line_too(samples, part, normal):
    line = "generating cache core 12 of 40"
    judgement = judge(samples, part, line)
    (carried,) = [e for e in gather(judgement, normal, None) if e.caption.startswith("Without ")]
    assert {f.name: f.value for f in carried.facts}["words"] == "“cache”"
    assert not [e for e in gather(judgement, normal, None) if "never seen" in {f.name for f in e.facts}]


def test_lines_without_such_words_name_none():
    def never(pieces: Sequence[str]) -> np.ndarray:
        return np.full(len(pieces), 5.0)

    line = Span(0, 17, 5.0)
    assert carrying(line, "all of it is odd ", never, (0.0, 1.0)) is None
    assert carrying(Span(0, 4, 5.0), "odd!", lambda pieces: np.zeros(len(pieces)), (-1.0, 1.0)) is None
    assert carrying(line, "all of it is odd ", lambda pieces: np.zeros(len(pieces)), (0.0, 1.0)) is None


def test_long_lines_are_tried_in_groups_and_few_words_are_named():
    line = "  ".join(f"w{i}" for i in range(500))
    asked: list[int] = []

    def again(pieces: Sequence[str]) -> np.ndarray:
        asked.append(len(pieces))
        return np.array([float(len(piece.split())) for piece in pieces])

    assert carrying(Span(0, len(line), 500.0), line, again, (0.0, 1.0)) is None  # no group carries a share of it
    assert max(asked) == MOST_UNITS

    def first(pieces: Sequence[str]) -> np.ndarray:
        return np.array([10.0 * sum(f"w{i} " in piece for i in (0, 100, 200, 300)) for piece in pieces])

    found = carrying(Span(0, len(line), 40.0), line, first, (0.0, 1.0))
    assert found is not None
    assert len(found.words) == MOST_WORDS
    assert found.without == 0
    assert "w0 " in line[int(found.words[0].start) : int(found.words[0].stop)]


def test_other_encoders_and_layouts_mark_no_words(samples, normal):
    judgement = samples.judgement(hot={"text": [1]})
    assert judgement.parts["text"].again is None
    assert not [e for e in gather(judgement, normal, None) if e.caption.startswith("Without ")]
    part = replace(judgement.parts["text"], layout=Layout("vector", (1,)), token_scores=np.array([5.0]))
    assert gather(replace(judgement, parts={**judgement.parts, "text": part}), normal, None)
