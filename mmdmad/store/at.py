"""The declared rate as SQL reads it: verdicts, contradictions and ranks of all cases at any rate, from their p-values.

At the rate of the run they are stored columns, with their indexes. At another they are computed from narrow columns
that do not depend on the rate: the p-value and its floor, that among recordings and how many these are, the smallest
p-value of a contradiction, of each part.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_

from mmdmad.calibration.conformal import smallest_calibration_size
from mmdmad.guarantees import ROUNDING
from mmdmad.store.db import CaseRow, PartRow


@dataclass(frozen=True)
class At:
    """What depends on the declared rate, as SQL expressions; None: the rate at which the run was scored.

    The rules are those of `Guarantee.verdict`, `findings.order_key` and `mmdmad.reasons`, a test holds them to these.
    """

    rate: float | None = None

    @property
    def verdict(self) -> ColumnElement[str]:
        """The verdict of a case: none where no p-value can reach the rate."""
        if self.rate is None:
            return CaseRow.verdict.expression
        floor = case(
            (self._by_recording, CaseRow.floor * (CaseRow.size + 1.0) / (CaseRow.recordings + 1.0)),
            else_=CaseRow.floor.expression,
        )
        unreached = or_(CaseRow.floor.is_(None), floor * (1 - ROUNDING) > self.rate)
        return case((unreached, "no verdict"), (self.p_value <= self.rate, "anomalous"), else_="normal")

    @property
    def _by_recording(self) -> ColumnElement[bool]:
        """Whether the p-value among recordings decides: where there are enough of them for the rate (`promise`)."""
        return CaseRow.recordings >= smallest_calibration_size(self.rate or 0.5)

    @property
    def p_value(self) -> ColumnElement[Any]:
        """The p-value that decides."""
        if self.rate is None:  # none is kept of cases judged by earlier versions, which had one p-value
            return func.coalesce(CaseRow.deciding_p, CaseRow.p_value)
        return case((self._by_recording, CaseRow.drawn_p.expression), else_=CaseRow.p_value.expression)

    @property
    def ranked(self) -> ColumnElement[Any]:
        """Among how many calibration cases or recordings that p-value ranks a case."""
        if self.rate is None:
            return func.coalesce(CaseRow.ranked, CaseRow.size)
        return case((self._by_recording, CaseRow.recordings.expression), else_=CaseRow.size.expression)

    @property
    def flagged(self) -> ColumnElement[bool]:
        """Whether a case is flagged."""
        return self.verdict == "anomalous"

    @property
    def contradictory(self) -> ColumnElement[bool]:
        """Whether parts of a case contradict each other."""
        if self.rate is None:
            return CaseRow.contradictory.expression
        return and_(CaseRow.clash.is_not(None), CaseRow.clash <= self.rate)

    @property
    def stands_out(self) -> ColumnElement[bool]:
        """Whether a part is unusual by itself."""
        return PartRow.stands_out.expression if self.rate is None else PartRow.p_value <= self.rate

    @property
    def rung(self) -> ColumnElement[int]:
        """The first of the order of findings: flagged before others, within each those beyond all calibration cases."""
        if self.rate is None:
            return CaseRow.rung.expression
        # which of the two a case is on does not depend on the rate
        return case((self.flagged, 0), else_=2) + CaseRow.rung % 2

    def order(self, name: str) -> tuple[Any, ...]:
        """The ORDER BY of a named order that depends on the rate."""
        up = name == "rank"
        columns = (self.rung, CaseRow.rung_p, CaseRow.score, CaseRow.id)
        falls = (False, False, True, False)
        return tuple(c.asc() if up is not down else c.desc() for c, down in zip(columns, falls, strict=True))


STORED = At()
