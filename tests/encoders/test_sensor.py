"""Sensor windows: rate, period, layout, and features that move with the fault they are for."""

import numpy as np
import pytest

from mmdmad.encoders.sensor import GAP, Windows
from mmdmad.encoders.sensor_stats import dominant_period, regular
from mmdmad.encoders.sensor_windows import (
    peaks,
    principal_directions,
    segment_edges,
    segment_means,
    window_starts,
)
from mmdmad.errors import ConfigError, DataError, NotFittedError, PartError
from mmdmad.parts import Sensor

CHANNELS = ("vibration", "current", "temperature")


def table(seed: int, rows: int = 200, rate: float = 50.0, channels: tuple[str, ...] = CHANNELS) -> Sensor:
    rng = np.random.default_rng(seed)
    times = np.arange(rows) / rate
    wave = np.sin(2 * np.pi * 2.5 * times + rng.uniform(0, 6))
    columns = [(i + 1) * wave + 10 * i + 0.1 * rng.normal(size=rows) for i in range(len(channels))]
    return Sensor(np.stack(columns, 1), times, channels, ("",) * len(channels))


@pytest.fixture(scope="module")
def fitted() -> Windows:
    return Windows().fit([table(seed) for seed in range(40)])


def blocks_of(encoder: Windows, sensor: Sensor) -> dict[str, np.ndarray]:
    """Features by name, each (windows, groups, count)."""
    tokens, state = encoder.encode(sensor), encoder.fitted_
    values = tokens.values.reshape(*tokens.layout.shape, -1)
    names = ("activity", "peak", "level residual", "activity residual")
    out = {"blocks": values[..., : state.blocks]}
    for number, name in enumerate(names):
        start = state.blocks + number * state.segments
        out[name] = values[..., start : start + state.segments]
    return out


def test_the_window_is_four_periods_and_the_layout_says_when(fitted: Windows) -> None:
    state = fitted.fitted_
    assert state.period == 20  # 2.5 Hz at 50 rows per second
    assert state.length == 80
    layout = fitted.encode(table(99)).layout
    windows, groups = layout.shape
    assert groups == 4
    assert layout.channels is not None
    assert layout.channels[:4] == (*CHANNELS, "*")
    assert layout.positions()[:5].tolist() == [0, 1, 2, 3, 0]
    assert layout.where is not None
    assert layout.where[0].tolist() == pytest.approx([0.0, 1.6])
    assert layout.where[-1].tolist() == pytest.approx([2.4, 4.0])
    assert len(layout) == windows * groups


def test_features_have_unit_scale_on_unseen_normal_tables(fitted: Windows) -> None:
    for name, values in blocks_of(fitted, table(77)).items():
        assert 0.3 < values[:, :3].std() < 3, name


@pytest.mark.parametrize(
    ("fault", "feature", "least"),
    [
        ("spike", "peak", 6.0),
        ("frozen", "activity", 8.0),
        ("burst", "activity", 5.0),
        ("shift", "blocks", 2.5),
        ("dropout", "peak", 12.0),
        ("relation", "level residual", 4.0),
    ],
)
def test_each_fault_moves_its_feature_in_its_channel(fitted: Windows, fault: str, feature: str, least: float) -> None:
    normal = table(123)
    values = normal.values.copy()
    rng = np.random.default_rng(0)
    if fault == "spike":
        values[100, 1] += 6
    elif fault == "frozen":
        values[80:140, 1] = values[80, 1]
    elif fault == "burst":
        values[90:130, 1] += rng.normal(size=40)
    elif fault == "shift":
        values[100:, 1] += 5
    elif fault == "dropout":
        values[90:120, 1] = np.nan
    else:
        values[:, 1] = 20 - values[:, 1]  # the channel runs against the others, each value in its normal range
    broken = Sensor(values, normal.times, normal.channels, normal.units)
    before, after = blocks_of(fitted, normal)[feature], blocks_of(fitted, broken)[feature]
    moved = np.abs(after - before).max(axis=(0, 2))
    assert moved[1] > least
    if fault != "relation":  # a broken relation is seen from both of its ends
        assert moved[1] == moved[:3].max()


def test_a_broken_relation_is_seen_by_the_joint_token(fitted: Windows) -> None:
    def joint(sensor: Sensor) -> np.ndarray:
        tokens = fitted.encode(sensor)
        return tokens.values[tokens.layout.positions() == 3]

    training = np.concatenate([joint(table(seed)) for seed in range(40)])
    mean, scale = training.mean(axis=0), training.std(axis=0) + 1e-6
    normal = table(5)
    values = normal.values.copy()
    values[:, 1] = 20 - values[:, 1]
    broken = Sensor(values, normal.times, normal.channels, normal.units)
    usual, odd = (np.abs((joint(sensor) - mean) / scale).max() for sensor in (table(66), broken))
    assert odd > 5 * usual


