"""Pictures for evidence: heat overlays, key-frame strips and sensor lanes, all on the fixed map scale.

Colours mean the same everywhere: transparent = typical, amber = as high as one normal token in a thousand,
dark red = twice as far or more.
"""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmdmad.explain.maps import Region, pixel_map
from mmdmad.explain.when import FINEST, round_times, spoken
from mmdmad.explain.words import quoted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image as Picture

    from mmdmad.explain.sensor import ChannelView
    from mmdmad.explain.when import Recorded

INK, FAINT, PAPER, HOT = (32, 36, 44), (120, 126, 138), (255, 255, 255), (176, 18, 52)
BAR = 86  # width of the colour bar with its words, px
TOP = 2.0  # the map scale is drawn from 0 to TOP
_STOPS = np.array([0.0, 0.35, 1.0, 1.5, 2.0])
_COLOURS = np.array([[255, 236, 170], [255, 220, 120], [250, 150, 30], [222, 50, 40], [140, 8, 60]], np.float64)
_OPACITY = np.array([0.0, 0.08, 0.55, 0.7, 0.78])


def heat(values: np.ndarray) -> np.ndarray:
    """Map values (fixed scale) as RGBA, float64 (…, 4): colours 0-255, opacity 0-1."""
    values = np.clip(values, 0.0, TOP)
    channels = [np.interp(values, _STOPS, _COLOURS[:, i]) for i in range(3)]
    return np.stack([*channels, np.interp(values, _STOPS, _OPACITY)], axis=-1)


