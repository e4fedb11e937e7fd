"""Every part looked at once: what it is like, or why it cannot be read."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mmdmad.cases import Case, Cases, Modality, Part, Refusal
from mmdmad.errors import PartError
from mmdmad.modalities.base import modality_of
from mmdmad.parts import read
from mmdmad.parts.content import content_key
from mmdmad.parts.levels import BYTES, Levels, common_levels
from mmdmad.plain import plain
from mmdmad.progress import Progress
from mmdmad.survey import Survey


@dataclass(frozen=True, eq=False)
class Looked:
    """One part of one case: where it lies, the key of its content, and what it is like (None: refused)."""

    case: Case
    modality: Modality
    file: str
    key: str
    survey: Survey | None


@dataclass(frozen=True, eq=False)
class Looks:
    """All parts, and the refusals of those that cannot be read."""

    every: tuple[Looked, ...]
    refused: tuple[Refusal, ...]
    levels: dict[Modality, str]

    def of(self, modality: Modality, ids: Iterable[str] | None = None) -> list[Looked]:
        """The readable parts of a modality, of all cases or of these."""
        wanted = None if ids is None else set(ids)
        return [
            one
            for one in self.every
            if one.modality == modality and one.survey is not None and (wanted is None or one.case.id in wanted)
        ]


def file_of(part: Part, root: Path | None) -> str:
    """Where a part lies, below the root, with its slice; "" for a value in memory or in the manifest."""
    if part.path is None:
        return ""
    path = part.path.relative_to(root) if root is not None and part.path.is_relative_to(root) else part.path
    sliced = (
        ""
        if part.start is None and part.stop is None
        else f"#{part.start or 0}:{'' if part.stop is None else part.stop}"
    )
    return plain(path.as_posix()) + sliced


def _depths(modality: Modality, parts: Iterable[Part]) -> Iterator[tuple[str, float, float]]:
    for part in parts:
        with suppress(PartError):  # what cannot be read is refused when it is looked at
            yield from modality_of(modality).depths(part)


def look_at(cases: Cases, learned: Iterable[str], progress: Progress) -> Looks:
    """Look at every part. Pictures that are no bytes are read by the levels that a fit would take for them."""
    wanted = set(learned)
    levels: dict[Modality, Levels] = {}
    said: dict[Modality, str] = {}
    for modality in dict.fromkeys(m for case in cases for m in case.parts):
        mine = [case for case in cases if modality in case.parts and (case.id in wanted or not wanted)]
        found = common_levels(_depths(modality, (case.parts[modality] for case in mine)))
        if found is not None and found.kinds != (BYTES,):
            levels[modality] = found
            kinds = " and ".join(found.kinds)
            said[modality] = f"pixels are {kinds} numbers; {found.black:g} is shown black and {found.white:g} white"
    every: list[Looked] = []
    refused: list[Refusal] = []
    for case in progress.over(cases, "look at cases", len(cases)):
        for modality, part in case.parts.items():
            given = part if modality not in levels else replace(part, levels=levels[modality])
            survey: Survey | None = None
            key = ""
            try:
                survey, key = modality_of(modality).survey(read(given)) or Survey(), content_key(part)
            except PartError as why:
                refused.append(Refusal(case.id, modality, why.reason, case.row))
            every.append(Looked(case, modality, file_of(part, cases.root), key, survey))
    return Looks(tuple(every), tuple(refused), said)
