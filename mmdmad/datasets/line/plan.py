"""What happens in case i of the simulated line: product, state, speed, missing parts, and which fault if any.

Every draw comes from a generator seeded by (seed, split, i) alone, so a larger line begins with the smaller one.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from mmdmad.cases import Modality
from mmdmad.datasets.line.truth import (
    CHAINS,
    MISSING_SHARE,
    MISSING_TWO,
    PARTS,
    PRODUCTS,
    SINGLE_KINDS,
    SPEED_RANGE,
    STOPPED_SHARE,
    Product,
    Scene,
)

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
STARTS = {"train": datetime(2026, 3, 1, 6), "test": datetime(2026, 4, 1, 6)}
SHIFT_MINUTES = 960  # two shifts a day, 06:00 to 22:00, one inspected case a minute
MIX = {"single": 0.55, "chain": 0.20, "contradiction": 0.25}
# A stopped belt is contradicted in both directions equally often, so with a share of 2 x STOPPED_SHARE every single
# part of a contradiction shows a stopped belt exactly as often as a normal case does.
CONTRADICTION_MIX = {"product": 0.65, "state": 2 * STOPPED_SHARE, "speed": 0.15}


@dataclass(frozen=True)
class Plan:
    """The script of one case; the parts are rendered from it."""

    id: str
    split: Split
    index: int
    time: datetime
    product: Product
    scenes: dict[Modality, Scene]
    missing: tuple[Modality, ...] = ()
    kind: str = "normal"
    faults: dict[Modality, str] = field(default_factory=dict)
    severity: dict[Modality, float] = field(default_factory=dict)
    onset: float = 0.0
    root_cause: str | None = None
    odd_part: Modality | None = None
    contradiction: str | None = None

    @property
    def shift(self) -> str:
        """Early (06:00 to 14:00) or late (14:00 to 22:00)."""
        return "early" if self.time.hour < 14 else "late"


def generator(seed: int, split: Split, *index: int) -> np.random.Generator:
    """A generator that depends on nothing but its arguments."""
    return np.random.default_rng([seed, SPLITS.index(split), *index])


def plan_case(seed: int, split: Split, index: int, fault_share: float) -> Plan:
    """The script of case `index`; training cases are never faulty."""
    rng = generator(seed, split, index, 0)
    # A mixed-model line: every five cases hold each product once, in random order.
    order = generator(seed, split, index // len(PRODUCTS), 99, 0).permutation(len(PRODUCTS))
    product = PRODUCTS[order[index % len(PRODUCTS)]]
    time = STARTS[split] + timedelta(
        days=index // SHIFT_MINUTES, minutes=index % SHIFT_MINUTES, seconds=int(rng.integers(0, 40))
    )
    running = rng.random() >= STOPPED_SHARE
    place = rng.uniform(-1, 1)  # where in the product's speed range
    missing = _missing(rng)
    present = tuple(m for m in PARTS if m not in missing)
    faulty = rng.random() < fault_share and split == "test"
    common = {
        "id": f"{split}-{index:05d}",
        "split": split,
        "index": index,
        "time": time,
        "product": product,
        "missing": missing,
    }
    scenes = dict.fromkeys(PARTS, _scene(product, place if running else None))
    if not faulty:
        return Plan(scenes=scenes, **common)
    kind = str(rng.choice(list(MIX), p=list(MIX.values())))
    if kind == "contradiction":
        return _contradiction(rng, common, present, product, place)
    moving = dict.fromkeys(PARTS, _scene(product, place))
    severity = {m: float(rng.uniform()) for m in PARTS}
    onset = float(rng.uniform(0.6, 2.2))
    if kind == "single":
        part = present[rng.integers(len(present))]
        what = str(rng.choice(SINGLE_KINDS[part]))
        return Plan(
            scenes=moving if part == "video" else scenes, kind=kind, faults={part: what}, severity=severity, **common
        )
    causes = [c for c, parts in CHAINS.items() if len(parts.keys() & set(present)) > 1]
    cause = causes[rng.integers(len(causes))]
    return Plan(
        scenes=moving, kind=kind, faults=CHAINS[cause], severity=severity, onset=onset, root_cause=cause, **common
    )


def _missing(rng: np.random.Generator) -> tuple[Modality, ...]:
    lacks, two = rng.random() < MISSING_SHARE, rng.random() < MISSING_TWO
    gone = rng.permutation(len(PARTS))[: (2 if two else 1) if lacks else 0]
    return tuple(m for k, m in enumerate(PARTS) if k in gone)


def _scene(product: Product, place: float | None) -> Scene:
    return Scene(product, 0.0 if place is None else product.speed * (1 + SPEED_RANGE * place))


def _contradiction(
    rng: np.random.Generator, common: dict, present: tuple[Modality, ...], product: Product, place: float
) -> Plan:
    """All parts agree but one. Each part alone is drawn as in normal cases: a product uniformly, a speed uniformly.

    `speed` moves the odd part by half of the product's speed range, wrapping around, which keeps it uniform.
    """
    clocked = tuple(m for m in present if m != "image")  # the picture knows no speed
    pool: dict[str, tuple[Modality, ...]] = {"product": present, "state": clocked, "speed": clocked}
    kinds = [k for k in CONTRADICTION_MIX if len(pool[k]) > 1]
    weights = np.array([CONTRADICTION_MIX[k] for k in kinds])
    kind = str(rng.choice(kinds, p=weights / weights.sum()))
    odd = pool[kind][rng.integers(len(pool[kind]))]
    others = [p for p in PRODUCTS if p is not product]
    other, other_place = others[rng.integers(len(others))], rng.uniform(-1, 1)
    flip = rng.random() < 0.5
    base, strange = _scene(product, place), _scene(other, other_place)
    if kind == "state":
        base, strange = _scene(product, place), _scene(product, None)
        base, strange = (strange, base) if flip else (base, strange)
    elif kind == "speed":
        strange = _scene(product, place + 1 if place < 0 else place - 1)
    scenes = {m: strange if m == odd else base for m in PARTS}
    return Plan(scenes=scenes, kind="contradiction", odd_part=odd, contradiction=kind, **common)
