"""The simulated inspection line: pictures, sensor tables, clips and logs of five products, with planted, known faults.

Everything is simulated and says so. A case is 4 s of a belt: a picture of one piece (160 x 160 PNG), 8 sensor channels
at 50 Hz (CSV), 32 frames of the belt (mp4) and 2 to 6 lines of log. Training cases are normal; a share of the test
cases is faulty, and truth.jsonl says where, when, how and why. `describe()` prints the table of kinds.

>>> from mmdmad.datasets.line.inspection_line import make_line
>>> make_line("line3", train=600, test=400, seed=3)  # doctest: +SKIP
PosixPath('line3/manifest.csv')
"""

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mmdmad.cases import Modality
from mmdmad.datasets.line.belt import film, write_clip
from mmdmad.datasets.line.defects import plant
from mmdmad.datasets.line.log import write_log
from mmdmad.datasets.line.plan import MIX, SPLITS, Plan, Split, generator, plan_case
from mmdmad.datasets.line.regime import Motion, chain_fault, isolated_gaps, motion, regime, sensor_fault
from mmdmad.datasets.line.surface import Piece
from mmdmad.datasets.line.truth import (
    CHAINS,
    CHANNEL_NAMES,
    CHANNELS,
    CONTRADICTIONS,
    PARTS,
    PRODUCT_NAMES,
    SINGLE_KINDS,
    Fault,
    Scene,
    Truth,
    read_truth,
)
from mmdmad.errors import DataError

COLUMNS = ("id", "time", "image", "text_file", "sensor", "video", "label", "split", "group", "shift")
SUFFIX: dict[Modality, str] = {"image": ".png", "text": ".txt", "sensor": ".csv", "video": ".mp4"}
FORMATS = ("%.2f", "%.3f", "%.3f", "%.3f", "%.4f", "%.2f", "%.3f", "%.2f", "%.2f")  # time and channels


@dataclass(frozen=True, eq=False)
class Rendered:
    """One case in memory: what each present part holds, and the truth about it."""

    plan: Plan
    truth: Truth
    image: np.ndarray | None  # uint8 (160, 160, 3)
    text: str | None
    sensor: np.ndarray | None  # float64 (200, 8)
    video: np.ndarray | None  # uint8 (32, 96, 128, 3)


