"""Do alarm budgets hold? False events a day at the level chosen from simulated calibration windows, in their order."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.result import Meter, Row
from mmdmad.calibration.binomial import clopper_pearson
from mmdmad.calibration.budget import DAY, Track, alarms_of, choose
from mmdmad.calibration.conformal import conformal_p_values
from mmdmad.errors import ConfigError, DataError
from mmdmad.events import AlarmRule
from mmdmad.metrics.intervals import bootstrap_mean

DRAWS = 100
SECONDS = 60.0
LATER = 60
RATE = 0.05
NAME = "budget"
PROTOCOL = (
    f"simulated: {DRAWS} calibrations for each seed; windows of {SECONDS:g} s in recordings of a day, normal scores "
    "N(0, 1) without or with memory (a first-order autoregression by that coefficient), or with a level of their own "
    f"for each recording; declared {100 * RATE:g} %; the level is chosen for the budget with 95 % confidence, then "
    f"{LATER} new days of normal windows are judged: alarms_a_day, above: share of calibrations after which these days "
    "have more than the budget, level: median of the level chosen, refused: share of calibrations that are too short"
)


@dataclass(frozen=True)
class Scenario:
    """Calibrations of one kind: days, budget a day, memory from window to window, spread of recordings, the rule."""

    name: str
    days: int = 10
    most: float = 2.0
    memory: float = 0.0
    spread: float = 0.0
    rule: AlarmRule = field(default_factory=AlarmRule)


SCENARIOS = (
    Scenario("windows exchangeable, 2 a day"),
    Scenario("windows exchangeable, 5 a day", most=5.0),
    Scenario("windows exchangeable, 30 days", days=30),
    Scenario("memory 0.8, 2 a day", memory=0.8),
    Scenario("memory 0.95, 2 a day", memory=0.95),
    Scenario("memory 0.8, hold=3 rearm=600", memory=0.8, rule=AlarmRule(hold=3, rearm=600.0)),
    Scenario("memory 0.8, fewest=2", memory=0.8, rule=AlarmRule(fewest=2)),
    Scenario("recordings apart by 0.3, memory 0.8", memory=0.8, spread=0.3),
    Scenario("recordings apart by 0.3, memory 0.8, 30 days", days=30, memory=0.8, spread=0.3),
)


@suite(
    NAME,
    "Do alarm budgets hold: false alarms a day at the level chosen from simulated calibration windows?",
    PROTOCOL,
    (NAME,),
)
def run(context: Context) -> Iterator[Row]:
    """A row for each scenario and seed."""
    if set(context.detectors) != {NAME}:
        raise ConfigError(f"detectors {', '.join(context.detectors)} were given; this suite runs {NAME}")
    for seed in range(context.seeds):
        for scenario in SCENARIOS:
            yield row(scenario, seed)


def scores_of(scenario: Scenario, days: int, rng: np.random.Generator) -> np.ndarray:
    """Scores (days, windows of a day) of normal recordings."""
    windows = int(DAY / SECONDS)
    fresh = rng.normal(size=(days, windows))
    for at in range(1, windows):
        fresh[:, at] = scenario.memory * fresh[:, at - 1] + np.sqrt(1 - scenario.memory**2) * fresh[:, at]
    return fresh + scenario.spread * rng.normal(size=(days, 1))


def track_of(p_values: np.ndarray) -> Track:
    """Days of windows (days, windows) as they lie side by side, each day a recording."""
    days, windows = p_values.shape
    lines = np.repeat(np.arange(days), windows)
    begins = np.tile(np.arange(windows, dtype=float), days)
    return Track(lines, lines, begins, begins + 1, p_values.ravel(), SECONDS)


def row(scenario: Scenario, seed: int, draws: int = DRAWS) -> Row:
    """What levels chosen from many calibrations cost on new days."""
    rng, meter = np.random.default_rng([seed, SCENARIOS.index(scenario)]), Meter()
    a_day, levels, refused = [], [], 0
    for _ in range(draws):
        calibration = scores_of(scenario, scenario.days, rng)
        later = scores_of(scenario, LATER, rng)
        ranks = np.argsort(np.argsort(-calibration, axis=None)).reshape(calibration.shape) + 1
        made = track_of(ranks / (calibration.size + 1))
        try:
            found = choose(made, scenario.rule, RATE, scenario.most)
        except DataError:
            refused += 1
            continue
        p_values = conformal_p_values(later.ravel(), calibration.ravel(), rng.random(later.size))
        alarms = [p for p, _ in alarms_of(track_of(p_values.reshape(later.shape)), scenario.rule, RATE)]
        a_day.append(sum(p <= found.level for p in alarms) / LATER)
        levels.append(found.level)
    metrics, intervals = {"refused": refused / draws}, {}
    if a_day:
        above = int(np.sum(np.array(a_day) > scenario.most))
        metrics |= {
            "alarms_a_day": float(np.mean(a_day)), "above": above / len(a_day), "level": float(np.median(levels)),
        }  # fmt: skip
        intervals = {"alarms_a_day": bootstrap_mean(np.array(a_day)), "above": clopper_pearson(above, len(a_day))}
    return meter.row(scenario.name, NAME, seed, metrics, intervals=intervals)
