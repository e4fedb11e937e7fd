"""The one training loop: every network of the library learns here.

A training is a function of its data, its plan and its seed. The random numbers of step n come from a generator seeded
by (seed, n), so a run that was killed and resumed from a checkpoint ends bit-equal to one that was not (on one
machine's CPU with one number of threads; kernels of accelerators add up in an order of their own), and the global
generators are left as they were.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Literal

import torch
from torch import Tensor, nn

from mmdmad.device import chosen_device
from mmdmad.diffusion.checkpoint import Progress, fingerprint, load_checkpoint, save_checkpoint
from mmdmad.progress import shown

Loss = Callable[[nn.Module, list[Tensor], torch.Generator], Tensor]


@dataclass(frozen=True)
class Plan:
    """How to train.

    steps: optimiser steps at most; batch: rows a step; ema: decay of the averaged weights, which are the result (0:
    the last weights are). clip: largest gradient norm (0: none). held_out: share of the owners whose rows are only
    used to decide when to stop (0: train all steps); patience: evaluations without improvement before stopping;
    evaluate_every: steps between evaluations. rising: once 50 evaluations are done, stop when the mean training loss
    since the last one is above what it was this many evaluations ago (0: never). decoupled: weight decay acts on the
    weights (AdamW); False: on their gradients (Adam). checkpoint_every: seconds between checkpoints. mixed_precision
    "bf16": the loss is computed under autocast; "auto": so on CUDA where it can, in full precision elsewhere.
    """

    steps: int = 1000
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    ema: float = 0.99
    clip: float = 1.0
    held_out: float = 0.1
    patience: int = 5
    evaluate_every: int = 100
    rising: int = 0
    decoupled: bool = True
    checkpoint_every: float = 60.0
    mixed_precision: Literal["auto", "bf16", "no"] = "auto"
    seed: int = 0


@dataclass(frozen=True)
class History:
    """What happened: mean training loss between evaluations, held-out loss at each, and where it ended."""

    losses: tuple[float, ...]
    held_out: tuple[float, ...]
    steps: int
    best_step: int


def train(
    model: nn.Module,
    rows: Sequence[Tensor],
    loss: Loss,
    plan: Plan,
    *,
    owner: Tensor | None = None,
    checkpoint: Path | None = None,
    progress: bool = False,
    title: str = "training",
) -> History:
    """Train `model` in place on `rows` (tensors with one common first dimension) and leave it in eval mode.

    `loss(model, batch, generator)` gives one loss per row of `batch` (the same rows of each tensor), drawing what it
    needs from `generator` on the CPU. `owner` (N,) says which rows belong together when a part is held out. With
    `checkpoint` (a file), progress is written there and taken up again; a file from other data or another plan raises
    RunError. Returns the history.
    """
    device = chosen_device()
    model.to(device).train()
    kind = torch.optim.AdamW if plan.decoupled else torch.optim.Adam
    optimizer = kind(model.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True)
    learn, hold = _split(len(rows[0]), owner, plan)
    batches = _Batches(rows, learn, plan, device)
    average = {name: value.detach().clone() for name, value in model.state_dict().items()}
    state = Progress.start(average)
    print_ = fingerprint(asdict(replace(plan, checkpoint_every=0.0)), rows, model)
    if checkpoint is not None and checkpoint.exists():
        state = load_checkpoint(checkpoint, print_, model, average, optimizer)
    saved = monotonic()
    with shown(progress) as bars:
        tick = bars.steps(title, plan.steps)
        while state.step < plan.steps and not state.stopped:
            batch, generator = batches.at(state.step)
            with _own_dropout(_seed(plan.seed, state.step, 1), device):
                with _precision(plan, device):
                    each = loss(model, batch, generator)
                value = each.mean()
                value.backward()
            if plan.clip:
                nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
            optimizer.step()
            optimizer.zero_grad()
            _average(average, model, plan.ema, state.step)
            state.step += 1
            state.running.append(float(value.detach()))
            if state.step % plan.evaluate_every == 0 or state.step == plan.steps:
                state.losses.append(sum(state.running) / len(state.running))
                state.running.clear()
                if len(hold):
                    _judge(state, model, average, loss, batches, hold, plan)
                if plan.rising and len(state.losses) > max(50, plan.rising):
                    state.stopped = state.stopped or state.losses[-1] > state.losses[-1 - plan.rising]
            tick(state.step)
            if checkpoint is not None and (
                monotonic() - saved >= plan.checkpoint_every or state.step == plan.steps or state.stopped
            ):
                save_checkpoint(checkpoint, print_, state, model, average, optimizer)
                saved = monotonic()
    model.load_state_dict(state.best if len(hold) and state.best_step else average)
    model.eval()
    best = state.best_step if len(hold) and state.best_step else state.step
    return History(tuple(state.losses), tuple(state.held_out), state.step, best)


def _precision(plan: Plan, device: torch.device) -> AbstractContextManager[object]:
    """Autocast to bf16 for the loss alone: what is judged and what is scored later is in full precision."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported()
    half = plan.mixed_precision == "bf16" or (plan.mixed_precision == "auto" and able)
    return torch.autocast(device.type, torch.bfloat16) if half else nullcontext()


