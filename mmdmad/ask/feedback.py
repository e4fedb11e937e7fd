"""What people said of the findings, and how many of the flagged cases that they judged are faults."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from mmdmad.ask.base import Arguments, Cited, Result, Scope, query, told
from mmdmad.ask.words import percent, plural
from mmdmad.explain.words import fact
from mmdmad.store.feedback import Feedback, Precision

LISTED = 20


class Words(Arguments):
    """Of which case, and how many words are listed."""

    case_id: str | None = Field(default=None, description="only what was said of the case of this id")
    limit: int = Field(default=LISTED, ge=1, le=1000, description="how many words are listed, the newest first")


class Word(BaseModel):
    """What one person said of a case; `earlier`: before something of the case had changed and it was judged anew."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: str
    label: str
    why: str
    who: str
    at: datetime
    earlier: bool


class Said(Result):
    """The words, newest first, and what the last ones come to; `precision` is None where no flagged case is judged.

    `interval` is its 95 % interval (Clopper and Pearson), as if the judged cases had been drawn one by one.
    """

    words: tuple[Word, ...]
    flagged: int
    judged: int
    confirmed: int
    missed: int
    disputed: int
    precision: float | None
    interval: tuple[float, float] | None


@query(
    "feedback",
    asked=("feedback", "people said", "people say", "confirmed", "judged by people", "precision from feedback"),
    section="What people said",
)
def feedback(scope: Scope, asked: Words) -> Said:
    """What people said of findings (confirmed, false alarm), who, when and why, and the precision that follows."""
    every, n = scope.run.feedbacks(asked.case_id), scope.run.precision
    about = "all findings" if asked.case_id is None else f"case {asked.case_id}"
    line = f"said of {about}: {plural(len(every), 'word')}"
    newest = every[::-1][: asked.limit]
    if every:
        said = [*(told_precision(n) if asked.case_id is None else []), *map(_word, newest)]
    else:
        said = [told(f"Nobody has said a word of {about}; `mmdmad feedback RUN CASE confirmed` records one.")]
    return Said(
        line=line, evidence=tuple(said), idle=not every,
        words=tuple(
            Word(case_id=w.case_id, label=w.label, why=w.note, who=w.who, at=w.at, earlier=w.earlier) for w in newest
        ),
        flagged=n.flagged, judged=n.judged, confirmed=n.confirmed, missed=n.missed, disputed=n.disputed,
        precision=n.share, interval=n.interval,
    )  # fmt: skip


def told_precision(n: Precision) -> list[Cited]:
    """What people's words say of the flagged cases, never of those that nobody has judged; nothing without words."""
    said = []
    if n.share is not None and n.interval is not None:
        flagged, word = plural(n.flagged, "flagged case"), "is" if n.confirmed == 1 else "are"
        false = n.judged - n.confirmed
        low, high = n.interval
        said.append(
            told(
                f"Of {flagged} people have judged {n.judged}: {n.confirmed} {word} confirmed, {false} false; nobody "
                f"has judged {n.unjudged}. That is a precision of {percent(n.share)} (95 %: {percent(low)} to "
                f"{percent(high)}) among the judged ones; people judge what they choose, so it says nothing of the "
                "others.",
                fact("flagged cases", n.flagged), fact("judged by people", n.judged), fact("confirmed", n.confirmed),
                fact("false", false), fact("not judged by people", n.unjudged),
                fact("precision", 100 * n.share, "%"), fact("interval level", 95, "%"),
                fact("interval low", 100 * low, "%"), fact("interval high", 100 * high, "%"),
            )
        )  # fmt: skip
    if n.missed:
        text = f"{plural(n.missed, 'case')} that {'is' if n.missed == 1 else 'are'} not flagged people call a fault."
        said.append(told(text, fact("faults not flagged", n.missed)))
    if n.disputed:
        text = f"Of {plural(n.disputed, 'case')} different things were said; the last word counts."
        said.append(told(text, fact("cases with different words", n.disputed)))
    return said


def _word(w: Feedback) -> Cited:
    at = w.at.isoformat(sep=" ", timespec="minutes")[:16]
    facts = [fact("case", w.case_id), fact("said", w.label), fact("time", f"{at} UTC")]
    text = f"{w.case_id}: {w.label}"
    if w.who:
        text += f", said by {w.who}"
        facts.append(fact("person", w.who))
    text += f" on {at} UTC"
    if w.note:
        text += f" ({w.note})"
        facts.append(fact("reason", w.note))
    if w.earlier:
        text += "; the case has changed since, so it counts no more"
    return told(f"{text}.", *facts, case=w.case_id)
