"""Pictures for a self-contained page: artifacts scaled down and packed into data URIs within a budget."""

import base64
import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, ValidationError

from mmdmad.files import folder_name
from mmdmad.findings import Finding
from mmdmad.modalities.base import modalities
from mmdmad.parts.limits import MAX_PIXELS

if TYPE_CHECKING:
    from PIL import Image

    from mmdmad.store.run import Run

log = logging.getLogger(__name__)
WIDTH = 720
SMALLEST = (124, 32)  # px; no picture that was made here is smaller, and a piece cut out of such a one would be none
BUDGET = 8_000_000  # bytes of packed pictures; later findings go without, and the report says so


@dataclass(frozen=True)
class Mark:
    """A piece of a text; `heat` 0 = as usual, 1 = warm, 2 = hot."""

    text: str
    heat: int


class _Span(BaseModel):
    start: int = Field(ge=0)
    stop: int
    heat: float


class _Marked(BaseModel):
    """A text as `explain` stores it: the spans that were judged and the words that carry them, each with its heat."""

    text: str
    spans: list[_Span]
    words: list[_Span] = []  # runs of earlier versions have none


@dataclass(frozen=True)
class Pictures:
    """What there is to see of one finding, by modality: pictures as data URIs, and marked texts."""

    images: dict[str, str]
    texts: dict[str, tuple[Mark, ...]]
    left_out: bool = False


class Packer:
    """Packs the artifacts of a run's findings; keeps count of the bytes."""

    def __init__(self, run: "Run", budget: int = BUDGET) -> None:
        self.run, self.left = run, budget
        self.photos = {name for name, one in modalities().items() if one.photo}

    def pack(self, finding: Finding) -> Pictures:
        """Pictures and text of one finding; no pictures once the budget is spent."""
        images: dict[str, str] = {}
        left_out = False
        for evidence in finding.evidence:
            if evidence.artifact is None or evidence.part is None or evidence.part in images:
                continue
            if self.left <= 0:
                left_out = left_out or self.run.artifact(evidence.artifact).is_file()
                continue
            picture = opened(self.run.artifact(evidence.artifact))
            if picture is None:
                continue
            uri = data_uri(picture, photo=evidence.part in self.photos)
            self.left -= len(uri)
            images[evidence.part] = uri
        folder = self.run.artifact(f"artifacts/{folder_name(finding.case_id)}")
        texts = {p.modality: marked(folder / f"{p.modality}.json") for p in finding.parts}
        return Pictures(images, {m: text for m, text in texts.items() if text}, left_out)


def opened(file: Path) -> "Image.Image | None":
    """The picture in `file` as RGB; None where there is none, and, with a line in the log, where it is damaged.

    A report is not lost for one picture; a picture from somebody else is not trusted to be of a decent size either.
    """
    from PIL import Image

    if not file.is_file():
        return None
    try:
        with Image.open(file) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ValueError(f"it has {picture.width} x {picture.height} pixels, more than {MAX_PIXELS}")
            return picture.convert("RGB")
    except Exception as why:  # decoders of damaged files raise nearly every built-in exception
        log.warning("the picture %s is left out, as it cannot be read (%s)", file, why)
        return None


def data_uri(picture: "Image.Image", width: int = WIDTH, *, photo: bool = True) -> str:
    """A picture at most `width` wide as a data URI: JPEG for photographs, a PNG of few colours for plots."""
    from PIL import Image

    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if photo:
        picture.save(buffer, "JPEG", quality=84, optimize=True)
    else:
        picture.quantize(96, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    kind = "jpeg" if photo else "png"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def marked(file: Path, limit: int = 4000) -> tuple[Mark, ...]:
    """A stored text cut into pieces with the heat of the spans over them.

    Where the words that carry a line are known, they have its heat and the rest of the line one step less. Nothing
    where there is no text, and, with a line in the log, where the file is damaged.
    """
    if not file.is_file():
        return ()
    try:
        stored = _Marked.model_validate_json(file.read_bytes())
    except (OSError, ValueError) as why:
        reason = why.errors()[0]["msg"] if isinstance(why, ValidationError) else why
        log.warning("the text %s is left out, as it cannot be read (%s)", file, reason)
        return ()
    text, words = stored.text[:limit], stored.words
    level = [0] * len(text)
    for span in stored.spans:
        heat = 2 if span.heat > 1 else 1 if span.heat > 0.7 else 0
        finer = any(span.start <= word.start < span.stop for word in words)
        for i in range(span.start, min(span.stop, len(text))):
            level[i] = max(level[i], heat - finer)
    for word in words:
        for i in range(word.start, min(word.stop, len(text))):
            level[i] = 2 if word.heat > 1 else 1
    pieces: list[Mark] = []
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or level[i] != level[start]:
            pieces.append(Mark(text[start:i], level[start]))
            start = i
    if len(stored.text) > limit:
        pieces.append(Mark(" …", 0))
    return tuple(pieces)


def thumbnail(run: "Run", finding: Finding, side: int = 112) -> str | None:
    """The hot side of the most telling picture as a small square; None where there is none."""
    pictures = {e.part: e.artifact for e in finding.evidence if e.kind == "part" and e.artifact is not None}
    for part, modality in modalities().items():
        if not modality.photo:
            continue
        picture = opened(run.artifact(pictures[part])) if part in pictures else None
        if picture is None or picture.width < SMALLEST[0] or picture.height < SMALLEST[1]:
            continue
        picture = modality.crop(picture)
        picture.thumbnail((side, side))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=80)
        return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return None