@contextmanager
def _own_dropout(seed: int, device: torch.device) -> Iterator[None]:
    """Dropout draws from the global generator of its device: seed it for one step, then put its state back.

    `torch.random.fork_rng` with `torch.manual_seed` does the same and takes longer than a step of a small network.
    """
    before = torch.default_generator.get_state()
    other = None if device.type == "cpu" else torch.get_device_module(device)
    others = None if other is None else other.get_rng_state()
    torch.default_generator.manual_seed(seed)
    if other is not None:
        other.manual_seed(seed)
    try:
        yield
    finally:
        torch.default_generator.set_state(before)
        if other is not None:
            other.set_rng_state(others)


def _judge(
    state: Progress,
    model: nn.Module,
    average: dict[str, Tensor],
    loss: Loss,
    batches: "_Batches",
    hold: Tensor,
    plan: Plan,
) -> None:
    """Held-out loss of the averaged weights on fixed noise; remembers the best and stops when patience ends."""
    own = {name: value.detach().clone() for name, value in model.state_dict().items()}
    model.load_state_dict(average)
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for n, index in enumerate(hold[:4096].split(plan.batch)):
            generator = torch.Generator().manual_seed(_seed(plan.seed, n, 2))
            each = loss(model, batches.rows(index), generator)
            total, count = total + float(each.sum()), count + len(each)
    model.load_state_dict(own)
    model.train()
    state.held_out.append(total / count)
    if state.held_out[-1] < min(state.held_out[:-1], default=float("inf")):
        state.best_step = state.step
        state.best = {name: value.clone() for name, value in average.items()}
    best = min(range(len(state.held_out)), key=state.held_out.__getitem__)
    state.stopped = len(state.held_out) - 1 - best >= plan.patience


class _Batches:
    """Batch n of the endless sequence of seeded permutations; any n without the ones before it."""

    def __init__(self, rows: Sequence[Tensor], learn: Tensor, plan: Plan, device: torch.device) -> None:
        self._rows, self._learn, self._seed, self._device = rows, learn, plan.seed, device
        self._size = min(plan.batch, len(learn))
        self._per_epoch = max(1, len(learn) // self._size)
        self._epoch, self._order = -1, learn

    def rows(self, index: Tensor) -> list[Tensor]:
        return [part[index].to(self._device) for part in self._rows]

    def at(self, step: int) -> tuple[list[Tensor], torch.Generator]:
        epoch, place = divmod(step, self._per_epoch)
        if epoch != self._epoch:
            shuffle = torch.Generator().manual_seed(_seed(self._seed, epoch, 3))
            self._epoch, self._order = epoch, self._learn[torch.randperm(len(self._learn), generator=shuffle)]
        index = self._order[place * self._size : (place + 1) * self._size]
        return self.rows(index), torch.Generator().manual_seed(_seed(self._seed, step, 0))


def _seed(seed: int, number: int, use: int) -> int:
    return (seed * 1_000_003 + number) * 4 + use


def _split(count: int, owner: Tensor | None, plan: Plan) -> tuple[Tensor, Tensor]:
    """Row numbers to learn from and to hold out; owners are held out whole, none when there are fewer than 20."""
    owner = torch.arange(count) if owner is None else owner
    owners = torch.unique(owner)
    shuffled = owners[torch.randperm(len(owners), generator=torch.Generator().manual_seed(_seed(plan.seed, 0, 3) + 1))]
    held = torch.isin(owner, shuffled[: int(len(owners) * plan.held_out) if len(owners) >= 20 else 0])
    rows = torch.arange(count)
    return rows[~held], rows[held]


@torch.no_grad()
def _average(average: dict[str, Tensor], model: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights towards the present ones; the decay warms up as (1 + n) / (10 + n)."""
    decay = min(decay, (1.0 + step) / (10.0 + step)) if decay else 0.0
    present = model.state_dict()
    moving = [name for name, value in present.items() if value.is_floating_point()]
    torch._foreach_lerp_([average[name] for name in moving], [present[name] for name in moving], 1.0 - decay)
    for name in present.keys() - set(moving):
        average[name].copy_(present[name])
