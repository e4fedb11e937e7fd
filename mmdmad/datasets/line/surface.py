"""Pictures of the simulated line: a piece of each product on a dark belt, cut from photographs in scikit-image's wheel.

The photographs (brick, gravel, grass, coins, moon) are read from the installed package, which is not imported, after
their digests have been compared: another picture would make another line. Nothing is downloaded.
"""

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image

from mmdmad.datasets.line.truth import IMAGE_SIZE, Product
from mmdmad.packaged import PackagedData, packaged_file

PHOTOGRAPHS = PackagedData(
    "scikit-image",
    "",
    "skimage/data",
    (
        ("brick.png", "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf"),
        ("gravel.png", "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12"),
        ("grass.png", "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89"),
        ("coins.png", "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba"),
        ("moon.png", "78739619d11f7eb9c165bb5d2efd4772cee557812ec847532dbb1d92ef71f577"),
    ),
)
HALF = 70.0  # px, half the side of a piece in the picture
BELT_COLOUR = np.array([46.0, 47.0, 50.0], np.float32)


@lru_cache(maxsize=16)
def photograph(product: Product, zoom: float = 1.0) -> np.ndarray:
    """The product's photograph in its colours, float32 (H, W, 3), at `zoom` times its own size."""
    grey = np.asarray(Image.open(packaged_file(PHOTOGRAPHS, product.photo)).convert("L").crop(product.area), np.float32)
    low, high = np.percentile(grey, [0.5, 99.5])
    grey = np.clip((grey - low) / (high - low), 0, 1)
    if zoom != 1.0:
        grey = cv2.resize(grey, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
        grey = np.clip(grey, 0, 1)
    dark, light = np.array(product.dark, np.float32), np.array(product.light, np.float32)
    picture = dark + grey[..., None] * (light - dark)
    picture.flags.writeable = False
    return picture


def outline(
    product: Product, half: float, size: tuple[int, int], centre: tuple[float, float], turn: float
) -> np.ndarray:
    """Soft mask of a piece, float32 (H, W) in [0, 1]; `half` and `centre` in px, `turn` in radians."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    x, y = x - centre[0], y - centre[1]
    u, v = np.cos(turn) * x + np.sin(turn) * y, -np.sin(turn) * x + np.cos(turn) * y
    radius = {"square": 0.04, "rounded": 0.22, "disc": 1.0}[product.shape] * half
    qx, qy = np.abs(u) - (half - radius), np.abs(v) - (half - radius)
    distance = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0) - radius
    return np.clip(0.5 - distance, 0, 1).astype(np.float32)


def surface(product: Product, side: int, rng: np.random.Generator, zoom: float = 1.0) -> np.ndarray:
    """A random crop of the product's surface, float32 (side, side, 3): place, mirror, small turn and scale vary."""
    photo = photograph(product, round(product.zoom * zoom, 4))
    height, width = photo.shape[:2]
    scale = rng.uniform(0.94, 1.06)
    turn = rng.uniform(-0.06, 0.06)
    need = side / scale * (np.cos(turn) + abs(np.sin(turn))) / 2 + 1
    cx = rng.uniform(min(need, width / 2), max(width - need, width / 2))
    cy = rng.uniform(min(need, height / 2), max(height - need, height / 2))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    if product.moulds:
        flip = 1.0
        cx, cy = _snap(cx, width, need, product.moulds), _snap(cy, height, need, product.moulds)
        cx, cy = cx + rng.uniform(-3, 3), cy + rng.uniform(-3, 3)
    a, b = np.cos(turn) / scale, np.sin(turn) / scale
    matrix = np.array([[flip * a, -b, 0], [flip * b, a, 0]])
    matrix[:, 2] = np.array([cx, cy]) - matrix[:, :2] @ np.array([side / 2, side / 2])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(photo, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT_101)


def _snap(at: float, length: float, need: float, moulds: int) -> float:
    """The centre of the mould that `at` falls into, of `moulds` ones along a photograph's side."""
    free = max(length - 2 * need, 1e-9)
    cell = min(int((at - need) / free * moulds), moulds - 1)
    return need + (cell + 0.5) / moulds * free if length > 2 * need else length / 2


def belt_texture(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Dark rubber, float32 (H, W, 3)."""
    grain = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 1.0) * 9
    return BELT_COLOUR + grain[..., None]


def relief(mask: np.ndarray, wide: float) -> np.ndarray:
    """Light on the rounded edge of a piece lit from the upper left: a factor (H, W) around 1."""
    soft = cv2.GaussianBlur(mask, (0, 0), wide)
    gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=0.125)
    return 1 + 1.1 * wide * (gx + gy) * 0.7 - 0.35 * np.clip(1 - (soft - 0.5) * 2, 0, 1) * mask


class Piece:
    """A piece under the camera before light and lens: `albedo` (H, W, 3), `mask` (H, W), `belt` (H, W, 3).

    Surface faults change the albedo or the mask; `photographed` then adds light, blur and camera noise.
    """

    def __init__(self, product: Product, rng: np.random.Generator) -> None:
        self.product = product
        self.half = HALF * rng.uniform(0.98, 1.02)
        self.centre = (IMAGE_SIZE / 2 + rng.uniform(-3, 3), IMAGE_SIZE / 2 + rng.uniform(-3, 3))
        self.turn = rng.uniform(-0.04, 0.04)
        self.albedo = surface(product, IMAGE_SIZE, rng)
        self.mask = outline(product, self.half, (IMAGE_SIZE, IMAGE_SIZE), self.centre, self.turn)
        self.belt = belt_texture((IMAGE_SIZE, IMAGE_SIZE), rng)
        self.gain = rng.uniform(0.90, 1.08)
        self.slope = rng.uniform(-0.10, 0.10, 2)
        self.tint = 1 + rng.uniform(-0.02, 0.02, 3)
        self.blur = max(0.0, rng.uniform(-0.3, 0.7))
        self.noise = 2.2 * rng.standard_normal((IMAGE_SIZE, IMAGE_SIZE, 1), dtype=np.float32)

    def photographed(self) -> np.ndarray:
        """The picture, uint8 (160, 160, 3)."""
        mask = self.mask[..., None]
        shadow = cv2.GaussianBlur(np.roll(self.mask, (3, 3), (0, 1)), (0, 0), 3.0)[..., None]
        picture = self.belt * (1 - 0.55 * shadow) * (1 - mask) + self.albedo * relief(self.mask, 2.0)[..., None] * mask
        ramp = np.linspace(-1, 1, IMAGE_SIZE, dtype=np.float32)
        light = self.gain * (1 + self.slope[0] * ramp[:, None] + self.slope[1] * ramp[None, :])
        picture = picture * light[..., None] * self.tint
        if self.blur > 0.15:
            picture = cv2.GaussianBlur(picture, (0, 0), self.blur)
        return np.clip(picture + self.noise + 0.5, 0, 255).astype(np.uint8)
