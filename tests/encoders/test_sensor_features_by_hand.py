"""Every feature of the sensor windows, computed again window by window, and the scales that `fit` learns from them."""

import math
from itertools import pairwise

import numpy as np
import pytest

from mmdmad.encoders import sensor as module
from mmdmad.encoders.sensor import FAR, GAP, Windows
from mmdmad.encoders.sensor_state import BLOCKS, MOST_ROWS, SEGMENTS, joint_blocks
from mmdmad.encoders.sensor_windows import (
    activity,
    peaks,
    principal_directions,
    relation_residuals,
    segment_edges,
    segment_means,
    window_starts,
)
from mmdmad.parts import Sensor

LENGTH, PIECES = 16, 4  # rows of a window, of which four segments are made


def test_what_is_counted_in():
    assert (BLOCKS, SEGMENTS, FAR, MOST_ROWS, GAP) == (64, 8, 100.0, 10_000_000, 20.0)


def table(seed: int, rows: int, channels: int = 2) -> Sensor:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, channels)).cumsum(axis=0) * 0.3 + 5 * rng.normal(size=(rows, channels))
    values[:, -1] += 0.8 * values[:, 0]
    names = tuple(f"c{i}" for i in range(channels))
    return Sensor(values, np.arange(rows) * 0.5, names, ("",) * channels)


def pieces(z: np.ndarray, start: int) -> list[np.ndarray]:
    size = LENGTH // PIECES
    return [z[start + k * size : start + (k + 1) * size] for k in range(PIECES)]


def steps(z: np.ndarray) -> np.ndarray:
    """Squared differences to the row before; the first row has that of the second."""
    made = (z[1:] - z[:-1]) ** 2
    return np.concatenate([made[:1], made])


def local(z: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Levels, activities and peaks (segments, C) of one window."""
    level = np.array([p.mean(axis=0) for p in pieces(z, start)])
    active = np.array([np.sqrt(p.mean(axis=0)) for p in pieces(steps(z), start)])
    return level, active, np.array([np.abs(p - p.mean(axis=0)).max(axis=0) for p in pieces(z, start)])


def residuals(x: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Each variable beyond its regression on the others."""
    made = []
    for i in range(len(mean)):
        rest = [j for j in range(len(mean)) if j != i]
        weight = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, i])
        made.append(x[..., i] - mean[i] - (x[..., rest] - mean[rest]) @ weight)
    return np.stack(made, axis=-1)


def left_over(rows: np.ndarray, directions: np.ndarray, channels: int) -> np.ndarray:
    """What the directions leave over of joint rows (W, 16 C): root mean square in each of the segments."""
    rest = (rows - rows @ directions @ directions.T).reshape(len(rows), LENGTH, channels)
    edges = [0, 4, 8, 12, LENGTH]
    return np.sqrt(np.stack([(rest[:, a:b] ** 2).mean(axis=(1, 2)) for a, b in pairwise(edges)], axis=1))


@pytest.fixture(scope="module")
def tables() -> list[Sensor]:
    return [table(0, 40), table(1, 50), table(2, 9)]


@pytest.fixture(scope="module")
def encoder(tables: list[Sensor]) -> Windows:
    return Windows(length=LENGTH).fit(tables)


def learned(tables: list[Sensor], center: np.ndarray, scale: np.ndarray) -> dict[str, np.ndarray]:
    """The scales of every feature, window by window."""
    z = [(t.values - center) / scale for t in tables]
    cuts = [(one, start) for one in z if len(one) >= LENGTH for start in range(0, len(one) - LENGTH + 1, 2)]
    level, active, peak = (np.array(x) for x in zip(*(local(*cut) for cut in cuts), strict=True))
    quiet = 0.01 * np.sqrt((active**2).mean(axis=(0, 1)))
    log = np.log(active + quiet)
    scaled = (log - log.mean(axis=(0, 1))) / log.std(axis=(0, 1))
    pairs = np.concatenate([level, scaled], axis=2).reshape(-1, 4)
    covariance = np.cov(pairs.T, bias=True) + 0.01 * np.eye(4)
    rows = np.array([one[start : start + LENGTH].reshape(-1) for one, start in cuts])
    centred = rows - rows.mean(axis=0)
    variance, vectors = np.linalg.eigh(centred.T @ centred / (len(rows) - 1))
    kept = len(rows) // 3
    directions = vectors[:, ::-1][:, :kept]
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(kept)])
    return {
        "quiet": quiet,
        "local": np.array([[x.mean(axis=(0, 1)), x.std(axis=(0, 1))] for x in (log, peak)]),
        "relation_mean": pairs.mean(axis=0),
        "relation_precision": np.linalg.inv(covariance),
        "relation_scale": residuals(pairs, pairs.mean(axis=0), covariance).std(axis=0),
        "joint_mean": rows.mean(axis=0),
        "joint_directions": directions,
        "joint_scale": np.array(
            [np.sqrt(variance[::-1][:kept].mean()), np.sqrt((left_over(centred, directions, 2) ** 2).mean())]
        ),
    }


