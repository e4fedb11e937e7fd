"""A handful of labelled faults, if some are given with a fit: how many are caught at the declared rate.

They are judged, never learned from, and no threshold is chosen by them: the rate stays the one that was declared.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mmdmad.calibration.binomial import clopper_pearson
from mmdmad.cases import Case
from mmdmad.errors import PartError, RunError
from mmdmad.guarantees import ByRecording, Ranks, within_group
from mmdmad.judgement import Judgement
from mmdmad.store.db import MetaRow
from mmdmad.store.levels import Levels

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = "caught"
MOST = 200
"""Faults that are judged; of more an even sample is."""


class Caught(BaseModel):
    """The p-values of the labelled faults that could be judged; `given`: how many there were; `unusable`: not.

    A case that can get no verdict has the p-value 1: it is not caught. `drawn` are their ranks among recordings, one
    for each p-value; none where cases are no windows of new recordings. `own` are their ranks within their groups,
    where cases are ranked by group: the others are then those over all groups.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    p_values: tuple[Annotated[float, Field(ge=0, le=1)], ...]
    given: int = Field(ge=0)
    unusable: int = Field(ge=0)
    drawn: tuple[ByRecording | None, ...] = ()
    own: tuple[Ranks | None, ...] = ()

    def at(self, rate: float) -> int:
        """How many are caught at a declared rate."""
        none: list[None] = [None] * len(self.p_values)
        found = 0
        for p, drawn, own in zip(self.p_values, self.drawn or none, self.own or none, strict=True):
            if own is not None:
                in_group, in_all = (None if one is None else one.count for one in (own.by_recording, drawn))
                if within_group(rate, own.size, in_group, in_all):
                    p, drawn = own.p_value, own.by_recording
            found += (p if drawn is None or not drawn.decides(rate) else drawn.p_value) <= rate
        return found

    def interval(self, rate: float) -> tuple[float, float]:
        """95 % interval (Clopper and Pearson) of the share that is caught, of faults drawn as these were."""
        return clopper_pearson(self.at(rate), len(self.p_values))

    def words(self, rate: float) -> str:
        """One line.

        >>> Caught(p_values=(0.01, 0.02, 0.3), given=3, unusable=0).words(0.05).split(";")[0]
        'of 3 labelled faults given with the fit 2 are caught at 5 % (95 %: 9.43 to 99.2 % of faults like these)'
        """
        if not self.p_values:
            return f"none of {self.given} labelled faults given with the fit can be judged"
        low, high = self.interval(rate)
        hits, n = self.at(rate), len(self.p_values)
        some = f" ({n} of {self.given} were judged)" if n < self.given else ""
        return (
            f"of {n} labelled faults given with the fit{some} {hits} {'is' if hits == 1 else 'are'} caught at "
            f"{100 * rate:.3g} % (95 %: {100 * low:.3g} to {100 * high:.3g} % of faults like these); they were not "
            "learned from, and no threshold was chosen by them"
        )


def faults(cases: Iterable[Case]) -> list[Case]:
    """The cases that are labelled faulty and not set aside for a test."""
    return [case for case in cases if case.label == 1 and case.split in (None, "train")]


def measure(engine: Engine, levels: Levels, cases: "Sequence[Case]", rate: float) -> Caught:
    """Judge labelled faults and keep their p-values in the run."""
    step = -(-len(cases) // MOST) if cases else 1
    found: list[tuple[float, ByRecording | None, Ranks | None]] = []
    unusable = 0
    for case in cases[::step]:
        try:
            said = levels.newest.judge(case, rate)
        except PartError:
            unusable += 1
            continue
        found.append(_ranks(said) if said.guarantee.decides else (1.0, None, None))
    found.sort(key=lambda ranks: ranks[0])
    made = Caught(
        p_values=tuple(p for p, _, _ in found), given=len(cases), unusable=unusable,
        drawn=tuple(drawn for _, drawn, _ in found) if any(drawn for _, drawn, _ in found) else (),
        own=tuple(own for _, _, own in found) if any(own for _, _, own in found) else (),
    )  # fmt: skip
    with Session(engine) as session, session.begin():
        session.merge(MetaRow(key=KEY, value=made.model_dump_json()))
    return made


def _ranks(said: Judgement) -> tuple[float, ByRecording | None, Ranks | None]:
    """Its ranks over all groups, and within its own where it has some."""
    other = said.beside
    if other is None or not said.guarantee.within:
        return said.p_value, said.by_recording, other
    own = Ranks(p_value=said.p_value, size=said.guarantee.size, parts={}, by_recording=said.by_recording)
    return other.p_value, other.by_recording, own


def caught(engine: Engine) -> Caught | None:
    """What is kept of labelled faults; None where none were given."""
    with Session(engine) as session:
        stored = session.scalar(select(MetaRow.value).where(MetaRow.key == KEY))
    try:
        return None if stored is None else Caught.model_validate(json.loads(stored))
    except (ValidationError, ValueError, RecursionError) as why:
        raise RunError(
            f"what the run keeps of labelled faults is damaged ({why}); restore cases.sqlite from a copy"
        ) from why
