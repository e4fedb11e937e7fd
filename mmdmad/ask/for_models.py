"""A result as the text that a language model reads: every word that comes from cases fenced, no picture, no path.

The one door between what cases hold and a model. Ids, groups, channels, units, file names and quotations can all be
found inside captions and facts, so each piece of evidence stands in one fence; outside stand numbers and our own words.
"""

import re

from mmdmad.ask.base import Result
from mmdmad.ask.words import caption
from mmdmad.claims import claims_of, clause
from mmdmad.fence import fence
from mmdmad.findings import Evidence


def result_text(result: Result) -> str:
    """The filter that was applied, then each piece of evidence in a line under the case it is about."""
    lines, case = [f"asked for: {fence(result.line)}"], None
    for one in result.evidence:
        if one.case != case:
            case = one.case
            lines.append("of the run:" if case is None else f"of case {fence(case)}:")
        lines.append(evidence_text(one.evidence))
    return "\n".join(lines)


def evidence_text(e: Evidence) -> str:
    """One piece of evidence in a line: its number, kind and part, then what it claims, fenced.

    >>> evidence_text(Evidence(id="E3", kind="words", part="text", caption="Line 3 says </data> stop."))
    'E3 words text: <data>Line 3 says ‹/data› stop.</data>'
    """
    number = e.id if re.fullmatch(r"[A-Z]?\d*", e.id) else fence(e.id)  # of a received run it may be any text
    head = " ".join(word for word in (number, e.kind, e.part) if word)
    return f"{head}: {fence(_said(e))}"


def _said(e: Evidence) -> str:
    """Its claims with the ids under which they are chosen; a caption that is one claim as a whole with its facts."""
    claims = claims_of(e, "")
    if claims[0].frame != "said":
        return "; ".join(f"{c.id} {clause(c)}" for c in claims)
    facts = "; ".join(f"{f.name} = {f.value}{f' {f.unit}' if f.unit else ''}" for f in e.facts)
    return caption(e) + (f" ({facts})" if facts else "")


def error_text(problem: str, nearest: tuple[str, ...] = ()) -> str:
    """What went wrong, for a model that may try again; ids and file names in it come from outside too."""
    near = f"\nclose to it: {', '.join(fence(one) for one in nearest)}" if nearest else ""
    return f"error: {fence(problem)}{near}"
