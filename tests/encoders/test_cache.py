"""The token cache: same tokens back, another key for anything that decides them, damaged entries made again."""

import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from mmdmad.cases import Part
from mmdmad.encoders.base import Encoder
from mmdmad.encoders.cache import encode, entry_path, read_entry, write_entry
from mmdmad.errors import ConfigError, FileError, PartError
from mmdmad.tokens import Layout, Tokens


class Lengths(Encoder):
    """Tokens of a text: one row per word; counts how often it is asked."""

    name = "lengths"
    modality = "text"
    calls: ClassVar[int] = 0

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def fit(self, signals: Any) -> "Lengths":
        self.fitted_ = np.array([float(len(signals))])
        return self

    def encode(self, signal: Any) -> Tokens:
        type(self).calls += 1
        words = signal.text.split()
        if "bad" in words:
            raise PartError("a bad word", part="text")
        where = np.arange(2.0 * len(words)).reshape(-1, 2)
        layout = Layout(
            "spans", (len(words),), where=where, channels=("é",) * len(words), position=np.arange(len(words))
        )
        return Tokens(np.array([[self.factor * len(w)] for w in words]), layout, summary=np.ones(3))

    def params(self) -> dict[str, Any]:
        return {"factor": self.factor}

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return ({"n": self.fitted_}, {}) if hasattr(self, "fitted_") else ({}, {})


PART = Part("text", value="one three fifteen", case_id="c7", row=3)


@pytest.fixture(autouse=True)
def _count_from_zero() -> None:
    Lengths.calls = 0


def test_the_second_time_comes_from_disk_bit_for_bit(tmp_path: Path) -> None:
    first, second = encode(Lengths(), PART, tmp_path), encode(Lengths(), PART, tmp_path)
    assert Lengths.calls == 1
    assert np.array_equal(first.values, second.values)
    assert first.layout.to_json() == second.layout.to_json()
    assert np.array_equal(first.embedding(), second.embedding())
    encode(Lengths(), PART)
    assert Lengths.calls == 2, "no folder, no cache"
    assert [p.suffix for p in tmp_path.rglob("*") if p.is_file()] == [".safetensors"]


def test_whatever_decides_the_tokens_is_in_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = {
        entry_path(Lengths(), PART, tmp_path),
        entry_path(Lengths(2.0), PART, tmp_path),
        entry_path(Lengths().fit([1]), PART, tmp_path),
        entry_path(Lengths().fit([1, 2]), PART, tmp_path),
        entry_path(Lengths(), Part("text", value="one three fifteen!"), tmp_path),
    }
    monkeypatch.setattr(Lengths, "version", "2")
    paths.add(entry_path(Lengths(), PART, tmp_path))
    assert len(paths) == 6
    # the same class with other weights, then another class with the same ones
    monkeypatch.setattr(Lengths, "describe", lambda self: "weights 1234abcd")
    paths.add(entry_path(Lengths(), PART, tmp_path))
    monkeypatch.setattr(Lengths, "name", "others")
    paths.add(entry_path(Lengths(), PART, tmp_path))
    assert len(paths) == 8
    monkeypatch.undo()
    assert entry_path(Lengths(), Part("text", value=PART.value, case_id="other"), tmp_path) in paths


@pytest.mark.parametrize("harm", ["truncate", "flip", "empty", "other file", "header"])
def test_a_damaged_entry_is_made_again(tmp_path: Path, harm: str) -> None:
    good = encode(Lengths(), PART, tmp_path)
    path = entry_path(Lengths(), PART, tmp_path)
    content = path.read_bytes()
    if harm == "truncate":
        path.write_bytes(content[: len(content) // 2])
    elif harm == "flip":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "other file":
        path.write_text("not safetensors at all, but long enough to look like something")
    else:
        path.write_bytes(content.replace(b'\\"spans\\"', b'\\"spoon\\"'))
        assert path.read_bytes() != content
    assert read_entry(path) is None
    again = encode(Lengths(), PART, tmp_path)
    assert Lengths.calls == 2
    assert np.array_equal(good.values, again.values)
    assert read_entry(path) is not None


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(FileError, match=r"x\.safetensors: disk full"):
        write_entry(tmp_path / "a" / "x.safetensors", Tokens(np.ones((1, 2))))
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_errors_name_the_case_and_row(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="row 3, case c7, text: a bad word"):
        encode(Lengths(), Part("text", value="bad", case_id="c7", row=3), tmp_path)
    with pytest.raises(PartError, match="row 3, case c7, text: the text is blank"):
        encode(Lengths(), Part("text", value=" ", case_id="c7", row=3), tmp_path)
    with pytest.raises(PartError, match="row 3, case c7, image: lengths encodes text parts"):
        encode(Lengths(), Part("image", value=np.zeros((4, 4, 3), np.uint8), case_id="c7", row=3), tmp_path)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_state_for_an_encoder_that_learns_nothing_is_refused() -> None:
    from mmdmad.encoders.lite0 import Lite0

    with pytest.raises(ConfigError, match="learns nothing"):
        Lite0().set_state({"x": np.zeros(1)}, {})
    assert Lite0().state_key() == ""
