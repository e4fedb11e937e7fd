"""Checkpoints of a training: one safetensors file with a JSON header, replaced atomically, never a pickle."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mmdmad.errors import RunError
from mmdmad.files import replacing
from mmdmad.saved import system_errors


@dataclass
class Progress:
    """How far a training has come. `running` holds the losses since the last evaluation."""

    step: int
    stopped: bool
    best_step: int
    best: dict[str, Tensor]
    losses: list[float] = field(default_factory=list)
    held_out: list[float] = field(default_factory=list)
    running: list[float] = field(default_factory=list)

    @classmethod
    def start(cls, weights: dict[str, Tensor]) -> Self:
        """Nothing done yet."""
        return cls(0, False, 0, {name: value.clone() for name, value in weights.items()})


def fingerprint(plan: dict[str, Any], rows: Sequence[Tensor], model: nn.Module) -> str:
    """A hash of all that a training depends on: plan, data, and the network's shapes and first weights."""
    digest = hashlib.sha256(json.dumps(plan, sort_keys=True).encode())
    for tensor in (*rows, *model.state_dict().values()):
        array = tensor.detach().cpu().contiguous()
        digest.update(f"{array.dtype} {tuple(array.shape)}".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def save_checkpoint(
    path: Path,
    print_: str,
    progress: Progress,
    model: nn.Module,
    average: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write everything a resumed training needs; a kill at any moment leaves the old or the new file, whole."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    tensors |= {f"best.{name}": value for name, value in progress.best.items()}
    numbers: dict[str, Any] = {}
    for index, slots in optimizer.state_dict()["state"].items():
        for name, value in slots.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{name}"] = value
            else:
                numbers[f"{index}.{name}"] = value
    header = {
        "fingerprint": print_,
        "step": progress.step,
        "stopped": progress.stopped,
        "best_step": progress.best_step,
        "losses": progress.losses,
        "held_out": progress.held_out,
        "running": progress.running,
        "optimizer": numbers,
    }
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with replacing(path) as unfinished, system_errors():
        training = json.dumps(header)
        save_file(plain, unfinished, metadata={"training": training, "sha256": _digest(training, plain)})
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())


def _digest(header: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(header.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def load_checkpoint(
    path: Path, print_: str, model: nn.Module, average: dict[str, Tensor], optimizer: torch.optim.Optimizer
) -> Progress:
    """Bring model, averaged weights and optimiser to where the checkpoint was; RunError if it is another training's."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
        whole = metadata["sha256"] == _digest(metadata["training"], tensors)
        header = json.loads(metadata["training"])
    except Exception as error:
        raise RunError(f"the checkpoint {path} cannot be read ({error}); delete it to start afresh") from error
    if not whole:
        raise RunError(f"the checkpoint {path} is not what was written (another SHA-256); delete it to start afresh")
    if header["fingerprint"] != print_:
        raise RunError(f"the checkpoint {path} is from other data or settings; delete it or use another folder")

    def under(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

    model.load_state_dict(under("model."))
    for name, value in under("average.").items():
        average[name].copy_(value)
    slots: dict[int, dict[str, Any]] = {}
    for name, value in {**under("optimizer."), **header["optimizer"]}.items():
        index, slot = name.split(".", 1)
        slots.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    best = {name: value.to(average[name].device) for name, value in under("best.").items()}
    return Progress(
        header["step"],
        header["stopped"],
        header["best_step"],
        best,
        header["losses"],
        header["held_out"],
        header["running"],
    )
