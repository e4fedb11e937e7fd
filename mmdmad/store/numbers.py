"""Numbers over the stored findings, in SQL: medians and means, counts per stretch of the clock, smallest p-values."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Engine, Integer, cast, func, select
from sqlalchemy.orm import Session

from mmdmad.errors import RunError
from mmdmad.guarantees import ROUNDING
from mmdmad.store.at import STORED, At
from mmdmad.store.db import CaseRow, PartRow
from mmdmad.store.query import Filters

Of = Literal["score", "p_value"]
DAY = 24 * 60  # minutes


@dataclass(frozen=True)
class Spread:
    """So many numbers: mean, smallest, quartiles (linear between neighbours), largest, and the cases at both ends.

    Of several cases at an end the one whose id comes first is named; `at_lowest` and `at_highest` say how many.
    """

    count: int
    mean: float
    lowest: float
    lower: float
    median: float
    upper: float
    highest: float
    lowest_case: str
    highest_case: str
    at_lowest: int
    at_highest: int


@dataclass(frozen=True)
class Floor:
    """The smallest p-value that `cases` cases can have, ranked among `size` calibration cases; `at` of them have it."""

    size: int | None
    floor: float
    cases: int
    at: int


class Numbers:
    """What is computed of the numbers of one run, read at a declared rate; filters are those of `Run.findings`."""

    def __init__(self, engine: Engine, at: At = STORED) -> None:
        self._engine, self._at = engine, at

    def spread(self, of: Of, part: str | None = None, **filters: Any) -> Spread | None:
        """Joint scores or joint p-values of the cases that pass, or those of one part; None where there are none."""
        joint: Any = CaseRow.score if of == "score" else self._at.joint_p
        column = joint if part is None else getattr(PartRow, of)
        where = Filters(**filters).conditions(self._at)

        def asked(*what: Any) -> Any:
            query = select(*what).select_from(CaseRow).where(*where)
            if part is None:
                return query
            return query.join(PartRow, PartRow.case_id == CaseRow.id).where(PartRow.modality == part)

        with Session(self._engine) as session:
            count, mean, low, high = session.execute(
                asked(func.count(), func.avg(column), func.min(column), func.max(column))
            ).one()
            if not count:
                return None

            def quantile(share: float) -> float:
                place = share * (count - 1)
                query = asked(column).order_by(column).limit(2).offset(int(place))
                pair = [float(value) for value in session.scalars(query)]
                return pair[0] + (place - int(place)) * (pair[-1] - pair[0])

            def end(value: float) -> tuple[str, int]:
                found = session.execute(asked(func.min(CaseRow.id), func.count()).where(column == value)).one()
                return str(found[0]), int(found[1])

            lower, median, upper = (quantile(share) for share in (0.25, 0.5, 0.75))
            (first, some), (last, others) = end(low), end(high)
        return Spread(
            count=int(count), mean=float(mean), lowest=float(low), lower=lower, median=median, upper=upper,
            highest=float(high), lowest_case=first, highest_case=last, at_lowest=some, at_highest=others,
        )  # fmt: skip

    def slots(self, minutes: int, **filters: Any) -> dict[str, int]:
        """How many cases that pass fall into each stretch of so many minutes of their own clock, in order of time.

        Stretches are told by their beginning ("2026-04-01 06:30"); `minutes` divide a day, so that they begin at
        midnight. Cases without a time are left out. RunError for other lengths.
        """
        if minutes < 1 or DAY % minutes:
            raise RunError(f"stretches of {minutes} minutes were asked for; allowed are lengths that divide a day")
        hour, minute = (cast(func.substr(CaseRow.clock, at, 2), Integer) for at in (12, 15))
        of_day = 60 * hour + minute
        day, slot = func.substr(CaseRow.clock, 1, 10), of_day - of_day % minutes
        where: list[ColumnElement[bool]] = Filters(**filters | {"timed": True}).conditions(self._at)
        query = select(day, slot, func.count()).select_from(CaseRow).where(*where).group_by(day, slot)
        with Session(self._engine) as session:
            rows = session.execute(query.order_by(day, slot)).all()
        return {f"{d} {at // 60:02d}:{at % 60:02d}": int(n) for d, at, n in rows}

    def floors(self, **filters: Any) -> list[Floor]:
        """The smallest possible p-values of the cases that pass, the most used first."""
        where = Filters(**filters).conditions(self._at)
        reached = cast(CaseRow.p_value <= CaseRow.floor * (1 + ROUNDING), Integer)
        query = select(CaseRow.size, CaseRow.floor, func.count(), func.sum(reached)).where(
            *where, CaseRow.floor.is_not(None)
        )
        with Session(self._engine) as session:
            rows = session.execute(query.group_by(CaseRow.size, CaseRow.floor).order_by(func.count().desc())).all()
        return [Floor(size, float(floor), int(n), int(at)) for size, floor, n, at in rows if floor is not None]
