"""Windows of sensor tables: one token per window and channel, and one per window for all channels together.

Windows are raw, never normalised one by one, so that a level that is wrong stays wrong; channels are standardised with
the mean and deviation of the training tables. A channel's token (position = channel number) is

    n block means, the window averaged to at most 64 values               level shift, drift, dropout to zero, shape
    q activities, log of the root mean square of row differences          frozen channel, noise burst
    q peaks, largest distance of a row from its segment's mean, to which  spike, gap
      GAP times the square of the share of missing rows is added
    q relation residuals of levels and q of activities given the others   broken relation between channels

with q at most 8 segments a window. The token of all channels (position = number of channels, channel "*") holds the
principal scores of the channels' block means together and q residuals outside them; it is left out for one channel.
Every feature has about unit variance on training windows. Missing rows have no feature of their own: where they are
rare it would hardly vary in training, and one lost row would outweigh every fault.
"""

import logging
from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np

from mmdmad.encoders.base import Encoder, encoder
from mmdmad.encoders.sensor_state import BLOCKS, SEGMENTS, SensorState, checked, joint_blocks
from mmdmad.encoders.sensor_stats import autocorrelation, dominant_period, regular
from mmdmad.encoders.sensor_usual import (
    counts_of,
    other_channels,
    other_unit,
    states_of,
    usual,
    with_states,
    without,
)
from mmdmad.encoders.sensor_windows import (
    activity,
    peaks,
    principal_directions,
    relation_residuals,
    segment_edges,
    segment_means,
    window_starts,
)
from mmdmad.errors import ConfigError, DataError, NotFittedError, PartError
from mmdmad.parts.sensor_wild import said, usual_range, wild
from mmdmad.tokens import Layout, Tokens, varies

log = logging.getLogger(__name__)
FAR = 100.0
"""Standardised values are held within so many training deviations."""
RARE = 10
"""One training table in so many, at most, may hold a reading far outside all others and be left out for it."""
GAP = 20.0
"""Training deviations that a segment without a single row counts for; half a segment counts for a quarter."""


