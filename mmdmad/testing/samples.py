"""Small items of every kind that a detector has to take, the same for the same seed."""

import numpy as np

from mmdmad.tokens import Layout, Tokens

STEPS, CHANNELS = 12, 2


def vectors(count: int = 90, seed: int = 0) -> np.ndarray:
    """A table float32 (count, 5) of normal rows, which vary in three directions and a little in the others."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(3, 5))
    return (rng.normal(size=(count, 3)) @ mixing + 0.3 * rng.normal(size=(count, 5))).astype(np.float32)


def odd() -> np.ndarray:
    """A row (1, 5) unlike all `vectors`; a new array each time, so that a detector that changes it harms no other."""
    return np.full((1, 5), 25.0, np.float32) * np.array([1, -1, 1, 1, -1], np.float32)


def pictures(count: int = 24, seed: int = 0) -> list[Tokens]:
    """Aligned grids of 2 x 3 cells; each cell has its own mean and scale."""
    rng = np.random.default_rng(seed)
    layout = Layout("grid", (2, 3), size=(20, 30), position=np.arange(6))
    means = 3.0 * np.random.default_rng(8).normal(size=(6, 4))
    return [Tokens(means + rng.normal(size=(6, 4)) * np.linspace(0.5, 1, 6)[:, None], layout) for _ in range(count)]


def series(count: int = 20, seed: int = 0) -> list[Tokens]:
    """Two channels over twelve windows of time, a slow wave with a phase of its own in each item."""
    rng = np.random.default_rng(seed)
    start = np.repeat(np.arange(STEPS), CHANNELS).astype(float)
    layout = Layout(
        "steps",
        (STEPS, CHANNELS),
        where=np.stack([start, start + 1], axis=1),
        channels=tuple(str(i % CHANNELS) for i in range(STEPS * CHANNELS)),
        position=np.tile(np.arange(CHANNELS), STEPS),
    )
    made = []
    for _ in range(count):
        wave = np.sin(0.5 * np.arange(STEPS)[:, None] + 7.0 * rng.random() + np.arange(CHANNELS))
        values = wave[..., None] * np.array([1.0, 0.5, -1.0]) + 0.1 * rng.normal(size=(STEPS, CHANNELS, 3))
        made.append(Tokens(values.reshape(-1, 3), layout))
    return made


def texts(count: int = 30, seed: int = 0) -> list[Tokens]:
    """Spans of uneven number, one to four an item, all alike."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        length = int(rng.integers(1, 5))
        where = np.stack([np.arange(length), np.arange(length) + 1], axis=1) * 10.0
        made.append(Tokens(rng.normal(size=(length, 4)), Layout("spans", (length,), where=where)))
    return made


def with_odd_token(items: list[Tokens], item: int, token: int) -> list[Tokens]:
    """The items with one token of one of them moved far away."""
    values = items[item].values.copy()
    values[token] += 25.0
    return [*items[:item], Tokens(values, items[item].layout), *items[item + 1 :]]
