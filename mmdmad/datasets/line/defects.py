"""Surface faults of six kinds, and a failing lamp, on the simulated line; each with the box of what it changed."""

import cv2
import numpy as np

from mmdmad.datasets.line.surface import Piece
from mmdmad.datasets.line.truth import IMAGE_SIZE, Fault

VISIBLE = 0.15  # share of a fault's full strength from which a pixel counts as changed
CONTRAST = 26.0  # grey levels that a subtle fault changes in the mean, at least


def plant(piece: Piece, kind: str, severity: float, rng: np.random.Generator) -> tuple[np.ndarray, Fault]:
    """The picture of `piece` with one surface fault, and the truth about it.

    The fault is made stronger until the mean change inside it reaches what a careful person sees.
    """
    if kind == "dark side":
        return _dark_side(piece, severity, rng)
    clean = piece.photographed().astype(np.float32)
    albedo, mask = piece.albedo, piece.mask
    draw = _DRAW[kind]
    # On rough goods a small fault would drown in the texture: it has to be larger there to be visible at all.
    rough = min(0.5, float(albedo.mean(-1)[mask > 0.95].std()) / 100)
    large = rough + (1 - rough) * severity
    if kind == "chip":
        alpha = draw(piece, large, rng)
        piece.mask = mask * (1 - alpha)
        alpha = alpha * mask
    else:
        alpha = draw(piece, large, rng) * (mask > 0.95)
        sign = rng.choice([-1.0, 1.0])
        wanted = CONTRAST * (1 + 1.2 * severity) * {"stain": 0.9, "discoloration": 0.5}.get(kind, 1.0)
        strength = 0.5 + rough if kind in ("crack", "hole", "scratch") else 0.35
        for _ in range(8):
            piece.albedo = _shade(albedo, alpha, kind, sign, strength)
            change = np.abs(piece.photographed().astype(np.float32) - clean).mean(-1)
            if change[alpha > 0.5].mean() >= wanted or strength >= 1:
                break
            strength = min(1.0, strength + 0.1)
    picture = piece.photographed()
    piece.albedo, piece.mask = albedo, mask
    rows, columns = np.nonzero(alpha > VISIBLE)
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    return picture, Fault("image", kind, severity, box=box, size=float((alpha > VISIBLE).sum()), size_unit="px")


def _dark_side(piece: Piece, severity: float, rng: np.random.Generator) -> tuple[np.ndarray, Fault]:
    """A failing lamp: one side of the whole picture, belt included, lies in the dark."""
    y, x = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE].astype(np.float32) / (IMAGE_SIZE - 1) * 2 - 1
    angle = rng.uniform(0, 2 * np.pi)
    loss = (0.40 + 0.30 * severity) * np.clip(0.5 + 0.8 * (np.cos(angle) * x + np.sin(angle) * y), 0, 1)
    picture = np.clip(piece.photographed() * (1 - loss)[..., None] + 0.5, 0, 255).astype(np.uint8)
    rows, columns = np.nonzero(loss > VISIBLE)
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    lost = round(float(loss.max()) * 100, 1)
    return picture, Fault("image", "dark side", severity, box=box, size=lost, size_unit="% of light")


def _shade(albedo: np.ndarray, alpha: np.ndarray, kind: str, sign: float, strength: float) -> np.ndarray:
    a = (alpha * strength)[..., None].astype(np.float32)
    if kind == "scratch":  # scraped: bare and bright on dark goods, dull on bright goods
        grey = np.float32(235.0 if sign > 0 or albedo[alpha > 0.5].mean() < 110 else 30.0)
        return albedo * (1 - a) + grey * a
    if kind in ("crack", "hole"):
        return albedo * (1 - a) + np.float32(14.0) * a
    if kind == "stain":  # oil: darker and browner, the texture shines through
        return albedo * (1 - a) + a * albedo * np.array([0.42, 0.34, 0.22], np.float32)
    hue = np.array([1.10, 0.88, 0.50] if sign > 0 else [0.62, 0.86, 1.16], np.float32)  # burnt, or tempered blue
    return albedo * (1 - a) + a * np.clip(albedo * hue + (8 if sign > 0 else 14), 0, 255)


def _inside(piece: Piece, rng: np.random.Generator, reach: float) -> np.ndarray:
    """A random point (x, y) on the piece, within `reach` of its half size."""
    angle, radius = rng.uniform(0, 2 * np.pi), piece.half * reach * np.sqrt(rng.uniform())
    return np.array(piece.centre) + radius * np.array([np.cos(angle), np.sin(angle)])


