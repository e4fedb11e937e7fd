"""Whether the data are good enough to judge by: what was refused, missing, mended while reading, or judged unsurely."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from mmdmad.ask.base import Cited, Result, Scope, query, told
from mmdmad.ask.overview import Nothing, told_pending
from mmdmad.ask.words import plural
from mmdmad.explain.words import fact
from mmdmad.store.quality import Kind, cases_with, kind, noted, refused, unsure

LISTED = 10  # kinds of each sort; the rest is counted


class Trouble(BaseModel):
    """What befell `count` parts or cases; `example` is the reason or note of one of them, `part` "" for none alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str
    count: int
    example: str


class Quality(Result):
    """Refusals, notes of reading and doubts about verdicts by kind, most first; `absent` are cases without a part.

    `gaps` are cases in which rows are missing, `left` the cases of the last call of score that are not judged yet.
    """

    refused: tuple[Trouble, ...]
    noted: tuple[Trouble, ...]
    unsure: tuple[Trouble, ...]
    absent: dict[str, int]
    gaps: int
    left: int


@query(
    "data_quality",
    asked=("data quality", "quality of the data", "missing readings", "missing data", "gaps", "not judged yet"),
    section="Data quality",
)
def data_quality(scope: Scope, asked: Nothing) -> Quality:
    """How good the data are: refused, missing, with gaps, mended while reading, without a verdict, not yet judged."""
    run = scope.run
    judged, waits = run.count(), run.pending
    no, notes, doubts = refused(run), noted(run), unsure(run)
    absent, gaps = run.tally.by("missing"), cases_with(run, "form", "gap")
    said = told_pending(waits)
    said += _listed(no, _refusal)
    said += [
        told(
            f"{plural(n)} {'has' if n == 1 else 'have'} no {part} part and {'was' if n == 1 else 'were'} judged "
            "without it.",
            fact("cases", n), fact("missing part", part), part=part,
        )
        for part, n in absent.items()
    ]  # fmt: skip
    if gaps:
        said.append(told(f"In {plural(gaps)} rows are missing: the clock has gaps.", fact("cases with gaps", gaps)))
    said += _listed(notes, lambda k: f"Read with a note in {plural(k.count)}, {k.part}: {k.example}")
    said += _listed(doubts, lambda k: f"No verdict, or none with a promised rate, on {plural(k.count)}: {k.example}")
    line = f"data of {plural(judged)}"
    if not said:
        every = told("Every part could be read, none is missing, and nothing was noted while reading.")
        said = [every] if judged else [told("No case has been judged yet.")]
    return Quality(
        line=line, evidence=tuple(said), refused=_troubles(no), noted=_troubles(notes), unsure=_troubles(doubts),
        absent=absent, gaps=gaps, left=waits.left, idle=not judged and not no and not waits.left,
    )  # fmt: skip


def _refusal(k: Kind) -> str:
    what = plural(k.count, k.part if k.part == "case" else f"{k.part} part") if k.part else f"{k.count} parts or cases"
    return f"{what} refused: {k.example}"


def _listed(kinds: list[Kind], words: Callable[[Kind], str]) -> list[Cited]:
    """A line for each kind up to a limit; of several that differ in names and numbers one stands as an example."""
    said = []
    for k in kinds[:LISTED]:
        several = " (one of them; names and numbers differ)" if k.count > 1 and kind(k.example) != k.example else ""
        facts = [fact("parts or cases", k.count), fact("reason", k.example)]
        said.append(told(f"{words(k)}{several}".removesuffix(".") + ".", *facts))
    if len(kinds) > LISTED:
        left = sum(k.count for k in kinds[LISTED:])
        said.append(told(f"And {left} more of {len(kinds) - LISTED} other kinds.", fact("parts or cases", left)))
    return said


def _troubles(kinds: list[Kind]) -> tuple[Trouble, ...]:
    return tuple(Trouble(part=k.part, count=k.count, example=k.example) for k in kinds[:LISTED])
