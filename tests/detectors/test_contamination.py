"""Told of anomalies among the training items, every detector ranks their like higher than when it is not told."""

import functools

import numpy as np
import pytest

from mmdmad.detectors.base import Detector, detectors, make_detector
from mmdmad.detectors.kit.trimming import unsuspicious
from mmdmad.metrics import auroc
from mmdmad.testing.samples import vectors
from mmdmad.tokens import Layout, Tokens
from tests.detectors.test_contract import tiny

SHARE, NOISE = 0.2, 0.02
NAMES = [
    pytest.param(name, marks=pytest.mark.slow if cls.about.cost == "minutes" else ())
    for name, cls in detectors().items()
]
MIXING = np.random.default_rng(7).normal(size=(3, 5))  # of `vectors`
UNUSED = np.linalg.svd(MIXING)[2][3]  # a direction normal items hardly move in
SEVERAL = Layout("steps", (3, 1), np.stack([np.arange(3.0), np.arange(3.0) + 1], axis=1))


@functools.cache
def items(normal: int, odd: int, seed: int, several: bool) -> list[Tokens]:
    """Normal items, then odd ones, which lie 1.5 to 8 away along `UNUSED`: as one token, or three that go together."""
    rng, length = np.random.default_rng(seed), 3 if several else 1
    values = vectors((normal + odd) * length, seed=seed).reshape(-1, length, 5)
    size = rng.choice([-1.0, 1.0], size=odd) * rng.uniform(1.5, 8, size=odd)
    values[normal:] += (size[:, None] * UNUSED).astype(np.float32)[:, None]
    return [Tokens(value, SEVERAL if several else Layout("vector")) for value in values]


def fitted(name: str, contamination: float) -> tuple[Detector, float]:
    """The detector, fitted where a fifth of the items is odd, and its AUROC over other items of the same kinds."""
    several = "vectors" not in detectors()[name].about.modalities
    made = tiny(name, contamination=contamination)
    if name == "dte-ig":
        made.set_params(steps=700, learning_rate=1e-3)  # at a hundred it knows too little to tell
    made.fit(items(160, 40, 0, several))
    return made, auroc(np.repeat([0, 1], [150, 60]), made.decision_function(items(150, 60, 1, several)))


@pytest.mark.parametrize("name", NAMES)
def test_told_of_anomalies_a_detector_ranks_their_like_higher(name):
    told, untold = fitted(name, SHARE)[1], fitted(name, 0.0)[1]
    assert told >= untold - NOISE
    assert told > untold or untold > 0.97, "neither robust by itself nor helped"


def test_items_without_neighbours_and_items_outside_are_suspected():
    rng = np.random.default_rng(0)
    two = rng.normal(size=(100, 3)) * 0.3 + rng.choice([-4.0, 4.0], size=(100, 1))
    between, outside = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)) + np.array([0, 12, -12])
    rows = [Tokens(row[None]) for row in np.concatenate([two, between, outside])]
    kept = unsuspicious(rows, 10 / 110)
    assert len(kept) == 100
    assert (kept < 100).mean() >= 0.95
    assert unsuspicious(rows, 0.0).tolist() == list(range(110))


def test_a_network_never_sees_what_is_suspected():
    made = make_detector("tccm", steps=20, hidden=(8,), contamination=0.1, false_alarm_rate=None)
    seen = []
    made._before_training = lambda tokens, row: seen.append(len(tokens))
    made.fit(items(90, 10, 0, False))
    assert seen == [90]
    assert len(made.decision_scores_) == 100  # all are scored, so that the threshold flags the odd ones
