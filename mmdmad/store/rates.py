"""A run has one declared rate: what it may be, and how all its cases come to have another."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from mmdmad.cases import Case
from mmdmad.errors import RunError
from mmdmad.store.db import CaseRow
from mmdmad.store.views import check_rate


def declared(path: Path, stored: str | None) -> float | None:
    """The rate that is stored in a run; RunError where that is no number."""
    try:
        return None if stored is None else float(stored)
    except ValueError:
        raise RunError(f"{path} has the false-alarm rate {stored!r}; restore cases.sqlite from a copy") from None


def judges_anew(
    path: Path, engine: Engine, known: float | None, rate: float, cases: Iterable[Case], replace: bool
) -> bool:
    """Whether these cases are judged again because the run, scored at `known`, is to have another rate.

    RunError for a rate that is not allowed, for another rate without `replace`, and where a judged case is not among
    those given: its verdict would stay at the old rate.
    """
    check_rate(rate)
    if known is None or known == rate:
        return False
    was = f"{path} was scored at a declared false-alarm rate of {known:g}, not {rate:g}"
    if not replace:
        raise RunError(
            f"{was}; score at {known:g} and read it at {rate:g} with --rate {rate:g} (run.at({rate:g})), give all its "
            f"cases with --replace (replace=True) to judge them at {rate:g}, or score into another run folder"
        )
    with Session(engine) as session:
        left = sorted(set(session.scalars(select(CaseRow.id))) - {case.id for case in cases})
    if left:
        raise RunError(
            f"{was}; a run has one rate, and {len(left)} of its judged cases ({left[0]!r}, …) are not among those "
            "given: give them all, or score into another run folder"
        )
    return True