def test_the_scales_of_all_features(encoder: Windows, tables: list[Sensor]) -> None:
    state = encoder.fitted_
    every = np.concatenate([t.values for t in tables])
    assert (state.length, state.blocks, state.segments, state.interval) == (16, 16, 4, 0.5)
    assert state.center == pytest.approx(every.mean(axis=0))
    assert state.scale == pytest.approx(every.std(axis=0))
    assert state.width == 16 + 4 * 4
    for name, expected in learned(tables, state.center, state.scale).items():
        assert getattr(state, name) == pytest.approx(expected, rel=1e-6, abs=1e-9), name


def expected_tokens(encoder: Windows, z: np.ndarray, missing: np.ndarray, start: int) -> np.ndarray:
    """The tokens (C + 1, D) of one window."""
    state = encoder.fitted_
    level, active, peak = local(z, start)
    active = (np.log(active + state.quiet) - state.local[0, 0]) / state.local[0, 1]
    lost = np.array([p.mean(axis=0) for p in pieces(missing.astype(float), start)])
    peak = (peak - state.local[1, 0]) / state.local[1, 1] + 20 * lost**2
    pairs = np.concatenate([level, active], axis=1)
    found = residuals(pairs, state.relation_mean, np.linalg.inv(state.relation_precision)) / state.relation_scale
    blocks = z[start : start + LENGTH]
    own = [np.concatenate([blocks[:, c], active[:, c], peak[:, c], found[:, c], found[:, 2 + c]]) for c in (0, 1)]
    centred = z[start : start + LENGTH].reshape(1, -1) - state.joint_mean
    scores = (centred @ state.joint_directions / state.joint_scale[0])[0]
    outside = left_over(centred, state.joint_directions, 2)[0] / state.joint_scale[1]
    empty = np.zeros(state.width - len(scores) - len(outside))
    return np.array([*own, np.concatenate([scores, empty, outside])])


def test_every_token(encoder: Windows) -> None:
    given, state = table(7, 30), encoder.fitted_
    values = given.values.copy()
    values[3:6, 1] = np.nan
    values[20] = np.nan
    times = given.times + 100
    tokens = encoder.encode(Sensor(values, times, given.channels, given.units))
    filled = np.array([np.interp(np.arange(30), np.flatnonzero(np.isfinite(v)), v[np.isfinite(v)]) for v in values.T]).T
    z = (filled - state.center) / state.scale
    found = tokens.values.reshape(15, 3, state.width)
    for start in range(15):  # a stride of one row, a sixteenth of the window
        wanted = expected_tokens(encoder, z, np.isnan(values), start)
        assert found[start] == pytest.approx(wanted, rel=1e-4, abs=1e-4)
    assert tokens.values.dtype == np.float32
    assert tokens.layout.shape == (15, 3)
    assert tokens.layout.kind == "steps"
    assert tokens.layout.channels == ("c0", "c1", "*") * 15
    assert tokens.layout.positions().tolist() == [0, 1, 2] * 15
    assert tokens.layout.where[::3].tolist() == [[100 + 0.5 * s, 100 + 0.5 * (s + 16)] for s in range(15)]
    assert tokens.layout.where[1].tolist() == tokens.layout.where[0].tolist() == tokens.layout.where[2].tolist()
    moved = z[1:] - z[:-1]
    low, high = np.quantile(z, 0.05, axis=0), np.quantile(z, 0.95, axis=0)
    spread = np.log(z.std(axis=0) + 0.01)
    moving = np.log(np.sqrt((moved**2).mean(axis=0)) + state.quiet)
    expected = [*z.mean(axis=0), *spread, *moving, *low, *high, 1 / 30, 4 / 30]
    assert tokens.summary == pytest.approx(expected, rel=1e-4)
    assert tokens.summary.dtype == np.float32


def test_a_table_of_half_a_window_ends_in_missing_rows(encoder: Windows) -> None:
    given, state = table(8, 8), encoder.fitted_
    tokens = encoder.encode(given)
    z = (given.values - state.center) / state.scale
    longer = np.concatenate([z, np.repeat(z[-1:], 8, axis=0)])
    missing = np.repeat([[False] * 2, [True] * 2], 8, axis=0)
    assert tokens.layout.where.tolist() == [[0.0, 4.0]] * 3
    assert tokens.values == pytest.approx(expected_tokens(encoder, longer, missing, 0), rel=1e-4, abs=1e-4)
    assert tokens.summary[-2:].tolist() == [0.0, 0.0]
    with pytest.raises(Exception, match="the table has 7 rows; a window has 16, half is needed"):
        encoder.encode(table(8, 7))


