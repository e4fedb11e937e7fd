"""What the file of a part's model says beside its arrays."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from mmdmad.cases import Modality
from mmdmad.parts.levels import Levels
from mmdmad.pipeline.lengths import Lengths
from mmdmad.pipeline.readings import Readings
from mmdmad.pipeline.text_lengths import TextLengths


class PartAbout(BaseModel):
    """What `part.json` holds."""

    model_config = ConfigDict(extra="forbid")

    modality: Modality
    encoder: str
    version: str = "1"  # of the encoder: what it learned means something else in another one
    params: dict[str, Any]
    state: dict[str, Any]
    describe: str
    scale: tuple[float, float]
    levels: Levels | None = None  # models saved before there were any show each picture as it is
    lengths: Lengths | None = None  # models saved before there were any judge every recording whole
    text_lengths: TextLengths | None = None
    readings: Readings | None = None  # models saved before there were any compare whatever is missing

    @model_validator(mode="after")
    def _rises(self) -> "PartAbout":
        if not self.scale[0] < self.scale[1]:
            raise ValueError(f"the scale of maps {self.scale} does not rise")
        if self.levels is not None and not self.levels.black < self.levels.white:
            raise ValueError(f"black {self.levels.black} is not below white {self.levels.white}")
        if (known := self.lengths) is not None and not (
            0 <= known.shortest <= known.usual <= known.longest and 0 < known.fewest <= known.most
        ):
            raise ValueError(f"{known!r} are not lengths in order")
        return self