def test_gaps_and_other_rates_are_brought_to_the_training_rate(fitted: Windows) -> None:
    normal = table(8)
    keep = np.r_[0:80, 110:200]  # 0.6 s of rows are not there at all
    gappy = Sensor(normal.values[keep], normal.times[keep], normal.channels, normal.units)
    gap = blocks_of(fitted, gappy)["peak"][:, :3]
    assert gap.max() > 0.8 * GAP
    tokens = fitted.encode(gappy)
    assert tokens.layout.where is not None
    worst = tokens.layout.where.reshape(*tokens.layout.shape, 2)[gap.max((1, 2)).argmax(), 0]
    assert worst[0] < 2.2
    assert worst[1] > 1.6
    double = table(8, rows=400, rate=100.0)
    assert blocks_of(fitted, double)["peak"][:, :3].max() < 6
    assert fitted.encode(double).layout.shape == fitted.encode(normal).layout.shape


def test_one_lost_value_is_no_fault(fitted: Windows) -> None:
    normal = table(8)
    values = normal.values.copy()
    values[90, 1] = np.nan
    lost = fitted.encode(Sensor(values, normal.times, CHANNELS, ("",) * 3)).values
    assert np.abs(lost - fitted.encode(normal).values).max() < 1.5


def test_a_jittering_clock_is_no_gap() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(100) + rng.uniform(-0.3, 0.3, 100)
    times -= times[0]
    _, missing = regular(np.sin(times)[:, None], times, 1.0)
    assert not missing.any()


def test_another_table_is_refused(fitted: Windows) -> None:
    with pytest.raises(PartError, match="missing temperature; unknown pressure"):
        fitted.encode(table(1, channels=("vibration", "current", "pressure")))
    with pytest.raises(PartError, match="rows; a window has 80"):
        fitted.encode(table(1, rows=20))
    with pytest.raises(DataError, match="training table 1: the table has other channels"):
        Windows().fit([table(1), table(2, channels=("vibration", "current"))])
    units = Windows().fit([Sensor(t.values, t.times, t.channels, ("g", "A", "C")) for t in [table(1), table(2)]])
    normal = table(3)
    with pytest.raises(PartError, match="current is in mA, the training tables in A"):
        units.encode(Sensor(normal.values, normal.times, normal.channels, ("g", "mA", "")))
    with pytest.raises(PartError, match="spans"):
        fitted.encode(Sensor(np.zeros((3, 3)), np.array([0.0, 1.0, 1e9]), CHANNELS, ("",) * 3))
    with pytest.raises(NotFittedError):
        Windows().encode(table(1))
    with pytest.raises(DataError, match="at least one"):
        Windows().fit([])
    with pytest.raises(ConfigError, match="stride=0"):
        Windows(stride=0)


def test_columns_in_another_order_are_the_same_table(fitted: Windows) -> None:
    normal = table(4)
    order = [2, 0, 1]
    mixed = Sensor(normal.values[:, order], normal.times, tuple(CHANNELS[i] for i in order), ("",) * 3)
    assert np.array_equal(fitted.encode(mixed).values, fitted.encode(normal).values)


def test_all_missing_and_constant_channels_stay_finite(fitted: Windows) -> None:
    normal = table(4)
    values = normal.values.copy()
    values[:, 0] = np.nan
    assert np.isfinite(fitted.encode(Sensor(values, normal.times, CHANNELS, ("",) * 3)).values).all()
    values[:, 0] = 3.0
    still = Sensor(values, normal.times, CHANNELS, ("",) * 3)
    assert np.isfinite(Windows().fit([still, still]).encode(normal).values).all()
    nothing = Sensor(np.full((64, 1), np.nan), np.arange(64.0), ("x",), ("",))
    assert np.isfinite(Windows().fit([nothing]).encode(nothing).values).all()


def test_long_tables_are_bounded_and_short_ones_work(fitted: Windows) -> None:
    long = table(3, rows=30_000)
    tokens = Windows(max_tokens=4096).fit([long]).encode(long)
    assert len(tokens.values) <= 4096 + 4
    assert tokens.layout.where is not None
    assert tokens.layout.where.max() == pytest.approx(600.0)
    short = Windows().fit([table(s, rows=64) for s in range(8)])
    assert short.fitted_.length == 32
    one = Windows(length=64).fit([table(s, rows=64) for s in range(8)])
    assert one.encode(table(9, rows=64)).layout.shape == (1, 4)
    assert one.encode(table(9, rows=60)).layout.shape == (1, 4)


