"""Clips: streamed windows, motion with direction, appearance against the same cell."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from skimage import data

from mmdmad.encoders.video import APPEARANCE, Clip, Window
from mmdmad.encoders.video_motion import MOTION, pair_cells, reduced_grey, window_motion
from mmdmad.errors import ConfigError, DataError, NotFittedError, PartError
from mmdmad.parts import Video

SMALL = {"rows": 4, "columns": 6, "height": 64, "width": 96, "components": 8}
GROUND = data.coffee()[:120, :400]


def belt(seed: int, frames: int = 16, speed: int = 2) -> np.ndarray:
    """A picture that moves to the left by `speed` pixels a frame."""
    rng = np.random.default_rng(seed)
    start = int(rng.integers(0, 40)) + (frames * abs(speed) if speed < 0 else 0)
    clip = np.stack([GROUND[:, start + speed * i :][:, :160] for i in range(frames)]).astype(float)
    return np.clip(clip + rng.normal(0, 2, clip.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def fitted() -> Clip:
    return Clip(**SMALL).fit([Video.from_array(belt(seed), fps=8.0) for seed in range(4)])


def motion(encoder: Clip, frames: np.ndarray, name: str) -> np.ndarray:
    """One motion feature of every token, (windows, rows, columns)."""
    tokens = encoder.encode(Video.from_array(frames, fps=8.0))
    return tokens.values[:, -len(MOTION) + MOTION.index(name)].reshape(tokens.layout.shape)


def test_layout_says_where_and_when(fitted: Clip) -> None:
    tokens = fitted.encode(Video.from_array(belt(50), fps=8.0))
    assert tokens.layout.shape == (3, 4, 6)
    assert tokens.layout.size == (120, 160)
    assert tokens.layout.positions()[:25].tolist() == [*range(24), 0]
    assert tokens.layout.where is not None
    assert tokens.layout.where[::24].tolist() == [[0.0, 1.0], [0.5, 1.5], [1.0, 2.0]]
    assert tokens.values.shape == (72, len(APPEARANCE) + len(MOTION))
    assert tokens.embedding().shape == (2 * (8 + tokens.values.shape[1]),)


def test_a_reversed_belt_runs_the_other_way(fitted: Clip) -> None:
    usual, reversed_ = (motion(fitted, belt(51, speed=speed), "flow right") for speed in (2, -2))
    assert np.median(reversed_ - usual) > 3


def test_a_jam_stops_the_motion_when_it_happens(fitted: Clip) -> None:
    frames = belt(52, frames=32)
    frames[16:] = frames[16]
    speed = motion(fitted, frames, "speed").mean(axis=(1, 2))
    assert speed[-1] < speed[0] - 2
    assert np.argmin(np.diff(speed)) in (2, 3, 4)


def test_a_jittering_belt_shows_in_the_change_of_flow(fitted: Clip) -> None:
    frames = belt(53, frames=16)
    frames[::2] = np.roll(frames[::2], 2, axis=2)
    assert motion(fitted, frames, "change of flow between frames").mean() > 2


def test_a_foreign_object_shows_in_its_cells(fitted: Clip) -> None:
    usual, strange = belt(54), belt(54)
    strange[:, 70:110, 10:50] = data.astronaut()[:40, 200:240]
    tokens = [fitted.encode(Video.from_array(clip, fps=8.0)) for clip in (usual, strange)]
    moved = (tokens[1].values - tokens[0].values)[:, : len(APPEARANCE)].mean(axis=1).reshape(3, 4, 6).mean(axis=0)
    row, column = np.unravel_index(moved.argmax(), moved.shape)
    assert 2 <= row <= 3
    assert column <= 1


def test_appearance_is_a_size_in_the_token_and_a_direction_in_the_summary(fitted: Clip) -> None:
    """What is not new but stronger than usual shows along the directions, in deviations of normal frames."""
    usual = fitted.encode(Video.from_array(belt(54), fps=8.0))
    assert np.abs(usual.values[:, : len(APPEARANCE)].mean(axis=0)).max() < 1
    state = fitted.fitted_
    rows = 6 * (state.directions * state.spread).sum(axis=1)[None] * state.unit + state.mean
    window = Window(0.0, 1.0, np.zeros((4, 6, len(MOTION))), rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clip, "_windows", lambda *_: iter([window]))
        tokens = fitted.encode(Video.from_array(belt(54), fps=8.0))
    assert tokens.values[:, 0].min() > 2
    assert tokens.values[:, 1].max() < -2
    assert tokens.summary is not None
    assert tokens.summary[:8] == pytest.approx(np.full(8, 6.0), rel=1e-3)


@pytest.mark.parametrize(("side", "seen"), [(160, False), (Clip().side, True)])
def test_a_walker_is_followed_where_frames_are_not_shrunk(side: int, seen: bool) -> None:
    frames = np.repeat(data.coffee()[None, :240, :360], 8, axis=0)
    for i, frame in enumerate(frames):
        frame[100:122, 60 + 2 * i : 70 + 2 * i] = data.astronaut()[40:84:2, 200:220:2]
    grey = [reduced_grey(frame, side) for frame in frames]
    cells = np.stack([pair_cells(a, b, (Clip().rows, Clip().columns)) for a, b in pairwise(grey)])
    speed = window_motion(cells, (1 / side, 1 / side))[..., MOTION.index("speed of what moves")]
    assert (speed.max() > 0.3 * 2 / 360) == seen
    row, column = np.unravel_index(speed.argmax(), speed.shape)
    assert not seen or (row in (4, 5) and column in (2, 3))


def test_flow_has_the_right_size_and_sign() -> None:
    frame = np.ascontiguousarray(data.camera()[250:346, 150:294])
    cells = pair_cells(frame, np.roll(frame, 2, axis=1), (4, 6))
    features = window_motion(np.stack([cells] * 3), to_speed=(10 / 144, 10 / 144))
    assert np.median(features[..., MOTION.index("flow right")]) == pytest.approx(20 / 144, rel=0.2)
    assert np.abs(np.median(features[..., MOTION.index("flow down")])) < 0.01
    assert features[..., MOTION.index("flow right, deviation in time")].max() < 1e-6


def test_frames_are_shrunk_to_the_long_side() -> None:
    assert reduced_grey(np.zeros((240, 360, 3), np.uint8), 160).shape == (107, 160)
    assert reduced_grey(np.zeros((64, 96, 3), np.uint8), 160).shape == (64, 96)
    assert reduced_grey(np.zeros((10, 400, 3), np.uint8), 160).shape == (32, 160)


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (200, 3)])
def test_tiny_and_thin_frames_are_safe(size: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (4, *size), dtype=np.uint8)
    clip = Video.from_array(frames)
    assert np.isfinite(Clip(**SMALL).fit([clip]).encode(clip).values).all()


def test_fast_even_motion_of_a_ribbed_belt_is_followed() -> None:
    ribs = 20 * (np.arange(400) % 16 < 3)
    belt_ = np.clip(0.7 * data.gravel()[:96, :400] + ribs, 0, 255).astype(np.uint8)
    frames = [np.ascontiguousarray(belt_[:, 200 - 9 * i :][:, :128]) for i in range(8)]
    pairs = np.stack([pair_cells(a, b, (4, 6)) for a, b in pairwise(frames)])
    inner = pairs[:, 1:3, 2:5, 0]
    assert np.median(inner) == pytest.approx(9, abs=0.5)
    assert inner.mean(axis=(1, 2)).std() < 0.5


class Endless:
    """A long clip that makes its frames one by one and counts how many are alive."""

    n_frames, fps, height, width = 600, 25.0, 48, 64

    def frames(self, every: int = 1) -> Iterator[tuple[int, float, np.ndarray]]:
        for index in range(0, self.n_frames, every):
            yield index, index / self.fps, np.full((48, 64, 3), index % 200, np.uint8)


def test_long_clips_are_bounded_and_looked_at_whole() -> None:
    encoder = Clip(**SMALL, max_steps=10)
    encoder.fit([Video.from_array(np.zeros((4, 48, 64), np.uint8))])
    layout = encoder.encode(Endless()).layout
    assert layout.shape[0] <= 11
    assert layout.where is not None
    starts, stops = layout.where[::24].T
    assert starts[0] == 0
    assert stops[-1] == pytest.approx(24.0)
    assert (starts[1:] <= stops[:-1] + 1e-9).all(), "no frame between two windows is skipped"


@pytest.mark.parametrize("frames", [2, 3, 5, 8, 9, 13])
def test_short_clips_reach_their_last_frame(fitted: Clip, frames: int) -> None:
    layout = fitted.encode(Video.from_array(belt(1, frames=frames), fps=8.0)).layout
    assert layout.where is not None
    assert layout.where[0, 0] == 0
    assert layout.where[-1, 1] == pytest.approx(frames / 8)


def test_refusals(fitted: Clip) -> None:
    with pytest.raises(PartError, match="1 frame; at least 2"):
        fitted.encode(Video.from_array(np.zeros((1, 32, 32), np.uint8)))
    with pytest.raises(NotFittedError):
        Clip().encode(Video.from_array(belt(0)))
    with pytest.raises(DataError, match="no clips"):
        Clip().fit([])
    for wrong in ({"hop": 9}, {"height": 100}, {"rows": 0}, {"max_steps": 0}):
        with pytest.raises(ConfigError, match=r"allowed|fit"):
            Clip(**wrong)


def test_state_round_trip_and_determinism(fitted: Clip) -> None:
    again = Clip(**fitted.params())
    again.set_state(*fitted.state())
    clip = Video.from_array(belt(7), fps=8.0)
    assert np.array_equal(again.encode(clip).values, fitted.encode(clip).values)
    assert again.state_key() == fitted.state_key() != ""
