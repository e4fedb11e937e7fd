"""Questions to a text encoder are answered once: by whom, for how long, and that answers are those of the encoder."""

import numpy as np
import pytest

from mmdmad.encoders import text_tokens
from mmdmad.encoders.asked import BESIDE, Asked
from mmdmad.encoders.text_tokens import TextEncoder
from mmdmad.parts import Text

LINES = [f"belt {i} at {i % 7} m/s" for i in range(40)]


class Counting(TextEncoder):
    """Codes of letters, and how often somebody asked."""

    name = "counting"

    def __init__(self, shift: int = 0) -> None:
        super().__init__(components=4)
        self.shift, self.asked = shift, 0

    def embed(self, pieces):
        self.asked += 1
        counts = np.stack([np.bincount([(ord(c) + self.shift) % 8 for c in one] or [0], minlength=8) for one in pieces])
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)

    def params(self):
        return {"shift": self.shift}


@pytest.fixture(autouse=True)
def nothing_asked_yet(monkeypatch):
    monkeypatch.setattr(text_tokens, "_ASKED", Asked())


def fitted(lines: list[str], shift: int = 0) -> Counting:
    made = Counting(shift).fit([Text(line) for line in lines])
    made.asked = 0
    return made


def test_encoders_of_one_kind_ask_once_and_each_makes_its_own_tokens_of_it():
    first, second = fitted(LINES[:20]), fitted(LINES[10:])
    text = Text("belt 3 stands still")
    one, two = first.encode(text), second.encode(text)
    assert (first.asked, second.asked) == (1, 0)
    assert not np.array_equal(one.values, two.values)
    assert np.array_equal(one.summary, two.summary)
    pieces = ["belt 3 stands", "belt stands still"]
    assert not np.array_equal(first.encode_pieces(pieces, text.text), second.encode_pieces(pieces, text.text))
    assert (first.asked, second.asked) == (2, 0)
    alone = fitted(LINES[10:])
    text_tokens._ASKED = Asked(0)
    assert np.array_equal(alone.encode(text).values, two.values)
    assert alone.asked == 1


def test_another_kind_and_another_question_are_asked_anew():
    first, other = fitted(LINES), fitted(LINES, shift=3)
    first.encode(Text("belt 3 stands still"))
    assert not np.array_equal(other.encode(Text("belt 3 stands still")).summary, first.encode(Text("x")).summary)
    assert (first.asked, other.asked) == (2, 1)
    pieces = ["belt 3", "belt 4"]
    first.encode_pieces(pieces, "a")
    first.encode_pieces(pieces[::-1], "a")  # what stands beside a piece may change its last digits
    assert first.asked == 4


def test_what_was_asked_longest_ago_goes_first_and_bytes_are_bounded():
    room = 3 * (BESIDE + 500)
    asked = Asked(room)
    calls = []

    def embed(pieces):
        calls.append(pieces[0])
        return np.full((len(pieces), 100), len(calls), np.float32)

    for name in "abcad":  # three have room; b has waited longest when d comes
        asked.of("w", [name], embed)
    assert calls == ["a", "b", "c", "d"]
    for name in "acd":
        asked.of("w", [name], embed)
    assert calls == ["a", "b", "c", "d"]
    asked.of("w", ["b"], embed)
    assert calls[-1] == "b"
    asked.of("w", ["x" * room], embed)
    asked.of("w", ["x" * room], embed)
    assert len(calls) == 7, "what is larger than all room is not kept"
    asked.of("w", ["b"], embed)
    assert len(calls) == 7, "and drives nothing out"


def test_nobody_can_write_into_a_kept_answer():
    answer = Asked().of("w", ["a"], lambda pieces: np.zeros((1, 2), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        answer[0, 0] = 1
