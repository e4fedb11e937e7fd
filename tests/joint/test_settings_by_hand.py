"""What the joint model may be set to: every default, and both ends of every range."""

import pytest
from pydantic import ValidationError

from mmdmad.joint.settings import LARGEST_BANK, JointSettings

DEFAULTS = {
    "components": 64, "dims": 12, "floor": 0.001, "width": 192, "blocks": 2, "dropout": 0.3, "steps": 2000,
    "batch": 256, "learning_rate": 1e-3, "weight_decay": 0.02, "held_out": 0.1, "ema": 0.995, "levels": 16, "draws": 4,
    "checkpoint_seconds": 10.0,
}  # fmt: skip
INSIDE = {
    "components": (1, 256), "dims": (1, 64), "floor": (0.0, 0.9999), "width": (8, 16_384), "blocks": (1, 256),
    "dropout": (0.0, 0.9999), "steps": (1, 100_000_000), "batch": (1, 1_000_000), "learning_rate": (1e-12, 10.0),
    "weight_decay": (0.0, 10.0), "held_out": (0.0, 0.4999), "ema": (0.0, 0.9999), "levels": (2, 4096),
    "draws": (2, 4096), "checkpoint_seconds": (0.0, 1e9),
}  # fmt: skip
OUTSIDE = {
    "components": (0, 257), "dims": (0, 65), "floor": (-1e-9, 1.0), "width": (7, 16_385), "blocks": (0, 257),
    "dropout": (-1e-9, 1.0), "steps": (0, 100_000_001), "batch": (0, 1_000_001), "learning_rate": (0.0, 10.01),
    "weight_decay": (-1e-9, 10.01), "held_out": (-1e-9, 0.5), "ema": (-1e-9, 1.0), "levels": (1, 4097),
    "draws": (1, 4097), "checkpoint_seconds": (-1e-9, 1.01e9),
}  # fmt: skip


def test_defaults():
    assert JointSettings().model_dump() == DEFAULTS


@pytest.mark.parametrize("name", DEFAULTS)
def test_both_ends_of_a_range(name):
    for value in INSIDE[name]:
        assert getattr(JointSettings(**{name: value}), name) == value
    for value in (*OUTSIDE[name], float("nan"), float("inf")):
        with pytest.raises(ValidationError, match=name):
            JointSettings(**{name: value})


def test_the_bank_of_all_levels_and_draws_is_bounded():
    assert LARGEST_BANK == 65_536
    assert JointSettings(levels=256, draws=256).levels == 256
    with pytest.raises(ValidationError, match="levels times draws is 65792; at most 65536"):
        JointSettings(levels=257, draws=256)


def test_settings_stay_as_they_are_and_unknown_names_are_refused():
    with pytest.raises(ValidationError, match="frozen"):
        JointSettings().width = 64
    with pytest.raises(ValidationError, match="not permitted"):
        JointSettings(widht=64)
