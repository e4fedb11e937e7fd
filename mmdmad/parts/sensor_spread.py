"""Rows that share a whole second, minute, hour or day, since clocks were cut to it: spread evenly within it."""

from datetime import datetime, timedelta

import numpy as np

GRAINS = {86400.0: "day", 3600.0: "hour", 60.0: "minute", 1.0: "second"}
"""What clocks are cut to, in seconds."""
A_DAY = (24, 48, 96, 144, 288, 1440)
"""Rows of a day that are so many may be taken to be evenly apart."""


def spread(times: np.ndarray, start: datetime | None) -> tuple[np.ndarray, datetime | None, str]:
    """Times (T,) to the second, minute, hour or day that several rows share, spread evenly within it; and a note.

    A first second that holds fewer rows than the others is filled from its end, the last one from its beginning. Times
    that are not whole seconds (of `start` too), or fall, come back as they are with the note "". ValueError where rows
    share minutes, hours or days, and not all of these have as many, where between two of these others are left out, and
    where a day has no number of rows that periods of a day have: then nothing says how the rows lie in them.

    >>> spread(np.array([0.0, 0.0, 1.0, 1.0, 2.0]), None)[0].tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    >>> spread(np.array([0.0, 0.0, 60.0, 60.0, 120.0]), None)[0].tolist()
    [0.0, 30.0, 60.0, 90.0, 120.0]
    """
    whole = (times == np.floor(times)).all() and (start is None or start.microsecond == 0)
    if not whole or len(times) < 3 or (np.diff(times) < 0).any() or times[0] == times[-1]:
        return times, start, ""
    since = 0 if start is None else 3600 * start.hour + 60 * start.minute + start.second
    grain = next(size for size in GRAINS if not ((times + since) % size).any())
    grain = max(GRAINS) if start is not None and start.tzinfo is not None and not (times % max(GRAINS)).any() else grain
    seconds, place, counts = np.unique(times, return_inverse=True, return_counts=True)
    _check_doubled(seconds, counts, start)
    uneven = len(counts) < 3 or (counts[1:-1] != counts[1]).any() or counts[[0, -1]].max() > counts[1]
    uneven = uneven or np.diff(seconds).min() > grain or (grain == max(GRAINS) and counts[1] not in A_DAY)
    if grain > 1 and uneven:
        apart = np.diff(seconds).min()
        each = f"{GRAINS[grain]}, each" if apart == grain else f"{GRAINS[grain]}, {apart / grain:g} of them apart, each"
        raise ValueError(
            f"its times are cut to the {each} with {counts.min()} to {counts.max()} "
            "rows: nothing says when each of them was; write the times with seconds (a spreadsheet saves only what the "
            "format of the cells shows: 2026-11-28 06:00:01), or leave the column out and give a rate (sensor_rate)"
        )
    ordinal = np.arange(len(times)) - np.repeat(np.cumsum(counts) - counts, counts)
    share = counts.astype(float)
    usual = float(np.median(counts[1:-1])) if len(counts) > 2 else float(counts.max())
    share[[0, -1]] = np.maximum(share[[0, -1]], usual)
    late = np.zeros(len(counts))
    late[0] = share[0] - counts[0]
    spread_out = seconds[place] + grain * (ordinal + late[place]) / share[place]
    begin = float(spread_out[0])
    shared = {86400.0: "a day", 3600.0: "an hour", 60.0: "a minute", 1.0: "a second"}[grain]
    note = f"several rows share {shared}: they are spread evenly within it, in the order of the table"
    return spread_out - begin, None if start is None else start + timedelta(seconds=begin), note


def _check_doubled(seconds: np.ndarray, counts: np.ndarray, start: datetime | None) -> None:
    """ValueError where few of even times stand in two rows each: an hour of changed clocks, or a row written twice."""
    doubled = np.flatnonzero(counts > 1)
    if len(seconds) < 8 or not len(doubled) or counts.max() > 2 or 10 * len(doubled) > len(seconds):
        return
    steps = np.diff(seconds)
    step = float(np.median(steps))
    if step < 60 or (steps == step).mean() < 0.9:
        return
    first = int(doubled[0] + 1)
    at = f"{(start + timedelta(seconds=float(seconds[doubled[0]]))):%Y-%m-%d %H:%M}" if start else "one time"
    rows = f"rows {first} and {first + 1} both have the time {at}"
    hours = [] if start is None else [start + timedelta(seconds=float(seconds[i])) for i in doubled]
    nights = {hour.date() for hour in hours}
    whole = len(doubled) == len(nights) * max(1, round(3600 / step)) and step <= 3600
    if hours and start is not None and start.tzinfo is None and whole and all(hour.hour <= 3 for hour in hours):
        raise ValueError(
            f"{rows}: an hour stands there twice, as where clocks go back when summer time ends; write UTC or add the "
            "offset to every time"
        )
    several = f", and so do {len(doubled) - 1} more pairs" if len(doubled) > 1 else ""
    raise ValueError(
        f"{rows} with different readings{several}, all others of {step:g} s have one row each: keep one of the two, "
        "write each row at its own time, or leave the column out and give a rate (sensor_rate)"
    )
