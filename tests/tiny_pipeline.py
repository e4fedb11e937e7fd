"""A tiny four-modality problem for the tests of the pipeline: cheap encoders, small parts, a fit of a few seconds.

Three product types share a level between picture, text, sensor and clip. Run as a script it fits and scores a run
folder, so that a test can kill it: `python tiny_pipeline.py FOLDER`.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmdmad.cases import Case, Cases, Part
from mmdmad.encoders.base import Encoder, encoder
from mmdmad.parts import Sensor, Video
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.tokens import Layout, Tokens

WORDS = ("amber", "cobalt", "green")
TIMES = np.arange(80) / 20


@encoder("tiny-image", "image")
class TinyImage(Encoder):
    """Mean colours of a 4 x 4 grid."""

    def encode(self, signal) -> Tokens:
        h, w = (s // 4 for s in signal.pixels.shape[:2])
        grid = signal.pixels[: 4 * h, : 4 * w].reshape(4, h, 4, w, 3).mean(axis=(1, 3)) / 255
        return Tokens(grid.reshape(16, 3), Layout("grid", (4, 4), size=signal.pixels.shape[:2]))


@encoder("tiny-text", "text")
class TinyText(Encoder):
    """Letter shares of the whole text."""

    def encode(self, signal) -> Tokens:
        letters = np.array([signal.text.lower().count(chr(97 + i)) for i in range(26)], float)
        where = np.array([[0.0, len(signal.text)]])
        return Tokens((letters / max(1, letters.sum()))[None], Layout("spans", (1,), where=where))


@encoder("tiny-video", "video")
class TinyVideo(Encoder):
    """Mean brightness of the quarters of every frame, with the change from the frame before."""

    def encode(self, signal) -> Tokens:
        frames = np.stack([f.mean(axis=2) for _, _, f in signal.frames()]) / 255
        n, h, w = frames.shape
        cells = frames[:, : h // 2 * 2, : w // 2 * 2].reshape(n, 2, h // 2, 2, w // 2).mean(axis=(2, 4)).reshape(n, 4)
        values = np.stack([cells, np.diff(cells, axis=0, prepend=cells[:1])], axis=-1).reshape(n * 4, 2)
        seconds = np.repeat(np.arange(n) / signal.fps, 4)
        where = np.stack([seconds, seconds + 1 / signal.fps], axis=1)
        return Tokens(values, Layout("frames", (n, 2, 2), where=where, size=(h, w)))


def tiny_parts(rng: np.random.Generator, kind: int) -> dict:
    """Values of the four parts of a normal case of product type `kind`."""
    pixels = rng.normal(60 + 60 * kind, 8, (24, 24, 3)).clip(0, 255).astype(np.uint8)
    text = f"{WORDS[kind]} piece {rng.choice(['passed', 'went through', 'is done'])}, shift {rng.integers(1, 4)}."
    phase = rng.uniform(0, 2 * np.pi)
    wave = np.sin(2 * np.pi * (1 + kind) * TIMES + phase) + rng.normal(0, 0.1, 80)
    load = kind + rng.normal(0, 0.1, 80)
    clip = rng.normal(40 + 70 * kind, 8, (6, 8, 8, 3)).clip(0, 255).astype(np.uint8)
    sensor = Sensor(np.stack([wave, load], axis=1), TIMES, ("vibration", "load"), ("g", "A"), None)
    return {"image": pixels, "text": text, "sensor": sensor, "video": Video.from_array(clip, 10.0)}


def tiny_case(
    seed: int, i: int, *, swap: str | None = None, spoil: str | None = None, drop: Sequence[str] = ()
) -> Case:
    """Case i: normal, with one part of another product (`swap`), or with one faulty part (`spoil`)."""
    rng = np.random.default_rng([seed, i])
    kind = int(rng.integers(3))
    parts = tiny_parts(rng, kind)
    if swap is not None:
        parts[swap] = tiny_parts(rng, (kind + 1) % 3)[swap]
    if spoil == "image":
        parts["image"][:12, :12] = 255 - parts["image"][:12, :12] // 2
        parts["image"][:6, :6] = (255, 0, 255)
    elif spoil == "text":
        parts["text"] = "ZZZ!! Jxq wkz qqq fault xx?"
    elif spoil == "sensor":
        parts["sensor"].values[30:60] += 6.0
    elif spoil == "video":
        clip = np.stack([frame for _, _, frame in parts["video"].frames()])
        clip[2:4, :4, :4] = 255 - clip[2:4, :4, :4] // 4
        clip[4, 4:] = 0
        parts["video"] = Video.from_array(clip, 10.0)
    kept = {m: Part(m, value=v) for m, v in parts.items() if m not in drop}
    return Case(f"s{seed}-{i:04d}", kept, label=int(swap is not None or spoil is not None))


def tiny_cases(count: int, seed: int, missing: float = 0.0) -> Cases:
    """Normal cases; a share `missing` of them lacks one part."""
    rng = np.random.default_rng([seed, 999])
    names = ["image", "text", "sensor", "video"]
    drops = [[names[rng.integers(4)]] if rng.random() < missing else [] for _ in range(count)]
    return Cases(tuple(tiny_case(seed, i, drop=drops[i]) for i in range(count)))


def tiny_config(**changes) -> PipelineConfig:
    """Cheap encoders and detectors and a short joint training."""
    parts = {
        "image": {"encoder": "tiny-image", "detector": "knn", "detector_params": {"top": 0.1}},
        "text": {"encoder": "tiny-text", "detector": "dte-np"},
        "sensor": {"encoder": "windows", "detector": "gaussian-diffusion"},
        "video": {"encoder": "tiny-video", "detector": "gaussian-diffusion", "detector_params": {"top": 0.2}},
    }
    joint = {"dims": 4, "width": 48, "steps": 250, "batch": 128, "levels": 8, "draws": 2, "learning_rate": 3e-3}
    return PipelineConfig.model_validate({"parts": parts, "joint": joint, "calibration": "split", **changes})


def write_line(folder: Path, count: int, seed: int) -> Path:
    """Normal and odd cases as files with a manifest, for runs that read from disk."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    rows = ["id,image,text,sensor,split"]
    for split, size in (("train", count), ("test", count // 4)):
        for i in range(size):
            odd = "sensor" if split == "test" and i % 5 == 0 else None
            case = tiny_case(seed + (split == "test"), i, spoil=odd, drop=["image"] if i % 9 == 0 else [])
            name = f"{split}-{i:03d}"
            sensor = case.parts["sensor"].value
            table = np.column_stack([sensor.times, sensor.values])
            np.savetxt(folder / f"{name}.csv", table, "%.6f", ",", header="time,vibration,load", comments="")
            if "image" in case.parts:
                Image.fromarray(case.parts["image"].value).save(folder / f"{name}.png")
            text = case.parts["text"].value.replace(",", ";")
            rows.append(f"{name},{name + '.png' if 'image' in case.parts else ''},{text},{name}.csv,{split}")
    (folder / "broken.png").write_bytes(b"no picture")
    rows += ["test-broken,broken.png,green piece passed,,test", "test-nothing,broken.png,,,test"]
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "manifest.csv"


def main(manifest: Path, folder: Path) -> None:
    """Fit and score a run folder, going on where an earlier, killed process stopped."""
    import torch

    from mmdmad.manifest import read_cases
    from mmdmad.store.run import Run

    torch.set_num_threads(1)
    settings = tiny_config().model_dump(mode="json")
    settings["parts"].pop("video")
    settings["joint"]["checkpoint_seconds"] = 0.0
    run = Run.open(folder) if (folder / "config.json").exists() else Run.create(folder, settings)
    cases = read_cases(manifest)
    print("started", flush=True)
    run.fit(cases.where(split="train"), resume=True)
    run.score(cases.where(split="test"), false_alarm_rate=0.05)
    print("finished", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
