"""Sensor tables: named channels over time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmdmad.modalities.base import BaseModality, modality

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np

    from mmdmad.cases import Part
    from mmdmad.explain.base import Look, Seen
    from mmdmad.explain.sensor_normal import SensorNormal
    from mmdmad.explain.words import Draft
    from mmdmad.parts.sensor import Sensor as Signal
    from mmdmad.parts.timeline import Timeline
    from mmdmad.survey.base import Survey


@modality
class Sensor(BaseModality):
    """A table of readings over time."""

    name, rank, noun = "sensor", 30, "sensor table"
    words = ("sensor", "sensors", "reading", "readings", "signal", "signals")
    suffixes = (".csv", ".tsv", ".parquet", ".npz", ".npy")
    slices, rated, timed = "rows", True, True
    kinds, details = ("form", "channel", "span", "whole"), 2
    picture_note = "blue = normal range, red = measured as unusual"
    encoder = "windows"

    def read(self, part: "Part") -> "Signal":
        """Its readings, times, channels and units."""
        from mmdmad.parts.sensor import read_sensor

        return read_sensor(part)

    def stretch(self, signal: "Signal", start: int, stop: int) -> "Signal":
        """Some of its rows."""
        from dataclasses import replace

        times = signal.times[start:stop]
        return replace(signal, values=signal.values[start:stop], times=times - times[0])

    def masked(self, signal: "Signal", there: "np.ndarray", lost: "Mapping[str, np.ndarray]") -> "Signal":
        """Some of its rows, some of the readings missing."""
        from mmdmad.parts.sensor_kept import masked

        return masked(signal, there, lost)

    def kept(self, part: "Part", signal: "Signal") -> "tuple[dict[str, np.ndarray], dict[str, Any]]":
        """All of its readings."""
        from mmdmad.parts.sensor_kept import kept

        return kept(signal)

    def from_kept(self, arrays: "Mapping[str, np.ndarray]", values: "Mapping[str, Any]") -> "Part":
        """The table in memory."""
        from mmdmad.cases import Part
        from mmdmad.parts.sensor_kept import from_kept

        return Part(self.name, value=from_kept(arrays, values))

    def content(self, part: "Part") -> "Iterator[str | np.ndarray]":
        """Names, units and start, then readings and times."""
        import numpy as np

        from mmdmad.parts.sensor import Sensor as Signal

        table = part.value if isinstance(part.value, Signal) else self.read(part)
        yield f"{table.channels} {table.units} {table.start}"
        yield np.asarray(table.values)
        yield np.asarray(table.times)

    def sliced(self, part: "Part") -> "Iterator[str | bytes | np.ndarray]":
        """Names and units, then readings and times to the microsecond, counted from the first row of the slice."""
        import numpy as np

        table = self.read(part)
        yield f"{table.channels} {table.units}"
        yield table.values
        yield np.round(table.times, 6) + 0.0

    def timeline(self, part: "Part", pattern: str | None = None, near: "datetime | None" = None) -> "Timeline":
        """The times of its rows, in the order of the file."""
        from mmdmad.parts.sensor import row_times

        return row_times(part)

    def survey(self, signal: "Signal") -> "Survey":
        """Its clock, its channels, gaps."""
        from mmdmad.survey.tables import of_table

        return of_table(signal)

    def normal(self) -> "SensorNormal":
        """Ranges of each channel's measures."""
        from mmdmad.explain.sensor_normal import SensorNormal

        return SensorNormal()

    def form(self, signal: "Signal", normal: "SensorNormal", group: str | None) -> "Sequence[Draft]":
        """Another sampling rate, and rows that are missing."""
        from mmdmad.explain.sensor_clock import evidence
        from mmdmad.explain.when import Recorded

        return evidence(signal.times, normal.clock(group), Recorded.of_table(signal))

    def look(self, seen: "Seen") -> "Look":
        """What happened on which channel and when, drawn as lanes over their normal ranges."""
        from mmdmad.explain import sensor
        from mmdmad.explain.base import Look
        from mmdmad.explain.draw import sensor_picture

        views = sensor.look(seen.judged, seen.signal, seen.normal, seen.group)
        return Look(sensor.evidence(views, seen.judged, seen.signal.times), lambda: sensor_picture(views))
