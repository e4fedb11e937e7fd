"""What the simulated line knows: its products, its clock, its fault kinds, and the true faults of each case.

Everything here is plain data; the pictures, tables, clips and logs are made in the other `line_` modules.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdmad.cases import Modality
from mmdmad.errors import DataError

SECONDS = 4.0  # one case is seen for 4 s by the sensors and by the belt camera, on one clock
RATE = 50  # sensor rows a second
FPS = 8  # video frames a second: 32 frames
IMAGE_SIZE = 160  # px, square
VIEW = (96, 128)  # belt camera: height, width in px
SCALE = 160.0  # belt camera: px per metre of belt
PIECE = 0.30  # m, length of a piece along the belt
PITCH = 0.60  # m, distance between pieces
SPEED_RANGE = 0.2  # a product's belt speed lies uniformly within nominal +- 20 %
STOPPED_SHARE = 0.10  # of all cases: belt stopped for maintenance, and every part says so
MISSING_SHARE = 0.15  # of all cases lack a part ...
MISSING_TWO = 0.15  # ... and this share of those lack two

CHANNELS: tuple[tuple[str, str], ...] = (
    ("vibration_x", "mm/s"),
    ("vibration_y", "mm/s"),
    ("motor_current", "A"),
    ("belt_speed", "m/s"),
    ("bearing_temperature", "°C"),
    ("oil_pressure", "bar"),
    ("load", "kg"),
    ("humidity", "%"),
)
CHANNEL_NAMES = tuple(name for name, _ in CHANNELS)


@dataclass(frozen=True)
class Product:
    """One product type: its surface (a photograph in scikit-image's wheel) and its sensor regime."""

    name: str
    photo: str
    area: tuple[int, int, int, int]  # x0, y0, x1, y1 of the photograph that is used
    zoom: float  # picture px per photograph px
    dark: tuple[int, int, int]
    light: tuple[int, int, int]
    shape: str  # square, rounded, disc
    speed: float  # m/s, nominal
    mass: float  # kg a piece
    shake: float  # mm/s, vibration amplitude
    pressure: float  # bar, lubrication
    heat: float  # °C above what the motor explains
    damp: float  # % relative humidity
    moulds: int = 0  # goods with fixed compartments come in this many patterns a side (0: cut anywhere, mirrored too)


PRODUCTS: tuple[Product, ...] = (
    Product("brick tile", "brick.png", (0, 90, 512, 512), 1.0, (70, 38, 30), (236, 176, 150), "square",
            0.30, 18.0, 1.5, 1.90, 4.0, 42.0),
    Product("gravel board", "gravel.png", (0, 0, 512, 512), 1.1, (38, 36, 34), (214, 206, 192), "rounded",
            0.24, 26.0, 2.1, 2.25, 6.0, 38.0),
    Product("grass mat", "grass.png", (0, 0, 512, 512), 1.0, (22, 40, 14), (196, 214, 120), "square",
            0.42, 6.0, 0.9, 1.55, 1.0, 58.0),
    Product("coin tray", "coins.png", (2, 2, 382, 301), 1.15, (34, 22, 20), (244, 214, 150), "rounded",
            0.36, 11.0, 1.2, 2.05, 2.5, 34.0, 4),
    Product("moon plate", "moon.png", (0, 130, 232, 512), 1.2, (40, 48, 66), (226, 234, 246), "disc",
            0.20, 14.0, 0.7, 1.70, 0.0, 46.0),
)  # fmt: skip
PRODUCT_NAMES = tuple(p.name for p in PRODUCTS)

SURFACE_KINDS = ("scratch", "crack", "stain", "hole", "chip", "discoloration")
SENSOR_KINDS = ("spike", "level shift", "drift", "frozen channel", "noise burst", "dropout")
VIDEO_KINDS = ("jam", "foreign object", "reversed belt", "missing piece")
TEXT_KINDS = ("unknown message", "alarming message")
SINGLE_KINDS: dict[Modality, tuple[str, ...]] = {
    "image": SURFACE_KINDS,
    "text": TEXT_KINDS,
    "sensor": SENSOR_KINDS,
    "video": VIDEO_KINDS,
}
PARTS: tuple[Modality, ...] = tuple(SINGLE_KINDS)  # what a complete case of the line has, whatever else there is
# What each chain does to each part; parts it does not reach are absent.
CHAINS: dict[str, dict[Modality, str]] = {
    "bearing failure": {"image": "scratch", "text": "warning", "sensor": "vibration rise", "video": "belt jitter"},
    "overload": {"image": "crack", "text": "warning", "sensor": "torque rise", "video": "belt sag"},
    "coolant leak": {"image": "stain", "text": "warning", "sensor": "pressure loss", "video": "wet belt"},
    "lamp failure": {"image": "dark side", "text": "warning", "video": "flicker"},
    "belt slip": {"text": "warning", "sensor": "speed hunting", "video": "jerky pieces"},
}
CONTRADICTIONS = ("product", "state", "speed")


@dataclass(frozen=True)
class Scene:
    """What one part shows: the product, whether the belt runs, and its mean speed in m/s (0 when stopped)."""

    product: Product
    speed: float

    @property
    def running(self) -> bool:
        """Whether the belt moves."""
        return self.speed > 0


@dataclass(frozen=True)
class Fault:
    """One true fault in one part. Times in seconds from the start of the case; `box` x0, y0, x1, y1 in px.

    `start`/`stop` are seconds (`unit` "s") for sensor and video, character offsets (`unit` "char") for text.
    `severity` runs from 0 (subtle, but visible to a careful person) to 1 (clear).
    """

    part: Modality
    kind: str
    severity: float
    start: float | None = None
    stop: float | None = None
    unit: str | None = None
    channel: str | None = None
    size: float | None = None
    size_unit: str | None = None
    box: tuple[int, int, int, int] | None = None
    words: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields that are set, as JSON values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items() if v is not None}


@dataclass(frozen=True)
class Truth:
    """What is true of one case. `kind` is normal, single, chain or contradiction."""

    id: str
    split: str
    product: str
    running: bool
    kind: str = "normal"
    faults: tuple[Fault, ...] = ()
    root_cause: str | None = None
    odd_part: Modality | None = None
    contradiction: str | None = None
    says: dict[str, str] = field(default_factory=dict)
    missing: tuple[Modality, ...] = ()

    @property
    def label(self) -> int:
        """1 = anomalous, 0 = normal."""
        return int(self.kind != "normal")

    def to_json(self) -> dict[str, Any]:
        """One line of truth.jsonl."""
        out: dict[str, Any] = {"id": self.id, "simulated": True, "split": self.split, "label": self.label}
        out |= {"kind": self.kind, "product": self.product, "running": self.running}
        out |= {"faults": [f.to_json() for f in self.faults], "root_cause": self.root_cause}
        out |= {"odd_part": self.odd_part, "contradiction": self.contradiction, "says": self.says}
        return out | {"missing": list(self.missing)}


def read_truth(folder: Path | str) -> dict[str, dict[str, Any]]:
    """The truth of every case of a simulated line, by case id."""
    path = Path(folder) / "truth.jsonl"
    if not path.is_file():
        raise DataError(
            f"no truth.jsonl in {folder}; make a line with mmdmad.datasets.line.inspection_line.make_line(folder)"
        )
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {row["id"]: row for row in rows}
