"""Filters and orders over the case store, as SQL conditions."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, select, update

from mmdmad.cases import Modality
from mmdmad.errors import RunError
from mmdmad.findings import Finding, Verdict
from mmdmad.modalities.base import modalities
from mmdmad.store.db import CaseRow, PartRow

_ORDERS: dict[str, tuple[Any, ...]] = {
    # `rung` and `rung_p` are the head of `findings.order_key`, stored with each case: the rule is not said again here.
    "rank": (CaseRow.rung.asc(), CaseRow.rung_p.asc(), CaseRow.score.desc(), CaseRow.id.asc()),
    "-rank": (CaseRow.rung.desc(), CaseRow.rung_p.desc(), CaseRow.score.asc(), CaseRow.id.desc()),
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
        _known("part", self.part, tuple(modalities()))

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


def put_in_order(folder: Path, connection: Connection) -> None:
    """Step to format 2: give every stored finding its place in the one order."""
    for case_id in connection.scalars(select(CaseRow.id)).all():  # ids first: findings are large, and read one by one
        kept = connection.execute(select(CaseRow.finding).where(CaseRow.id == case_id)).scalar_one()
        rung, rung_p, *_ = Finding.model_validate_json(kept).order_key
        connection.execute(update(CaseRow).where(CaseRow.id == case_id).values(rung=rung, rung_p=rung_p))