def overlay(pixels: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) greyed a little under the heat of its cells (fixed scale), uint8."""
    colours = heat(pixel_map(cells, (pixels.shape[0], pixels.shape[1])))
    base = 0.55 * pixels + 0.45 * pixels.mean(axis=2, keepdims=True)
    return np.round(base * (1 - colours[..., 3:]) + colours[..., :3] * colours[..., 3:]).astype(np.uint8)


def image_picture(
    pixels: np.ndarray, cells: np.ndarray | None, regions: Sequence[Region], side: int = 300
) -> "Picture":
    """The picture as it is, the picture under its map with boxes around hot regions, and the colour bar."""
    from PIL import Image, ImageDraw

    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrink = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST
    plain = Image.fromarray(pixels).resize(size, shrink)
    if cells is None:
        return plain
    hot = Image.fromarray(overlay(np.asarray(plain), cells))
    pen = ImageDraw.Draw(hot)
    for region in regions:
        left, top, right, bottom = (v * scale for v in region.box)
        box = (max(0, left - 2), max(0, top - 2), min(size[0] - 1, right + 1), min(size[1] - 1, bottom + 1))
        pen.rectangle(box, outline=PAPER, width=4)
        pen.rectangle(box, outline=HOT, width=2)
    gap = 12
    canvas = Image.new("RGB", (2 * size[0] + 2 * gap + BAR, max(size[1], 120)), PAPER)
    canvas.paste(plain, (0, 0))
    canvas.paste(hot, (size[0] + gap, 0))
    canvas.paste(colour_bar(max(size[1], 120)), (2 * size[0] + 2 * gap, 0))
    return canvas


def colour_bar(height: int) -> "Picture":
    """The fixed scale with its three marks, `BAR` pixels wide."""
    from PIL import Image, ImageDraw, ImageFont

    bar = Image.new("RGB", (BAR, height), PAPER)
    inner = height - 16
    values = np.linspace(TOP, 0, inner)
    colours = heat(values)
    strip = 255 * (1 - colours[:, 3:]) + colours[:, :3] * colours[:, 3:]
    bar.paste(Image.fromarray(np.repeat(np.round(strip).astype(np.uint8)[:, None], 11, axis=1)), (1, 8))
    pen, font = ImageDraw.Draw(bar), ImageFont.load_default(12)
    pen.rectangle((0, 7, 12, 8 + inner), outline=FAINT)
    for value, text in ((0.0, "typical"), (1.0, "99.9 % of\nnormal"), (TOP, "extreme")):
        y = 8 + inner * (1 - value / TOP)
        pen.line((9, y, 15, y), fill=INK)
        pen.multiline_text((18, y), text, fill=INK, font=font, anchor="lm", spacing=2)
    return bar


def strip_picture(
    frames: Sequence[np.ndarray], maps: Sequence[np.ndarray | None], titles: Sequence[str], side: int = 180
) -> "Picture":
    """Key frames side by side: each as it is and, below, under its map; the titles say when."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = frames[0].shape[:2]
    scale = min(side / width, side / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    gap, head = 8, 18
    canvas = Image.new("RGB", (len(frames) * (size[0] + gap) + BAR + 4, head + 2 * size[1] + gap), PAPER)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(12)
    for i, (frame, cells, title) in enumerate(zip(frames, maps, titles, strict=True)):
        x = i * (size[0] + gap)
        plain = Image.fromarray(np.ascontiguousarray(frame)).resize(size, Image.Resampling.BICUBIC)
        pen.text((x, 1), title, fill=INK, font=font)
        canvas.paste(plain, (x, head))
        if cells is not None:
            canvas.paste(Image.fromarray(overlay(np.asarray(plain), cells)), (x, head + size[1] + gap))
    if any(cells is not None for cells in maps):
        canvas.paste(colour_bar(2 * size[1] + gap), (len(frames) * (size[0] + gap) + 4, head))
    return canvas


def sensor_picture(views: Sequence["ChannelView"], limit: int = 8) -> "Picture":
    """One lane a channel: the signal over its normal range, its events marked, the map as a band below each lane."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    views = list(views)[:limit]
    tall = 0.6 * len(views) + 0.55
    figure = Figure(figsize=(6.4, tall), dpi=125)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.235, 0.45 / tall, 0.665, 1 - 0.56 / tall))
    for base, view in enumerate(reversed(views)):
        _lane(axes, view, base)
    times = views[0].trace.times
    axes.set_xlim(float(times[0]), float(times[-1]))
    axes.set_ylim(-0.12, len(views) - 0.05)
    axes.set_yticks([])
    _times(axes, views[0].recorded, float(times[0]), float(times[-1]))
    axes.tick_params(axis="x", labelsize=9, colors=_hex(INK), length=3)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_hex(FAINT))
    for name in (text for text in axes.texts if text.get_horizontalalignment() == "right"):
        box = name.get_window_extent(canvas.get_renderer())
        if box.x0 < 0:  # seventeen wide letters are wider than the margin
            name.set_fontsize(name.get_fontsize() * box.x1 / box.width)
    canvas.draw()
    plot = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    return plot.quantize(96, dither=Image.Dither.NONE)


def _times(axes: "Axes", recorded: "Recorded", start: float, stop: float) -> None:
    """The time below the lanes; of a piece of a longer recording the time in that, as the sentences have it."""
    if recorded.file:
        marks = round_times(recorded.offset + start, recorded.offset + stop)
        axes.set_xticks([mark - recorded.offset for mark in marks], [spoken(mark, FINEST) for mark in marks])
    about = f"time in {quoted(recorded.file, 60)}" if recorded.file else "time [s]"
    axes.set_xlabel(about.replace("$", r"\$"), fontsize=9, color=_hex(INK))


def _lane(axes: "Axes", view: "ChannelView", base: float) -> None:
    """One channel between `base` and `base + 0.85`, drawn into matplotlib axes."""
    trace = view.trace
    shown = np.where(trace.missing, np.nan, trace.values)
    low, high = (float(np.nanmin(shown)), float(np.nanmax(shown))) if not trace.missing.all() else (0.0, 1.0)
    if view.normal is not None:
        low, high = min(low, view.normal["value"][0]), max(high, view.normal["value"][2])
    room = max(high - low, 1e-9)

    def place(value: np.ndarray | float) -> np.ndarray:
        return base + 0.12 + 0.68 * (np.asarray(value, float) - low) / room

    start, stop = float(trace.times[0]), float(trace.times[-1])
    if view.normal is not None:
        a, b = place(view.normal["value"][0]), place(view.normal["value"][2])
        axes.fill_between([start, stop], [a, a], [b, b], color="#dfe8f2", lw=0, zorder=0)
    hot = heat(view.curve)[None]
    hot = np.concatenate([hot[..., :3] / 255, np.clip(hot[..., 3:] * 1.3, 0, 1)], axis=-1)
    axes.imshow(hot, extent=(start, stop, base, base + 0.07), aspect="auto", interpolation="nearest", zorder=1)
    loud = view.named
    axes.plot(trace.times, place(shown), color=_hex(INK) if loud else "#7d8796", lw=1.0, zorder=2)
    for event in view.events if loud else []:
        pad = 0.006 * (stop - start)
        axes.fill_between(
            [event.start - pad, event.stop + pad], base + 0.09, base + 0.83, color=_hex(HOT), alpha=0.16, lw=0, zorder=1
        )
        axes.text(event.start, base + 0.84, event.kind, fontsize=8, color=_hex(HOT), va="bottom", clip_on=False)
    name = "\n".join(textwrap.wrap(f"{view.name.replace('_', ' ')} [{view.unit}]".removesuffix(" []"), 17)[:3])
    axes.annotate(name, (0, base + 0.46), xycoords=("axes fraction", "data"), xytext=(-8, 0),
                  textcoords="offset points", ha="right", va="center", fontsize=9,
                  color=_hex(INK), weight="bold" if loud else "normal", parse_math=False)  # fmt: skip
    if view.normal is not None:
        from mmdmad.explain.words import number

        for value in (view.normal["value"][0], view.normal["value"][2]):
            axes.annotate(number(value), (1, float(place(value))), xycoords=("axes fraction", "data"),
                          xytext=(4, 0), textcoords="offset points", ha="left", va="center", fontsize=7.5,
                          color=_hex(FAINT))  # fmt: skip


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