def test_what_is_far_off_is_held(encoder: Windows) -> None:
    given = table(7, 30)
    for sign in (1, -1):
        values = given.values.copy()
        values[10:12, 0] = sign * 1e6
        found = encoder.encode(Sensor(values, given.times, given.channels, given.units)).values
        blocks = found.reshape(15, 3, -1)[:, 0, :16]
        assert np.abs(blocks).max() == 100.0
        assert blocks[0, 10] == sign * 100.0
    state = encoder.fitted_
    wild = np.full((16, 2), 1e9)
    assert np.abs(module._tokens(wild, np.zeros((16, 2), bool), np.array([0]), state)).max() == 1000.0
    assert module._tokens(-wild, np.zeros((16, 2), bool), np.array([0]), state)[0, 0, 0] == -1000.0
    assert module._tokens(wild, np.zeros((16, 2), bool), np.array([0]), state)[0, 0, 0] == 1000.0


def test_one_channel_has_no_token_of_all() -> None:
    single = Windows(length=16).fit([table(0, 40, 1), table(1, 50, 1)])
    assert single.fitted_.joint_directions.shape == (16, 0)
    assert single.fitted_.joint_scale[0] == 1.0
    tokens = single.encode(table(3, 20, 1))
    assert tokens.layout.shape == (5, 1)
    assert tokens.layout.channels == ("c0",) * 5


def test_long_tables_are_learned_from_some_four_thousand_windows(monkeypatch) -> None:
    strides = []
    real = module.window_starts

    def starts(rows, length, stride):
        strides.append((rows, length, stride))
        return real(rows, length, stride)

    monkeypatch.setattr(module, "window_starts", starts)
    for lengths, stride in (((8015, 8015), 4), ((8014, 8015), 3), ((400, 300), 2)):
        strides.clear()
        z = [np.random.default_rng(0).normal(size=(rows, 1)) for rows in lengths]
        module._learn(
            z, channels=("a",), units=("",), interval=1.0, period=8, length=16, blocks=16, segments=4,
            center=np.zeros(1), scale=np.ones(1),
        )  # fmt: skip
        assert strides == [(rows, 16, stride) for rows in lengths]


def test_scales_have_a_floor() -> None:
    still = [np.zeros((40, 2))]
    known = {"channels": ("a", "b"), "units": ("", ""), "interval": 1.0, "period": 8}
    state = module._learn(still, **known, length=16, blocks=16, segments=4, center=np.zeros(2), scale=np.ones(2))
    assert state.quiet.tolist() == [1e-6, 1e-6]
    assert state.local[0].tolist() == [pytest.approx([math.log(1e-6)] * 2), [1e-3, 1e-3]]
    assert state.local[1].tolist() == [[0.0, 0.0], [1e-3, 1e-3]]
    assert state.relation_scale.tolist() == [1e-3] * 4
    assert state.joint_scale.tolist() == [1.0, 1e-3]
    assert state.joint_directions.shape == (32, 0)
    hardly = [1e-9 * np.random.default_rng(0).normal(size=(40, 2))]
    state = module._learn(hardly, **known, length=16, blocks=16, segments=4, center=np.zeros(2), scale=np.ones(2))
    assert state.joint_directions.shape == (32, 4)
    assert state.joint_scale.tolist() == [1e-6, 1e-3]


def test_block_means_of_all_channels() -> None:
    shapes = {(64, 8): 16, (10, 3): 10, (64, 64): 16, (64, 65): 15, (64, 512): 2, (64, 2000): 2, (1, 3): 2, (16, 1): 16}
    for (blocks, channels), few in shapes.items():
        assert joint_blocks(blocks, channels) == few


def test_what_directions_leave_over_in_each_segment() -> None:
    rows = np.array([[3.0, 4.0, 1.0, 7.0]])  # two blocks of two channels
    none = np.zeros((4, 0))
    a, b = math.sqrt(12.5), 5.0
    assert module._outside(rows, none, 2, 2)[0] == pytest.approx([a, b])
    assert module._outside(rows, none, 2, 1)[0] == pytest.approx([math.sqrt(18.75)])  # every block has a say
    assert module._outside(rows, none, 2, 4)[0] == pytest.approx([a, a, b, b])
    first = np.eye(4)[:, :1]
    assert module._outside(rows, first, 2, 2)[0] == pytest.approx([math.sqrt(8), b])
    assert module._outside(rows, np.eye(4), 2, 3).tolist() == [[0.0, 0.0, 0.0]]
    four = np.arange(1.0, 5.0)[None]  # four blocks of one channel
    assert module._outside(four, none, 4, 2)[0] == pytest.approx([math.sqrt(2.5), math.sqrt(12.5)])


