"""A stream of judged cases in the order of time: each is ranked among all before it, and drift tests listen.

Scores of different patterns of present parts are on different scales, so each pattern has ranks of its own; the tests
hear all of them in one stream. For one pattern the online p-values are independent and uniform while nothing changes;
patterns share calibration cases, so for several that is measured, not proved (2 of 150 streams of 400 cases in four
patterns spoke wrongly).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict

from mmdmad.calibration.conformal import case_uniform
from mmdmad.calibration.drift import FLAGGED, SPEAKS, TOLERANCES, DriftTest
from mmdmad.calibration.online import OnlineRanks
from mmdmad.saved import require, validated


class _State(BaseModel):
    """What `Stream.state` gives."""

    model_config = ConfigDict(extra="forbid")

    tests: list[dict[str, Any]]


@dataclass(frozen=True)
class Heard:
    """The next case as the tests heard it: its online p-value, and the level of the test at each of TOLERANCES."""

    online: float
    levels: tuple[float, ...]


class Stream:
    """Ranks for each pattern, from its calibration scores (n,), and a drift test at each of TOLERANCES.

    >>> stream = Stream({"text": [0.1, 0.2, 0.3]})
    >>> heard = stream.enter("text", 0.25, key="a", fixed=0.5)
    >>> 0.25 <= heard.online < 0.5, stream.cases, stream.enter("image", 1.0, key="b", fixed=0.5)
    (True, 1, None)
    """

    def __init__(self, calibration: Mapping[str, ArrayLike]) -> None:
        self._ranks = {pattern: OnlineRanks(scores) for pattern, scores in calibration.items()}
        self._floors = {pattern: 1 / (len(ranks) + 1) for pattern, ranks in self._ranks.items()}
        self._seen: Counter[str] = Counter()
        self._tests = tuple(DriftTest(tolerance) for tolerance in TOLERANCES)

    @property
    def cases(self) -> int:
        """How many cases the tests have heard."""
        return self._tests[0].cases

    @property
    def spoken(self) -> float | None:
        """The largest tolerance at which a test speaks now; None where none does."""
        return max((test.tolerance for test in self._tests if test.level >= SPEAKS), default=None)

    @property
    def rising(self) -> bool:
        """Whether the first test hears that scores rise rather than fall."""
        return bool(self._tests[0].rising)

    @property
    def began(self) -> int:
        """The number of the case at which what the first test hears began, by its estimate."""
        return int(self._tests[0].began)

    def enter(self, pattern: str, score: float, key: str, fixed: float) -> Heard | None:
        """Enter the next case; None, and nothing is changed, where there is nothing to rank it among.

        `key` is that of its content: ties are shared out by it and by how often it has come, so that a stream is the
        same whenever it is run, and copies do not all take one place. `fixed` is its p-value against the calibration.
        """
        online = self._rank(pattern, score, key)
        if online is None:
            return None
        flagged = fixed <= max(FLAGGED, self._floors[pattern])
        for test in self._tests:
            test.update(online, flagged)
        return Heard(online, tuple(float(test.level) for test in self._tests))

    def replay(self, pattern: str, score: float, key: str) -> None:
        """Let a case that was entered before be ranked among again; the tests come back by `restore`."""
        self._rank(pattern, score, key)

    def _rank(self, pattern: str, score: float, key: str) -> float | None:
        ranks = self._ranks.get(pattern)
        if ranks is None:
            return None
        uniform = case_uniform(key, "stream", self._seen[key])
        self._seen[key] += 1
        return ranks.enter(score, uniform)

    def state(self) -> dict[str, Any]:
        """What the tests know, as JSON values; the ranks are made again from the cases."""
        return {"tests": [test.state() for test in self._tests]}

    def restore(self, state: Any) -> None:
        """Go on from what `state` gave; ModelError where no stream can have given it."""
        tests = tuple(DriftTest.from_state(one) for one in validated(_State, state).tests)
        found = tuple(test.tolerance for test in tests)
        require(found == TOLERANCES, f"there are tests at {found}, not at {TOLERANCES}")
        require(len({test.cases for test in tests}) == 1, "the tests have heard different numbers of cases")
        self._tests = tests
