"""How far flagged cases lie beyond all normal ones: what a p-value at its floor can no longer say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mmdmad.errors import MmdmadError
from mmdmad.store.db import CaseRow, DocumentRow

if TYPE_CHECKING:
    from mmdmad.store.run import Run

PAGE = 500


class Beyond(BaseModel):
    """Joint scores over the largest of the calibration cases with the same parts, by case at the floor of its p-value.

    `problem` says why none is known where the model cannot be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    times: dict[str, float] = {}
    problem: str = ""


def beyond(run: "Run") -> Beyond:
    """Of each case that no calibration case reaches; the model is read only where there is one.

    With several folds the score of one of them counts, drawn by content: a mean of scores is on no scale of theirs.
    """
    single = func.json_extract(DocumentRow.finding, "$.single_score").label("single")
    query = select(CaseRow.id, CaseRow.pattern, CaseRow.score, CaseRow.size, single)
    # an even rung is the floor, see `findings.order_key`; nothing to rank among is no floor
    query = query.join(DocumentRow, DocumentRow.case_id == CaseRow.id).where(CaseRow.rung % 2 == 0, CaseRow.size > 0)
    query = query.where(CaseRow.lacking.is_(None))  # masked calibration cases have other scores than the model tells
    with Session(run._engine) as session:
        found = session.execute(query.execution_options(yield_per=PAGE))
        first = next(found, None)
        ask = run.findings(limit=0).calibration
        if first is None or ask is None:
            return Beyond()
        try:
            largest = _largest(ask())
        except MmdmadError as why:
            return Beyond(problem=str(why))
        times = {}
        for row in (first, *found):
            most, size = largest.get(row.pattern, (0.0, 0))
            if most > 0 and size == row.size:  # of another size, it was ranked among other cases
                times[row.id] = float((row.score if row.single is None else row.single) / most)
    return Beyond(times={case: value for case, value in times.items() if np.isfinite(value)})


def _largest(scores: Mapping[tuple[str, ...], np.ndarray]) -> dict[str, tuple[float, int]]:
    return {",".join(pattern): (float(some.max()), len(some)) for pattern, some in scores.items() if len(some)}