def _lines(points: np.ndarray, width: float) -> np.ndarray:
    """A soft polyline through points (N, 2), float32 (H, W) in [0, 1]; drawn at 4 times the size."""
    canvas = np.zeros((4 * IMAGE_SIZE, 4 * IMAGE_SIZE), np.uint8)
    cv2.polylines(canvas, [np.round(points * 4).astype(np.int32)], False, 255, max(1, round(4 * width)), cv2.LINE_AA)
    return cv2.resize(canvas, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _scratch(piece: Piece, severity: float, rng: np.random.Generator) -> np.ndarray:
    start, angle = _inside(piece, rng, 0.6), rng.uniform(0, 2 * np.pi)
    length, bend = 32 + 50 * severity * rng.uniform(0.7, 1), rng.uniform(-0.25, 0.25)
    s = np.linspace(-0.5, 0.5, 24)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    points = start + length * (s[:, None] * along + bend * (s**2)[:, None] * across)
    alpha = _lines(points, 1.5 + 0.8 * severity)
    if severity > 0.5:  # a second, parallel groove
        alpha = np.maximum(alpha, _lines(points[4:-6] + across * rng.uniform(4, 7), 1.1))
    return alpha


def _crack(piece: Piece, severity: float, rng: np.random.Generator) -> np.ndarray:
    start, angle = _inside(piece, rng, 0.5), rng.uniform(0, 2 * np.pi)

    def walk(at: np.ndarray, heading: float, steps: int) -> np.ndarray:
        turns = heading + np.cumsum(rng.normal(0, 0.42, steps))
        moves = rng.uniform(2.5, 5.0, steps)[:, None] * np.column_stack([np.cos(turns), np.sin(turns)])
        return np.concatenate([at[None], at + np.cumsum(moves, 0)])

    trunk = walk(start, angle, int(10 + 12 * severity))
    alpha = _lines(trunk, 1.6 + 1.2 * severity)
    for _ in range(1 + round(2 * severity)):
        fork = walk(trunk[rng.integers(2, len(trunk))], angle + rng.choice([-1, 1]) * rng.uniform(0.5, 1.1), 5)
        alpha = np.maximum(alpha, _lines(fork, 1.2 + 0.6 * severity))
    return alpha


def _blob(centre: np.ndarray, radius: float, rough: float, soft: float, rng: np.random.Generator) -> np.ndarray:
    """A soft, irregular round patch."""
    y, x = np.mgrid[:IMAGE_SIZE, :IMAGE_SIZE].astype(np.float32)
    dx, dy = x - centre[0], y - centre[1]
    angle, stretch = np.arctan2(dy, dx), rng.uniform(0.75, 1.3)
    edge = radius * (1 + sum(rough / k * np.sin(k * angle + rng.uniform(0, 6.28)) for k in (2, 3, 5)))
    return np.clip(0.5 + (edge - np.hypot(dx * stretch, dy / stretch)) / soft, 0, 1).astype(np.float32)


def _stain(piece: Piece, severity: float, rng: np.random.Generator) -> np.ndarray:
    radius = 11 + 11 * severity
    return _blob(_inside(piece, rng, 0.55), radius, 0.22, 3.0 + 0.2 * radius, rng)


def _hole(piece: Piece, severity: float, rng: np.random.Generator) -> np.ndarray:
    return _blob(_inside(piece, rng, 0.7), 4.0 + 6.0 * severity, 0.08, 1.5, rng)


def _chip(piece: Piece, severity: float, rng: np.random.Generator) -> np.ndarray:
    """A corner (square goods) or a bite of the rim (round goods) is missing."""
    corner, reach = float(rng.integers(4)) * np.pi / 2 + np.pi / 4 + piece.turn, 1.0
    if piece.product.shape == "disc":
        corner = rng.uniform(0, 2 * np.pi)
    else:
        reach = 1.41 if piece.product.shape == "square" else 1.32
    centre = np.array(piece.centre) + piece.half * reach * np.array([np.cos(corner), np.sin(corner)])
    return _blob(centre, 13 + 12 * severity, 0.14, 1.5, rng)


def _discoloration(piece: Piece, severity: float, rng: np.random.Generator) -> np.ndarray:
    return _blob(_inside(piece, rng, 0.45), 22 + 16 * severity, 0.15, 14.0, rng)


_DRAW = {
    "scratch": _scratch,
    "crack": _crack,
    "stain": _stain,
    "hole": _hole,
    "chip": _chip,
    "discoloration": _discoloration,
}
