"""Texts in other letters than UTF-8 are read in the same way by every door."""

from pathlib import Path

import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.intake import cases_from
from mmdmad.parts import read
from mmdmad.parts.text_letters import Letters, decoded, letters
from mmdmad.recordings import recordings, write_cases
from mmdmad.windows import Windows, cut

LINES = [f"2026-03-14 07:{i:02d}:00 Kühlung läuft, Druck {i} bar" for i in range(20)]
TEXT = "\n".join(LINES) + "\n"


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_one_rule_for_every_door(tmp_path: Path, code: str) -> None:
    path = tmp_path / "plant.log"
    path.write_bytes(TEXT.encode(code))
    assert read(Part("text", path)).text == TEXT
    cases = cases_from(texts=str(path), window="entry")
    assert [read(case.parts["text"]).text.strip() for case in cases] == LINES
    made = cut(recordings(files={"text": path}), Windows.of("5min"))
    assert [len(read(case.parts["text"]).text.splitlines()) for case in made] == [5, 5, 5]
    write_cases(made, tmp_path / "cases.csv")
    told = " ".join(made.extra["notes"])
    assert ("Latin-1" in told, "UTF-16" in told) == (code == "cp1252", code.startswith("utf-16"))


def test_letters_of_the_east(tmp_path: Path) -> None:
    path = tmp_path / "line.log"
    path.write_bytes("2026-03-14 07:00:00 温度上昇 警告\n".encode("cp932") * 3)
    assert letters(path) == Letters(other="cp932")
    assert "温度上昇" in read(Part("text", path)).text


def test_lines_of_two_programs_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "mixed.log"
    path.write_bytes("Kühl\n".encode() + "Kühl\n".encode("cp1252"))
    assert read(Part("text", path)).text == "Kühl\nKühl\n"


def test_zero_bytes_of_a_crash_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"2026-03-14 07:00:00 up\n" * 40 + b"\0" * 900 + b"2026-03-14 07:09:00 up again\n")
    cases = cases_from(texts=str(path), window="entry")
    assert len(cases) == 41
    assert read(cases[40].parts["text"]).text == "2026-03-14 07:09:00 up again\n"
    assert any("zero bytes" in note for note in cases.extra["notes"])


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(bytes(i * i % 251 for i in range(5000)))
    with pytest.raises(PartError, match="it is no text"):
        read(Part("text", path))


def test_a_line_of_both_letters() -> None:
    assert decoded("Öl ".encode() + b"\xfcber", Letters(other="cp1252")) == "Öl über"
