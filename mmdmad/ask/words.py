"""Findings in words, as every question and every page says them: one place for percentages, captions, case lines."""

from mmdmad import reasons
from mmdmad.ask.base import Cited, told
from mmdmad.explain.words import fact
from mmdmad.findings import Evidence, Fact, Finding


def percent(share: float) -> str:
    """A share as a percentage with at most three significant digits.

    >>> percent(0.01), percent(0.12345)
    ('1 %', '12.3 %')
    """
    return f"{100 * share:.3g} %"


def short(value: float | int) -> float | int:
    """A number with at most three significant digits; counts stay as they are.

    >>> short(0.012345), short(1234)
    (0.0123, 1234)
    """
    return value if isinstance(value, int) else float(f"{value:.3g}")


def plural(count: int, word: str = "case") -> str:
    """A count with its word.

    >>> plural(1), plural(0, "part")
    ('1 case', '0 parts')
    """
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def caption(e: Evidence) -> str:
    """The caption, with a channel's name at its head spelled as the channel is."""
    name = next((str(f.value) for f in e.facts if f.name == "channel"), "")
    same = name and e.caption.lower().startswith(name.lower())
    return name + e.caption[len(name) :] if same else e.caption


def case_line(f: Finding) -> Cited:
    """One finding in a line: verdict, p-value, group, time, and for a flagged one what drives it."""
    p, score, odd = short(f.p_value), short(f.score), reasons.contradicted(f)
    words, facts = [f"{f.case_id}: {f.verdict}, p-value {p}"], [fact("case", f.case_id), fact("verdict", f.verdict)]
    facts += [fact("p-value", p), fact("joint score", score)]
    if f.group:
        words.append(f.group)
        facts.append(fact("group", f.group))
    if f.time is not None:
        time = f.time.isoformat(sep=" ", timespec="seconds")
        words.append(time)
        facts.append(fact("time", time))
    reason = reasons.main_reason(f)
    if reason is not None:
        facts.append(fact("largest share", reason))
        words += [f"largest share {reason}"] if f.verdict == "anomalous" else []
    if odd:
        words.append(f"contradiction: {', '.join(odd)}")
        facts.append(fact("contradiction", ", ".join(odd)))
    lacking = reasons.missing(f)
    if lacking:
        facts.append(fact("lacking", ", ".join(lacking)))
    return told(", ".join(words), *facts, case=f.case_id)


def counted(name: str, counts: dict[str, int], what: str) -> list[Cited]:
    """One line for each key of a count: "brick tile: 7 flagged cases"."""
    return [
        told(f"{key}: {n} {what}.", Fact(name=name, value=key), Fact(name="cases", value=n))
        for key, n in counts.items()
    ]
