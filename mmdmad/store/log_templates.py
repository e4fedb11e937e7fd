"""Templates of log lines over the cases of a run: since when evidence names one, in how many cases, which are new."""

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, select
from sqlalchemy.orm import aliased

from mmdmad.explain.log_lines import SEEN, TEMPLATE
from mmdmad.store.at import At
from mmdmad.store.db import CaseRow, FactRow
from mmdmad.store.query import Filters, ordering

if TYPE_CHECKING:
    from mmdmad.store.run import Run


@dataclass(frozen=True)
class Named:
    """A template that evidence names: how many normal lines follow it, and in how many cases it is named.

    `first` and `last` are the clocks of the earliest and latest of these cases, to the second ("" where none has a
    time), `peak` the most anomalous of them.
    """

    template: str
    normal_lines: int
    cases: int
    flagged: int
    first: str
    last: str
    peak: str


def named(run: "Run", new: bool = True, **filters: Any) -> tuple[Named, ...]:
    """Templates that evidence of cases names (those new to the model alone, or all), in most flagged cases first."""
    query = _facts(run._at).where(*Filters(**filters).conditions(run._at))
    if new:
        query = query.where(_SEEN.value == 0)
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    with run._engine.connect() as connection:
        for row in connection.execute(query.execution_options(yield_per=1000)):
            found[str(row.template)][row.id] = row
    return tuple(sorted((_named(template, [*rows.values()]) for template, rows in found.items()), key=_order))


def by_case(connection: Connection, at: At) -> dict[str, list[str]]:
    """The new templates that evidence of each flagged case names."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(_facts(at).where(at.flagged, _SEEN.value == 0)):
        found[row.id].append(str(row.template))
    return found


_NAME, _SEEN = aliased(FactRow), aliased(FactRow)


def _facts(at: At) -> Select[*tuple[Any, ...]]:
    """Each naming of a template, most anomalous case first: its time and verdict, and how many normal lines follow."""
    same = and_(_SEEN.case_id == _NAME.case_id, _SEEN.evidence == _NAME.evidence)
    columns = CaseRow.id, CaseRow.time, CaseRow.clock, at.flagged.label("flagged")
    query = select(*columns, _NAME.value.label("template"), _SEEN.value.label("seen")).select_from(_NAME)
    query = query.join(_SEEN, same).join(CaseRow, CaseRow.id == _NAME.case_id)
    return query.where(_NAME.name == TEMPLATE, _SEEN.name == SEEN).order_by(*ordering("rank", at), _NAME.evidence)


def _named(template: str, rows: list[Any]) -> Named:
    timed = sorted((row.time, row.clock[:19]) for row in rows if row.time is not None and row.clock is not None)
    return Named(
        template,
        normal_lines=max(int(row.seen) for row in rows),
        cases=len(rows),
        flagged=sum(bool(row.flagged) for row in rows),
        first=timed[0][1] if timed else "",
        last=timed[-1][1] if timed else "",
        peak=rows[0].id,
    )


def _order(one: Named) -> tuple[int, int, str, str]:
    return -one.flagged, -one.cases, one.first, one.template
