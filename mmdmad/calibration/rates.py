"""Which false-alarm rate to declare where nobody says one."""

from collections.abc import Iterable

from mmdmad.calibration.conformal import attained_level, is_attainable

USUAL_RATES = (0.01, 0.02, 0.05, 0.1)
FEWEST = 2
"""Calibration scores that a threshold rests on: of one alone, the highest of all, the rate would be one odd case's."""


def supported_rate(size: int, recordings: int | None = None) -> float:
    """The smallest of 1, 2, 5 and 10 % whose threshold rests on two of `size` calibration scores.

    Of `recordings` there must be enough to promise it for new ones, as far as any of the four can be. 10 % where there
    are too few for all.

    >>> [supported_rate(size) for size in (1000, 199, 198, 99, 39, 38, 19, 5)]
    [0.01, 0.01, 0.02, 0.02, 0.05, 0.1, 0.1, 0.1]
    >>> [supported_rate(1000, recordings) for recordings in (200, 60, 20, 3)]
    [0.01, 0.02, 0.05, 0.01]
    """
    strong = [rate for rate in USUAL_RATES if round(attained_level(size, rate) * (size + 1)) >= FEWEST]
    promised = [rate for rate in strong if recordings is None or is_attainable(recordings, rate)]
    return (promised or strong or USUAL_RATES[-1:])[0]


def of_usual_group(groups: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Calibration cases and units of the group that the median case is of: half of all cases are of one as large.

    >>> of_usual_group([(10, 10), (60, 60), (90, 90)]), of_usual_group([])
    ((90, 90), (0, 0))
    """
    ordered = sorted(groups)
    half, passed = sum(size for size, _ in ordered) / 2, 0
    for size, units in ordered:
        passed += size
        if passed >= half:
            return size, units
    return 0, 0


def of_usual_pattern(sizes: Iterable[tuple[int, int, int, int]]) -> tuple[int, int]:
    """Calibration cases and units of the most usual pattern, of (cases of just these parts, parts, cases, units).

    >>> of_usual_pattern([(10, 2, 40, 9), (30, 4, 30, 6), (0, 1, 40, 9)]), of_usual_pattern([])
    ((30, 6), (0, 0))
    """
    _, _, size, units = max(sizes, default=(0, 0, 0, 0))
    return size, units
