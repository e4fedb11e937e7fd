"""What the windows of sensor tables learned, and whether a stored state can be one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mmdmad.saved import check_arrays, require

BLOCKS, SEGMENTS = 64, 8
"""Most block means and segments of a window."""
MOST_ROWS = 10_000_000  # of a window; far more than any table that can be read has


@dataclass(frozen=True, eq=False)
class SensorState:
    """What `Windows.fit` learned: the channels, the rate, the window and the scales of every feature."""

    channels: tuple[str, ...]
    units: tuple[str, ...]
    interval: float
    period: int
    length: int
    blocks: int
    segments: int
    center: np.ndarray  # (C,)
    scale: np.ndarray  # (C,)
    quiet: np.ndarray  # (C,) floor of the activity
    local: np.ndarray  # (2, 2, C) mean and deviation of log activity and of peaks
    relation_mean: np.ndarray  # (2C,)
    relation_precision: np.ndarray  # (2C, 2C)
    relation_scale: np.ndarray  # (2C,)
    joint_mean: np.ndarray  # (m * C,)
    joint_directions: np.ndarray  # (m * C, k)
    joint_scale: np.ndarray  # (2,) of scores and of residuals
    counts: tuple[str, ...] = ()  # columns that count or time recordings: no channels, in whatever table they stand

    @property
    def width(self) -> int:
        """Features of a token."""
        return self.blocks + 4 * self.segments


def joint_blocks(blocks: int, channels: int) -> int:
    """Block means a channel in the token of all channels: 16, fewer for many channels.

    >>> joint_blocks(64, 8), joint_blocks(64, 55), joint_blocks(10, 3)
    (16, 16, 10)
    """
    return max(2, min(16, blocks, 1024 // channels))


def checked(state: SensorState, arrays: Mapping[str, np.ndarray]) -> SensorState:
    """The state, if `_learn` can have written it; ModelError otherwise."""
    channels = len(state.channels)
    words = (*state.channels, *state.units)
    require(all(isinstance(word, str) for word in words), "channels and units are words")
    require(all(isinstance(word, str) for word in state.counts), "the columns that count are words")
    require(not set(state.counts) & set(state.channels), "a column counts and is a channel")
    require(channels == len(state.units) == len(set(state.channels)) > 0, "channels and units do not go together")
    numbers = (state.period, state.length, state.blocks, state.segments)
    require(all(type(number) is int for number in numbers), f"{numbers} are not whole numbers")
    require(isinstance(state.interval, float) and state.interval > 0, "the interval of rows is not above 0")
    require(4 <= state.length <= MOST_ROWS and 1 <= state.segments <= SEGMENTS, "length or segments are out of range")
    require(1 <= state.blocks <= BLOCKS and state.length % state.blocks == 0, "blocks do not divide the length")
    check_arrays(
        arrays,
        {
            **dict.fromkeys(("center", "scale", "quiet"), "f C"),
            "local": "f 2 2 C",
            **{"relation_mean": "f V", "relation_precision": "f V V", "relation_scale": "f V"},
            **{"joint_mean": "f J", "joint_directions": "f J k", "joint_scale": "f 2"},
        },
        C=channels,
        V=2 * channels,
        J=joint_blocks(state.blocks, channels) * channels,
    )
    above = (state.scale, state.quiet, state.local[:, 1], state.relation_scale, state.joint_scale)
    require(all((scale > 0).all() for scale in above), "a scale is not above 0")
    require((np.diag(state.relation_precision) > 0).all(), "the precision of relations is not positive")
    return state
