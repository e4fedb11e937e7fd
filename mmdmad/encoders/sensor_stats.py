"""What a sensor table is made of: sampling interval, scale, gaps and the dominant period. Functions over arrays."""

import numpy as np

from mmdmad.errors import PartError

MAX_ROWS = 2_000_000


def sampling_interval(times: np.ndarray) -> float:
    """Median step of row times (T,) in seconds; 1.0 for a single row.

    >>> sampling_interval(np.array([0.0, 0.02, 0.04, 0.5]))
    0.02
    """
    return float(np.median(np.diff(times))) if len(times) > 1 else 1.0


def regular(values: np.ndarray, times: np.ndarray, interval: float) -> tuple[np.ndarray, np.ndarray]:
    """A table brought to one row every `interval` seconds: values (N, C) with no NaN and missing (N, C) as booleans.

    Rows in one step are averaged; a step without a row is filled between its neighbours and called missing, unless
    its neighbours lie within 1.5 steps (a jittering clock is no gap). Values that were NaN or infinite are missing. A
    channel without any value comes back as NaN, for the caller to replace.

    >>> filled, missing = regular(np.array([[0.0], [1.0], [4.0]]), np.array([0.0, 1.0, 4.0]), 1.0)
    >>> filled.ravel().tolist(), missing.ravel().tolist()
    ([0.0, 1.0, 2.0, 3.0, 4.0], [False, False, True, True, False])
    """
    values = np.where(np.isfinite(values), values, np.nan)
    steps = np.diff(times) / interval
    if (np.abs(steps - 1) > 0.05).any():
        return _resample(values, times - times[0], interval, round(grid_rows(times, interval)))
    missing = np.isnan(values)
    grid = np.arange(len(values), dtype=float)
    return _fill(grid, grid, values), missing


def grid_rows(times: np.ndarray, interval: float) -> float:
    """Rows that times (T,) span at one row every `interval` seconds; PartError above MAX_ROWS."""
    rows = float((times[-1] - times[0]) / interval + 1)
    if rows > MAX_ROWS:
        raise PartError(
            f"the table spans {times[-1] - times[0]:g} s, which is {rows:.3g} rows at the training interval of "
            f"{interval:g} s; allowed are {MAX_ROWS}",
            part="sensor",
        )
    return rows


def _resample(values: np.ndarray, times: np.ndarray, interval: float, rows: int) -> tuple[np.ndarray, np.ndarray]:
    bins = np.minimum(np.round(times / interval).astype(np.int64), rows - 1)
    out, missing = np.empty((rows, values.shape[1])), np.empty((rows, values.shape[1]), bool)
    grid = np.arange(rows) * interval
    for channel in range(values.shape[1]):
        there = np.isfinite(values[:, channel])
        count = np.bincount(bins[there], minlength=rows)
        total = np.bincount(bins[there], weights=values[there, channel], minlength=rows)
        at = np.flatnonzero(count)
        column = np.full(rows, np.nan)
        column[at] = total[at] / count[at]
        out[:, channel] = _fill(grid, grid, column[:, None])[:, 0]
        missing[:, channel] = _distance(grid, times[there]) > 1.5 * interval / 2  # a row of the step is nearer
    return out, missing


def _distance(grid: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Distance of each grid time to the nearest of the sorted times."""
    if not len(times):
        return np.full(len(grid), np.inf)
    after = np.searchsorted(times, grid)
    later, earlier = times[np.minimum(after, len(times) - 1)], times[np.maximum(after - 1, 0)]
    return np.minimum(np.abs(grid - later), np.abs(grid - earlier))


def _fill(grid: np.ndarray, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """NaNs filled between their neighbours in time, held at the ends; columns without a value stay NaN."""
    if not np.isnan(values).any():
        return values
    out = values.copy()
    for channel in range(values.shape[1]):
        there = np.isfinite(values[:, channel])
        if there.any() and not there.all():
            out[:, channel] = np.interp(grid, at[there], values[there, channel])
    return out


def autocorrelation(values: np.ndarray, lags: int) -> np.ndarray:
    """Mean autocorrelation of the channels of (T, C) at lags 0 to `lags` - 1; channels that never move are left out.

    Biased estimate (divided by T), by FFT, so that long lags with few pairs do not win.
    """
    moving = values[:, values.std(axis=0) > 1e-9 * np.abs(values).max(axis=0)]
    if not moving.shape[1]:
        return np.zeros(lags)
    moving = (moving - moving.mean(axis=0)) / moving.std(axis=0)
    length = 1 << (2 * len(moving) - 1).bit_length()
    power = np.abs(np.fft.rfft(moving, length, axis=0)) ** 2
    return np.fft.irfft(power.mean(axis=1), length)[:lags] / len(moving)


def dominant_period(tables: list[np.ndarray], longest: int = 300) -> int | None:
    """Rows of the dominant period of tables (T, C), the highest peak of their mean autocorrelation; None without one.

    The idea is TSB-AD's window-length ranking (Liu and Paparrizos, 2024): peaks between lag 3 and `longest`. A peak
    counts if it stands 0.1 above the lowest value before it.

    >>> wave = np.sin(2 * np.pi * np.arange(500) / 25)[:, None]
    >>> dominant_period([wave])
    25
    """
    lags = min([longest + 2, *(len(table) // 2 for table in tables)])
    if lags < 6:
        return None
    mean = np.mean([autocorrelation(table, lags) for table in tables], axis=0)
    inner = np.arange(3, lags - 1)
    peaks = inner[(mean[inner] > mean[inner - 1]) & (mean[inner] >= mean[inner + 1])]
    peaks = np.array([lag for lag in peaks if mean[lag] - mean[:lag].min() > 0.1], dtype=int)
    return int(peaks[np.argmax(mean[peaks])]) if len(peaks) else None