def make_line(folder: Path | str, train: int = 600, test: int = 400, seed: int = 0, fault_share: float = 0.5) -> Path:
    """Write a simulated line into `folder` and return its manifest.csv; the same arguments give the same bytes.

    A case depends only on (seed, its split and number, fault_share): a larger line begins with the smaller one.
    """
    if train < 0 or test < 0 or seed < 0 or not 0 <= fault_share <= 1:
        raise DataError(
            f"make_line(train={train}, test={test}, seed={seed}, fault_share={fault_share}): counts and seed must be "
            "0 or more and fault_share between 0 and 1"
        )
    folder = Path(folder)
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    rows, truths = [], []
    for split, size in zip(SPLITS, (train, test)):
        for index in range(size):
            case = render_case(seed, split, index, fault_share)
            rows.append(_write_case(folder, case))
            truths.append(case.truth)
    lines = [json.dumps(t.to_json(), ensure_ascii=False) for t in truths]
    (folder / "truth.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    about = {
        "simulated": True,
        "name": "simulated inspection line",
        "note": "Simulated data: no real machine, product or person. Faults and their truth are in truth.jsonl.",
        "train": train,
        "test": test,
        "seed": seed,
        "fault_share": fault_share,
        "products": list(PRODUCT_NAMES),
        "channels": [f"{name} [{unit}]" for name, unit in CHANNELS],
        "test_kinds": dict(sorted(Counter(t.kind for t in truths if t.split == "test").items())),
    }
    (folder / "manifest.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return manifest


def render_case(seed: int, split: Split, index: int, fault_share: float = 0.5, *, faults: bool = True) -> Rendered:
    """Case `index` in memory. `faults=False` gives its clean twin: the same case with nothing planted in any part
    (a contradiction has no clean twin, for none of its parts is faulty)."""
    plan = plan_case(seed, split, index, fault_share)
    planted = plan.faults if faults else {}
    cause = plan.root_cause if faults else None
    found: list[Fault] = []
    here = {m: (planted.get(m), plan.severity.get(m, 0.0)) for m in PARTS}

    def draws(part: int) -> tuple[np.random.Generator, np.random.Generator]:
        return generator(seed, split, index, part, 1), generator(seed, split, index, part, 2)

    strength = max(plan.severity.values(), default=0.0)

    def belt(scene: Scene) -> Motion:
        return motion(scene, generator(seed, split, index, 5, 1), cause, strength, plan.onset)

    def sensors(scene: Scene) -> tuple[np.ndarray, list[Fault]]:
        values = regime(scene, belt(scene), draws(1)[0])
        if cause is None or "sensor" not in planted:
            return values, []
        return chain_fault(values, belt(scene), cause, here["sensor"][1], plan.onset, draws(1)[1])

    gone = plan.missing
    image = text = sensor = video = None
    if "image" not in gone:
        rng, odd = draws(0)
        piece = Piece(plan.scenes["image"].product, rng)
        kind, severity = here["image"]
        if kind:
            image, fault = plant(piece, kind, severity, odd)
            found.append(fault)
        else:
            image = piece.photographed()
    if "text" not in gone:
        rng, odd = draws(3)
        figures = dict(zip(CHANNEL_NAMES, sensors(plan.scenes["text"])[0].mean(0)))
        kind, severity = here["text"]
        text, said = write_log(plan.scenes["text"], figures, plan.time, index, rng, odd, kind, cause, severity)
        found += said
    if "sensor" not in gone:
        rng, odd = generator(seed, split, index, 1, 3), generator(seed, split, index, 1, 4)
        sensor, felt = sensors(plan.scenes["sensor"])
        found += felt
        kind, severity = here["sensor"]
        if kind and cause is None:
            sensor, fault = sensor_fault(sensor, kind, severity, odd)
            found.append(fault)
        sensor = isolated_gaps(sensor, rng)
    if "video" not in gone:
        rng, odd = draws(2)
        scene = plan.scenes["video"]
        kind, severity = here["video"]
        video, shown = film(scene, belt(scene), rng, odd, kind, severity, plan.onset)
        found += shown
    return Rendered(plan, _truth(plan, tuple(found)), image, text, sensor, video)


def _truth(plan: Plan, found: tuple[Fault, ...]) -> Truth:
    says: dict[str, str] = {}
    if plan.kind == "contradiction":
        for part, scene in plan.scenes.items():
            if part not in plan.missing:
                pace = f"{scene.speed:.3f} m/s" if scene.running else "stopped"
                says[part] = scene.product.name if part == "image" else f"{scene.product.name}, {pace}"
    return Truth(
        plan.id, plan.split, plan.product.name, plan.scenes["sensor"].running, plan.kind, found, plan.root_cause,
        plan.odd_part, plan.contradiction, says, plan.missing,
    )  # fmt: skip


def _write_case(folder: Path, case: Rendered) -> dict[str, object]:
    plan = case.plan
    paths = {m: f"parts/{plan.id}{SUFFIX[m]}" if m not in plan.missing else "" for m in PARTS}
    if case.image is not None:
        Image.fromarray(case.image).save(folder / paths["image"], compress_level=1)
    if case.text is not None:
        (folder / paths["text"]).write_text(case.text, encoding="utf-8", newline="\n")
    if case.sensor is not None:
        (folder / paths["sensor"]).write_text(_table(case.sensor), encoding="utf-8", newline="\n")
    if case.video is not None:
        write_clip(folder / paths["video"], case.video)
    return {
        "id": plan.id,
        "time": plan.time.isoformat(),
        "image": paths["image"],
        "text_file": paths["text"],
        "sensor": paths["sensor"],
        "video": paths["video"],
        "label": case.truth.label,
        "split": plan.split,
        "group": plan.product.name,
        "shift": plan.shift,
    }


def _table(values: np.ndarray) -> str:
    head = "time [s]," + ",".join(f"{name} [{unit}]" for name, unit in CHANNELS)
    times = np.arange(len(values))[:, None] / 50
    row = ",".join(FORMATS)
    lines = [row % tuple(r) for r in np.hstack([times, values]).tolist()]
    return head + "\n" + "\n".join(lines).replace("nan", "") + "\n"


def describe() -> str:
    """The kinds of the simulated line and their shares, as a Markdown table."""
    rows = ["| kind | part | what | share of faulty cases |", "|---|---|---|---|"]
    for part, kinds in SINGLE_KINDS.items():
        rows.append(f"| single | {part} | {', '.join(kinds)} | {MIX['single'] / 4:.1%} |")
    for cause, parts in CHAINS.items():
        what = ", ".join(f"{m}: {k}" for m, k in parts.items())
        rows.append(f"| chain | {', '.join(parts)} | {cause} ({what}) | {MIX['chain'] / len(CHAINS):.1%} |")
    rows.append(f"| contradiction | any | {', '.join(CONTRADICTIONS)} | {MIX['contradiction']:.1%} |")
    return "\n".join(rows)


__all__ = ["Rendered", "describe", "make_line", "read_truth", "render_case"]
