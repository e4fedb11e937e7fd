"""Cases as a DataFrame and as a notebook shows them."""

from datetime import datetime
from pathlib import Path

import numpy as np

from mmdmad.case_table import LINES, ROWS, where
from mmdmad.cases import Case, Cases, Part, Refusal
from mmdmad.parts import Sensor

EVIL = "<img src=//x>\x1b[31m"


def some(count: int = 3, **extra) -> Cases:
    parts = {"sensor": Part("sensor", Path("/data/pump.csv"), start=0, stop=60), "text": Part("text", value=EVIL)}
    items = tuple(Case(f"c{i}", parts, datetime(2026, 5, 1), split="train", group=EVIL) for i in range(count))
    return Cases(items, (Refusal("bad", "image", EVIL),) * (LINES + 2), None, extra)


def test_where_a_part_lies() -> None:
    assert where(Part("sensor", Path("a.csv"))) == "a.csv"
    assert where(Part("sensor", Path("a.csv"), start=5)) == "a.csv#5:"
    assert where(Part("sensor", Path("a.csv"), stop=5)) == "a.csv#0:5"
    assert where(Part("image", value=np.zeros((4, 5, 3)))) == "ndarray 4 x 5 x 3"
    table = Sensor(np.zeros((20, 2)), np.arange(20.0), ("a", "b"), ("", ""))
    assert where(Part("sensor", value=table, start=0, stop=9)) == "Sensor 20 x 2#0:9"


def test_a_dataframe_has_the_columns_of_a_manifest_and_those_of_the_users_own() -> None:
    frame = some(columns={"c1": {"line": 3}}).to_dataframe()
    assert list(frame) == ["id", "time", "split", "group", "label", "recording", "text", "sensor", "line"]
    assert frame["sensor"].tolist() == ["/data/pump.csv#0:60"] * 3
    assert frame["text"].tolist() == [EVIL] * 3
    assert frame["line"].isna().tolist() == [True, False, True]
    assert list(Cases(()).to_dataframe()) == ["id", "time", "split", "group", "label", "recording"]


def test_a_notebook_shows_the_first_cases_what_was_decided_and_what_was_refused() -> None:
    html = some(ROWS + 4, notes=tuple(f"note {i}" for i in range(LINES + 3)), simulated=True)._repr_html_()
    assert f"{ROWS + 4} cases</b> (simulated data): {ROWS + 4} with text + sensor; {ROWS + 4} of train" in html
    assert html.count("<tr>") == ROWS + 1
    assert "and 4 more; <code>to_dataframe()" in html
    assert html.count("note ") == LINES
    assert "and 3 more (<code>extra" in html
    assert html.count("refused: bad") == LINES
    assert "and 2 more refused" in html
    assert '<th style="text-align:left;vertical-align:top">label</th>' not in html  # nobody has one
    assert "<img" not in html
    assert "\x1b" not in html
    assert "&lt;img src=//x&gt;" in html


def test_long_cells_keep_their_end() -> None:
    long = Cases((Case("a", {"image": Part("image", Path("/x" * 60 + "/end.png"))}),))
    assert "/end.png" in long._repr_html_()
    assert "/x" * 31 not in long._repr_html_()
    assert repr(some()) == "Cases(3 cases, 7 refused)"
