"""Filters and orders over the case store, as SQL conditions on its narrow tables."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, get_args

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from mmdmad.cases import Modality
from mmdmad.errors import RunError
from mmdmad.findings import Verdict
from mmdmad.modalities.base import modalities
from mmdmad.reasons import CHANNEL_KINDS, CONTRADICTION
from mmdmad.store.at import STORED, At
from mmdmad.store.bounds import Bounds
from mmdmad.store.db import CaseRow, DocumentRow, EvidenceRow, FactRow, MetaRow, PartRow
from mmdmad.store.rows import timestamp

# `rung` and `rung_p` are the head of `findings.order_key`, stored with each case: the rule is not said again here.
LEARNED = "learned"  # the key under which a run keeps which modalities its model has learned
_AT_RATE = ("rank", "-rank", "p_value", "-p_value")
_ORDERS: dict[str, tuple[Any, ...]] = {
    "score": (CaseRow.score.asc(), CaseRow.id),
    "-score": (CaseRow.score.desc(), CaseRow.id),
    "time": (CaseRow.time.asc().nulls_last(), CaseRow.id),
    "-time": (CaseRow.time.desc().nulls_last(), CaseRow.id),
    "id": (CaseRow.id.asc(),),
    "-id": (CaseRow.id.desc(),),
}


Several = Modality | tuple[Modality, ...] | None


@dataclass(frozen=True)
class Filters:
    """Which findings are asked for; None leaves a filter out.

    `part` and `unusual` are the same: a part whose own p-value is at most the declared rate. `driver` is what carries
    the largest share (`reasons.main_reason`). `since` and `until` are moments, `from_clock` and `to_clock` times of any
    day on the case's own clock; the ends are left out. `timed` asks for cases that have a time, or have none, `grouped`
    for those that have a group. `ranked_by` is a part that they have, whatever else is asked of parts.

    `usual` are parts that are there and not unusual. Of several parts (`part`, `missing`, `present`, `usual`) and
    channels each one is asked for, or any one (`either`); of several groups any one. `alone`: no other part is unusual.
    `complete`: no part is missing of those that the model
    has learned. `p_value` is the joint one, or that of the part `p_of`; `label` what the manifest says.
    """

    verdict: Verdict | None = None
    part: Several = None
    driver: str | None = None
    missing: Several = None
    group: str | tuple[str, ...] | None = None
    channel: str | tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    from_clock: time | None = None
    to_clock: time | None = None
    contradictory: bool | None = None
    timed: bool | None = None
    grouped: bool | None = None
    ranked_by: Modality | None = None
    present: Several = None
    usual: Several = None
    either: bool = False
    alone: bool = False
    complete: bool | None = None
    p_value: Bounds | None = None
    p_of: Modality | None = None
    score: Bounds | None = None
    label: int | None = None

    def __post_init__(self) -> None:
        _known("verdict", self.verdict, get_args(Verdict))
        known = tuple(modalities())
        for name, value in (
            ("part", self.part),
            ("missing", self.missing),
            ("present", self.present),
            ("usual", self.usual),
        ):
            for one in _each(value):
                _known(name, one, known)
        _known("p_of", self.p_of, known)
        _known("ranked_by", self.ranked_by, known)
        _known("driver", self.driver, (*known, CONTRADICTION))

    def conditions(self, at: At = STORED) -> list[ColumnElement[bool]]:
        """The filters as conditions on CaseRow, at a declared rate."""
        conditions = [*self._of_the_case(at), *self._in_time()]
        parts = [_has(part, at.stands_out) for part in _each(self.part)]
        conditions += self._joined(parts)
        if self.alone:
            others = [part for part in modalities() if part not in _each(self.part)]
            conditions += [~_has(part, at.stands_out) for part in others]
        conditions += self._joined([~_has(part) for part in _each(self.missing)])
        conditions += self._joined([_has(part) for part in _each(self.present)])
        conditions += self._joined([and_(_has(part), ~_has(part, at.stands_out)) for part in _each(self.usual)])
        if self.complete is not None:
            conditions.append(_has_all() if self.complete else ~_has_all())
        conditions += self._joined(
            [CaseRow.id.in_(channel_facts().where(FactRow.value == channel)) for channel in _each(self.channel)]
        )
        return conditions

    def _of_the_case(self, at: At) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.verdict is not None:
            conditions.append(at.verdict == self.verdict)
        if self.group is not None:
            conditions.append(CaseRow.group.in_(_each(self.group)))
        if self.ranked_by is not None:
            conditions.append(_has(self.ranked_by))
        if self.grouped is not None:
            conditions.append(CaseRow.group.is_not(None) if self.grouped else CaseRow.group.is_(None))
        if self.driver is not None:
            conditions.append(CaseRow.reason == self.driver)
        if self.contradictory is not None:
            conditions.append(at.contradictory == self.contradictory)
        if self.label is not None:
            conditions.append(CaseRow.label == self.label)
        if self.p_value is not None:
            of = None if self.p_of is None else _has(self.p_of, *self.p_value.conditions(at.part_p))
            conditions += self.p_value.conditions(at.joint_p) if of is None else [of]
        if self.score is not None:
            conditions += self.score.conditions(CaseRow.score)
        return conditions

    def _in_time(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.since is not None:
            conditions.append(CaseRow.time >= timestamp(self.since))
        if self.until is not None:
            conditions.append(CaseRow.time < timestamp(self.until))
        if self.from_clock is not None:
            conditions.append(_of_day() >= self.from_clock.isoformat("microseconds"))
        if self.to_clock is not None:
            conditions.append(_of_day() < self.to_clock.isoformat("microseconds"))
        if self.timed is not None:
            conditions.append(CaseRow.time.is_not(None) if self.timed else CaseRow.time.is_(None))
        return conditions

    def _joined(self, conditions: list[ColumnElement[bool]]) -> list[ColumnElement[bool]]:
        return [or_(*conditions)] if self.either and conditions else conditions


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


def _each(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else value


def _has(part: str, *more: Any) -> ColumnElement[bool]:
    """Whether a case has this part, looked up case by case: a list of all cases that have it would be long."""
    return select(PartRow.case_id).where(PartRow.case_id == CaseRow.id, PartRow.modality == part, *more).exists()


def _has_all() -> ColumnElement[bool]:
    """Whether a case has as many parts as the model has learned; as there are, in a run that does not say."""
    own = select(func.count()).select_from(PartRow).where(PartRow.case_id == CaseRow.id).scalar_subquery()
    words = func.length(MetaRow.value) - func.length(func.replace(MetaRow.value, " ", "")) + 1
    learned = select(words).where(MetaRow.key == LEARNED).scalar_subquery()
    return own >= func.coalesce(learned, len(modalities()))


def _of_day() -> Any:
    return func.substr(CaseRow.clock, 12)


def ordering(order: str, at: At = STORED) -> tuple[Any, ...]:
    """The ORDER BY of a named order; ties are broken by case id, so that pages never overlap.

    "part:video" orders by the p-value of one part, then by its share, the most unusual first; cases without it last.
    """
    kind, _, part = order.removeprefix("-").partition(":")
    if kind == "part" and part in modalities():
        return _by_part(part, order.startswith("-"))
    _known("order", order, (*_AT_RATE, *_ORDERS))
    return at.order(order) if order in _AT_RATE else _ORDERS[order]


def _by_part(part: str, turned: bool) -> tuple[Any, ...]:
    """Of one part: p-value, then the larger share; turned round, the most usual ones first."""
    here = PartRow.case_id == CaseRow.id, PartRow.modality == part
    p_value, share = (select(column).where(*here).scalar_subquery() for column in (PartRow.p_value, PartRow.share))
    if turned:
        return p_value.desc().nulls_last(), share.asc(), CaseRow.id
    return p_value.asc().nulls_last(), share.desc(), CaseRow.id


def _known(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise RunError(f"{name}={value!r} was given; allowed are {', '.join(allowed)}")
