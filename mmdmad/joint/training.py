"""Training of the joint denoiser on the library's one training loop."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from mmdmad.diffusion.training import Plan, train
from mmdmad.joint.model import JointDenoiser, Shape, denoising_loss
from mmdmad.joint.settings import JointSettings
from mmdmad.sizes import bounded_networks


def train_joint(
    clean: Tensor,
    present: Tensor,
    dims: tuple[int, ...],
    settings: JointSettings,
    seed: int,
    checkpoint: Path | None = None,
    tick: Callable[[int], None] | None = None,
) -> JointDenoiser:
    """The trained network for clean vectors (N, sum of dims) and presence (N, parts) bool.

    `checkpoint` is a file to which progress is written and from which a killed training goes on, ending bit-equal;
    `tick(steps done)` is called on the way.
    """
    with bounded_networks():
        model = JointDenoiser(Shape(dims, settings.width, settings.blocks, settings.dropout), seed)
    done = 0

    def loss(network: nn.Module, batch: list[Tensor], generator: torch.Generator) -> Tensor:
        nonlocal done
        if tick is not None and network.training:
            done += 1
            tick(done)
        return denoising_loss(network, batch[0], batch[1], generator)

    plan = Plan(
        steps=settings.steps,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        ema=settings.ema,
        held_out=settings.held_out,
        checkpoint_every=settings.checkpoint_seconds,
        mixed_precision="no",
        seed=seed,
    )
    train(model, [clean, present], loss, plan, checkpoint=checkpoint)
    return model.eval()
