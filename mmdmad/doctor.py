"""The doctor: what an installation can do, checked, not assumed."""

import shutil
from importlib import metadata
from pathlib import Path
from typing import Literal, NamedTuple

from mmdmad.errors import WeightsError

PACKAGES = ("torch", "torchvision", "transformers", "open_clip_torch", "diffusers", "accelerate", "langchain", "av")
OPTIONAL = {"gradio": "chat page", "pyod": "benchmark peers"}


class Check(NamedTuple):
    """One thing looked at: ok, a note (works, but something is absent), or a fault (something will fail)."""

    name: str
    state: Literal["ok", "note", "fault"]
    detail: str


def examine() -> list[Check]:
    """Every check in a fixed order; nothing is downloaded or written."""
    return [*_packages(), _vision(), *_weights(), _clip(), *_devices(), _disk()]


def _packages() -> list[Check]:
    checks = []
    for name in PACKAGES:
        try:
            checks.append(Check(name, "ok", metadata.version(name)))
        except metadata.PackageNotFoundError:
            checks.append(Check(name, "fault", "not installed; run: pip install mmdmad"))
    for name, use in OPTIONAL.items():
        try:
            checks.append(Check(name, "ok", metadata.version(name)))
        except metadata.PackageNotFoundError:
            checks.append(Check(name, "note", f"not installed; only the {use} needs it"))
    return checks


def _vision() -> Check:
    """torchvision breaks when its build does not fit torch's; open_clip and timm then fail to import."""
    try:
        import torchvision.ops

        torchvision.ops.nms  # noqa: B018  (registered only when the compiled operators loaded)
    except (ImportError, RuntimeError, AttributeError) as error:
        return Check("torch + torchvision", "fault", f"{error}; run: pip install --force-reinstall torch torchvision")
    return Check("torch + torchvision", "ok", "operators load")


def _weights() -> list[Check]:
    from mmdmad.encoders.weights import LITE0, MINILM
    from mmdmad.packaged import packaged_folder

    checks = []
    for package in (LITE0, MINILM):
        name = f"weights {package.distribution}"
        try:
            packaged_folder(package)
            checks.append(Check(name, "ok", f"{package.version}, every file has its pinned SHA-256"))
        except WeightsError as error:
            checks.append(Check(name, "fault", str(error)))
    return checks


def _clip() -> Check:
    from mmdmad.encoders.auto import resolve_encoder

    chosen = resolve_encoder("auto", "image").describe()
    state: Literal["ok", "note"] = "ok" if "clip" in chosen else "note"
    return Check(
        "encoder auto, image", state, chosen if state == "ok" else f"{chosen} (no CLIP weights on this machine)"
    )


def _devices() -> list[Check]:
    """Where networks run when a run is fitted, scored and encoded: each is tried there, on a few numbers."""
    from mmdmad.device import why_device

    try:
        where = why_device()
    except Exception as error:  # whatever a driver may throw
        return [Check("device", "fault", f"{_line(error)}; set ACCELERATE_USE_CPU=1 to use the CPU")]
    checks = []
    trials = (("fit", _fit, "training"), ("score", _score, "score"), ("encoders", _encode, "encoding"))
    for name, trial, what in trials:
        try:
            trial()
            checks.append(Check(f"device, {name}", "ok", f"{where}; a small {what} ran there"))
        except WeightsError as error:
            checks.append(Check(f"device, {name}", "note", f"{where}; not tried: {error}"))
        except Exception as error:
            advice = "" if where.startswith("cpu") else "; set ACCELERATE_USE_CPU=1 to use the CPU"
            checks.append(Check(f"device, {name}", "fault", f"{where}; {_line(error)}{advice}"))
    return checks


def _fit() -> None:
    import torch

    from mmdmad.joint.settings import JointSettings
    from mmdmad.joint.training import train_joint

    rows = torch.linspace(-1.0, 1.0, 64).reshape(16, 4)
    train_joint(rows, torch.ones(16, 2, dtype=torch.bool), (2, 2), JointSettings(width=8, steps=2, batch=8), seed=0)


def _score() -> None:
    import torch

    from mmdmad.device import chosen_device
    from mmdmad.joint.denoising_error import denoising_error, noise_bank
    from mmdmad.joint.model import JointDenoiser, Shape

    network = JointDenoiser(Shape((2, 2), width=8), seed=0).eval().to(chosen_device())
    denoising_error(network, noise_bank(4, levels=2, draws=2, seed=0), torch.zeros(4), [0], [1])


def _encode() -> None:
    import numpy as np

    from mmdmad.encoders.lite0 import Lite0
    from mmdmad.parts import Image

    Lite0(size=64, grid=4).encode(Image(np.zeros((64, 64, 3), np.uint8)))


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    return Check("disk", "ok" if free > 2 else "note", f"{free:.0f} GB free in this folder")
