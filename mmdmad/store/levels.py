"""The levels of a run: what its cases are ranked among, as fitted and after each recalibration.

A level holds for cases from a time on. An earlier case, whenever it is scored, is judged at the level of its own time;
one without a time at the newest. A case that a level ranks among is never judged against itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mmdmad.cases import Case
from mmdmad.files import within
from mmdmad.findings import Evidence, Fact, Finding
from mmdmad.parts import case_key
from mmdmad.pipeline.units import head
from mmdmad.store import again, rows
from mmdmad.store.db import RecalibrationRow

if TYPE_CHECKING:
    from mmdmad.pipeline.detector import JointDetector
    from mmdmad.pipeline.levels import Level

FOLDER = "levels"


@dataclass(frozen=True)
class Dated:
    """A level with the day on which it was made and from when on it holds (seconds; None: for all cases)."""

    level: "Level"
    model: "JointDetector"
    day: str
    since: float | None

    def holds(self, case: Case) -> bool:
        """Whether the case is of its time."""
        seconds = rows.timestamp(case.time)
        return self.since is None or seconds is None or seconds >= self.since


class Levels:
    """Judges each case at the level of its time: the fitted `model`, or one of the levels that came after it."""

    def __init__(self, model: "JointDetector", levels: Sequence[Dated] = ()) -> None:
        self.fitted, self.levels = model, tuple(levels)

    @classmethod
    def load(cls, path: Path, engine: Engine, model: "JointDetector") -> "Levels":
        """The levels of the run in this folder; ModelError where the files of one are not what was written."""
        from mmdmad.pipeline.levels import Level  # loads torch

        columns = RecalibrationRow.id, RecalibrationRow.at, RecalibrationRow.since
        with Session(engine) as session:
            known = session.execute(select(*columns).order_by(RecalibrationRow.id)).all()
        found = []
        for number, at, since in known:
            level = Level.load(within(path, f"{FOLDER}/{number}"), model)
            found.append(Dated(level, level.of(model), f"{at:%Y-%m-%d}", since))
        return cls(model, found)

    @property
    def newest(self) -> "JointDetector":
        """The model at the level that cases are judged at now."""
        return self.levels[-1].model if self.levels else self.fitted

    def finding(self, case: Case, rate: float, artifacts: Path | None = None) -> Finding:
        """What is said of a case at the level of its time; one that was named normal gets no verdict."""
        one, named = self._of(case)
        model = self.fitted if one is None else one.model
        found = model.finding(case, rate, artifacts)
        found = found if one is None else dated(found, one.day)
        return found if named is None else again.named(found, named.day)

    def of(self, case: Case) -> "tuple[JointDetector | None, str]":
        """The model at the level of the case's time, and what the level is; no model where it was named normal."""
        one, named = self._of(case)
        if named is not None:
            return None, ""
        return (self.fitted, "") if one is None else (one.model, f"named normal on {one.day}")

    def _of(self, case: Case) -> tuple[Dated | None, Dated | None]:
        """The newest level that holds for the case and does not rank among it (None: as fitted); one that does."""
        mark, named = head(case_key(case)) if self.levels else "", None
        for one in reversed(self.levels):
            if one.holds(case):
                if mark not in one.level.contents:
                    return one, named
                named = named or one
        return None, named


def dated(finding: Finding, day: str, before: Finding | None = None) -> Finding:
    """The finding with what it is ranked among, and what was said `before` it was judged anew, told beside the rest."""
    said, facts = f"The case is ranked among cases that were named normal on {day}.", [Fact(name="level of", value=day)]
    if before is not None:
        said += f" Before, it was judged {before.verdict} with joint p-value {before.p_value:.3g}."
        facts += [Fact(name="verdict before", value=before.verdict), Fact(name="p-value before", value=before.p_value)]
    return beside(finding, said, *facts)


def beside(finding: Finding, caption: str, *facts: Fact) -> Finding:
    """The finding with one more piece of evidence, of what its p-value is ranked among; the rest keeps its numbers."""
    number = f"E{len(finding.evidence) + 1}"
    more = Evidence(id=number, kind="context", caption=caption, facts=facts)
    return finding.model_copy(update={"evidence": (*finding.evidence, more)})
