"""Training of the joint denoiser: a fixed number of steps, checkpoints, and a resume that ends bit-equal."""

import copy
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from mmdmad.joint.config import JointSettings
from mmdmad.joint.model import JointDenoiser, Shape, denoising_loss


def train_joint(
    clean: Tensor,
    present: Tensor,
    dims: tuple[int, ...],
    settings: JointSettings,
    seed: int,
    checkpoint: Path | None = None,
    tick: Callable[[int], None] | None = None,
) -> JointDenoiser:
    """The trained network (its moving average) for clean vectors (N, sum of dims) and presence (N, parts).

    Every step draws its batch, levels and noise from a generator seeded by (seed, step), so a run that goes on from
    `checkpoint` sees what the undisturbed run saw. `tick(step)` is called after every step.
    """
    model = JointDenoiser(Shape(dims, settings.width, settings.blocks, settings.dropout), seed)
    average = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    start = _resume(checkpoint, model, average, optimizer)
    saved = time.monotonic()
    for step in range(start, settings.steps):
        generator = torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)
        rows = torch.randint(len(clean), (settings.batch,), generator=generator)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _warm_cosine(step, settings.steps)
        loss = denoising_loss(model, clean[rows], present[rows], generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        decay = min(settings.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, value in zip(average.parameters(), model.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        if tick is not None:
            tick(step + 1)
        if checkpoint is not None and time.monotonic() - saved >= settings.checkpoint_seconds:
            _save(checkpoint, step + 1, model, average, optimizer)
            saved = time.monotonic()
    return average.eval()


def _warm_cosine(step: int, steps: int) -> float:
    warm = min(1.0, (step + 1) / max(1, min(100, steps // 10)))
    return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def _save(
    path: Path, step: int, model: JointDenoiser, average: JointDenoiser, optimizer: torch.optim.Optimizer
) -> None:
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for i, slot in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{k}": v for k, v in slot.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata={"step": json.dumps(step)})
    part.replace(path)


def _resume(path: Path | None, model: JointDenoiser, average: JointDenoiser, optimizer: torch.optim.Optimizer) -> int:
    if path is None or not path.is_file():
        return 0
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        step = int(json.loads(file.metadata()["step"]))
    tensors = load_file(path)
    model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    average.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("average.")})
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, slot = key.split(".", 2)
            state.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return step
