"""The declared rate as SQL reads it: verdicts, contradictions and ranks of all cases at any rate, from their p-values.

At the rate of the run they are stored columns, with their indexes. At another they are computed from narrow columns
that do not depend on the rate: the p-value and its floor, that among recordings and how many these are, the smallest
p-value of a contradiction, of each part. Where cases are ranked by group there are two of each, and the rate decides
which one counts.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from mmdmad.calibration.conformal import smallest_calibration_size
from mmdmad.guarantees import ROUNDING
from mmdmad.store.db import CaseRow, PartRow


@dataclass(frozen=True)
class At:
    """What depends on the declared rate, as SQL expressions; None: the rate at which the run was scored.

    The rules are those of `Guarantee.verdict`, `within_group`, `findings.order_key` and `mmdmad.reasons`, a test holds
    them to these.
    """

    rate: float | None = None

    @property
    def _other(self) -> ColumnElement[bool]:
        """Whether the ranks that decided at the rate of the run give way to those beside them."""
        needed = smallest_calibration_size(self.rate or 0.5)
        within, both = CaseRow.within.is_(True), CaseRow.beside_size.is_not(None)
        own_size = case((within, CaseRow.size), else_=CaseRow.beside_size)
        own, every = CaseRow.recordings, CaseRow.beside_recordings
        own_recordings = func.coalesce(case((within, own), else_=every), -1)
        recordings = func.coalesce(case((within, every), else_=own), -1)
        decides = or_(own_recordings >= needed, and_(recordings < needed, own_size >= needed))
        return and_(both, decides != within)

    def _of(self, column: Any, beside: Any) -> ColumnElement[Any]:
        """A column of the ranks that decide at this rate."""
        here: ColumnElement[Any] = column.expression
        return here if self.rate is None else case((self._other, beside.expression), else_=here)

    @property
    def within(self) -> ColumnElement[Any]:
        """Whether a case is ranked within its own group; null where it can be ranked in none."""
        here: ColumnElement[Any] = CaseRow.within.expression
        return here if self.rate is None else case((self._other, ~here), else_=here)

    @property
    def joint_p(self) -> ColumnElement[Any]:
        """The p-value among calibration cases."""
        return self._of(CaseRow.p_value, CaseRow.beside_p)

    @property
    def size(self) -> ColumnElement[Any]:
        """How many calibration cases these are."""
        return self._of(CaseRow.size, CaseRow.beside_size)

    @property
    def floor(self) -> ColumnElement[Any]:
        """The smallest p-value among them that the case could have got; null where it gets no verdict at any rate."""
        return self._of(CaseRow.floor, CaseRow.beside_floor)

    @property
    def recordings(self) -> ColumnElement[Any]:
        """How many calibration recordings its window is ranked among."""
        return self._of(CaseRow.recordings, CaseRow.beside_recordings)

    @property
    def whole_p(self) -> ColumnElement[Any]:
        """The p-value of its recording as a whole, were it the most odd window."""
        return self._of(CaseRow.whole_p, CaseRow.beside_whole_p)

    @property
    def part_p(self) -> ColumnElement[Any]:
        """The p-value of a part; the case of the part is asked for beside it."""
        if self.rate is None:
            return PartRow.p_value.expression
        other = select(self._other).where(CaseRow.id == PartRow.case_id).correlate(PartRow).scalar_subquery()
        return case((and_(PartRow.beside_p.is_not(None), other), PartRow.beside_p), else_=PartRow.p_value)

    @property
    def outermost(self) -> ColumnElement[int]:
        """0 where a case is beyond all calibration cases that it is ranked among, else 1: `findings.outermost`."""
        if self.rate is None:
            return CaseRow.rung % 2
        low = CaseRow.beside_p <= (1.0 + ROUNDING) / (CaseRow.beside_size + 1.0)
        return case((self._other, case((and_(CaseRow.beside_size > 0, low), 0), else_=1)), else_=CaseRow.rung % 2)

    @property
    def verdict(self) -> ColumnElement[str]:
        """The verdict of a case: none where no p-value can reach the rate."""
        if self.rate is None:
            return CaseRow.verdict.expression
        floor = case((self._by_recording, self.floor * (self.size + 1.0) / (self.recordings + 1.0)), else_=self.floor)
        unreached = or_(CaseRow.floor.is_(None), floor * (1 - ROUNDING) > self.rate)
        return case((unreached, "no verdict"), (self.p_value <= self.rate, "anomalous"), else_="normal")

    @property
    def _by_recording(self) -> ColumnElement[bool]:
        """Whether the p-value among recordings decides: where there are enough of them for the rate (`promise`)."""
        return self.recordings >= smallest_calibration_size(self.rate or 0.5)

    @property
    def p_value(self) -> ColumnElement[Any]:
        """The p-value that decides."""
        if self.rate is None:  # none is kept of cases judged by earlier versions, which had one p-value
            return func.coalesce(CaseRow.deciding_p, CaseRow.p_value)
        return case((self._by_recording, self._of(CaseRow.drawn_p, CaseRow.beside_drawn_p)), else_=self.joint_p)

    @property
    def ranked(self) -> ColumnElement[Any]:
        """Among how many calibration cases or recordings that p-value ranks a case."""
        if self.rate is None:
            return func.coalesce(CaseRow.ranked, CaseRow.size)
        return case((self._by_recording, self.recordings), else_=self.size)

    @property
    def flagged(self) -> ColumnElement[bool]:
        """Whether a case is flagged."""
        return self.verdict == "anomalous"

    @property
    def contradictory(self) -> ColumnElement[bool]:
        """Whether parts of a case contradict each other."""
        if self.rate is None:
            return CaseRow.contradictory.expression
        clash = self._of(CaseRow.clash, CaseRow.beside_clash)
        return and_(clash.is_not(None), clash <= self.rate)

    @property
    def stands_out(self) -> ColumnElement[bool]:
        """Whether a part is unusual by itself."""
        return PartRow.stands_out.expression if self.rate is None else self.part_p <= self.rate

    @property
    def rung(self) -> ColumnElement[int]:
        """The first of the order of findings: flagged before others, within each those beyond all calibration cases."""
        if self.rate is None:
            return CaseRow.rung.expression
        return case((self.flagged, 0), else_=2) + self.outermost

    def order(self, name: str) -> tuple[Any, ...]:
        """The ORDER BY of a named order that depends on the rate."""
        if name.endswith("p_value"):
            p_value, up = self.joint_p, name == "p_value"
            turned = (p_value.asc(), CaseRow.score.desc()) if up else (p_value.desc(), CaseRow.score.asc())
            return (*turned, CaseRow.id)
        up = name == "rank"
        own: ColumnElement[Any] = CaseRow.rung_p.expression
        if self.rate is not None:
            other = case((self.outermost == 0, 0.0), else_=CaseRow.beside_p)
            own = case((self._other, other), else_=own)
        columns = (self.rung, own, CaseRow.score, CaseRow.id)
        falls = (False, False, True, False)
        return tuple(c.asc() if up is not down else c.desc() for c, down in zip(columns, falls, strict=True))


STORED = At()