@encoder("windows", "sensor", version="3")
class Windows(Encoder):
    """Windows of `periods` times the dominant period of the training tables, every `stride` rows.

    `length` (rows) overrides the period. `stride` None means a sixteenth of the window. A table gives at most
    `max_tokens` tokens: the stride grows for long tables, up to a window; longer ones are refused. The window is at
    most half a typical training table, so that a finding can say when.

    The layout is `steps` of shape (windows, groups); `where` holds start and stop in seconds.
    """

    def __init__(
        self, periods: float = 4.0, length: int | None = None, stride: int | None = None, max_tokens: int = 16384
    ) -> None:
        if not periods > 0:
            raise ConfigError(f"periods={periods} was given; allowed is a number above 0")
        for name, value, least in (("length", length, 4), ("stride", stride, 1), ("max_tokens", max_tokens, 256)):
            if value is not None and value < least:
                raise ConfigError(f"{name}={value} was given; allowed is {least} or more")
        self.periods, self.length, self.stride, self.max_tokens = periods, length, stride, max_tokens

    def fit(self, signals: Sequence[Any]) -> "Windows":
        """Learn channels, rate, window and scales from normal tables; DataError if one is odd beside the others."""
        if not signals:
            raise DataError("no sensor tables were given; at least one is needed")
        common = usual(signals)
        for number, reason in common.odd.items():
            raise DataError(f"training table {number}: {reason}; leave it out (`odd` lists all such tables)")
        counts = counts_of(signals)
        signals = [without(signal, counts) for signal in signals]
        signals = [with_states(signal, states_of(signals)) for signal in signals]
        channels, units, interval = common.channels, common.units, common.interval
        read = [_columns(signal, channels) for signal in signals]
        range_ = usual_range(np.concatenate(read))
        far = [wild(values, *range_) for values in read]
        self._usual = range_ if RARE * sum(mask.any() for mask in far) <= len(far) else None
        for number, (mask, values) in enumerate(zip(far, read)):
            for line in said(mask, values, channels):
                log.warning("training table %d: %s; it is not learned from", number + 1, line)
        read = [np.where(mask, np.nan, values) for mask, values in zip(far, read)]
        made = [regular(values, signal.times, interval) for values, signal in zip(read, signals)]
        every = np.concatenate([np.where(missing, np.nan, filled) for filled, missing in made])
        center, scale = _center_scale(every)
        tables = [_standard(filled, center, scale) for filled, _ in made]
        period, length = self._window(tables)
        blocks = length // -(-length // BLOCKS)
        length = blocks * -(-length // BLOCKS)
        self.fitted_ = _learn(
            tables,
            channels=channels,
            units=units,
            interval=interval,
            period=period,
            length=length,
            blocks=blocks,
            segments=max(1, min(SEGMENTS, length // 4)),
            center=center,
            scale=scale,
            counts=counts,
        )
        return self

    def odd(self, signals: Sequence[Any]) -> dict[int, str]:
        """Tables that cannot be learned with the others: other channels or units than most, wild times or numbers."""
        return dict(usual(signals).odd) if signals else {}

    def spoilt(self, signal: Any) -> str:
        """Names a reading far outside all others of its channel, where few training tables have one.

        One mark of a logger (-9999, 1e30) would be the most unusual thing ever seen in a normal table, and every fault
        would look mild beside it. Where such readings are common they are what the channel is like.
        """
        usual_, state = getattr(self, "_usual", None), self._fitted()
        if usual_ is None:
            return ""
        signal = with_states(without(signal, state.counts), state.channels)
        if other_channels(signal.channels, state.channels):
            return ""  # said where it is encoded
        values = _columns(signal, state.channels)
        return "; ".join(said(wild(values, *usual_), values, state.channels))

    def encode(self, signal: Any) -> Tokens:
        """Tokens of a Sensor table; PartError if its channels or units are others or it is too short."""
        state = self._fitted()
        signal = with_states(without(signal, state.counts), state.channels)
        other = other_channels(signal.channels, state.channels) or other_unit(signal, state.channels, state.units)
        if other:
            raise PartError(other, part="sensor")
        filled, missing = regular(_columns(signal, state.channels), signal.times, state.interval)
        rows = len(filled)
        if 2 * rows < state.length:
            raise PartError(f"the table has {rows} rows; a window has {state.length}, half is needed", part="sensor")
        z = _standard(filled, state.center, state.scale)
        summary = _summary(z, missing, state)
        short = max(0, state.length - rows)
        if short:  # a table a little shorter than the window: the rest of the window is missing
            z = np.concatenate([z, np.repeat(z[-1:], short, axis=0)])
            missing = np.concatenate([missing, np.ones((short, missing.shape[1]), bool)])
        stride = self._stride(len(z), state)
        if stride > max(state.length, self.stride or 0):
            most = self.max_tokens // (len(state.channels) + 1) * state.length
            raise PartError(
                f"the table has {rows} rows; in one case {most} are looked at (max_tokens={self.max_tokens} in windows "
                f"of {state.length} rows), and none is judged unread: cut it, --window auto or a length",
                part="sensor",
            )
        starts = window_starts(len(z), state.length, stride)
        values = _tokens(z, missing, starts, state)
        windows, groups = values.shape[:2]
        names = (*state.channels, "*")[:groups]
        first = float(signal.times[0]) if len(signal.times) else 0.0
        stop = np.minimum(starts + state.length, rows)
        where = first + np.stack([starts, stop], 1) * state.interval
        layout = Layout(
            "steps",
            (windows, groups),
            where=np.repeat(where, groups, axis=0),
            channels=names * windows,
            position=np.tile(np.arange(groups), windows),
        )
        return Tokens(values.reshape(windows * groups, -1), layout, summary=summary)

    def _token_width(self) -> int | None:
        """Features of a token, once it is fitted."""
        return self.fitted_.width if hasattr(self, "fitted_") else None

    def describe(self) -> str:
        """One line for outputs."""
        state = getattr(self, "fitted_", None)
        if state is None:
            return "sensor windows, not fitted"
        seconds = state.length * state.interval
        return f"sensor windows of {state.length} rows ({seconds:g} s), {len(state.channels)} channels"

    def params(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {
            "periods": self.periods,
            "length": self.length,
            "stride": self.stride,
            "max_tokens": self.max_tokens,
        }

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """What `fit` learned."""
        if not hasattr(self, "fitted_"):
            return {}, {}
        every = {field.name: getattr(self.fitted_, field.name) for field in fields(SensorState)}
        arrays = {name: value for name, value in every.items() if isinstance(value, np.ndarray)}
        return arrays, {n: list(v) if isinstance(v, tuple) else v for n, v in every.items() if n not in arrays}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where `fit` cannot have written it."""
        if arrays:
            every: dict[str, Any] = {**arrays, **{n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}}
            self.fitted_ = checked(SensorState(**every), arrays)

    def _fitted(self) -> SensorState:
        if not hasattr(self, "fitted_"):
            raise NotFittedError("this Windows encoder is not fitted; call fit(signals) first")
        return self.fitted_

    def _window(self, tables: list[np.ndarray]) -> tuple[int, int]:
        typical = int(np.median([len(table) for table in tables]))
        if typical < 4:
            raise DataError(f"the training tables have {typical} rows in the median; at least 4 are needed")
        usual = [table for table in tables if len(table) >= typical][:64]
        period = dominant_period(usual) or _memory(usual)
        wanted = self.length if self.length is not None else min(round(self.periods * period), max(16, typical // 2))
        return period, int(np.clip(wanted, 4, typical))

    def _stride(self, rows: int, state: SensorState) -> int:
        stride = self.stride or max(1, state.length // 16)
        windows = max(1, self.max_tokens // (len(state.channels) + 1))
        return max(stride, -(-(rows - state.length + 1) // windows))


def _learn(tables: list[np.ndarray], **known: Any) -> SensorState:
    """Scales of every feature, from about 4000 windows spread over the tables."""
    length, segments, channels = known["length"], known["segments"], len(known["center"])
    usable = [table for table in tables if len(table) >= length]
    stride = max(1, length // 8, sum(len(t) - length + 1 for t in usable) // 4000)
    cuts = [(table, window_starts(len(table), length, stride)) for table in usable]
    edges = segment_edges(length, segments)
    level = np.concatenate([segment_means(t, s, edges) for t, s in cuts])
    active = np.concatenate([activity(t, s, edges) for t, s in cuts])
    peak = np.concatenate([peaks(t, s, edges) for t, s in cuts])
    quiet = np.maximum(0.01 * np.sqrt((active**2).mean(axis=(0, 1))), 1e-6)
    log_active = np.log(active + quiet)
    local = np.stack([[x.mean(axis=(0, 1)), np.maximum(x.std(axis=(0, 1)), 1e-3)] for x in (log_active, peak)])
    scaled = (log_active - local[0, 0]) / local[0, 1]
    pairs = np.concatenate([level, scaled], axis=2).reshape(-1, 2 * channels)
    mean = pairs.mean(axis=0)
    covariance = np.atleast_2d(np.cov(pairs.T, bias=True)) + 0.01 * np.eye(2 * channels)
    precision = np.linalg.inv(covariance)
    residual = relation_residuals(pairs, mean, precision)
    few = joint_blocks(known["blocks"], channels)
    together = np.concatenate([_joint_rows(t, s, length, few) for t, s in cuts])
    most = known["blocks"] + 3 * segments if channels > 1 else 0
    joint_mean, directions, unit = principal_directions(together, min(most, max(1, len(together) // 3)))
    outside = _outside(together - joint_mean, directions, few, segments)
    return SensorState(
        **known,
        quiet=quiet,
        local=local,
        relation_mean=mean,
        relation_precision=precision,
        relation_scale=np.maximum(residual.std(axis=0), 1e-3),
        joint_mean=joint_mean,
        joint_directions=directions,
        joint_scale=np.array([max(unit, 1e-6), max(float(np.sqrt((outside**2).mean())), 1e-3)]),
    )


def _tokens(z: np.ndarray, missing: np.ndarray, starts: np.ndarray, state: SensorState) -> np.ndarray:
    """Features (W, C + 1, D) of windows, or (W, 1, D) for one channel."""
    channels = len(state.channels)
    edges = segment_edges(state.length, state.segments)
    blocks = segment_means(z, starts, segment_edges(state.length, state.blocks))
    level = segment_means(z, starts, edges)
    log_active = np.log(activity(z, starts, edges) + state.quiet)
    (active_mean, active_scale), (peak_mean, peak_scale) = state.local
    active = (log_active - active_mean) / active_scale
    gap = GAP * segment_means(missing.astype(float), starts, edges) ** 2
    peak = (peaks(z, starts, edges) - peak_mean) / peak_scale + gap
    pairs = np.concatenate([level, active], axis=2)
    residual = relation_residuals(pairs, state.relation_mean, state.relation_precision) / state.relation_scale
    parts = [blocks, active, peak, residual[..., :channels], residual[..., channels:]]
    values = np.concatenate(parts, axis=1).transpose(0, 2, 1)
    if channels > 1:
        few = joint_blocks(state.blocks, channels)
        centred = _joint_rows(z, starts, state.length, few) - state.joint_mean
        joint = np.zeros((len(starts), 1, state.width))
        joint[:, 0, : state.joint_directions.shape[1]] = centred @ state.joint_directions / state.joint_scale[0]
        outside = _outside(centred, state.joint_directions, few, state.segments)
        joint[:, 0, state.width - state.segments :] = outside / state.joint_scale[1]
        values = np.concatenate([values, joint], axis=1)
    return np.clip(values, -10 * FAR, 10 * FAR).astype(np.float32)


def _joint_rows(z: np.ndarray, starts: np.ndarray, length: int, few: int) -> np.ndarray:
    return segment_means(z, starts, segment_edges(length, few)).reshape(len(starts), -1)


def _outside(centred: np.ndarray, directions: np.ndarray, few: int, segments: int) -> np.ndarray:
    """Root mean square of what the principal directions leave over, per segment of the window, (W, segments)."""
    if directions.shape[1] == directions.shape[0]:  # nothing is left over but rounding
        return np.zeros((len(centred), segments))
    rest = (centred - centred @ directions @ directions.T).reshape(len(centred), few, -1)
    energy = (rest**2).mean(axis=2)
    edges = segment_edges(few, segments)
    spans = [(min(a, few - 1), max(b, a + 1)) for a, b in pairwise(edges)]  # with few blocks, segments share one
    return np.sqrt(np.stack([energy[:, a:b].mean(axis=1) for a, b in spans], 1))


def _summary(z: np.ndarray, missing: np.ndarray, state: SensorState) -> np.ndarray:
    """The whole table in six numbers a channel: level, spread, activity, low and high values, missing share."""
    steps = np.diff(z, axis=0) if len(z) > 1 else np.zeros((1, z.shape[1]))
    low, high = np.quantile(z, [0.05, 0.95], axis=0)
    moving = np.log(np.sqrt((steps**2).mean(axis=0)) + state.quiet)
    spread = np.log(z.std(axis=0) + 0.01)
    return np.concatenate([z.mean(axis=0), spread, moving, low, high, missing.mean(axis=0)]).astype(np.float32)


def _center_scale(every: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    there = np.isfinite(every)
    count = np.maximum(there.sum(axis=0), 1)
    # Around a reading of the channel, so that a channel that stands still has a spread of 0 and not of rounding.
    first = np.nan_to_num(every[there.argmax(axis=0), np.arange(every.shape[1])])
    center = first + np.where(there, every - first, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(there, (every - center) ** 2, 0.0).sum(axis=0) / count)
    still = 1e-6 * np.maximum(np.abs(center), 1e-6)
    scale = np.where(varies(spread, center, float(np.finfo(np.float64).eps)), spread, still)
    return center, np.where(there.any(axis=0), scale, 1.0)


def _standard(filled: np.ndarray, center: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.clip(np.where(np.isnan(filled), 0.0, (filled - center) / scale), -FAR, FAR)


def _memory(tables: list[np.ndarray]) -> int:
    """For series without a period: twice the lag at which the autocorrelation first falls below 0.3, from 8 to 125."""
    lags = max(2, min(126, *(len(table) // 2 for table in tables)))
    mean = np.mean([autocorrelation(table, lags) for table in tables], axis=0)
    below = np.flatnonzero(mean < 0.3)
    return int(np.clip(2 * (below[0] if len(below) else lags), 8, 125))


def _columns(signal: Any, channels: tuple[str, ...]) -> np.ndarray:
    if tuple(signal.channels) == channels:
        return np.asarray(signal.values, np.float64)
    order = [signal.channels.index(name) for name in channels]
    return np.asarray(signal.values, np.float64)[:, order]
