"""TCCM against the authors' network and training, written again from their class."""

import numpy as np
import pytest
import torch

from mmdmad.detectors.base import make_detector
from mmdmad.errors import ConfigError


def table(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 4)) @ np.random.default_rng(1).normal(size=(4, 4))


def test_score_is_the_missing_part_of_the_way_to_the_origin():
    """|f(x, 1) + x|_2 with f a perceptron on [x, sines and cosines of t at 10000^(-i / 64)]."""
    train, test = table(200), table(20, seed=2)
    fitted = make_detector("tccm", false_alarm_rate=None, epochs=3).fit(train)
    x = torch.from_numpy(((test - train.mean(axis=0)) / train.std(axis=0)).astype(np.float32))
    frequency = torch.tensor([10000.0 ** (-i / 64) for i in range(64)])
    seen = torch.cat([x, frequency.sin().expand(20, 64), frequency.cos().expand(20, 64)], dim=1)
    weights = list(fitted.net_.state_dict().values())
    assert [tuple(w.shape) for w in weights[::2]] == [(256, 132), (256, 256), (4, 256)]
    for n in range(0, 6, 2):
        seen = seen @ weights[n].T + weights[n + 1]
        seen = seen.clamp(min=0) if n < 4 else seen
    expected = (seen + x).square().sum(dim=1).sqrt()
    np.testing.assert_allclose(fitted.decision_function(test), expected.numpy(), rtol=1e-3)


def test_training_is_plain_adam_for_all_epochs():
    """100 epochs of batches of 64 at 1e-3, the last weights kept, nothing held out; `steps` only ends it earlier."""
    fitted = make_detector("tccm", false_alarm_rate=None).fit(table(150))
    plan = fitted._plan(150)
    assert (plan.batch, plan.learning_rate, plan.weight_decay, plan.ema, plan.clip) == (64, 1e-3, 0.0, 0.0, 0.0)
    assert fitted.history_.steps == 100 * (150 // 64)
    assert fitted.history_.held_out == ()
    assert make_detector("tccm", false_alarm_rate=None, steps=30).fit(table(150)).history_.steps == 30
    with pytest.raises(ConfigError, match="epochs=0"):
        make_detector("tccm", false_alarm_rate=None, epochs=0).fit(table(30))
