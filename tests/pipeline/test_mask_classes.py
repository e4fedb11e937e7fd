"""What a part lacks as a mask, the classes of it, and the level of masked scores, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from mmdmad.parts import Sensor, Video
from mmdmad.pipeline.levelling import Levelling, kinds_lost, levelled, levelling, shares_lost
from mmdmad.pipeline.masks import EMPTY, GONE, LIMIT, THERE, Mask, mask_of
from mmdmad.pipeline.part_model import Measured
from mmdmad.pipeline.readings import Readings
from mmdmad.tokens import Layout

CHANNELS = ("a", "b", "rare")
USUAL = Readings(CHANNELS, (1.0, 0.96, 0.5), (1.0, 1.0, 0.5))


def table(rows: int = 20) -> Sensor:
    """Readings that are their own place: 1000 a channel and the row; every second one of "rare"."""
    values = np.arange(rows, dtype=float)[:, None] + 1000 * np.arange(3)
    values[1::2, 2] = np.nan
    return Sensor(values, np.arange(rows) / 2, CHANNELS, ("", "", ""))


def lost(signal: Sensor, channel: int, rows: slice) -> Sensor:
    values = signal.values.copy()
    values[rows, channel] = np.nan
    return replace(signal, values=values)


def gone(signal: Sensor, *rows: int) -> Sensor:
    left = np.delete(np.arange(len(signal.times)), rows)
    return replace(signal, values=signal.values[left], times=signal.times[left])


def mask(signal: Sensor, usual: Readings = USUAL) -> Mask:
    made = mask_of("sensor", signal, [usual])
    assert isinstance(made, Mask), made
    return made


def test_rows_that_the_clock_leaves_out() -> None:
    made = mask(gone(table(), *range(5, 10)))
    assert list(made.rows) == [GONE if 5 <= place < 10 else THERE for place in range(20)]
    assert made.readings == ()
    assert made.words("sensor") == "25 % of the rows in one piece"
    left = made.of("sensor", table())
    np.testing.assert_array_equal(left.times, gone(table(), *range(5, 10)).times)
    np.testing.assert_array_equal(left.values, gone(table(), *range(5, 10)).values)


def test_rows_without_a_reading_are_emptied_for_every_channel() -> None:
    silent = replace(table(), values=np.where(np.isin(np.arange(20), [3, 4, 9])[:, None], np.nan, table().values))
    made = mask(silent)
    assert [place for place, state in enumerate(made.rows) if state == EMPTY] == [3, 4, 9]
    assert made.words("sensor") == "15 % of the rows in 2 pieces"
    np.testing.assert_array_equal(made.of("sensor", table()).values, silent.values)


def test_a_silent_channel_and_lost_readings() -> None:
    made = mask(lost(lost(table(), 0, slice(None)), 1, slice(4, 10)))
    assert (set(made.rows), [name for name, _ in made.readings]) == ({THERE}, ["a", "b"])
    assert made.words("sensor") == "'a', 30 % of the readings of 'b' in one piece"
    other = lost(table(), 1, slice(0, 2))
    np.testing.assert_array_equal(
        np.isnan(made.of("sensor", other).values[:, 1]), [i in (0, 1, *range(4, 10)) for i in range(20)]
    )
    assert np.isnan(made.of("sensor", other).values[:, 0]).all()
    np.testing.assert_array_equal(made.of("sensor", other).values[:, 2], other.values[:, 2])


def test_rows_that_are_lost_explain_readings_that_are_rare() -> None:
    made = mask(gone(table(), *range(2, 10)))  # four of the ten that have "rare"
    assert made.readings == ()
    assert mask_of("sensor", lost(table(), 2, slice(0, 8)), [USUAL]) == "normal ones have 'rare' only here and there"
    assert mask(lost(table(), 2, slice(None))).readings[0][0] == "rare"  # wholly lost, it is so for all alike


def test_limits_of_the_classes() -> None:
    half = int(LIMIT * 20)
    assert mask(gone(table(), *range(5, 5 + half))).rows.count(GONE) == half
    assert mask_of("sensor", gone(table(), *range(5, 6 + half)), [USUAL]) == "it lacks more than 50 % of its rows"
    gappy = Readings(CHANNELS, (0.9, 0.9, 0.5), (1.0, 1.0, 0.5))
    assert mask_of("sensor", gone(table(), *range(5, 10)), [gappy]) == "normal ones lack rows too, each its own"
    assert "no channel of those learned from" in str(mask_of("sensor", table(), [Readings(("x",), (1.0,), (1.0,))]))
    one = mask(gone(table(), 7))  # a twentieth of the rows: as in normal parts
    assert (set(one.rows), one.readings) == ({THERE}, ())
    folds = [Readings(CHANNELS, (0.9, 1.0, 0.5), (1.0, 1.0, 0.5)), Readings(CHANNELS, (1.0, 1.0, 0.5), (1.0, 1.0, 0.5))]
    few = lost(table(), 0, slice(0, 3))
    assert mask_of("sensor", few, folds[1:]).readings
    assert mask_of("sensor", few, folds) == "normal ones have 'a' only here and there"  # in one of the folds


def test_no_reading_decides_a_mask() -> None:
    odd = gone(lost(table(), 0, slice(3, 9)), 12, 13, 14)
    assert mask(odd) == mask(replace(odd, values=-7 * odd.values**2))


def test_a_part_of_another_length_lacks_the_same_pieces_of_itself() -> None:
    made = mask(gone(table(), *range(6, 10)))
    for rows in (40, 10):
        left = made.of("sensor", table(rows))
        np.testing.assert_array_equal(2 * left.times, np.delete(np.arange(rows), np.arange(3 * rows // 10, rows // 2)))


def test_frames_of_a_clip() -> None:
    frames = np.arange(12, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    clip = Video.from_array(frames, fps=4)
    there = ~np.isin(np.arange(12), [3, 4, 5, 8])
    made = mask_of("video", clip.some(there), [Readings(("",), (1.0,), (1.0,))])
    assert isinstance(made, Mask)
    assert made.words("video") == "33 % of the frames in 2 pieces"
    left = made.of("video", clip)
    assert [(index, time, int(pixels[0, 0, 0])) for index, time, pixels in left.frames()] == [
        (place, number / 4, number) for place, number in enumerate(np.flatnonzero(there))
    ]
    assert [int(pixels[0, 0, 0]) for _, _, pixels in left.frames(every=3)] == [0, 6, 10]
    cut = made.of("video", clip.cut(_slice(clip)))
    assert [int(pixels[0, 0, 0]) for _, _, pixels in cut.frames()] == [4, 5, 7, 9]  # of 6 frames


def _slice(clip: Video):
    from mmdmad.cases import Part

    return Part("video", value=clip, start=4, stop=10)


STEPS = Layout(
    "steps",
    (2, 3),
    where=np.repeat([[0.0, 5.0], [5.0, 10.0]], 3, axis=0),
    channels=("a", "b", "*") * 2,
    position=np.tile([0, 1, 2], 2),
)
TWO = Sensor(np.ones((20, 2)), np.arange(20) / 2, ("a", "b"), ("", ""))


def test_the_share_of_its_readings_that_a_token_lacks() -> None:
    silent = np.ones(20, np.uint8)
    silent[:5] = 0
    own, every = shares_lost(Mask(bytes(20), (("a", silent.tobytes()),)), STEPS, TWO)
    np.testing.assert_allclose(own, [0.5, 0, 0.25, 0, 0, 0])
    np.testing.assert_allclose(every, [0.25] * 3 + [0] * 3)
    rows = np.zeros(20, np.uint8)
    rows[9:12] = GONE
    own, every = shares_lost(Mask(rows.tobytes()), STEPS, TWO)
    np.testing.assert_allclose(own, [0.1] * 3 + [0.2] * 3)
    np.testing.assert_allclose(every, own)
    longer = Sensor(np.ones((40, 2)), np.arange(40) / 2, ("a", "b"), ("", ""))
    whole = replace(STEPS, where=2 * STEPS.where)
    np.testing.assert_allclose(shares_lost(Mask(rows.tobytes()), whole, longer)[0], own)
    own, _ = shares_lost(Mask(rows.tobytes()), Layout("vector"), TWO)
    np.testing.assert_allclose(own, [0.15])


class _Model:
    """Pools as the mean of all tokens."""

    class detector:
        _pool = staticmethod(np.mean)


def measured(scores: np.ndarray, view: float) -> Measured:
    return Measured(float(scores.mean()), (float(scores.mean()), view), scores, STEPS, np.zeros(1), np.zeros(1))


def test_masked_scores_come_to_the_level_of_whole_ones() -> None:
    rng = np.random.default_rng(0)
    silent = np.zeros(20, np.uint8)
    mask = Mask(bytes(20), (("a", silent.tobytes()),))
    base = rng.exponential(size=(60, 6))
    # what the mask does: "a" stands at 50 whatever the part is like, the others are twice as high and wide
    hidden = np.where(STEPS.positions() == 0, 50 + 1e-9 * base, 10 + 2 * base)
    made = levelling(
        mask,
        [(measured(one, 5 + 3 * view), TWO) for one, view in zip(hidden, base[:, 0], strict=True)],
        [measured(one, view) for one, view in zip(base, base[:, 0], strict=True)],
    )
    for row in range(5):
        found = made.of(_Model, measured(hidden[row], 5 + 3 * base[row, 0]), TWO)
        np.testing.assert_allclose(
            found.token_scores[STEPS.positions() > 0], base[row][STEPS.positions() > 0], rtol=1e-6
        )
        mine = found.token_scores[STEPS.positions() == 0]
        np.testing.assert_allclose(mine, np.median(base[:, [0, 3]]), atol=1e-6)
        assert found.views == (found.score, pytest.approx(base[row, 0]))
        assert found.score == pytest.approx(found.token_scores.mean())
    odd = hidden[0] + np.where(STEPS.positions() == 1, 40, 0)  # 20 deviations, were nothing missing
    assert made.of(_Model, measured(odd, 5.0), TWO).token_scores[1] == pytest.approx(base[0, 1] + 20)


def test_kinds_tell_own_and_other_losses_apart() -> None:
    silent = np.zeros(20, np.uint8)
    kinds = kinds_lost(Mask(bytes(20), (("a", silent.tobytes()),)), STEPS, TWO)
    assert len(set(kinds[:3])) == 3
    assert (kinds[:3] == kinds[3:]).all()
    assert set(kinds_lost(Mask(bytes(20)), STEPS, TWO)) == {0}


def test_scores_that_never_vary_say_nothing() -> None:
    assert levelled(np.array([3.0, 900.0]), 3.0, 0.0, 1.0, 0.0).tolist() == [1.0, 1.0]
    assert Levelling(Mask(b""), {}, ()).tokens == {}
