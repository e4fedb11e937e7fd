"""`--adapt`: cases are ranked among the latest ones before them, so that normal may move slowly; only when asked for.

A case is judged as ever; then its joint score is ranked among a moving reference (`mmdmad.calibration.moving`) of its
pattern, and of its group where it is ranked within that, which begins with the calibration scores. In the order of time
it is one of those ranked among from then on.
The reference is kept in the run and goes on with the next call. A case that is earlier than the last one that entered,
has no time or was judged before is ranked and does not enter; one that has no single rank is left as it is.

Nothing is promised of such a verdict (`valid` is False), and it says so: a fault that comes slowly is learned too.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from mmdmad.calibration.conformal import case_uniform
from mmdmad.calibration.moving import MovingReference, moving
from mmdmad.cases import Case
from mmdmad.errors import ModelError, RunError
from mmdmad.explain import gather
from mmdmad.findings import Fact, Finding
from mmdmad.judgement import Judgement
from mmdmad.parts import case_key
from mmdmad.pipeline.lengths import of_stretches
from mmdmad.pipeline.readings import of_missing
from mmdmad.store import rows, stream
from mmdmad.store.db import MetaRow
from mmdmad.store.levels import Levels, beside
from mmdmad.store.scoring import Waiting

STATE, LOG = "adapting", "adapted"  # keys in the table of the run's settings
_RESTORE = "restore cases.sqlite from a copy, or move it away and score again"


class Adapted(BaseModel):
    """What one call of `Run.score` with `adapt` did: cases ranked so, and those of them that entered the reference."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: str
    ranked: int = Field(ge=0)
    entered: int = Field(ge=0)


class Adapting:
    """Judges as `levels` do, then ranks each case among the moving reference of its pattern."""

    def __init__(self, levels: Levels, rate: float, stored: str | None) -> None:
        self.levels, self.rate = levels, rate
        self.last, self.ranked, self.entered = float("-inf"), 0, 0
        self._references: dict[str, MovingReference] = {}
        self._pending: Callable[[], bool] | None = None
        self.fixed: float | None = None
        """The p-value of the last case among its calibration cases; None where it was not ranked anew."""
        if stored is not None:
            self._restore(stored)

    def finding(self, case: Case, rate: float, artifacts: Path | None = None) -> Finding:
        """What is said of a case, ranked among the reference; `keep` lets it enter."""
        self._pending, self.fixed = None, None
        model, level = self.levels.of(case)
        judgement = None if model is None else model.judge(case, rate)
        if model is None or judgement is None or any(out(judgement.guarantee) for out in (of_stretches, of_missing)):
            return self.levels.finding(case, rate, artifacts)
        moved = self._moved(judgement)
        found = moved.finding(gather(moved, model.normal_, artifacts))
        self.fixed = judgement.p_value
        said = f"Among the calibration cases {level or 'of the fit'} its joint p-value is {judgement.p_value:.3g}."
        return beside(found, said, Fact(name="p-value among calibration cases", value=judgement.p_value))

    def _moved(self, judgement: Judgement) -> Judgement:
        group = (judgement.case.group,) if judgement.guarantee.within else ()
        pattern = stream.kind_of(",".join(judgement.guarantee.pattern), *group)
        if pattern not in self._references:
            scores = self.levels.newest.joint_scores(*group).get(judgement.guarantee.pattern)
            self._references[pattern] = MovingReference(() if scores is None else scores, self.rate)
        reference = self._references[pattern]
        score = judgement.score if judgement.single_score is None else judgement.single_score
        p_value = reference.rank(score, case_uniform(case_key(judgement.case), "moving"))
        guarantee = moving(judgement.guarantee, len(reference))
        moved = replace(judgement, p_value=p_value, guarantee=guarantee, by_recording=None, beside=None)
        seconds = rows.timestamp(judgement.case.time)
        flagged = p_value <= self.rate

        def enter() -> bool:
            if seconds is None or seconds < self.last:
                return False
            self.last = seconds
            return reference.enter(score, flagged=flagged)

        self._pending = enter
        return moved

    def keep(self, connection: Connection, *, first: bool) -> None:
        """Let the case that was judged last enter, if for the `first` time, and store it; the caller's transaction."""
        if self._pending is None:
            return
        self.ranked += 1
        self.entered += first and self._pending()
        state = {"last": None if self.last == float("-inf") else self.last}
        known = {pattern: one.state() for pattern, one in self._references.items()}
        _put(connection, STATE, json.dumps(state | {"references": known}, allow_nan=False))

    def record(self, engine: Engine) -> None:
        """Put on record what this call did, where it did anything."""
        if not self.ranked:
            return
        made = Adapted(at=datetime.now(UTC).isoformat(timespec="seconds"), ranked=self.ranked, entered=self.entered)
        with Session(engine) as session, session.begin():
            log = [*_log(session.connection()), made]
            _put(session.connection(), LOG, json.dumps([one.model_dump() for one in log]))

    def _restore(self, stored: str) -> None:
        try:
            known = json.loads(stored)
            self.last = float("-inf") if known["last"] is None else float(known["last"])
            self._references = {str(p): MovingReference.from_state(one) for p, one in known["references"].items()}
        except (ModelError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as why:
            raise RunError(f"the moving reference of the run is damaged ({why}); {_RESTORE}") from why
        rates = {one.rate for one in self._references.values()}
        if rates - {self.rate}:
            raise RunError(
                f"the run adapts at a rate of {min(rates):g}, {self.rate:g} was given; score at {min(rates):g}"
            )


def in_order(waiting: Sequence[Waiting]) -> list[Waiting]:
    """The cases that wait in the order of time, those without one last; RunError where none has a time."""
    if waiting and all(one.case.time is None for one in waiting):
        raise RunError("no case has a time, so nothing says which come first; --adapt needs times, or leave it out")
    return sorted(waiting, key=lambda one: (one.case.time is None, rows.timestamp(one.case.time) or 0.0))


def adapting(engine: Engine, levels: Levels, rate: float) -> Adapting:
    """The moving reference of a run, as the last call left it."""
    with Session(engine) as session:
        return Adapting(levels, rate, session.scalar(select(MetaRow.value).where(MetaRow.key == STATE)))


def adapted(engine: Engine) -> list[Adapted]:
    """The calls of `Run.score` that adapted, oldest first."""
    with engine.connect() as connection:
        return _log(connection)


def words(engine: Engine) -> str:
    """How many cases were ranked so and what it means, in one line; "" where none was."""
    log = adapted(engine)
    if not log:
        return ""
    ranked = sum(one.ranked for one in log)
    cases = "1 case was" if ranked == 1 else f"{ranked} cases were"
    return (
        f"{cases} ranked among the latest ones before them (--adapt, last on {log[-1].at[:10]}): no rate is promised "
        "for these, and a fault that comes slowly is learned too"
    )


def _log(connection: Connection) -> list[Adapted]:
    stored = connection.scalar(select(MetaRow.value).where(MetaRow.key == LOG))
    try:
        return [Adapted.model_validate(one) for one in json.loads(stored or "[]")]
    except (ValidationError, ValueError, TypeError) as why:
        raise RunError(f"the run's record of moving references is damaged ({why}); {_RESTORE}") from why


def _put(connection: Any, key: str, value: str) -> None:
    statement = insert(MetaRow).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
