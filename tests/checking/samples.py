"""Pictures, tables and cases to look at, and how a report is asked."""

import numpy as np

from mmdmad.cases import Case, Cases, Part
from mmdmad.checking import Report, check
from mmdmad.checking.report import Note
from mmdmad.parts import Sensor

SMALL = {"parts": {"sensor": {"encoder": "windows", "detector": "gaussian-diffusion"}}, "false_alarm_rate": 0.1}


def scene(seed: int, shift: float = 0.0, gain: float = 1.0) -> np.ndarray:
    """A grey picture of one piece: the design that all share, its own texture, its light."""
    rng = np.random.default_rng(seed)
    design = 40 * np.sin(np.arange(96) / 5)[:, None] + 30 * np.cos(np.arange(96) / 9)[None]
    light = gain * (120 + design + rng.normal(0, 12, (96, 96))) + shift
    return np.repeat(light.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def table(seed: int, rows: int = 120, **changes: object) -> Sensor:
    rng = np.random.default_rng(seed)
    times = np.arange(rows) / 10
    values = np.column_stack([np.sin(times + seed) + rng.normal(0, 0.1, rows), rng.normal(5, 1, rows)])
    made = {"channels": ("vib", "level"), "units": ("g", "mm"), "start": None}
    return Sensor(**{"values": values, "times": times, **made, **changes})


def cases_of(modality: str, values: list, split: str | None = "train", **more: object) -> Cases:
    made = (Case(f"c{i:02d}", {modality: Part(modality, value=v)}, split=split, **more) for i, v in enumerate(values))
    return Cases(tuple(made))


def look(cases: Cases, **more: object) -> Report:
    return check(cases, estimate=False, **more)


def said(report: Report, topic: str) -> Note:
    (found,) = [note for note in report.notes if note.topic == topic]
    return found


def topics(report: Report) -> set[str]:
    return {note.topic for note in report.notes}
