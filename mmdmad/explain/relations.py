"""Evidence from comparison: the nearest normal cases of a part, and parts that do not belong together."""

from collections import Counter
from typing import TYPE_CHECKING

from mmdmad.cases import Modality
from mmdmad.explain.normal import Neighbours, Normal
from mmdmad.explain.words import Draft, draft, fact, listed
from mmdmad.findings import Contradiction

if TYPE_CHECKING:
    from mmdmad.judgement import Judgement, PartJudgement

NEAREST, NAMED = 5, 3
_MAJORITY = 0.8  # share of the nearest normal cases that must agree on a group before it is named
_CARRIES = 0.1  # share of the joint score from which a contradiction is one of the reasons


def main_group(near: Neighbours | None) -> tuple[str, int] | None:
    """The group that nearly all of the nearest normal cases belong to, and how many; None where they disagree or are
    few."""
    if near is None or len(near.groups) < NEAREST:
        return None
    group, count = Counter(near.groups).most_common(1)[0]
    return (group, count) if group and count >= _MAJORITY * len(near.groups) else None


def neighbours(judged: "PartJudgement", normal: Normal) -> list[Draft]:
    """The nearest normal cases by one part and how far they are."""
    near = normal.nearest(judged.modality, judged.embedding, NEAREST)
    if near is None:
        return []
    facts = [
        fact("part", judged.modality),
        fact("nearest normal cases", listed(near.ids[:NAMED])),
        fact("nearest normal case", near.ids[0]),
    ]
    group = main_group(near)
    text = "by its {part} part the case is nearest to the normal cases {nearest_normal_cases}"
    if group is not None:
        facts += [fact("group", group[0]), fact("in this group", group[1]), fact("compared", len(near.ids))]
        text += " ({in_this_group} of the nearest {compared} are of group {group})"
    if near.few:
        text += "."
    elif not near.alike:
        facts.append(fact("distance", float(near.distances[0])))
        text += "; the nearest is {distance} times as far away as normal cases are from each other."
    elif near.distances[0] > 0:
        text += "; normal cases are nearly all alike there, and this one differs from them."
    else:
        text += "; normal cases are nearly all alike there, and this one is like them."
    return [draft("neighbour", judged.modality, text, facts)]


def worth_saying(judgement: "Judgement") -> list[Contradiction]:
    """Contradictions whose own p-value is at most the declared rate: those that carry the joint score, else the one
    with the smallest p-value. One odd part makes every other part look odd too; saying all of them hides it.
    """
    found = [c for c in judgement.contradictions if c.p_value <= judgement.guarantee.rate]
    carrying = sorted((c for c in found if c.share >= _CARRIES * judgement.score > 0), key=lambda c: -c.share)
    return carrying[:2] or sorted(found, key=lambda c: (c.p_value, -c.score))[:1]


def contradiction(found: Contradiction, judgement: "Judgement", normal: Normal) -> Draft:
    """A part that does not fit the others, with the groups of normal cases that each side looks like."""
    facts = [
        fact("part", found.part),
        fact("given", listed(found.given)),
        fact("p-value", found.p_value),
        fact("score", found.score),
        fact("share of the joint score", found.share),
    ]
    others = "parts" if len(found.given) > 1 else "part"
    text = f"the {{part}} part does not fit the {{given}} {others} (contradiction p-value {{p-value}}"
    if judgement.score > 0 and 0.005 <= found.share / judgement.score <= 1.0005:
        facts.append(fact("share", 100 * found.share / judgement.score, "%"))
        text += ", {share} of the joint score"
    text += ")"
    own = _group(found.part, judgement, normal)
    groups = {m: g for m in found.given if (g := _group(m, judgement, normal)) is not None}
    if own is not None and groups:
        theirs, votes = Counter(groups.values()).most_common(1)[0]
        if theirs != own and votes > list(groups.values()).count(own):
            named = [m for m, g in groups.items() if g == theirs]
            facts += [
                fact("group of the part", own),
                fact("group of the others", theirs),
                fact("others", listed(named)),
            ]
            looks = "part looks" if votes == 1 else "parts look"
            text += ": it looks like normal cases of group {group_of_the_part}, "
            text += f"while the {{others}} {looks} like group {{group_of_the_others}}"
    return draft("contradiction", found.part, text + ".", facts)


def _group(modality: Modality, judgement: "Judgement", normal: Normal) -> str | None:
    judged = judgement.parts.get(modality)
    group = None if judged is None else main_group(normal.nearest(modality, judged.embedding, NEAREST))
    return None if group is None else group[0]
