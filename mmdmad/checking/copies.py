"""Which cases are one recording: exact copies, near copies, slices that overlap; and how many are left that are not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmdmad.cases import Case, Cases
from mmdmad.checking.look import Looked, Looks
from mmdmad.modalities.base import modality_of

FEWEST = 8
"""Parts from which on their common look can be told from what is one part's own."""
MOST = 3000
"""Parts that are held against each other; of more, the first ones that are learned from."""
Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Copies:
    """Groups of case ids: exact copies as wholes, near copies by a part, and pairs whose slices of a file overlap.

    compared: how many parts were held against each other for near copies, where that is not all of them.
    """

    exact: Groups
    near: Mapping[str, Groups]
    overlaps: tuple[tuple[str, str, str], ...]
    compared: Mapping[str, int]


def copies_of(cases: Cases, looks: Looks, learned: Iterable[str]) -> Copies:
    """What is a copy of what, among all cases."""
    first = set(learned)
    whole: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    keys: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in looks.every:
        keys[one.case.id].append((one.modality, one.key))
    for case_id, mine in keys.items():
        if all(key for _, key in mine):
            whole[tuple(sorted(mine))].append(case_id)
    exact = tuple(tuple(ids) for ids in whole.values() if len(ids) > 1)
    near, compared = {}, {}
    for modality in dict.fromkeys(one.modality for one in looks.every):
        mine_of = sorted(looks.of(modality), key=lambda one: one.case.id not in first)
        kept = [one for one in mine_of if one.survey is not None and one.survey.fine is not None]
        if len(kept) > MOST:
            compared[modality] = MOST
        groups = near_copies(kept[:MOST])
        if groups:
            near[modality] = groups
    return Copies(exact, near, tuple(overlaps(cases)), compared)


def near_copies(parts: Sequence[Looked]) -> Groups:
    """Groups of cases whose parts share their fine detail, beyond what all parts share, and are no exact copies.

    Groups are joined while their mean correlation is at least that of `Survey.near` (average linkage, Sokal and
    Michener, 1958), so a chain of chance likenesses joins nothing.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    by_size: dict[tuple[int, float], list[tuple[Looked, np.ndarray]]] = defaultdict(list)
    seen: set[str] = set()
    for one in parts:
        if one.survey is not None and one.survey.fine is not None and one.key not in seen:
            seen.add(one.key)
            by_size[len(one.survey.fine), one.survey.near].append((one, one.survey.fine))
    groups = []
    for (_, least), same in by_size.items():
        if len(same) < FEWEST:
            continue
        prints = np.stack([fine for _, fine in same]).astype(np.float64)
        prints -= prints.mean(axis=0)
        length = np.linalg.norm(prints, axis=1)
        told = np.flatnonzero(length > 1e-6 * max(1e-12, float(length.max())))
        if len(told) < 2:
            continue
        prints = prints[told] / length[told, None]
        distance = np.clip(1 - prints @ prints.T, 0, 2)
        np.fill_diagonal(distance, 0)
        names = fcluster(linkage(squareform(distance, checks=False), "average"), 1 - least, "distance")
        for name in np.unique(names):
            members = np.flatnonzero(names == name)
            cases = [same[told[i]][0].case for i in members]
            known = {case.recording for case in cases}
            if len(cases) > 1 and (None in known or len(known) > 1):  # what is one recording already needs no word
                groups.append(tuple(case.id for case in cases))
    return tuple(groups)


def overlaps(cases: Iterable[Case]) -> list[tuple[str, str, str]]:
    """Pairs of cases with rows, lines or frames of a file in common, and the file's name; each with the one before it.

    >>> from pathlib import Path
    >>> from mmdmad.cases import Part
    >>> made = [Case(name, {"sensor": Part("sensor", Path("a.csv"), start=at, stop=at + 10)})
    ...         for name, at in (("x", 0), ("y", 5), ("z", 15))]
    >>> overlaps(made)
    [('x', 'y', 'a.csv')]
    """
    spans: dict[tuple[str, str], list[tuple[int, float, str]]] = defaultdict(list)
    for case in cases:
        for modality, part in case.parts.items():
            if part.path is not None and modality_of(modality).slices:
                stop = float("inf") if part.stop is None else part.stop
                spans[modality, str(part.path)].append((part.start or 0, stop, case.id))
    found = []
    for (_, path), mine in spans.items():
        mine.sort()
        reached, owner = -1.0, ""
        for start, stop, case_id in mine:
            if start < reached:
                found.append((owner, case_id, path.rpartition("/")[2]))
            if stop > reached:
                reached, owner = stop, case_id
    return found


def recordings(cases: Sequence[Case], copies: Copies) -> dict[str, str]:
    """The recording that each case belongs to: the one it names, joined with those of its copies and overlaps."""
    above: dict[str, str] = {}

    def root(name: str) -> str:
        while above.setdefault(name, name) != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    mine = {case.id for case in cases}
    named = [(f"case {case.id}", f"recording {case.recording}") for case in cases if case.recording is not None]
    pairs = [(f"case {a}", f"case {b}") for a, b, _ in copies.overlaps if a in mine and b in mine]
    for groups in (copies.exact, *copies.near.values()):
        for group in groups:
            ids = [i for i in group if i in mine]
            pairs += [(f"case {ids[0]}", f"case {other}") for other in ids[1:]]
    for a, b in (*named, *pairs):
        above[root(a)] = root(b)
    return {case.id: root(f"case {case.id}") for case in cases}
