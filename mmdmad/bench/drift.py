"""When does the drift test speak, and how often wrongly? Streams of simulated scores."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmdmad.bench.base import Context, suite
from mmdmad.bench.result import Meter, Row
from mmdmad.calibration.binomial import clopper_pearson
from mmdmad.calibration.conformal import conformal_p_values
from mmdmad.calibration.drift import FLAGGED, SPEAKS, TOLERANCES, DriftTest
from mmdmad.calibration.online import OnlineRanks
from mmdmad.errors import ConfigError

STREAMS = 400
CASES = 400
LATER = 3000
TESTS = {f"tolerance-{round(100 * tolerance)}": tolerance for tolerance in TOLERANCES}
PROTOCOL = (
    f"simulated: {STREAMS} streams for each seed; normal scores are N(0, 1), odd ones N(size, 1) at random places, "
    "calibration scores normal, n of them (150); ties: scores rounded to halves; copies: all cases from 40 different "
    f"ones; spoke: share of streams in which the test speaks within {CASES} cases after the change (without a change: "
    "falsely), within_100: within 100, early: before the change, these are left out of the others; median: cases until "
    f"it speaks ({CASES + 1} where it does not); onset_error: median distance of the estimated from the true change"
)
NOTE = "the weights of the bets and the rule for runs were chosen on such streams, with other random numbers"


@dataclass(frozen=True)
class Scenario:
    """Streams of one kind: calibration size, shift of normal scores after `good` cases, odd cases and events.

    `odd` is the share of odd cases, from `good` on `later` where that is given.
    """

    name: str
    n: int = 150
    shift: float = 0.0
    good: int = 0
    odd: float = 0.05
    size: float = 4.0
    events: tuple[tuple[int, int], ...] = ()
    equal: str = ""
    later: float | None = None


@dataclass(frozen=True, eq=False)
class Streams:
    """R streams of T cases: calibration scores (R, n) and scores (R, T)."""

    calibration: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True, eq=False)
class Heard:
    """When the test first spoke in each stream (R,), cases counted from 1, 0 = never, and when it says it began."""

    at: np.ndarray
    began: np.ndarray


SCENARIOS = (
    Scenario("one deviation at the start", shift=1.0),
    Scenario("one deviation after 3000", shift=1.0, good=LATER),
    Scenario("half a deviation at the start", shift=0.5),
    Scenario("half a deviation at the start, n = 300", shift=0.5, n=300),
    Scenario("half a deviation after 3000", shift=0.5, good=LATER),
    Scenario("two deviations at the start", shift=2.0),
    Scenario("one deviation at the start, n = 50", shift=1.0, n=50),
    Scenario("one deviation down at the start", shift=-1.0),
    Scenario("40 % odd after 1000", good=1000, later=0.4),
    Scenario("nothing odd", odd=0.0),
    Scenario("5 % odd"),
    Scenario("10 % odd", odd=0.1),
    Scenario("10 % odd, n = 50", odd=0.1, n=50),
    Scenario("10 % odd by 2 deviations", odd=0.1, size=2.0),
    Scenario("20 % odd", odd=0.2),
    Scenario("20 % odd by 2 deviations", odd=0.2, size=2.0),
    Scenario("10 % odd, ties", odd=0.1, equal="ties"),
    Scenario("10 % odd, copies", odd=0.1, equal="copies"),
    Scenario("an event of 20", events=((100, 20),)),
    Scenario("an event of 20 at the start", events=((0, 20),)),
    Scenario("an event of 20 by 2 deviations", events=((100, 20),), size=2.0),
    Scenario("an event of 40", events=((100, 40),)),
    Scenario("three events of 20", events=((60, 20), (180, 20), (300, 20))),
)


@suite("drift", "when the drift test speaks, and how often wrongly (simulated)", PROTOCOL, tuple(TESTS), NOTE)
def run(context: Context) -> Iterator[Row]:
    """Each kind of stream with each test and seed."""
    unknown = set(context.detectors) - set(TESTS)
    if unknown:
        raise ConfigError(f"{', '.join(sorted(unknown))} was given to drift; its tests are {', '.join(TESTS)}")
    for scenario in context.track(SCENARIOS, "streams"):
        for seed in range(context.seeds):
            made = simulate(scenario, STREAMS, seed)
            for name in context.detectors:
                meter = Meter()
                with meter.score():
                    heard = listen(made, TESTS[name], seed)
                yield _row(scenario, name, seed, heard, meter)


def simulate(scenario: Scenario, streams: int, seed: int) -> Streams:
    """Streams of the scenario, `good` + CASES cases each.

    >>> made = simulate(Scenario("shifted", n=50, shift=1.0), 3, seed=0)
    >>> made.calibration.shape, made.scores.shape
    ((3, 50), (3, 400))
    """
    rng = np.random.default_rng(seed)
    cases = scenario.good + CASES
    calibration, scores = rng.normal(size=(streams, scenario.n)), rng.normal(size=(streams, cases))
    if scenario.equal == "copies":
        different = rng.normal(size=(streams, 40))
        calibration, scores = (
            np.take_along_axis(different, rng.integers(0, 40, (streams, width)), axis=1)
            for width in (scenario.n, cases)
        )
    scores[:, scenario.good :] += scenario.shift
    share = np.full(cases, scenario.odd)
    if scenario.later is not None:
        share[scenario.good :] = scenario.later
    odd = rng.random((streams, cases)) < share
    for begin, length in scenario.events:
        odd[:, begin : begin + length] = True
    scores = np.where(odd, scores + scenario.size, scores)
    if scenario.equal == "ties":
        calibration, scores = np.round(2 * calibration) / 2, np.round(2 * scores) / 2
    return Streams(calibration, scores)


def listen(made: Streams, tolerance: float, seed: int) -> Heard:
    """Run the test over all streams at once and note when it first speaks in each."""
    rng = np.random.default_rng(1_000_003 + seed)
    streams, cases = made.scores.shape
    ranks = [OnlineRanks(row) for row in made.calibration]
    fixed = np.stack(
        [conformal_p_values(s, c, rng.random(cases)) for s, c in zip(made.scores, made.calibration)]
    )  # fmt: skip
    flagged, uniforms = fixed <= FLAGGED, rng.random((streams, cases))
    test = DriftTest(tolerance, (streams,))
    at, began = np.zeros(streams, np.int64), np.zeros(streams, np.int64)
    for case in range(cases):
        p = np.array([one.enter(s, u) for one, s, u in zip(ranks, made.scores[:, case], uniforms[:, case])])
        test.update(p, flagged[:, case])
        new = (at == 0) & (test.level >= SPEAKS)
        began = np.where(new, test.began, began)
        at = np.where(new, case + 1, at)
    return Heard(at, began)


def _row(scenario: Scenario, name: str, seed: int, heard: Heard, meter: Meter) -> Row:
    early = (heard.at > 0) & (heard.at <= scenario.good)
    at = heard.at[~early]
    after = np.where(at > 0, at - scenario.good, CASES + 1)
    metrics = {
        "spoke": float((after <= CASES).mean()),
        "within_100": float((after <= 100).mean()),
        "median": float(np.median(after)),
        "early": float(early.mean()),
    }
    if (scenario.shift or scenario.later) and (at > 0).any():
        metrics["onset_error"] = float(np.median(np.abs(heard.began[~early][at > 0] - scenario.good)))
    intervals = {
        share: clopper_pearson(int((after <= limit).sum()), len(after))
        for share, limit in (("spoke", CASES), ("within_100", 100))
    }
    return meter.row(scenario.name, name, seed, metrics, intervals=intervals)
