"""Cases: one thing seen once, with up to four parts, and the manifest that lists them.

This module knows names and paths; what is inside a part is the business of `mmdmad.parts`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from mmdmad.errors import DataError
from mmdmad.modalities.base import Modality, modalities, ordered
from mmdmad.plain import plain
from mmdmad.roles import split_of

if TYPE_CHECKING:
    import pandas as pd

    from mmdmad.parts.levels import Levels

__all__ = ["Case", "Cases", "Lost", "Modality", "Part", "Refusal", "lost_kinds"]
_HALF = re.compile("[\ud800-\udfff]")
"""Half a character: what is left of a file's name that is not UTF-8, or of a broken JSON string."""


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a case: a file (`path`, with an optional slice of rows or frames) or a `value` in memory.

    `mmdmad.parts.read(part)` decodes it (to an Image, Text, Sensor, Video, …); `mmdmad.parts.content_key(part)` is the
    SHA-256 of what it holds. `row` and `case_id` say where it came from, for error messages. `rate` is rows or frames
    per second, for a table without a time column or a folder of frames. `root` is the folder that the part may not
    leave, not even through a symbolic link; None = anywhere. `levels` is what a model shows black and white in pictures
    that are no bytes; None = each picture as it is.
    """

    modality: Modality
    path: Path | None = None
    value: Any = None
    start: int | None = None
    stop: int | None = None
    case_id: str | None = None
    row: int | None = None
    rate: float | None = None
    root: Path | None = None
    levels: "Levels | None" = None


@dataclass(frozen=True, eq=False)
class Case:
    """One thing seen once. `label` 1 = anomalous, 0 = normal, None = unknown; no score is made with it.

    Cases labelled 1 are not learned from.
    `recording` names what the case was cut from (a file, a shift, a machine's day); None = it stands for itself.
    """

    id: str
    parts: Mapping[Modality, Part]
    time: datetime | None = None
    label: int | None = None
    split: str | None = None
    group: str | None = None
    row: int | None = None
    recording: str | None = None

    def __post_init__(self) -> None:
        for name in ("id", "split", "group", "recording"):
            word = getattr(self, name)
            if isinstance(word, str) and _HALF.search(word):
                raise DataError(
                    f"the {name} {word!r} holds half a character, which no file or database can keep; write it in UTF-8"
                )

    @property
    def pattern(self) -> tuple[Modality, ...]:
        """The modalities that are present, in their fixed order."""
        return ordered(self.parts)


NO_DATA = "no data"
"""How the reason begins why a part of nothing but missing readings, or a case of nothing else, cannot be used."""


@dataclass(frozen=True)
class Refusal:
    """A part or case that could not be used, and why, in one line; the rest went on.

    >>> Refusal("a", "sensor", "no data in 60 rows: every reading is missing").empty
    True
    """

    case_id: str
    part: str
    reason: str
    row: int | None = None

    def __post_init__(self) -> None:
        # Names of files and messages of decoders may hold anything; a refusal is stored, printed and told.
        object.__setattr__(self, "case_id", _HALF.sub(lambda half: plain(half[0]), self.case_id))
        object.__setattr__(self, "reason", plain(" ".join(self.reason.split())))

    @property
    def empty(self) -> bool:
        """Whether the recorder gave nothing at all: something found, though without a p-value."""
        return self.reason.startswith(NO_DATA)


@dataclass(frozen=True, eq=False)
class Cases(Sequence[Case]):
    """An immutable list of cases with what was refused while reading them."""

    items: tuple[Case, ...]
    refused: tuple[Refusal, ...] = ()
    root: Path | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> "Cases": ...
    def __getitem__(self, index: int | slice) -> "Case | Cases":
        if isinstance(index, slice):
            return self._with(self.items[index])
        return self.items[index]

    def where(self, keep: Callable[[Case], bool] | None = None, **equal: Any) -> "Cases":
        """The cases whose attributes equal the given ones (`split="train"`) and for which `keep(case)` holds.

        Usual words for a split are one word here ("Training" is "train"). Cases that were chosen by their split are
        taken as they are where something is learned from them; see `mmdmad.learning`.
        """
        if isinstance(split := equal.get("split"), str):
            equal["split"] = split_of(split) or split
        found = self._with(
            c for c in self.items if all(getattr(c, k) == v for k, v in equal.items()) and (keep is None or keep(c))
        )
        return replace(found, extra={**found.extra, "chosen": True}) if "split" in equal else found

    def to_dataframe(self) -> "pd.DataFrame":
        """One row per case, with the columns of a manifest: id, time, split, group, label, recording, where parts lie.

        Columns of the user's own follow. A text given in place stands there itself, other values in memory by shape.
        """
        from mmdmad.case_table import frame

        return frame(self)

    def _repr_html_(self) -> str:
        """A table for notebooks: how many cases of what, the first of them, what was decided and refused; escaped."""
        from mmdmad.case_table import html

        return html(self)

    def __repr__(self) -> str:
        refused = f", {len(self.refused)} refused" if self.refused else ""
        return f"Cases({len(self.items)} cases{refused})"

    def _with(self, items: Iterable[Case]) -> "Cases":
        return Cases(tuple(items), self.refused, self.root, self.extra)


@dataclass(frozen=True)
class Lost:
    """A modality of which every part that was given was refused: how many, and the first refusal."""

    modality: Modality
    count: int
    first: Refusal

    def __str__(self) -> str:
        every = "the one {} part was" if self.count == 1 else f"all {self.count} {{}} parts were"
        return f"{every.format(self.modality)} refused; the first, of case {self.first.case_id}: {self.first.reason}"


def lost_kinds(cases: Sequence[Case], refused: Iterable[Refusal]) -> tuple[Lost, ...]:
    """The modalities of which these cases bring parts, and every one was refused: seldom the fault of so many files.

    >>> case = Case("a", {"text": Part("text", value="")})
    >>> str(lost_kinds([case], [Refusal("a", "text", "the text is blank")])[0])
    'the one text part was refused; the first, of case a: the text is blank'
    """
    given = {(case.id, modality) for case in cases for modality in case.parts}
    ids, known = {case.id for case in cases}, modalities()
    gone: dict[tuple[str, str], Refusal] = {}
    for r in refused:
        if r.case_id in ids and r.part in known:  # refused by the manifest (no such file) or later
            gone.setdefault((r.case_id, r.part), r)
    left = {modality for case_id, modality in given if (case_id, modality) not in gone}
    lost: dict[str, list[Refusal]] = {}
    for r in gone.values():
        if r.part not in left:
            lost.setdefault(r.part, []).append(r)
    return tuple(Lost(m, len(lost[m]), lost[m][0]) for m in ordered(lost))
