import numpy as np
import pytest

from mmdmad.explain.events import events
from mmdmad.explain.traces import MEASURES, traces


def _plant(values: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    values = values.copy()
    if kind == "spike":
        values[80:82] += 1.2
    elif kind == "level shift":
        values[60:140] += 1.0
    elif kind == "drift":
        values[50:] += np.linspace(0, 2.0, 150)
    elif kind == "frozen":
        values[70:120] = values[70]
    elif kind == "noise burst":
        values[70:120] += rng.normal(0, 0.6, 50)
    elif kind == "dropout":
        values[90:110] = np.nan
    elif kind == "dropout to zero":
        values[90:130] = 0.0
    return values


SPANS = {
    "spike": (1.6, 1.64),
    "level shift": (1.2, 2.8),
    "drift": (1.0, 4.0),
    "frozen": (1.4, 2.4),
    "noise burst": (1.4, 2.4),
    "dropout": (1.8, 2.2),
    "dropout to zero": (1.8, 2.6),
}


@pytest.mark.parametrize("kind", SPANS)
@pytest.mark.parametrize("seed", range(5))
def test_planted_fault_is_named_where_it_is(samples, normals, kind, seed):
    rng = np.random.default_rng(seed)
    values = _plant(samples.sensor(5000 + seed).values[:, 1], kind, rng)
    (found,) = events(traces(values, samples.TIMES), normals.of("sensor").channel("current", "A"))
    assert found.kind == kind.removesuffix(" to zero")
    start, stop = SPANS[kind]
    slack = 0.5 if kind in ("drift", "noise burst") else 0.1
    assert found.start == pytest.approx(start, abs=slack)
    assert found.stop == pytest.approx(stop, abs=slack)


def test_planted_amounts_are_measured(samples, normals):
    normal = normals.of("sensor").channel("current", "A")
    base = samples.sensor(7000).values[:, 1]
    rng = np.random.default_rng(0)

    def event(kind):
        return events(traces(_plant(base, kind, rng), samples.TIMES), normal)[0]

    assert event("spike").change == pytest.approx(1.2, abs=0.2)
    assert event("level shift").change == pytest.approx(1.0, abs=0.1)
    assert event("level shift").value == pytest.approx(base[60:140].mean() + 1.0, abs=0.05)
    assert event("drift").change == pytest.approx(2.0, abs=0.3)
    assert event("frozen").value == base[70]
    assert event("dropout to zero").value == 0.0


def test_small_step_inside_the_normal_levels_is_compared_with_normal_shifts(samples, normals):
    values = samples.sensor(7001).values[:, 1].copy()
    values[60:140] += 0.3 if values.mean() < 3 else -0.3
    normal = normals.of("sensor").channel("current", "A")
    (found,) = events(traces(values, samples.TIMES), normal)
    assert (found.kind, found.against) == ("level shift", "shift")
    assert abs(found.change) == pytest.approx(0.3, abs=0.05)
    assert found.normal[1] < 0.2
    assert (found.start, found.stop) == (pytest.approx(1.2, abs=0.1), pytest.approx(2.8, abs=0.1))


def test_another_regime_is_one_level_over_the_whole_case(samples, normals):
    values = samples.sensor(8000, "B").values[:, 1]
    (found,) = events(traces(values, samples.TIMES), normals.of("sensor").channel("current", "A"))
    assert (found.kind, found.start) == ("level shift", 0.0)
    assert found.stop == pytest.approx(4.0)
    assert found.change == 0.0
    assert not events(traces(values, samples.TIMES), normals.of("sensor").channel("current", "B"))


def test_normal_channels_are_seldom_named(samples, normals):
    named = 0
    for seed in range(100):
        table = samples.sensor(9000 + seed)
        for i, channel in enumerate(table.channels):
            found = events(traces(table.values[:, i], table.times), normals.of("sensor").channel(channel, "A"))
            named += any(e.excess > 0.5 for e in found)
    assert named <= 15  # of 300 channels


def test_channel_without_a_reading_is_a_dropout(samples, normals):
    trace = traces(np.full(200, np.nan), samples.TIMES)
    (found,) = events(trace, normals.of("sensor").channel("current", "A"))
    assert found.kind == "dropout"
    assert np.isnan(trace.measures()[: len(MEASURES) - 1]).all()


@pytest.mark.parametrize("length", [1, 2, 3, 9])
def test_short_tables_are_measured(normals, length):
    values = np.linspace(2.9, 3.1, length)
    trace = traces(values, np.arange(length) / 50)
    assert np.isfinite(trace.measures()).all()
    events(trace, normals.of("sensor").channel("current", "A"))


def test_irregular_times_and_scattered_gaps(samples, normals):
    rng = np.random.default_rng(3)
    values = samples.sensor(5001).values[:, 1].copy()
    values[rng.choice(200, 6, replace=False)] = np.nan
    times = np.sort(rng.uniform(0, 4, 200))
    found = events(traces(values, times), normals.of("sensor").channel("current", "A"))
    assert not [e for e in found if e.kind == "dropout"]
