"""Reading parts: from a file or a value in memory to an Image, Text, Sensor, Video or what else its modality gives.

>>> from mmdmad.cases import Part
>>> read(Part("text", value="Seal replaced.")).text
'Seal replaced.'
"""

from typing import Any

from mmdmad.cases import Part
from mmdmad.errors import DataError, MmdmadError
from mmdmad.parts.content import case_key, content_key, modality_for
from mmdmad.parts.image import Image
from mmdmad.parts.limits import is_own_fault, refuse
from mmdmad.parts.sensor import Sensor
from mmdmad.parts.text import Text
from mmdmad.parts.video import Video

__all__ = ["Image", "Sensor", "Text", "Video", "case_key", "content_key", "read"]


def read(part: Part) -> Any:
    """The part decoded; PartError says row, case, part and reason where it cannot be.

    Whatever else a reader raises is the part's fault too, and refused with the error's type and message, unless it is a
    fault of the program (`limits.is_own_fault`) or one that mmdmad raises on purpose (an extra that is not installed).
    """
    modality = modality_for(part)
    if (part.start is not None and part.start < 0) or (part.stop is not None and part.stop <= (part.start or 0)):
        raise refuse(part, f"the slice #{part.start or 0}:{part.stop} is empty or begins before the first row")
    try:
        return modality.read(part)
    except Exception as why:
        if is_own_fault(why) or (isinstance(why, MmdmadError) and not isinstance(why, DataError)):
            raise
        raise refuse(part, f"it cannot be read: {type(why).__name__}: {why}".rstrip(": ")) from why
