"""Filters and orders over the case store, as SQL conditions on its narrow tables."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, get_args

from sqlalchemy import ColumnElement, Select, func, select

from mmdmad.cases import Modality
from mmdmad.errors import RunError
from mmdmad.findings import Verdict
from mmdmad.modalities.base import modalities
from mmdmad.reasons import CHANNEL_KINDS, CONTRADICTION
from mmdmad.store.at import STORED, At
from mmdmad.store.db import CaseRow, DocumentRow, EvidenceRow, FactRow, PartRow
from mmdmad.store.rows import timestamp

# `rung` and `rung_p` are the head of `findings.order_key`, stored with each case: the rule is not said again here.
_BY_RANK = ("rank", "-rank")
_ORDERS: dict[str, tuple[Any, ...]] = {
    "p_value": (CaseRow.p_value.asc(), CaseRow.score.desc(), CaseRow.id),
    "-p_value": (CaseRow.p_value.desc(), CaseRow.score.asc(), CaseRow.id),
    "score": (CaseRow.score.asc(), CaseRow.id),
    "-score": (CaseRow.score.desc(), CaseRow.id),
    "time": (CaseRow.time.asc().nulls_last(), CaseRow.id),
    "-time": (CaseRow.time.desc().nulls_last(), CaseRow.id),
    "id": (CaseRow.id.asc(),),
    "-id": (CaseRow.id.desc(),),
}


@dataclass(frozen=True)
class Filters:
    """Which findings are asked for; None leaves a filter out.

    `part` and `unusual` are the same: a part whose own p-value is at most the declared rate. `driver` is what carries
    the largest share (`reasons.main_reason`). `since` and `until` are moments, `from_clock` and `to_clock` times of any
    day on the case's own clock; the ends are left out. `timed` asks for cases that have a time, or have none.
    """

    verdict: Verdict | None = None
    part: Modality | None = None
    driver: str | None = None
    missing: Modality | None = None
    group: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    from_clock: time | None = None
    to_clock: time | None = None
    contradictory: bool | None = None
    timed: bool | None = None

    def __post_init__(self) -> None:
        _known("verdict", self.verdict, get_args(Verdict))
        known = tuple(modalities())
        _known("part", self.part, known)
        _known("missing", self.missing, known)
        _known("driver", self.driver, (*known, CONTRADICTION))

    def conditions(self, at: At = STORED) -> list[ColumnElement[bool]]:
        """The filters as conditions on CaseRow, at a declared rate."""
        conditions: list[ColumnElement[bool]] = []
        if self.verdict is not None:
            conditions.append(at.verdict == self.verdict)
        if self.group is not None:
            conditions.append(CaseRow.group == self.group)
        if self.driver is not None:
            conditions.append(CaseRow.reason == self.driver)
        if self.since is not None:
            conditions.append(CaseRow.time >= timestamp(self.since))
        if self.until is not None:
            conditions.append(CaseRow.time < timestamp(self.until))
        if self.from_clock is not None:
            conditions.append(_of_day() >= self.from_clock.isoformat("microseconds"))
        if self.to_clock is not None:
            conditions.append(_of_day() < self.to_clock.isoformat("microseconds"))
        if self.contradictory is not None:
            conditions.append(at.contradictory == self.contradictory)
        if self.timed is not None:
            conditions.append(CaseRow.time.is_not(None) if self.timed else CaseRow.time.is_(None))
        if self.part is not None:
            conditions.append(_has(self.part, at.stands_out))
        if self.missing is not None:
            conditions.append(~_has(self.missing))
        if self.channel is not None:
            conditions.append(CaseRow.id.in_(channel_facts().where(FactRow.value == self.channel)))
        return conditions


def page(filters: Filters, order: str, limit: int | None, offset: int, at: At = STORED) -> Select[DocumentRow]:
    """The documents of the findings on a page, in their order.

    The page is cut in the narrow table, so that no finding is read that does not stand on it.
    """
    ids = select(CaseRow.id).where(*filters.conditions(at)).order_by(*ordering(order, at))
    wanted = CaseRow.id.in_(ids.limit(-1 if limit is None else limit).offset(offset).scalar_subquery())
    query = select(DocumentRow).join(CaseRow, CaseRow.id == DocumentRow.case_id).where(wanted)
    return query.order_by(*ordering(order, at))


def channel_facts() -> Any:
    """Cases and the sensor channels that their evidence names as unusual, as `reasons.channels` has them."""
    return (
        select(FactRow.case_id)
        .join(EvidenceRow, (EvidenceRow.case_id == FactRow.case_id) & (EvidenceRow.id == FactRow.evidence))
        .where(FactRow.name == "channel", EvidenceRow.kind.in_(CHANNEL_KINDS))
    )


def _has(part: str, *more: Any) -> ColumnElement[bool]:
    """Whether a case has this part, looked up case by case: a list of all cases that have it would be long."""
    return select(PartRow.case_id).where(PartRow.case_id == CaseRow.id, PartRow.modality == part, *more).exists()


def _of_day() -> Any:
    return func.substr(CaseRow.clock, 12)


def ordering(order: str, at: At = STORED) -> tuple[Any, ...]:
    """The ORDER BY of a named order; ties are broken by case id, so that pages never overlap."""
    _known("order", order, (*_BY_RANK, *_ORDERS))
    return at.order(order) if order in _BY_RANK else _ORDERS[order]


def _known(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise RunError(f"{name}={value!r} was given; allowed are {', '.join(allowed)}")
