"""Planted damage: of the size that it says, and nothing beside it moves."""

import numpy as np
import pytest

from mmdmad.parts import Image, Sensor, Text, Video
from mmdmad.pipeline.planted import DAMAGES, blotted, frozen, reworded, shifted
from mmdmad.pipeline.sensitivity import Kind, Tried


def test_a_shift_lasts_a_tenth_of_the_rows_of_one_channel():
    rng = np.random.default_rng(0)
    values = np.stack([rng.normal(0, 3, 200), np.full(200, 5.0)], axis=1)
    values[17, 0] = np.nan
    before = Sensor(values.copy(), np.arange(200.0), ("a", "b"), ("", ""), None)
    for seed in range(20):
        after = shifted(before, 4.0, np.random.default_rng(seed))
        moved = after.values - before.values
        rows, channels = np.nonzero(np.nan_to_num(moved))
        assert set(channels) == {0}  # the other one does not vary
        assert rows.max() - rows.min() == 19
        assert np.allclose(moved[rows, 0], 4.0 * np.nanstd(values[:, 0]))
        assert np.isnan(after.values[17, 0])
    assert np.array_equal(before.values, values, equal_nan=True)
    flat = Sensor(np.full((30, 1), 2.0), np.arange(30.0), ("a",), ("",), None)
    assert sorted(set(shifted(flat, 8.0, rng).values.ravel())) == [2.0, 10.0]


@pytest.mark.parametrize(("grey", "now"), [(40, 148), (200, 100)])
def test_a_blot_covers_its_share_of_the_area_at_half_contrast(grey, now):
    before = Image(np.full((200, 300, 3), grey, np.uint8))
    for seed in range(10):
        after = blotted(before, 0.03, np.random.default_rng(seed)).pixels
        hit = (after != grey).all(axis=2)
        assert hit.mean() == pytest.approx(0.03, rel=0.03)
        assert set(after[hit].ravel().tolist()) == {now}
    assert (before.pixels == grey).all()
    assert (blotted(Image(np.zeros((9, 9, 3), np.uint8)), 0.001, np.random.default_rng(1)).pixels > 0).any()


def test_words_are_replaced_one_for_one():
    before = Text("the belt  runs at 20 rpm,\nand the piece is fine today ok")
    for size, count in ((0.05, 1), (0.5, 6), (1.0, 12)):
        after = reworded(before, size, np.random.default_rng(3)).text
        assert len(after) == len(before.text)
        pairs = list(zip(before.text.split(" "), after.split(" "), strict=True))
        assert sum(a != b for a, b in pairs) == count
    assert reworded(Text(""), 0.5, np.random.default_rng(0)).text == ""


def test_a_clip_stands_still_over_its_share_of_the_frames():
    frames = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    after = np.stack([f for _, _, f in frozen(Video.from_array(frames, 10.0), 0.2, np.random.default_rng(2)).frames()])
    values = after[:, 0, 0, 0].astype(int)
    still = values[1:] == values[:-1]
    assert still.sum() == 7  # eight frames that are one
    assert (values[values == np.arange(40)] == np.arange(40)[values == np.arange(40)]).all()
    assert (values != np.arange(40)).sum() == 7


def test_sizes_grow_and_every_one_is_said():
    for damage in DAMAGES.values():
        assert list(damage.sizes) == sorted(damage.sizes)
        assert len({damage.words(size) for size in damage.sizes}) == len(damage.sizes)


def test_half_is_the_size_from_which_on_half_is_caught():
    def kind(*shares: float) -> Kind:
        tried = (Tried(size=0.0, p_values=(0.01, 0.9)), *(
            Tried(size=2.0**i, p_values=tuple(0.01 if k < 4 * share else 0.5 for k in range(4)))
            for i, share in enumerate(shares)
        ))  # fmt: skip
        return Kind(modality="sensor", tried=tried)

    assert kind(0, 0.5, 1.0).half(0.05).size == 2.0
    assert kind(0.5, 0.25, 1.0).half(0.05).size == 4.0  # not from 1 on: 2 was caught less
    assert kind(1.0, 1.0, 0.25).half(0.05) is None
    assert kind(1.0, 1.0, 1.0).half(0.005) is None
    assert "caught in 50 % of 4 tries from a shift of 2 spreads" in kind(0, 0.5, 1.0).words(0.05)
    assert (
        kind(0, 0, 0.25)
        .words(0.05)
        .startswith(
            "sensor: at 5 % even a shift of 4 spreads in 10 % of the rows of a channel is caught in only 1 of 4 tries"
        )
    )
    assert kind(0, 0, 0).words(0.05).endswith("without damage 1 of 2")
