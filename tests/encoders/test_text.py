"""Text: pieces with offsets, form features that training texts do not see themselves in, and MiniLM meaning."""

from collections.abc import Sequence

import numpy as np
import pytest

from mmdmad.encoders.minilm import MiniLM
from mmdmad.encoders.text_form import FORM, Known, fold, form, template
from mmdmad.encoders.text_spans import LONG, spans
from mmdmad.encoders.text_tokens import FAR, TextEncoder
from mmdmad.errors import ConfigError, DataError, NotFittedError
from mmdmad.parts import Text

LOG = [
    f"belt at {i % 9}.{i % 7} m/s\nproduct {('coin', 'brick', 'moss')[i % 3]} arrived on lane {i}" for i in range(60)
]


class LetterCounts(TextEncoder):
    """A meaning that needs no weights: counts of letters."""

    name = "letter-counts"

    def embed(self, pieces: Sequence[str]) -> np.ndarray:
        counts = np.stack([np.bincount([ord(c) % 16 for c in one] or [0], minlength=16) for one in pieces])
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def fitted() -> TextEncoder:
    return LetterCounts().fit([Text(text) for text in LOG])


def feature(encoder: TextEncoder, text: str, name: str) -> np.ndarray:
    return encoder.encode(Text(text)).values[:, -len(FORM) + FORM.index(name)]


def test_offsets_give_the_pieces_back() -> None:
    text = "  first line\r\n\n\tsecond: 5 A  \nthird"
    assert [text[a:b] for a, b in spans(text)] == ["first line", "second: 5 A", "third"]
    assert spans("one line") == [(0, 8)]
    assert spans(" \n ") == [(0, 3)]
    long = ("The belt ran. " * 40).strip()
    assert len(long) > LONG
    assert {long[a:b] for a, b in spans(long)} == {"The belt ran."}


def test_many_lines_are_joined_and_none_is_left_out() -> None:
    text = "\n".join(f"line {i}" for i in range(1000))
    cut = spans(text, most=64)
    assert len(cut) == 64
    assert cut[0][0] == 0
    assert cut[-1][1] == len(text)
    assert sum(text[a:b].count("line") for a, b in cut) == 1000


def test_templates_mask_numbers_and_ids() -> None:
    assert template("Job 17 of deadbeef-0123 done  in 3.2s") == "job 0 of # done in 0.0s"
    assert template("feedback") == "feedback"


def test_a_text_is_compared_with_other_texts_only() -> None:
    known = Known.of(LOG)
    assert known.texts.sum() == len(LOG)
    once = "a line that stands in one training text only"
    known = Known.of([*LOG, once])
    seen = form(once, fold(once), known)
    assert seen[FORM.index("template never seen")] == 1, "its own copy must not make it familiar"
    common = LOG[0].splitlines()[0]
    assert form(common, fold(LOG[0]), known)[FORM.index("template never seen")] == 0


def test_new_words_templates_and_characters_stand_out(fitted: TextEncoder) -> None:
    normal, odd = "product coin arrived on lane 7", "URGENT!!! bearing seized çéß 999999999999"
    for name in ("words never seen", "surprise of letter triples", "upper case", "punctuation", "not ASCII"):
        assert feature(fitted, odd, name)[0] > feature(fitted, normal, name)[0] + 1, name
    assert feature(fitted, normal, "template never seen")[0] < 1


def test_layout_and_blocks(fitted: TextEncoder) -> None:
    tokens = fitted.encode(Text(LOG[5]))
    assert tokens.values.shape == (2, 32 + 1 + len(FORM))
    assert tokens.layout.kind == "spans"
    where = tokens.layout.where
    assert where is not None
    assert [LOG[5][int(a) : int(b)] for a, b in where] == LOG[5].splitlines()
    every = np.concatenate([fitted.encode(Text(text)).values for text in LOG])
    meaning, shape = every[:, :32].var(axis=0).sum(), every[:, -len(FORM) :].var(axis=0).sum()
    assert 0.3 < meaning / shape < 3, "neither block drowns the other"
    assert np.abs(every).max() <= FAR
    assert np.linalg.norm(tokens.embedding()) == pytest.approx(1, abs=1e-5)


def test_empty_and_strange_texts_stay_finite(fitted: TextEncoder) -> None:
    for text in ("", "\n\n", "\x00\u202e", "é" * 5000, "1" * 5000, "🙂"):
        assert np.isfinite(fitted.encode(Text(text)).values).all()


def test_state_round_trip_and_refusals(fitted: TextEncoder) -> None:
    again = LetterCounts()
    again.set_state(*fitted.state())
    assert np.array_equal(again.encode(Text(LOG[1])).values, fitted.encode(Text(LOG[1])).values)
    assert again.state_key() == fitted.state_key() != ""
    with pytest.raises(NotFittedError):
        LetterCounts().encode(Text("x"))
    with pytest.raises(DataError, match="no texts"):
        LetterCounts().fit([])
    with pytest.raises(ConfigError, match="components=0"):
        LetterCounts(components=0)


def test_minilm_knows_meaning() -> None:
    encoder = MiniLM()
    texts = ["the belt stopped", "the conveyor belt has come to a halt", "fresh coffee and cake"]
    stopped, halted, coffee = encoder.embed(texts)
    assert stopped @ halted > 0.5 > 0.2 > stopped @ coffee
    assert np.linalg.norm(stopped) == pytest.approx(1, abs=1e-5)
    assert encoder.embed(texts[:1])[0] == pytest.approx(stopped, abs=1e-5), "padding is not read"
    long = ["x " * 9000, "short"]
    assert np.array_equal(encoder.embed(long), encoder.embed(long))


def test_minilm_tokens_do_not_depend_on_what_came_before() -> None:
    texts = [Text(text) for text in LOG[:8]]
    first = MiniLM().fit(texts)
    alone = first.encode(Text("pump 3 leaks")).values
    second = MiniLM().fit(texts)
    for text in texts:
        second.encode(text)
    assert np.array_equal(second.encode(Text("pump 3 leaks")).values, alone)
    assert first.encode(texts[0]).embedding().shape == (384,)
