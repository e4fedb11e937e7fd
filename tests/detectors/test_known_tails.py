"""Whether places are modelled apart is decided by how high held-out normal items score, with no label."""

import numpy as np
import pytest

from mmdmad.detectors.base import load_detector, make_detector
from mmdmad.detectors.kit.tails import apart_by_tails
from mmdmad.errors import ConfigError
from mmdmad.tokens import Layout, Tokens

CELLS, WINDOWS = 30, 4
LAYOUT = Layout("frames", (WINDOWS, 5, 6), size=(50, 60), position=np.tile(np.arange(CELLS), WINDOWS))


def belt(count: int, seed: int) -> list[np.ndarray]:
    """Every cell has a speed of its own, the same in all clips: values (windows, cells, 3)."""
    own = np.linspace(-2, 2, CELLS)[None, :, None] * np.ones(3)
    rng = np.random.default_rng(seed)
    return [own + 0.1 * rng.normal(size=(WINDOWS, CELLS, 3)) for _ in range(count)]


def walkway(count: int, seed: int) -> list[np.ndarray]:
    """Nothing moves but walkers: half of the time in the first half of the cells, once in 200 windows in each other."""
    rng, shape = np.random.default_rng(seed), (WINDOWS, CELLS, 3)
    often = np.where(np.arange(CELLS) < CELLS // 2, 0.5, 0.005)
    return [
        0.02 * rng.normal(size=shape) + (rng.random(shape[:2]) < often)[..., None] * rng.normal(1.0, 0.2, shape)
        for _ in range(count)
    ]


def items(clips: list[np.ndarray]) -> list[Tokens]:
    return [Tokens(clip.reshape(-1, 3).astype(np.float32), LAYOUT) for clip in clips]


def detector(per_position: bool | str = "held-out"):
    return make_detector("gaussian-diffusion", per_position=per_position, false_alarm_rate=None)


def apart(fitted) -> bool:
    return bool(fitted._settled()["per_position"])


def test_where_each_place_has_its_own_usual_it_is_modelled_apart():
    fitted = detector().fit(items(belt(24, 0)))
    assert apart(fitted)
    slipped = belt(1, 1)[0]
    slipped[:, 3] = slipped[:, 25]  # usual elsewhere, not here
    scores = fitted.decision_function(items([slipped, *belt(20, 2)]))
    assert scores[0] > 5 * scores[1:].max()


def test_where_things_come_and_go_one_model_serves_all_places():
    normal = items(walkway(24, 0))
    fitted, single = detector().fit(normal), detector(per_position=True).fit(normal)
    assert not apart(fitted)
    fast, rare = np.zeros((WINDOWS, CELLS, 3)), np.zeros((WINDOWS, CELLS, 3))
    fast[1, 2], rare[1, 29] = 3.0, 1.0  # three times as fast where many walk; a walker where hardly anyone does
    odd, usual = fitted.decision_function(items([fast, rare]))
    assert odd > 3 * usual
    assert np.argmax(single.decision_function(items([fast, rare]))) == 1, "else this set would need no choice"


def test_one_odd_item_among_the_normal_ones_does_not_decide():
    clips = belt(24, 0)
    clips[5] = clips[5] + 40.0
    assert apart(detector().fit(items(clips)))


def test_what_was_decided_is_kept_and_scores_are_those_of_the_plain_setting(tmp_path):
    for clips, plain in ((belt, True), (walkway, False)):
        normal, new = items(clips(24, 0)), items(clips(3, 9))
        fitted = detector().fit(normal)
        expected = detector(per_position=plain).fit(normal).decision_function(new)
        assert np.array_equal(fitted.decision_function(new), expected)
        fitted.save(tmp_path / clips.__name__)
        assert np.array_equal(load_detector(tmp_path / clips.__name__).decision_function(new), expected)


def test_of_too_few_items_or_tokens_nothing_is_held_out():
    assert apart_by_tails(lambda _: pytest.fail("nothing may be fitted"), items(walkway(5, 0)))
    assert not apart(detector().fit(np.random.default_rng(0).normal(size=(9, 2))))
    with pytest.raises(ConfigError, match="per_position='by eye' was given"):
        detector(per_position="by eye").fit(items(belt(6, 0)))
