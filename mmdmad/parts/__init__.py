"""Reading parts: from a file or a value in memory to an Image, Text, Sensor or Video.

>>> from mmdmad.cases import Part
>>> read(Part("text", value="Seal replaced."))
Text(text='Seal replaced.')
"""

from collections.abc import Callable

from mmdmad.cases import Part
from mmdmad.errors import PartError
from mmdmad.parts.content import content_key
from mmdmad.parts.image import Image, read_image
from mmdmad.parts.limits import refuse
from mmdmad.parts.sensor import Sensor, read_sensor
from mmdmad.parts.text import Text, read_text
from mmdmad.parts.video import Video, read_video

Signal = Image | Text | Sensor | Video
_READERS: dict[str, Callable[[Part], Signal]] = {
    "image": read_image,
    "text": read_text,
    "sensor": read_sensor,
    "video": read_video,
}

__all__ = ["Image", "Sensor", "Signal", "Text", "Video", "content_key", "read"]


def read(part: Part) -> Signal:
    """The part decoded; PartError says row, case, part and reason where it cannot be."""
    reader = _READERS.get(part.modality)
    if reader is None:
        raise PartError(
            f"unknown modality {part.modality!r}; it is one of {', '.join(_READERS)}",
            part=str(part.modality),
            case_id=part.case_id,
            row=part.row,
        )
    if (part.start is not None and part.start < 0) or (part.stop is not None and part.stop <= (part.start or 0)):
        raise refuse(part, f"the slice #{part.start or 0}:{part.stop} is empty or begins before the first row")
    return reader(part)
