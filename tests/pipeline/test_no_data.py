"""A recorder that gave nothing and a channel that is lost: refused, with what is not there, and told by the finding."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mmdmad.agents.grounding import check

from mmdmad.cases import Case, Part, Refusal
from mmdmad.encoders.sensor_usual import other_channels
from mmdmad.errors import PartError
from mmdmad.explain import verdict
from mmdmad.explain.normal import Normal
from mmdmad.findings import Finding, Guarantee
from mmdmad.judgement import Judgement
from mmdmad.parts import read
from mmdmad.pipeline.readings import nothing_left


def why(part: Part) -> str:
    with pytest.raises(PartError) as caught:
        read(part)
    return caught.value.reason


@pytest.mark.parametrize("mark", ["", "NaN", "n/a", "null", "--", "#N/A"])
def test_a_table_of_nothing_but_missing_readings_is_no_data_with_its_rows_and_file(tmp_path: Path, mark: str) -> None:
    file = tmp_path / "dead.csv"
    file.write_text("time,vib,level\n" + "".join(f"{i / 10:g},{mark},{mark}\n" for i in range(120)))
    assert why(Part("sensor", file)) == "no data in rows 1 to 120 of dead.csv: every reading is missing"
    assert why(Part("sensor", file, start=5, stop=9)) == "no data in rows 6 to 9 of dead.csv: every reading is missing"
    assert why(Part("sensor", file, start=5, stop=6)) == "no data in row 6 of dead.csv: every reading is missing"


def test_an_array_without_a_reading_is_no_data_too() -> None:
    reason = why(Part("sensor", value=np.full((4, 2), np.nan)))
    assert reason == "no data in rows 1 to 4 of the table: every reading is missing"
    one = np.full((4, 2), np.nan)
    one[2, 1] = 0.5
    assert read(Part("sensor", value=one)).values[2, 1] == 0.5


DEAD = Refusal("c", "sensor", "no data in rows 1 to 4 of a.csv: every reading is missing", 3)


def test_that_there_is_no_data_comes_first_where_nothing_can_be_judged() -> None:
    torn = Refusal("c", "image", "it is torn", 3)
    assert nothing_left([DEAD]) == DEAD.reason
    assert nothing_left([torn, DEAD]) == f"{DEAD.reason}; no part can be judged (image: it is torn)"
    assert nothing_left([torn]) == "no part can be judged (image: it is torn)"
    assert nothing_left([]) == "no part can be judged (the case has no parts)"


@pytest.mark.parametrize("reason", [DEAD.reason, other_channels(["vib"], ["vib", "level"])])
def test_a_finding_of_the_other_parts_says_what_is_not_there(reason: str) -> None:
    guarantee = Guarantee(rate=0.05, size=40, interval=(0.01, 0.1), pattern=("text",))
    made = Judgement(Case("c", {}), {}, {}, (), 0.0, 0.5, guarantee, (replace(DEAD, reason=reason),))
    (draft,) = verdict.missing(made, Normal())
    said = draft.numbered(4, None)
    assert said.caption == f"The sensor part could not be used: {reason}."
    assert "level" in said.caption or "no data in rows 1 to 4 of a.csv" in said.caption
    assert check(said.caption, ["E4"], [said]) == []
    finding: Finding = made.finding((said,))
    assert finding.refused == (f"sensor: {reason}",)
