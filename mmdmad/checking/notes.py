"""What was found, as notes: each says what, of how many cases, and names the first."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from mmdmad.cases import Cases, Refusal
from mmdmad.checking.copies import Copies
from mmdmad.checking.look import Looked, Looks
from mmdmad.checking.report import NAMED, Note
from mmdmad.modalities.base import modality_of
from mmdmad.roles import counted

MOST = 0.5
"""Share of parts that have to agree on a trait before the others are called odd."""


def note(
    level: Literal["stop", "warn", "info"], topic: str, said: str, ids: Iterable[str] = (), files: Iterable[str] = ()
) -> Note:
    """A note about these cases, in which the first are named."""
    known = list(dict.fromkeys(ids))
    named = tuple(f for f in dict.fromkeys(files) if f)[:NAMED]
    return Note(level=level, topic=topic, said=said, cases=tuple(known[:NAMED]), files=named, count=len(known))


def of_refused(refused: Sequence[Refusal]) -> list[Note]:
    """What cannot be read, a note a kind of reason."""
    kinds: dict[tuple[str, str], list[Refusal]] = defaultdict(list)
    for one in refused:
        kinds[one.part, _kind(one.reason, names=False)].append(one)
    return [
        note("warn", "refused", f"{part}: {same[0].reason}{_of_others(len(same))}", (one.case_id for one in same))
        for (part, _), same in kinds.items()
    ]


def of_parts(looks: Looks) -> list[Note]:
    """What is odd about single parts, and what was decided on reading them, a note a kind of remark."""
    odd: dict[tuple[str, str], list[tuple[Looked, str]]] = defaultdict(list)
    told: dict[tuple[str, str], list[tuple[Looked, str]]] = defaultdict(list)
    for one in looks.every:
        if one.survey is not None:
            for remark in one.survey.remarks:
                odd[one.modality, _kind(remark)].append((one, remark))
            for decision in one.survey.decisions:
                told[one.modality, _kind(decision)].append((one, decision))
    return [*_grouped(odd, "warn", "readings"), *_grouped(told, "info", "reading")]


def _grouped(
    kinds: dict[tuple[str, str], list[tuple[Looked, str]]], level: Literal["warn", "info"], topic: str
) -> list[Note]:
    return [
        note(
            level,
            topic,
            f"{modality}: {same[0][1]}{_of_others(len(same))}",
            (one.case.id for one, _ in same),
            (one.file for one, _ in same),
        )
        for (modality, _), same in kinds.items()
    ]


def of_traits(looks: Looks, modality: str) -> list[Note]:
    """Parts that are not like most of their kind."""
    known = looks.of(modality)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in known:
        for trait, value in (one.survey.traits if one.survey else {}).items():
            counts[trait][value] += 1
    found = []
    for trait, values in counts.items():
        usual, most = values.most_common(1)[0]
        if len(values) == 1:
            continue
        odd = [one for one in known if one.survey is not None and one.survey.traits.get(trait) != usual]
        seen = Counter(one.survey.traits.get(trait, "none") for one in odd if one.survey is not None)
        others = "; ".join(f"{value} ({count})" for value, count in seen.most_common(3))
        more = f" and {len(seen) - 3} others" if len(seen) > 3 else ""
        noun = modality_of(modality).noun
        if most > MOST * len(known):
            said = f"{len(odd)} of {len(known)} {noun}s have another {trait} than most ({usual}): {others}{more}"
            found.append(note("warn", trait, said, (o.case.id for o in odd), (o.file for o in odd)))
        else:
            said = f"{noun}s differ in {trait}: {usual} ({most}); {others}{more}"
            found.append(note("warn" if trait != "length" else "info", trait, said))
    return found


def of_copies(cases: Cases, copies: Copies, learned: set[str]) -> list[Note]:
    """Copies, near copies, overlaps, and cases to judge that are copies of cases to learn from."""
    found = []
    if copies.exact:
        ids = [i for group in copies.exact for i in group]
        largest = max(copies.exact, key=len)
        many = counted(len(copies.exact), "group")
        said = f"{len(ids)} cases are exact copies of each other, in {many}, up to {len(largest)} in one"
        found.append(note("info", "copies", said, ids))
    for modality, groups in copies.near.items():
        ids = [i for group in groups for i in group]
        held = f" (the first {copies.compared[modality]} were compared)" if modality in copies.compared else ""
        many, nouns = counted(len(groups), "group"), f"{modality_of(modality).noun}s"
        said = (
            f"{len(ids)} {nouns} are near copies, in {many}{held}: several of one piece or recording, such as "
            f"{', '.join(groups[0][:3])}; give each group one name in a column 'recording'"
        )
        found.append(note("warn", "near copies", said, ids))
    if copies.overlaps:
        a, b, file = copies.overlaps[0]
        many = counted(len(copies.overlaps), "pair")
        said = f"{many} of slices of one file overlap, such as {a} and {b} of {file}"
        found.append(note("warn", "overlaps", said, (i for pair in copies.overlaps for i in pair[:2])))
    others = {case.id for case in cases} - learned
    pairs = [*copies.exact, *(g for groups in copies.near.values() for g in groups)]
    pairs += [pair[:2] for pair in copies.overlaps]
    leaked = [i for group in pairs if learned & set(group) for i in group if i in others]
    if leaked and learned:
        said = (
            f"{counted(len(set(leaked)), 'case')} to judge: copies of cases to learn from, near copies, or overlapping "
            "them; they will look too normal"
        )
        found.append(note("warn", "leak", said, leaked))
    return found


def of_marked(looks: Looks, ids: set[str]) -> list[Note]:
    """Cases to learn from whose own files call rows faulty."""
    known = [one for one in looks.every if one.case.id in ids and one.survey is not None and one.survey.marked]
    if not known:
        return []
    said = (
        f"the files of {counted(len(known), 'case')} to learn from call rows faulty in a column of labels; "
        "learn from slices (#start:stop) of sound rows, or give such cases the label 1"
    )
    return [note("warn", "marked rows", said, (one.case.id for one in known), (one.file for one in known))]


def of_flags(looks: Looks, ids: Iterable[str]) -> list[Note]:
    """Channels of 0 and 1, which may be labels under another name."""
    names: dict[str, list[str]] = defaultdict(list)
    others: set[str] = set()
    for modality in dict.fromkeys(one.modality for one in looks.every):
        for one in looks.of(modality, ids):
            for channel in one.survey.channels if one.survey is not None else ():
                if channel.kind == "flag":
                    names[channel.name].append(one.case.id)
                elif channel.kind != "empty" and {channel.low, channel.high} - {0, 1}:
                    others.add(channel.name)
    flags = [name for name in names if name not in others and "=" not in name]
    if not flags:
        return []
    listed = ", ".join(repr(name[:60]) for name in flags[:6])
    said = (
        f"{counted(len(flags), 'channel')} of 0 and 1 alone: {listed}; if one says what is faulty, call it 'label', "
        "and it is left out"
    )
    return [note("info", "flags", said, names[flags[0]])]


def _kind(words: str, names: bool = True) -> str:
    """A remark without its numbers, so that the same is said once; without `names` also without names and paths."""
    if names:
        return re.sub(r"('[^']*')|[-+]?\d+(\.\d+)?(e[-+]?\d+)?", lambda found: found[1] or "#", words)
    return re.sub(r"'[^']*'|(?<=no such file: ).*|[-+]?\d+(\.\d+)?(e[-+]?\d+)?", "#", words)


def _of_others(count: int) -> str:
    return "" if count == 1 else f" (alike in {count} cases)"


def of_several(count: int) -> Note:
    """What each of several manifests and folders to learn from is looked at as."""
    told = (
        f"{count} sources to learn from were given, and each is looked at by itself: mmdmad fit takes one of them, and "
        "what its model is to judge goes to mmdmad score"
    )
    return note("info", "sources", told)
