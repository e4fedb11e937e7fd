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
    return [*_packages(), _vision(), *_weights(), _clip(), _accelerator(), _disk()]


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


def _accelerator() -> Check:
    import torch

    if torch.cuda.is_available():
        return Check("accelerator", "ok", torch.cuda.get_device_name())
    if torch.backends.mps.is_available():
        return Check("accelerator", "ok", "Apple MPS")
    return Check("accelerator", "note", f"none; {torch.get_num_threads()} CPU threads")


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    return Check("disk", "ok" if free > 2 else "note", f"{free:.0f} GB free in this folder")
