"""What a modality is, and the one registry that is asked wherever modalities differ.

A new modality is one new class under `@modality`: in a file of this folder, or in another distribution that names it
under the entry point `mmdmad.modalities`. This module knows no modality by name and stands below everything that asks
it. The classes stand above what they use (readers, evidence) and import it inside their methods, so that asking for a
suffix loads no decoder.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from mmdmad.errors import ConfigError
from mmdmad.registry import Registry

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    from PIL.Image import Image as Picture

    from mmdmad.cases import Part
    from mmdmad.explain.base import Learned, Look, Seen
    from mmdmad.explain.words import Draft
    from mmdmad.parts.timeline import Timeline
    from mmdmad.survey.base import Survey


class BaseModality(ABC):
    """One modality: how its parts are named and read, what encodes them, what is looked for in them, how they look.

    rank: its place among the others, wherever they stand in a row; equal ranks go by name.
    noun: what one part is called ("sensor table"). words: what people call it, in small letters, `name` among them.
    suffixes: endings of its files, with the dot, in small letters; the first is the usual one.
    slices: what `#start:stop` after a path counts ("rows"); "" where a part cannot be sliced.
    inline: a manifest's column of this name holds the value itself; paths stand in the column `<name>_file`.
    written: what `read` gives has a string `text`, whose letters and words can be compared; one with more lines than
    those learned from is judged by runs of them (`stretch`).
    timed: a part lasts some time, and what `read` gives has `times`; one that lasts longer than those learned from is
    judged by stretches (`stretch`).
    rated: there is a manifest column `<name>_rate`. folders: a part may be a folder of files.
    kinds: the kinds of evidence that a look at such a part finds, the most telling first.
    details: how many pieces of evidence a note tells of such a part where it is unusual.
    picture_note: what is to be seen in its pictures, as said below them.
    photo: its pictures are photographs, and make thumbnails; else they are plots.
    encoder: what "auto" takes; clip_encoder: what it takes instead where CLIP weights are on this machine.
    """

    name: ClassVar[str]
    noun: ClassVar[str]
    words: ClassVar[tuple[str, ...]]
    suffixes: ClassVar[tuple[str, ...]]
    encoder: ClassVar[str]
    rank: ClassVar[int] = 100
    clip_encoder: ClassVar[str] = ""
    slices: ClassVar[str] = ""
    inline: ClassVar[bool] = False
    written: ClassVar[bool] = False
    timed: ClassVar[bool] = False
    rated: ClassVar[bool] = False
    folders: ClassVar[bool] = False
    picture_note: ClassVar[str] = ""
    photo: ClassVar[bool] = False
    kinds: ClassVar[tuple[str, ...]] = ()
    details: ClassVar[int] = 1

    @abstractmethod
    def read(self, part: "Part") -> Any:
        """The part decoded; PartError where it cannot be."""

    def content(self, part: "Part") -> "Iterable[str | np.ndarray]":
        """What a value in memory (`part.value`, no array and no string) holds, in pieces to be hashed in this order."""
        from mmdmad.errors import PartError

        reason = f"a {self.noun} cannot be a {type(part.value).__name__}"
        raise PartError(reason, part=self.name, case_id=part.case_id, row=part.row)

    def stretch(self, signal: Any, start: int, stop: int) -> Any:
        """Rows, frames or characters `start` to `stop` of a decoded part that is `timed` (its times from its own first
        one) or `written`."""
        raise TypeError(f"a {self.noun} has no stretches")

    def masked(self, signal: Any, there: "np.ndarray", lost: "Mapping[str, np.ndarray]") -> Any:
        """A decoded part that is `timed` with only those of its rows or frames that are `there` (T,), and without the
        readings of channels that are `lost` (T,) each; None where parts of this modality cannot be masked."""
        return None

    def kept(self, part: "Part", signal: Any) -> "tuple[dict[str, np.ndarray], dict[str, Any]] | None":
        """What a model keeps of a normal part, so that it can be masked later: arrays (finite) and JSON values.

        None where that cannot be little, nor a file and its hash.
        """
        return None

    def from_kept(self, arrays: "Mapping[str, np.ndarray]", values: "Mapping[str, Any]") -> "Part":
        """The part that `kept` was of; PartError where its file is no more what it was."""
        raise TypeError(f"nothing is kept of a {self.noun}")

    def depths(self, part: "Part") -> "Iterator[tuple[str, float, float]]":
        """`levels.kind_of` and `levels.used_range` of pictures in a part; none where there are no pictures."""
        yield from ()

    def sliced(self, part: "Part") -> "Iterable[str | bytes | np.ndarray] | None":
        """What a slice of a file holds, in pieces to be hashed in this order; None where the whole file counts.

        With it a slice stays the same when its file grows, and slices of equal content are copies of each other.
        """
        return None

    def timeline(self, part: "Part", pattern: str | None = None, near: "datetime | None" = None) -> "Timeline | None":
        """When each of what `slices` counts was, so that a recording can be cut; None where a part has no time.

        `pattern` says how times are written, in the letters of `strptime`, where they have to be found in words; dates
        without a year lie next to `near`. PartError where the part cannot be read.
        """
        return None

    def survey(self, signal: Any) -> "Survey | None":
        """What a decoded part is like before anything is learned; PartError where it cannot be told."""
        return None

    def normal(self) -> "Learned | None":
        """An empty memory of what is normal in such signals; None where only nearest normal cases are told."""
        return None

    def form(self, signal: Any, normal: Any, group: str | None) -> "Sequence[Draft]":
        """What is other in the form of a decoded part (rate, gaps, size) than in those that `normal` remembers.

        Said of every part, for the form is none of what its score measures.
        """
        return ()

    def look(self, seen: "Seen") -> "Look | None":
        """What there is to say and to draw of a judged part beyond its score; None for nothing."""
        return None

    def crop(self, picture: "Picture") -> "Picture":
        """The telling piece of a picture that `look` drew, for a thumbnail (of a `photo` only)."""
        return picture

    @property
    def path_column(self) -> str:
        """The manifest column that holds paths of such parts."""
        return f"{self.name}_file" if self.inline else self.name


_NAME = re.compile(r"[a-z][a-z0-9]{1,19}")
_TAKEN = (
    *("id", "time", "label", "split", "group", "recording", "case", "row", "joint", "normal", "reference", "verdict"),
    *("contradiction", "missing", "embedding", "kept"),
)
"""Columns of manifests, folders of a model and words of a finding; no modality may be called so."""

M = TypeVar("M", bound=type[BaseModality])
_REGISTRY: Registry[BaseModality] = Registry("modality", "mmdmad.modalities", "mmdmad.modalities")


def modality(cls: M) -> M:
    """Register a modality; the one decorator its class needs.

    ConfigError where its name cannot be a manifest column and a folder (2 to 20 small letters and digits, no word that
    mmdmad uses for something else).
    """
    if not _NAME.fullmatch(cls.name) or cls.name in _TAKEN:
        raise ConfigError(
            f"a modality cannot be called {cls.name!r}; allowed are 2 to 20 small letters and digits, "
            f"none of {', '.join(_TAKEN)}"
        )
    _REGISTRY.add(cls.name, cls(), cls)
    return cls


def modalities() -> dict[str, BaseModality]:
    """Every modality by name, in the order in which they stand wherever they stand in a row."""
    return {name: _REGISTRY.get(name) for name in ordered(_REGISTRY.all())}


def modality_of(name: str) -> BaseModality:
    """The modality of this name; ConfigError with the known ones.

    >>> modality_of("sensor").noun
    'sensor table'
    """
    return _REGISTRY.get(name)


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Names of modalities in their fixed order; names that no modality has come last, by name.

    The order of two names does not depend on what else is installed: what a model learned of them stays readable.

    >>> ordered(["smell", "text", "image"])
    ('image', 'text', 'smell')
    """
    known = _REGISTRY.all()
    return tuple(sorted(set(names), key=lambda n: (known[n].rank, n) if n in known else (10**9, n)))


class _Known:
    """Lets pydantic check a name against the registry and list the known ones in a JSON schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(_known, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "enum": list(modalities())}


def _known(name: str) -> str:
    if name not in _REGISTRY.all():
        raise ValueError(f"no modality is called {name!r}; there are {', '.join(modalities())}")
    return name


Modality = Annotated[str, _Known()]
"""The name of a modality. Where pydantic reads it, it must be a known one."""


def detail_kinds() -> tuple[str, ...]:
    """The kinds of evidence that looks at single parts find.

    >>> detail_kinds()
    ('form', 'region', 'whole', 'words', 'channel', 'span', 'frames')
    """
    return tuple(dict.fromkeys(kind for one in modalities().values() for kind in one.kinds))


def by_suffix() -> dict[str, str]:
    """The modality that files of a suffix (".png") hold; the first in order where two have it.

    >>> by_suffix()[".csv"]
    'sensor'
    """
    return {suffix: name for name, suffix in reversed(list(_suffixes()))}


def _suffixes() -> Iterator[tuple[str, str]]:
    return ((name, suffix) for name, one in modalities().items() for suffix in one.suffixes)
