"""Stored findings told by stretches: neighbouring windows of one recording as one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mmdmad.findings import Finding
from mmdmad.store import db
from mmdmad.store.query import Filters
from mmdmad.store.rows import CUT
from mmdmad.stretches import Stretch, Window, stretches, window

if TYPE_CHECKING:
    from mmdmad.store.run import Run

PAGE = 500
"""Findings that are in memory at once."""


def stretched(run: "Run", **filters: Any) -> tuple[Stretch, ...]:
    """The stored findings that pass the filters of `Run.findings`, grouped, the most anomalous stretch first.

    None where no judged case is a piece of a longer recording: there is nothing to group, and nothing is read.
    """
    with Session(run._engine) as session:
        if session.get(db.MetaRow, CUT) is None:
            return ()
    return stretches(_windows(run, filters))


def _windows(run: "Run", filters: dict[str, Any]) -> Iterator[Window]:
    """What grouping needs of each finding; their evidence, most of their size, stays in the database."""
    light = func.json_remove(db.DocumentRow.finding, "$.evidence", "$.explanation")
    query = select(light).join(db.CaseRow, db.CaseRow.id == db.DocumentRow.case_id)
    view = run._view()
    with Session(run._engine) as session:
        for text in session.scalars(
            query.where(*Filters(**filters).conditions(run._at)).execution_options(yield_per=PAGE)
        ):
            finding = Finding.model_validate_json(text)
            yield window(finding if view is None else view.of(finding))
