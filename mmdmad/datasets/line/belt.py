"""Clips of the simulated line: 32 frames of pieces on a belt, seen from above, on the clock of the sensors."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from mmdmad.datasets.line.regime import Motion
from mmdmad.datasets.line.surface import belt_texture, outline, relief, surface
from mmdmad.datasets.line.truth import FPS, PIECE, PITCH, SCALE, SECONDS, VIEW, Fault, Scene

FRAMES = int(SECONDS * FPS)
HEIGHT, WIDTH = VIEW
RAIL = 12  # px, side rails
MARGIN = 140  # px of belt drawn beyond the view on both sides
SIDE = round(PIECE * SCALE)


def film(
    scene: Scene,
    move: Motion,
    rng: np.random.Generator,
    odd: np.random.Generator,
    kind: str | None = None,
    severity: float = 0.0,
    onset: float = 0.0,
) -> tuple[np.ndarray, list[Fault]]:
    """Frames uint8 (32, 96, 128, 3) of the scene, with the fault or chain effect `kind` if one is given.

    `rng` draws the normal clip and `odd` the fault, so that the clip without its fault is the same otherwise.
    """
    at = np.arange(FRAMES) / FPS
    way = np.interp(at, move.times, move.way) * SCALE  # px
    start, stop = _when(kind, severity, onset, odd)
    inside = (at >= start) & (at < stop)
    belt_way, piece_way = way.copy(), way.copy()
    faults: list[Fault] = []
    if kind == "jam":  # the piece is held, the belt slips on beneath it
        step = np.diff(way, prepend=0.0)
        piece_way = np.cumsum(np.where(inside, 0.0, step))
    elif kind == "reversed belt":
        step = np.diff(way, prepend=0.0)
        belt_way = piece_way = np.cumsum(np.where(inside, -step, step))
    elif kind == "jerky pieces":
        late = np.clip((at - onset) / 0.4, 0, 1)
        piece_way = way + late * (3 + 4 * severity) * np.sin(2 * np.pi * 2.6 * at)
    # World x grows to the right and the window slides to the left, so goods travel to the right.
    home = int(way.max()) + MARGIN
    reach = home + WIDTH + MARGIN
    belt = _belt(reach, rng)
    pieces, cover = np.zeros((HEIGHT, reach, 3), np.float32), np.zeros((HEIGHT, reach), np.float32)
    slots = [home + int(move.phase * SCALE) + k * int(PITCH * SCALE) for k in range(-8, 4)]
    slots = [s for s in slots if MARGIN - SIDE - 8 <= s <= reach - SIDE - 2]
    gone: int | None = None
    if kind == "missing piece":
        seen = [(s, *_seen(s, home, way, at)) for s in slots]
        seen = [row for row in seen if row[2] - row[1] >= 0.8]
        gone, start, stop = seen[int(odd.integers(len(seen)))] if len(seen) > 1 else seen[0]
    for slot in slots:
        lift, turn = rng.uniform(-2, 2), rng.uniform(-0.04, 0.04)
        skin = surface(scene.product, SIDE + 8, rng, 0.34)
        if slot != gone:
            _lay(pieces, cover, skin, scene, slot, lift, turn)
    if kind == "foreign object":
        start, stop = _drop_object(pieces, cover, slots, home, way, at, severity, odd)
    elif kind == "wet belt":
        belt = _wet(belt, home, way, onset, severity, odd)
    shake = np.zeros((FRAMES, 2))
    if kind == "belt jitter":
        shake = (at >= onset)[:, None] * odd.normal(0, 0.8 + 1.4 * severity, (FRAMES, 2))
    light = 1 + 0.012 * rng.normal(size=FRAMES)
    light *= rng.uniform(0.9, 1.08)
    if kind == "flicker":
        light *= 1 - (at >= onset) * odd.uniform(0, 0.22 + 0.3 * severity, FRAMES)
    noise = np.repeat(1.3 * rng.standard_normal((8, HEIGHT, WIDTH, 1), dtype=np.float32), 3, axis=3)
    slope = np.ones((HEIGHT, WIDTH, 3), np.float32)
    slope *= 1 + rng.uniform(-0.08, 0.08) * np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :, None]
    rails = _rails(rng)
    frames = np.empty((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    together = belt_way is piece_way or np.array_equal(belt_way, piece_way)
    if together:
        belt = belt * (1 - cover[..., None]) + pieces
    for k in range(FRAMES):
        view = _window(belt, home - belt_way[k] + shake[k, 0], shake[k, 1])
        if not together:
            x = home - piece_way[k] + shake[k, 0]
            view = view * (1 - _window(cover, x, shake[k, 1])[..., None]) + _window(pieces, x, shake[k, 1])
        view[:RAIL], view[-RAIL:] = rails[:RAIL], rails[-RAIL:]
        cv2.multiply(view, slope, dst=view, scale=float(light[k]))
        cv2.add(view, noise[(5 * k) % 8], dst=view)
        cv2.convertScaleAbs(view, dst=frames[k])
    if kind:
        faults.append(Fault("video", kind, severity, round(start, 3), round(stop, 3), "s"))
    return frames, faults


def _when(kind: str | None, severity: float, onset: float, rng: np.random.Generator) -> tuple[float, float]:
    if kind in ("jam", "reversed belt"):
        length = 0.75 + 1.25 * severity
        start = rng.uniform(0.5, SECONDS - length - 0.25)
        return start, start + length
    return onset, SECONDS


def _seen(slot: float, home: float, way: np.ndarray, at: np.ndarray) -> tuple[float, float]:
    """From when to when a piece at world x `slot` lies at least half in view."""
    left = slot - (home - way)
    inside = (left > -SIDE / 2) & (left < WIDTH - SIDE / 2)
    return (float(at[inside][0]), float(at[inside][-1] + 1 / FPS)) if inside.any() else (0.0, 0.0)


def _window(strip: np.ndarray, x: float, y: float) -> np.ndarray:
    centre = (x + (WIDTH - 1) / 2, (HEIGHT - 1) / 2 + y)
    return cv2.getRectSubPix(strip, (WIDTH, HEIGHT), centre)


def _belt(length: int, rng: np.random.Generator) -> np.ndarray:
    belt = belt_texture((HEIGHT, length), rng)
    ribs = ((np.arange(length) + int(rng.integers(16))) % 16 < 2).astype(np.float32)
    belt += 14 * cv2.GaussianBlur(ribs[None], (0, 0), 0.7)[..., None]
    for _ in range(length // 60):  # scuffs
        x, y = int(rng.integers(length)), int(rng.integers(RAIL, HEIGHT - RAIL))
        belt[y : y + 2, x : x + int(rng.integers(3, 12))] += rng.uniform(8, 22)
    return belt


def _rails(rng: np.random.Generator) -> np.ndarray:
    rails = np.full((HEIGHT, WIDTH, 3), 128.0, np.float32)
    rails += np.abs(np.linspace(-1, 1, HEIGHT, dtype=np.float32))[:, None, None] * 30
    rails[[RAIL - 1, HEIGHT - RAIL]] = 60
    rails[3:9, 20::44] = rails[3:9, 21::44] = rails[-9:-3, 20::44] = rails[-9:-3, 21::44] = 84  # bolts
    return rails + rng.uniform(-4, 4)


def _lay(
    pieces: np.ndarray, cover: np.ndarray, skin: np.ndarray, scene: Scene, slot: int, lift: float, turn: float
) -> None:
    side = SIDE + 8
    mask = outline(scene.product, SIDE / 2, (side, side), (side / 2, side / 2), turn)
    skin = skin * relief(mask, 1.2)[..., None]
    top = round(HEIGHT / 2 - side / 2 + lift)
    x0, x1 = slot - 4, slot - 4 + side
    a, b = max(x0, 0), min(x1, cover.shape[1])
    mask, skin = mask[:, a - x0 : b - x0], skin[:, a - x0 : b - x0]
    place = (slice(top, top + side), slice(a, b))
    pieces[place] = pieces[place] * (1 - mask[..., None]) + skin * mask[..., None]
    cover[place] = np.maximum(cover[place], mask)


def _drop_object(
    pieces: np.ndarray, cover: np.ndarray, slots: list[int], home: float, way: np.ndarray, at: np.ndarray,
    severity: float, rng: np.random.Generator,
) -> tuple[float, float]:  # fmt: skip
    """A wrench, a glove or a screw rides along; half on a piece or between two."""
    seen = [s for s in slots if np.subtract(*_seen(s, home, way, at)[::-1]) >= 0.8]
    slot = int(seen[int(rng.integers(len(seen)))] + rng.uniform(-0.3, 0.9) * SIDE)
    cx, cy = slot + SIDE / 2, HEIGHT / 2 + rng.uniform(-14, 14)
    size = 9 + 7 * severity
    angle, what = rng.uniform(0, np.pi), int(rng.integers(3))
    along = np.array([np.cos(angle), np.sin(angle)])
    mask = np.zeros(cover.shape, np.float32)
    ends = [tuple(round(z) for z in np.array([cx, cy]) + s * size * along) for s in (-1, 1)]
    colour = np.array([(150, 152, 158), (222, 120, 30), (40, 92, 190)][what], np.float32)
    if what == 1:  # glove
        cv2.ellipse(mask, (int(cx), int(cy)), (int(size * 0.8), int(size * 0.55)), np.degrees(angle), 0, 360, 1.0, -1)
        for spread in (-0.6, -0.2, 0.2, 0.6):
            tip = np.array([cx, cy]) + 1.25 * size * np.array([np.cos(angle + spread), np.sin(angle + spread)])
            cv2.line(mask, (int(cx), int(cy)), tuple(int(z) for z in tip), 1.0, 2)
    else:
        cv2.line(mask, ends[0], ends[1], 1.0, 3 if what == 2 else 4)
        cv2.circle(mask, ends[0], 3 if what == 2 else 5, 1.0, -1)
        if what == 0:
            cv2.circle(mask, ends[1], 4, 1.0, -1)
            cv2.circle(mask, ends[1], 2, 0.0, -1)
    # a dark rim and a shadow set it off from goods of its own colour
    rim = cv2.GaussianBlur(cv2.dilate(mask, np.ones((3, 3), np.uint8)), (0, 0), 0.7) * 0.75
    rim = np.maximum(rim, np.roll(rim, (1, 2), (0, 1)))
    pieces[:] = pieces * (1 - rim[..., None]) + 16 * rim[..., None]
    cover[:] = np.maximum(cover, rim)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.5)
    shade = 0.8 + 0.25 * rng.random((HEIGHT, 1, 1)).astype(np.float32)
    pieces[:] = pieces * (1 - mask[..., None]) + colour * shade * mask[..., None]
    cover[:] = np.maximum(cover, mask)
    left = cx - (home - way)
    inside = (left > 0) & (left < WIDTH)
    if not inside.any():
        inside[:] = True
    return float(at[inside][0]), float(at[inside][-1] + 1 / FPS)


def _wet(
    belt: np.ndarray, home: float, way: np.ndarray, onset: float, severity: float, rng: np.random.Generator
) -> np.ndarray:
    """From the onset on, puddles enter on the left: darker rubber with a bright, bluish glare."""
    x1 = home - way[int(onset * FPS)] + 10
    belt = belt.copy()
    for _ in range(4 + round(6 * severity)):
        cx, cy = int(x1 - rng.uniform(0, 90)), int(rng.uniform(RAIL + 6, HEIGHT - RAIL - 6))
        wide = (int(8 + 10 * severity * rng.uniform(0.5, 1)), int(4 + 4 * severity))
        mask = np.zeros(belt.shape[:2], np.float32)
        cv2.ellipse(mask, (cx, cy), wide, 0, 0, 360, 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), 1.5)[..., None]
        glare = np.clip(mask - np.roll(mask, (2, 3), (0, 1)), 0, 1)
        belt = (
            belt * (1 - 0.45 * mask)
            + mask * np.array([4, 12, 22], np.float32)
            + glare * np.array([70, 78, 86], np.float32)
        )
    return belt


def write_clip(path: Path, frames: np.ndarray) -> None:
    """Write an mp4 with one thread and no time stamp of its own, so that equal frames make equal files."""
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    options = {"preset": "ultrafast", "crf": "22", "threads": "1"} if codec == "libx264" else {"qscale": "3"}
    with av.open(str(path), "w", options={"fflags": "+bitexact", "movflags": "+faststart"}) as box:
        stream = box.add_stream(codec, rate=Fraction(FPS))
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.thread_count = 1
        stream.options = options
        for frame in frames:
            box.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        box.mux(stream.encode())