def test_the_summary_of_a_single_row(encoder: Windows) -> None:
    found = module._summary(np.array([[2.0, -1.0]]), np.array([[True, False]]), encoder.fitted_)
    quiet, log = np.log(encoder.fitted_.quiet), math.log(0.01)
    assert found == pytest.approx([2, -1, log, log, *quiet, 2, -1, 2, -1, 1, 0], rel=1e-5)


def test_activity_of_rows() -> None:
    z = np.array([[0.0], [3.0], [3.0], [-1.0], [0.0], [0.0]])
    found = activity(z, np.array([0, 2]), np.array([0, 2, 4]))[..., 0]
    assert found.tolist() == [[3.0, math.sqrt(8)], [math.sqrt(8), pytest.approx(math.sqrt(0.5))]]
    assert activity(z[:1], np.array([0]), np.array([0, 1]))[..., 0].tolist() == [[0.0]]
    assert activity(z[:2], np.array([0]), np.array([0, 2]))[..., 0].tolist() == [[3.0]]


def test_peaks_lie_within_their_segment() -> None:
    z = np.array([[0.0], [0.0], [6.0], [0.0], [-9.0], [0.0], [0.0], [3.0]])
    found = peaks(z, np.array([0, 2, 4]), np.array([0, 2, 4]))[..., 0]
    assert found.tolist() == [[0.0, 3.0], [3.0, 4.5], [4.5, 1.5]]
    three = peaks(z, np.array([0, 2]), np.array([0, 3, 6]))[..., 0]
    assert three == pytest.approx(np.array([[4.0, 6.0], [8.0, 2.0]]))
    # of unequal segments each looks as far as the longest one, and no further than the table
    assert peaks(z[:4], np.array([0]), np.array([0, 1, 4]))[..., 0] == pytest.approx(np.array([[6.0, 4.0]]))


def test_starts_and_edges() -> None:
    assert window_starts(10, 4, 3).tolist() == [0, 3, 6]
    assert window_starts(11, 4, 3).tolist() == [0, 3, 6, 7]
    assert window_starts(4, 4, 3).tolist() == [0]
    assert window_starts(5, 4, 9).tolist() == [0, 1]
    assert segment_edges(16, 4).tolist() == [0, 4, 8, 12, 16]
    assert segment_edges(10, 3).tolist() == [0, 3, 7, 10]
    assert segment_edges(7, 1).tolist() == [0, 7]
    means = segment_means(np.arange(12.0).reshape(6, 2), np.array([1]), np.array([0, 1, 4]))
    assert means.tolist() == [[[2.0, 3.0], [6.0, 7.0]]]


def test_residuals_are_those_of_a_regression() -> None:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(4, 4))
    covariance, mean, x = mix @ mix.T + np.eye(4), rng.normal(size=4), rng.normal(size=(5, 3, 4))
    found = relation_residuals(x, mean, np.linalg.inv(covariance))
    assert found == pytest.approx(residuals(x, mean, covariance))


def test_directions_of_few_rows() -> None:
    rows = np.array([[1.0, 0.0, 5.0], [-1.0, 0.0, 5.0], [0.0, -2.0, 5.0], [0.0, 2.0, 5.0]])
    mean, directions, scale = principal_directions(rows, 3)
    assert mean.tolist() == [0.0, 0.0, 5.0]
    assert directions == pytest.approx(np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]))  # the third never moves
    assert scale == pytest.approx(math.sqrt((8 / 3 + 2 / 3) / 2))
    mean, directions, scale = principal_directions(rows, 1)
    assert (directions.shape, scale) == ((3, 1), pytest.approx(math.sqrt(8 / 3)))
    for few, most in ((rows[:1], 3), (rows, 0), (np.full((4, 3), 2.0), 3)):
        mean, directions, scale = principal_directions(few, most)
        assert (mean.tolist(), directions.shape, scale) == (few.mean(axis=0).tolist(), (3, 0), 1.0)
    assert principal_directions(rows[:3], 3)[1].shape == (3, 2)
    assert principal_directions(np.c_[rows[:, :2], 1e-3 * np.array([1, 1, -1, -1])], 3)[1].shape == (3, 3)
    assert principal_directions(np.c_[rows[:, :2], 1e-4 * np.array([1, 1, -1, -1])], 3)[1].shape == (3, 2)
    two = principal_directions(np.array([[1.0, 0.0], [-1.0, 0.0]]), 2)
    assert (two[1].tolist(), two[2]) == ([[1.0], [0.0]], pytest.approx(math.sqrt(2)))
    for size, kept in ((1e-8, 1), (1e-15, 0)):  # what is rounding alone has no direction
        assert principal_directions(np.array([[size, 0.0], [-size, 0.0]]), 2)[1].shape == (2, kept)
