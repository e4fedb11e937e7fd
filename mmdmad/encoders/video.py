"""Clips as tokens: windows of a few frames times the cells of a coarse grid, with appearance and motion.

Motion is dense optical flow: direction, speed, jitter, changes of brightness. Appearance is EfficientNet-Lite0 on the
middle frame of each window, as the difference from the mean of normal frames in the same cell. A token holds of it two
numbers, how far it lies along the main directions of normal variation and how far outside them (the T2 and Q of process
monitoring; Jackson and Mudholkar, 1979): with a number a direction, appearance outvotes motion in a detector that adds
up over features. The directions themselves describe the clip as a whole, in its summary.

Since both are relative to what is usual, tokens of different cells may be compared. Frames are streamed in order; only
one window of cell means is held.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from mmdmad.encoders.base import Encoder, encoder
from mmdmad.encoders.lite0 import load_lite0, on_grid, prepare, stage_maps
from mmdmad.encoders.sensor_windows import principal_directions
from mmdmad.encoders.video_motion import MOTION, pair_cells, reduced_grey, reduced_size, window_motion
from mmdmad.errors import ConfigError, DataError, ModelError, NotFittedError, PartError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Layout, Tokens

STAGES = (3, 4, 5, 7)
APPEARANCE = ("appearance along usual directions", "appearance outside them")
"""What the features of a token before those of MOTION are."""
FIT_FRAMES, FIT_CLIPS = 160, 24
"""Frames from which appearance and clips from which the scale of motion is learned."""


@dataclass(frozen=True, eq=False)
class ClipState:
    """What `Clip.fit` learned."""

    mean: np.ndarray  # (cells, V) mean appearance of each cell
    unit: np.ndarray  # (V,) deviation of each appearance feature around it
    directions: np.ndarray  # (V, k) of the largest variation
    spread: np.ndarray  # (k,) deviation along each
    unusual: np.ndarray  # (2, 2) mean and deviation of the log sizes along and outside the directions
    motion: np.ndarray  # (2, 12) mean and deviation of each motion feature


@dataclass(frozen=True, eq=False)
class Window:
    """One window of a clip: its time span in seconds, motion (rows, columns, 12) and appearance (cells, V)."""

    start: float
    stop: float
    motion: np.ndarray
    appearance: np.ndarray


@encoder("clip", "video", version="3")
class Clip(Encoder):
    """Windows of `window` frames every `hop` frames on a grid of `rows` x `columns` cells.

    `height` x `width` is the size to which frames are squeezed for appearance, `components` the number of its
    directions; `side` is the long side for optical flow: shrunk to half of it, a walker is too small for its motion to
    be measured. A clip gives at most `max_steps` windows: for long clips hop and
    window grow, so that the motion of every frame is still looked at. The cameras of all clips must stand alike, since
    cells are compared with the same cell.
    """

    def __init__(
        self,
        window: int = 8,
        hop: int = 4,
        rows: int = 10,
        columns: int = 15,
        height: int = 128,
        width: int = 192,
        side: int = 360,
        components: int = 32,
        max_steps: int = 256,
    ) -> None:
        if not 1 <= hop <= window or window < 2:
            raise ConfigError(f"window={window}, hop={hop} were given; allowed are window >= 2 and 1 <= hop <= window")
        if not (1 <= rows <= height // 4 and 1 <= columns <= width // 4):
            raise ConfigError(f"a grid of {rows}x{columns} was given; at most {height // 4}x{width // 4} cells fit")
        if height % 32 or width % 32 or min(height, width) < 32:
            raise ConfigError(f"height={height}, width={width} were given; allowed are multiples of 32")
        for name, value, least in (("side", side, 32), ("components", components, 1), ("max_steps", max_steps, 1)):
            if value < least:
                raise ConfigError(f"{name}={value} was given; allowed is {least} or more")
        self.window, self.hop, self.rows, self.columns = window, hop, rows, columns
        self.height, self.width, self.side = height, width, side
        self.components, self.max_steps = components, max_steps

    def fit(self, signals: Sequence[Any]) -> "Clip":
        """Learn normal appearance of each cell and the scale of motion from normal clips."""
        if not signals:
            raise DataError("no clips were given; at least one is needed")
        for number, reason in self.odd(signals).items():
            raise DataError(f"training clip {number}: {reason}; leave it out (`odd` lists all such clips)")
        picked = [signals[i] for i in _spread(len(signals), FIT_FRAMES // 2)]
        each = max(2, -(-FIT_FRAMES // len(picked)))
        seen = []
        for signal in picked:
            every = max(1, signal.n_frames // each)
            with suppress(PartError):  # damaged further on: refused, with its reason, when it is encoded
                seen += [self._appearance(frame) for _, _, frame in signal.frames(every=every)]
        if not seen:
            raise DataError(f"none of {len(picked)} clips has a frame that can be decoded")
        rows = np.stack(seen)
        most = max(1, len(seen) // 2)
        del seen
        mean = rows.mean(axis=0)
        rows -= mean
        unit = np.maximum(np.sqrt(np.einsum("fcv,fcv->v", rows, rows) / (rows.shape[0] * rows.shape[1])), 1e-6)
        rows /= unit
        rows = rows.reshape(-1, rows.shape[2])
        _, directions, _ = principal_directions(rows, min(self.components, most))
        along = np.maximum((rows @ directions).std(axis=0), 1e-6)
        unusual = _log_sizes(rows, directions, along)
        motion = self._motion_of([signals[i] for i in _spread(len(signals), FIT_CLIPS)])
        self.fitted_ = ClipState(
            mean=mean,
            unit=unit,
            directions=directions,
            spread=along,
            unusual=np.stack([unusual.mean(axis=0), np.maximum(unusual.std(axis=0), 1e-3)]),
            motion=np.stack([motion.mean(axis=0), np.maximum(motion.std(axis=0), 1e-6)]),
        )
        return self

    def odd(self, signals: Sequence[Any]) -> dict[int, str]:
        """Clips too short to show motion."""
        return {i: _too_short(signal.n_frames) for i, signal in enumerate(signals) if signal.n_frames < 2}

    def encode(self, signal: Any) -> Tokens:
        """Tokens (windows * rows * columns, 14) of a Video; PartError if it has fewer than two frames.

        The summary is mean and spread over tokens of the scores along the directions and of the tokens themselves.
        """
        state = self._fitted()
        steps, seen, where = [], [], []
        for window in self._windows(signal):
            rows = (window.appearance - state.mean) / state.unit
            unusual = (_log_sizes(rows, state.directions, state.spread) - state.unusual[0]) / state.unusual[1]
            motion = (window.motion.reshape(len(rows), -1) - state.motion[0]) / state.motion[1]
            steps.append(np.concatenate([unusual, motion], axis=1).astype(np.float32))
            seen.append((rows @ state.directions / state.spread).astype(np.float32))
            where.append((window.start, window.stop))
        cells = self.rows * self.columns
        layout = Layout(
            "frames",
            (len(steps), self.rows, self.columns),
            where=np.repeat(np.array(where), cells, axis=0),
            size=(signal.height, signal.width),
            position=np.tile(np.arange(cells), len(steps)),
        )
        values = np.concatenate(steps)
        whole = np.concatenate([np.concatenate(seen), values], axis=1)
        return Tokens(values, layout, summary=np.concatenate([whole.mean(axis=0), whole.std(axis=0)]))

    def _token_width(self) -> int:
        return len(APPEARANCE) + len(MOTION)

    def describe(self) -> str:
        """One line for outputs."""
        return (
            f"EfficientNet-Lite0 (ImageNet) and optical flow, {self.window} frames every {self.hop}, "
            f"{self.rows}x{self.columns} cells"
        )

    def params(self) -> dict[str, Any]:
        """Constructor arguments."""
        names = ("window", "hop", "rows", "columns", "height", "width", "side", "components", "max_steps")
        return {name: getattr(self, name) for name in names}

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """What `fit` learned."""
        if not hasattr(self, "fitted_"):
            return {}, {}
        return {field.name: getattr(self.fitted_, field.name) for field in fields(ClipState)}, {}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where `fit` cannot have written it."""
        if values:
            raise ModelError(f"clips have no values, but {', '.join(values)} were given")
        if not arrays:
            return
        forms = {"mean": "f cells V", "unit": "f V", "directions": "f V k", "spread": "f k"}
        forms |= {"unusual": "f 2 2", "motion": f"f 2 {len(MOTION)}"}
        check_arrays(arrays, forms, cells=self.rows * self.columns)
        above = (arrays["unit"], arrays["spread"], arrays["unusual"][1], arrays["motion"][1])
        require(all((scale > 0).all() for scale in above), "a scale is not above 0")
        self.fitted_ = ClipState(**arrays)

    def _fitted(self) -> ClipState:
        if not hasattr(self, "fitted_"):
            raise NotFittedError("this Clip encoder is not fitted; call fit(signals) first")
        return self.fitted_

    def _pairs(self, signal: Any) -> Iterator[tuple[int, float, np.ndarray, np.ndarray | None]]:
        """Every frame with its number, time and the cell means of what changed since the frame before."""
        before = None
        for number, (_, time, frame) in enumerate(signal.frames()):
            grey = reduced_grey(frame, self.side)
            if before is not None and grey.shape != before.shape:
                raise PartError(f"frame {number} is of another shape than those before it", part="video")
            yield number, time, frame, None if before is None else pair_cells(before, grey, (self.rows, self.columns))
            before = grey

    def _windows(self, signal: Any, appearance: bool = True) -> Iterator[Window]:
        """The windows of a clip in order; the last one ends with the clip."""
        hop = max(self.hop, -(-signal.n_frames // self.max_steps))
        size = max(self.window, hop)
        middle = min(size, max(signal.n_frames, 2)) // 2
        fps = max(float(signal.fps), 1e-6)
        height, width = reduced_size(signal.height, signal.width, self.side)
        longest = max(signal.height, signal.width)
        to_speed = (fps * signal.width / (width * longest), fps * signal.height / (height * longest))
        pairs: deque[np.ndarray] = deque(maxlen=size - 1)
        times: deque[float] = deque(maxlen=size)
        seen = np.zeros((0, 0))
        number, emitted = -1, -1
        for number, time, frame, pair in self._pairs(signal):
            times.append(time)
            if pair is not None:
                pairs.append(pair)
            if appearance and number >= middle and (number - middle) % hop == 0:
                seen = self._appearance(frame)
            if number + 1 >= size and (number + 1 - size) % hop == 0:
                yield Window(times[0], times[-1] + 1 / fps, window_motion(np.stack(pairs), to_speed), seen)
                emitted = number
        if number < 1:
            raise PartError(_too_short(number + 1), part="video")
        if emitted < number:
            if appearance and not seen.size:  # the container promised more frames than it holds
                seen = self._appearance(frame)
            yield Window(times[0], times[-1] + 1 / fps, window_motion(np.stack(pairs), to_speed), seen)

    def _motion_of(self, signals: Sequence[Any]) -> np.ndarray:
        """Motion features (N, 12) of all windows and cells of normal clips."""
        seen: list[np.ndarray] = []
        for signal in signals:
            with suppress(PartError):
                seen += [w.motion.reshape(-1, len(MOTION)) for w in self._windows(signal, appearance=False)]
        if not seen:
            raise DataError(f"none of {len(signals)} clips can be played to its end")
        return np.concatenate(seen)

    def _appearance(self, frame: np.ndarray) -> np.ndarray:
        """Appearance features (cells, V) of one frame."""
        with torch.inference_mode():
            maps, _ = stage_maps(load_lite0(), prepare(frame, self.height, self.width), STAGES, final=False)
            cells = torch.cat([on_grid(one, self.rows, self.columns) for one in maps], 1)[0]
            return cells.flatten(1).T.double().numpy()


def _too_short(frames: int) -> str:
    return f"the clip has {frames} frame{'s' * (frames != 1)}; at least 2 are needed"


def _log_sizes(rows: np.ndarray, directions: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """How large differences in appearance (n, V) are: log sizes along the directions and outside them, (n, 2)."""
    scores = rows @ directions
    along = ((scores / spread) ** 2).sum(axis=1) / max(len(spread), 1)
    outside = ((rows - scores @ directions.T) ** 2).mean(axis=1)
    return np.log(np.sqrt(np.stack([along, outside], axis=1)) + 1e-3)


def _spread(count: int, most: int) -> list[int]:
    """At most `most` numbers below `count`, evenly spread."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, most))})
