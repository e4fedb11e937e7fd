"""Filters and orders over the case store, as SQL conditions."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import ColumnElement, select

from mmdmad.cases import MODALITIES, Modality
from mmdmad.errors import RunError
from mmdmad.findings import Verdict
from mmdmad.store.db import CaseRow, PartRow

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


def timestamp(time: datetime | None) -> float | None:
    """Seconds since 1970 UTC; times without a zone count as UTC, so that they order among themselves."""
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True)
class Filters:
    """Which findings are asked for; None leaves a filter out."""

    verdict: Verdict | None = None
    part: Modality | None = None
    group: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    contradictory: bool | None = None

    def __post_init__(self) -> None:
        _known("verdict", self.verdict, get_args(Verdict))
        _known("part", self.part, MODALITIES)

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filters as conditions on CaseRow."""
        conditions: list[ColumnElement[bool]] = []
        if self.verdict is not None:
            conditions.append(CaseRow.verdict == self.verdict)
        if self.group is not None:
            conditions.append(CaseRow.group == self.group)
        if self.since is not None:
            conditions.append(CaseRow.time >= timestamp(self.since))
        if self.until is not None:
            conditions.append(CaseRow.time < timestamp(self.until))
        if self.contradictory is not None:
            conditions.append(CaseRow.contradictory == self.contradictory)
        if self.part is not None:
            standing_out = select(PartRow.case_id).where(PartRow.modality == self.part, PartRow.stands_out)
            conditions.append(CaseRow.id.in_(standing_out))
        return conditions


def ordering(order: str) -> tuple[Any, ...]:
    """The ORDER BY of a named order; ties are broken by case id, so that pages never overlap."""
    _known("order", order, tuple(_ORDERS))
    return _ORDERS[order]


def _known(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise RunError(f"{name}={value!r} was given; allowed are {', '.join(allowed)}")
