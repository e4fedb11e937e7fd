"""Sensor tables: named channels over time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mmdmad.modalities.base import BaseModality, modality

if TYPE_CHECKING:
    import numpy as np

    from mmdmad.cases import Part
    from mmdmad.parts.sensor import Sensor as Signal


@modality
class Sensor(BaseModality):
    """A table of readings over time."""

    name, rank, noun = "sensor", 30, "sensor table"
    words = ("sensor", "sensors", "reading", "readings", "signal", "signals")
    suffixes = (".csv", ".tsv", ".parquet", ".npz", ".npy")
    slices, rated = "rows", True
    kinds, details = ("channel", "span"), 2
    encoder = "windows"

    def read(self, part: "Part") -> "Signal":
        """Its readings, times, channels and units."""
        from mmdmad.parts.sensor import read_sensor

        return read_sensor(part)

    def content(self, part: "Part") -> "Iterator[str | np.ndarray]":
        """Names, units and start, then readings and times."""
        import numpy as np

        from mmdmad.parts.sensor import Sensor as Signal

        table = part.value if isinstance(part.value, Signal) else self.read(part)
        yield f"{table.channels} {table.units} {table.start}"
        yield np.asarray(table.values)
        yield np.asarray(table.times)
