"""Words that name a modality and may mean a case: "clip" in a run of clips, or of cases called clip-001 and so on.

Where a question asks for cases by such a word ("which clips were flagged?", "clip 3"), it is no filter by the video.
"""

import re
from collections.abc import Collection

from mmdmad.agents.llms.patterns import ATTRIBUTES, spoken


def named(text: str, called: Collection[str]) -> tuple[str, ...]:
    """Cases named by a word that ids of the run begin with: "clip-night", "clip 3".

    >>> named("Why was clip 3 flagged, and clip-night?", ["clip"])
    ('clip 3', 'clip-night')
    >>> named("What of the clip in case 3?", ["clip"])
    ()
    """
    if not called:
        return ()
    some = "|".join(map(re.escape, sorted(called, key=len, reverse=True)))
    pattern = rf"(?<![\w-])(?:{some})(?:[-_]\w[\w.-]*\b|s? ?(?:no\. ?|number |#)?\d+\b(?![:.]\d| of\b| ?%))"
    return tuple(dict.fromkeys(m[0] for m in re.finditer(pattern, text, re.I)))


def as_cases(text: str, called: Collection[str], parts: Collection[str]) -> str:
    """The question with words that stand for its cases said neutrally; those of parts stay.

    `called` are words that ids begin with, `parts` the modalities of the run: of a single one, its words stand for the
    cases, unless they ask for something inside a case ("which frames").

    >>> as_cases("Which clips were flagged?", ["clip"], ["sensor", "video"])
    'Which pieces were flagged?'
    >>> as_cases("Which cases have no clips?", ["clip"], ["sensor", "video"])
    'Which cases have no clips?'
    """
    some = "|".join(map(re.escape, sorted(spoken().part, key=len, reverse=True)))
    lacking = r"lacks?|lacked|miss|have no|had no|do not have|don't have|are without|were without"
    text = re.sub(rf"\b(how many|which|what) (?:{some})(?= (?:{lacking})\b)", r"\1 pieces", text, flags=re.I)
    words = {word for one in called for word in (one.lower(), f"{one.lower()}s")}
    if len(parts) == 1:
        own = (word for word, part in spoken().part.items() if part in parts)
        words |= {word for word in own if not any(p.search(f"which {word} is it") for _, p in ATTRIBUTES)}
    if not words:
        return text
    some = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    before = "which|what|each|every|any|worst|strangest|oddest|anomalous|extreme|suspicious|unusual|flagged"
    text = re.sub(
        rf"\b({before}) (?:{some})\b",
        lambda m: f"{m[1]} pieces" if m[0].lower().endswith("s") else f"{m[1]} piece",
        text,
        flags=re.I,
    )
    lacking = r"(?<!\bno )(?<!\bwithout )(?<!\black )(?<!\blacks )(?<!\blacking )(?<!\bmissing )(?<!\babsent )"
    several = [word for word in words if word.endswith("s")]
    if not several:
        return text
    return re.sub(rf"{lacking}\b(?:{'|'.join(map(re.escape, several))})\b", "pieces", text, flags=re.I)
