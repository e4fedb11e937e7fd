"""Evidence from the looks at a part as a whole: what is odd about it though it may have no odd place."""

from typing import TYPE_CHECKING

from mmdmad.explain.words import Draft, draft, fact
from mmdmad.modalities.base import modality_of

if TYPE_CHECKING:
    from mmdmad.judgement import PartJudgement

SAID = {
    "whole": "level and spread of the whole {part} are unusual",
    "look": "the {part} as a whole has another look than normal ones",
    "summary": "the {part} as a whole is unlike normal ones",
}
"""What each look of `mmdmad.pipeline.whole.LOOKS` says where it is beyond what is usual."""
BEYOND = 1000.0
"""Above so many times the usual, normal parts are nearly all alike, and a figure would be one of rounding."""


def evidence(judged: "PartJudgement") -> list[Draft]:
    """One sentence for each look that is further out than 99 % of the normal reference parts, the furthest first.

    Scores have no unit, so they are told as times of what 99 % of normal parts stay below, where that is above 0.
    """
    beyond = [(name, *judged.views[name]) for name in SAID if name in judged.views]
    odd = [(name, score, usual) for name, score, usual in beyond if score > usual]
    return [_said(judged, *one) for one in sorted(odd, key=lambda one: -_times(one[1], one[2]))]


def _said(judged: "PartJudgement", name: str, score: float, usual: float) -> Draft:
    facts = [
        fact("part", modality_of(judged.modality).noun),
        fact("look", name),
        fact("share of normal parts below the usual", 99, "%"),
    ]
    text, times = SAID[name], _times(score, usual)
    if times > BEYOND:
        return draft("whole", judged.modality, text + "; normal ones are nearly all alike.", facts)
    if times > 1.05:
        facts.append(fact("times the usual", times))
        text += (
            ": its score is {times_the_usual} times the level that {share_of_normal_parts_below_the_usual} of normal "
        )
        text += "ones stay below"
    else:
        text += ": {share_of_normal_parts_below_the_usual} of normal ones stay below its score"
    return draft("whole", judged.modality, text + ".", facts)


def _times(score: float, usual: float) -> float:
    return score / usual if usual > 0 else 1.0
