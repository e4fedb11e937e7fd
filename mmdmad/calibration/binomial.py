"""What a count of hits among trials says of their rate."""

from mmdmad.errors import DataError


def clopper_pearson(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval of a rate (Clopper and Pearson, Biometrika 1934).

    >>> tuple(round(v, 4) for v in clopper_pearson(1, 100))
    (0.0003, 0.0545)
    """
    from scipy import stats

    if not 0 <= hits <= trials or trials < 1:
        raise DataError(f"{hits} of {trials} was given; allowed is 0 <= hits <= trials and trials >= 1")
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(1 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high