def test_one_channel_has_no_joint_token() -> None:
    single = Windows().fit([table(s, channels=("x",)) for s in range(4)])
    assert set(single.encode(table(9, channels=("x",))).layout.channels or ()) == {"x"}


def test_state_round_trip_and_determinism(fitted: Windows) -> None:
    again = Windows()
    again.set_state(*fitted.state())
    assert np.array_equal(again.encode(table(3)).values, fitted.encode(table(3)).values)
    assert again.state_key() == fitted.state_key() != ""
    assert Windows().fit([table(seed) for seed in range(40)]).state_key() == fitted.state_key()
    assert Windows().fit([table(seed) for seed in range(39)]).state_key() != fitted.state_key()
    assert "80 rows (1.6 s), 3 channels" in fitted.describe()


def test_periods_are_found_in_noise_and_not_in_noise_alone() -> None:
    rng = np.random.default_rng(1)
    rows = np.arange(2000)
    wave = np.sign(np.sin(2 * np.pi * rows / 48)) + 0.5 * rng.normal(size=2000)
    assert dominant_period([wave[:, None]]) == pytest.approx(48, abs=1)
    assert dominant_period([rng.normal(size=(5000, 1))]) is None


def test_window_arithmetic_against_plain_loops() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=(50, 2))
    starts, edges = window_starts(50, 20, 7), segment_edges(20, 3)
    means, tops = segment_means(z, starts, edges), peaks(z, starts, edges)
    assert starts.tolist() == [0, 7, 14, 21, 28, 30]
    for w, start in enumerate(starts):
        for s in range(3):
            piece = z[start + edges[s] : start + edges[s + 1]]
            assert means[w, s] == pytest.approx(piece.mean(axis=0))
            assert (tops[w, s] >= np.abs(piece - piece.mean(axis=0)).max(axis=0) - 1e-9).all()


def test_principal_directions_are_orthonormal_and_ordered() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(300, 6)) * np.array([5, 3, 1, 0.5, 0.1, 0.0])
    mean, directions, scale = principal_directions(rows, 4)
    assert directions.T @ directions == pytest.approx(np.eye(4), abs=1e-9)
    spread = ((rows - mean) @ directions).std(axis=0)
    assert (np.diff(spread) < 0).all()
    assert scale == pytest.approx(np.sqrt((spread**2).mean()), rel=0.01)


@pytest.mark.parametrize("mark", [-9999.0, 1e30, 6999.0])
def test_one_wild_reading_moves_no_scale_and_is_said(mark: float, caplog: pytest.LogCaptureFixture) -> None:
    tables = [table(seed) for seed in range(20)]
    clean = Windows().fit(tables).fitted_
    values = tables[5].values.copy()
    values[50, 1] = mark
    tables[5] = Sensor(values, tables[5].times, CHANNELS, ("",) * 3)
    state = Windows().fit(tables).fitted_
    for name in ("center", "scale", "quiet", "local", "relation_scale", "joint_scale"):
        np.testing.assert_allclose(getattr(state, name), getattr(clean, name), rtol=0.02, atol=1e-3)
    assert f"training table 6: channel 'current' is {mark:g} in row 51" in caplog.text


def test_a_table_that_never_leaves_a_state_is_one_of_the_others() -> None:
    def valve(seed: int, *words: str) -> Sensor:
        one = table(seed)
        flags = np.arange(200) // 20 % len(words)
        values = np.column_stack([one.values, *(flags == i for i in range(len(words)))])
        names = (*CHANNELS, *(f"valve={word}" for word in words))
        return Sensor(values.astype(float), one.times, names, ("",) * len(names), states=("valve",))

    tables = [valve(seed, "OPEN", "SHUT") if seed % 2 else valve(seed, "OPEN") for seed in range(20)]
    encoder = Windows()
    assert encoder.odd(tables) == {}
    encoder.fit(tables)
    assert encoder.fitted_.channels == (*CHANNELS, "valve=OPEN", "valve=SHUT")
    usual, strange = encoder.encode(valve(30, "SHUT")), encoder.encode(valve(30, "BROKEN"))
    assert usual.values.shape == strange.values.shape
    assert not np.array_equal(usual.values, strange.values)
