from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import Text, content_key, read


def text(part: Part) -> str:
    signal = read(part)
    assert isinstance(signal, Text)
    return signal.text


def test_inline_and_file_are_the_same(tmp_path: Path) -> None:
    words = "Lagerschaden am Förderband, 80 °C – geprüft."
    (tmp_path / "a.txt").write_text(words, "utf-8")
    (tmp_path / "bom.txt").write_text(words, "utf-8-sig")
    assert text(Part("text", tmp_path / "a.txt")) == text(Part("text", value=words)) == words
    assert text(Part("text", tmp_path / "bom.txt")) == words
    assert text(Part("text", value=Text(words))) == words


def test_line_ends_are_made_alike(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo\rthree\n")
    assert text(Part("text", tmp_path / "a.txt")) == "one\ntwo\nthree\n"


def test_a_slice_picks_lines_even_from_a_file_over_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_text("".join(f"line {i} " + "x" * 100 + "\n" for i in range(50_000)))
    picked = text(Part("text", path, start=49_998))
    assert [line.split()[1] for line in picked.splitlines()] == ["49998", "49999"]
    assert text(Part("text", value="a\nb\nc", start=1, stop=2)) == "b\n"
    with pytest.raises(PartError, match="at most 4 MiB"):
        read(Part("text", path))


def test_content_keys_tell_slices_apart(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\nb\n")
    keys = {content_key(Part("text", tmp_path / "a.txt", start=i)) for i in (None, 0, 1)}
    assert len(keys) == 3
    assert content_key(Part("text", value="a")) != content_key(Part("text", value="b"))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_any_text_is_kept_or_refused_as_blank(words: str) -> None:
    if not words.strip():
        with pytest.raises(PartError, match="the text is blank"):
            text(Part("text", value=words))
        return
    assert text(Part("text", value=words)) == words.replace("\r\n", "\n").replace("\r", "\n")
