"""UCSD Ped2 (Mahadevan et al., CVPR 2010): a walkway seen from above; anything but a walker is anomalous.

Expected: `ucsd_ped2/training/NN/*.webp`, `ucsd_ped2/testing/NN/*.webp` (frames), `testing/NN_label.npy` (uint8 per
frame) and `testing_pixel_masks_packbits.npz` (a clip's masks, a row of packed bits per frame). Research use; cite the
paper.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdmad.datasets.sources import link, source, windows, write_manifest
from mmdmad.errors import ManifestError

NAME = "ucsd_ped2"
MASKS = "testing_pixel_masks_packbits.npz"
FPS = 10.0  # frame rate of the original recording
ABOUT = {"name": "UCSD Ped2", "licence": "none stated; research use, cite Mahadevan et al. 2010", "fps": FPS}
PUBLISHED_AUROC = {"HF2-VAD": 0.993, "Accurate-Interpretable-VAD": 0.991}  # READMEs of the two repositories


@dataclass(frozen=True, eq=False)
class Clip:
    """One clip: a folder of frames and a label per frame (all 0 in training)."""

    name: str
    folder: Path
    labels: np.ndarray


def clips(data: str | Path, split: str) -> list[Clip]:
    """The clips of "training" or "testing", by name."""
    folder, found = source(data, NAME, ("training", "testing")) / split, []
    for path in sorted(p for p in folder.iterdir() if p.is_dir()):
        frames = sum(1 for p in path.iterdir() if p.suffix.lower() in (".webp", ".png", ".jpg", ".bmp", ".tif"))
        labels = np.zeros(frames, int)
        if split == "testing":
            labels = np.load(folder / f"{path.name}_label.npy").astype(int)
            if len(labels) != frames:
                raise ManifestError(f"{path} holds {frames} frames and its label file {len(labels)} labels")
        found.append(Clip(f"{split}/{path.name}", path, labels))
    return found


def masks(data: str | Path, clip: Clip, size: tuple[int, int]) -> np.ndarray:
    """Which pixels of a test clip's frames of this `size` (H, W) are anomalous, bool (frames, H, W)."""
    folder, pixels = source(data, NAME, (MASKS,)), size[0] * size[1]
    with np.load(folder / MASKS) as packed:
        rows = packed[clip.folder.name]
    if rows.shape != (len(clip.labels), -(-pixels // 8)) or rows.dtype != np.uint8:
        raise ManifestError(
            f"{MASKS} holds {rows.shape} {rows.dtype} for {clip.name}, not {len(clip.labels)} frames of {pixels} bits"
        )
    return np.unpackbits(rows, axis=1, count=pixels).reshape(-1, *size).astype(bool)


def convert(data: str | Path, out: str | Path, frames: int = 16) -> Path:
    """Manifest of pieces of `frames` frames (training ones overlap by half); anomalous if any of its frames is."""
    out, rows = Path(out), []
    for split, name, step in (("training", "train", max(frames // 2, 1)), ("testing", "test", frames)):
        for clip in clips(data, split):
            for a, b in windows(0, len(clip.labels), frames, step):
                case = {"id": f"{clip.name.replace('/', '-')}-{a:03d}", "video": link(clip.folder, out, (a, b))}
                known = {"video_rate": FPS, "label": int(clip.labels[a:b].any()), "split": name, "group": clip.name}
                rows.append({**case, **known})
    return write_manifest(out, rows, ABOUT)
