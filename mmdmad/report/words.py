"""Findings in the words of a report: what stands out, where it lies, how far beyond normal, and how sure it is."""

from collections.abc import Collection, Iterable, Sequence

from mmdmad.ask.groups import Group
from mmdmad.ask.judging import Basis
from mmdmad.ask.seen import Alike
from mmdmad.ask.words import plural, stretch_place
from mmdmad.events import Event
from mmdmad.explain.when import on_clock
from mmdmad.explain.words import listed, number
from mmdmad.findings import Finding, Sentence, outermost
from mmdmad.modalities.base import detail_kinds
from mmdmad.pipeline.readings import of_missing
from mmdmad.store.stream import has_lapsed
from mmdmad.store.strength import Beyond
from mmdmad.stretches import Stretch


def lead(finding: Finding, limit: int = 3) -> list[str]:
    """The captions that say what is wrong and where, most telling first: evidence comes in the order of its share.

    The first detail of every part goes before the second of any, so that a chain over several parts is seen at once.
    """
    telling = ("contradiction", *detail_kinds())
    details = [e for e in finding.evidence if e.kind in telling]
    seen: set[str] = set()
    first: list[str] = []
    rest: list[str] = []
    for e in details:
        key = e.kind if e.kind == "contradiction" else str(e.part)
        (rest if key in seen else first).append(e.caption)
        seen.add(key)
    return [*first, *rest][:limit] or [e.caption for e in finding.evidence if e.kind == "part"][:1]


def several(together: Stretch | None) -> str:
    """Where windows that are told as one lie, and what stands out in any of them; "" for a case by itself."""
    if together is None or len(together.cases) == 1:
        return ""
    where = stretch_place(together).words
    return f"{len(together.cases)} windows side by side{f' {where}' if where else ''}, by {listed(together.parts)}"


def entry(finding: Finding, together: Stretch | None) -> str:
    """A finding, or the windows it stands for, in one line."""
    return ": ".join(filter(None, (several(together), (lead(finding) or [""])[0])))


def strength(finding: Finding, far: Beyond) -> str:
    """How far a finding lies beyond the normal cases it is ranked among; "" where some of these are as unusual."""
    size = finding.guarantee.size
    if not outermost(finding.p_value, finding.guarantee.smallest_p_value):
        return ""
    times = far.times.get(finding.case_id, 0.0)
    alike = "the same parts" + (" that lack the same readings" if finding.guarantee.missing else "")
    said = f"More unusual than all {plural(size, 'normal case')} with {alike}"
    # ranked within folds, it is held against the largest of all folds, so that the ratio is one that it has at least
    least = "at least " if finding.guarantee.method == "cross" else ""
    return (
        f"{said}: its joint score is {least}{number(times)} times the largest of theirs." if times > 1 else f"{said}."
    )


def seen(alike: Alike | None) -> str:
    """Whether the like was flagged before; "" where there is no before, as the case has no time."""
    return "" if alike is None or alike.before is None else alike.words


def told(finding: Finding) -> tuple[Sentence, ...]:
    """The sentences of its explanation but those of the verdict alone: what they say, the page says once for all."""
    if finding.explanation is None:
        return ()
    verdicts = {e.id for e in finding.evidence if e.kind == "verdict"}
    return tuple(s for s in finding.explanation.sentences if not s.cites or not verdicts.issuperset(s.cites))


def unsure(finding: Finding, bases: Sequence[Basis]) -> str:
    """Why no rate is promised for this case, where that is not said of the whole run already, or what it lacks.

    Else nothing.
    """
    guarantee = finding.guarantee
    if guarantee.missing and not has_lapsed(guarantee):
        return f"Readings are missing in it: {guarantee.note}."
    common = {basis.guarantee.note for basis in bases if basis.unpromised}
    if guarantee.valid or has_lapsed(guarantee) or (guarantee.note in common and not of_missing(guarantee)):
        return ""
    return f"No false-alarm rate is promised for it: {guarantee.note or 'too few calibration cases'}."


def together_in(events: Iterable[Event], cases: Collection[str]) -> dict[str, str]:
    """The events that several of these cases are in, in words, by case."""
    found: dict[str, str] = {}
    for event in events:
        here = [case for case in event.cases if case in cases]
        if len(here) > 1:
            since = "" if event.begin is None else f"{on_clock(event.begin)}: "
            found |= dict.fromkeys(here, f"{since}{plural(len(event.cases), 'case')} from {event.id}")
    return found


def group_words(group: Group) -> str:
    """What is odd about a group, and for whom its rate holds; "" where there is nothing to say."""
    odd = "more than chance explains" if group.beyond else ""
    if group.too_many:
        odd = "normal ones are flagged more often than the rate explains: not like the normal cases learned from"
    return "; ".join(filter(None, (odd, group.ranks)))


def method_words(bases: Sequence[Basis]) -> str:
    """How calibration cases were kept apart from what was learned, where that needs saying."""
    crossed = any(basis.guarantee.method == "cross" for basis in bases)
    return "Ranked within folds, by models that had not learned the cases ranked with." if crossed else ""
