"""Made tables whose truth is drawn before they are written: each is read right or refused, none silently wrong."""

from pathlib import Path

import pytest

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts import read
from tests.parts.made_tables import made, write, wrong

MOST_REFUSED = 0.1
"""Dates such as 03/04 and readings such as 91,392 are asked about where nothing in the table decides them."""


def judged(folder: Path, first: int, last: int) -> tuple[list[str], int]:
    """What was read wrongly of the tables of these seeds, and how many were refused."""
    found, refused = [], 0
    for seed in range(first, last):
        one = made(seed)
        try:
            read_as = read(Part("sensor", write(folder, one)))
        except PartError:
            refused += 1
            continue
        if what := wrong(one, read_as):
            found.append(f"{what} | {one.form}")
    return found, refused


def test_made_tables_are_read_right_or_refused(tmp_path: Path) -> None:
    found, refused = judged(tmp_path, 0, 200)
    assert not found
    assert refused < MOST_REFUSED * 200


@pytest.mark.slow
def test_of_ten_thousand_made_tables_none_is_silently_wrong(tmp_path: Path) -> None:
    found, refused = judged(tmp_path, 100_000, 110_000)
    assert not found
    assert refused < MOST_REFUSED * 10_000
