"""What the pictures of evidence show: the figure that is drawn is read, and colours at places that are known."""

from dataclasses import replace

import matplotlib.figure
import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image, ImageDraw, ImageFont

from mmdmad.explain import draw
from mmdmad.explain.events import Event
from mmdmad.explain.maps import Region
from mmdmad.explain.ranges import Ranges
from mmdmad.explain.sensor import ChannelView
from mmdmad.explain.traces import traces

INK, FAINT, PAPER, HOT = (32, 36, 44), (120, 126, 138), (255, 255, 255), (176, 18, 52)
TIMES = np.arange(11) / 2 + 1.0  # 1 s to 6 s


@pytest.fixture
def figures(monkeypatch):
    """Every matplotlib figure that is made, as it is when it has been drawn."""
    made = []

    class Kept(matplotlib.figure.Figure):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(matplotlib.figure, "Figure", Kept)
    return made


def channel(values, *, name="load", unit="A", value=(-1.0, 0.0, 3.0), events=(), marked=False, curve=None):
    known = None if value is None else Ranges(("value",), np.array([value], float), 60)
    heat = np.zeros(len(values)) if curve is None else np.asarray(curve, float)
    trace = traces(np.asarray(values, float), TIMES[: len(values)])
    return ChannelView(name, unit, trace, known, heat, list(events), marked)


def axes_of(figures, *views, **options):
    picture = draw.sensor_picture(views, **options)
    (figure,) = figures
    (axes,) = figure.axes
    return picture, figure, axes


def texts(axes):
    return {t.get_text(): t for t in axes.texts}


def test_the_colours_of_the_pictures_and_their_scale():
    assert (draw.INK, draw.FAINT, draw.PAPER, draw.HOT, draw.BAR, draw.TOP) == (INK, FAINT, PAPER, HOT, 86, 2.0)
    marks = np.array([0.0, 0.35, 1.0, 1.5, 2.0])
    colours = [(255, 236, 170), (255, 220, 120), (250, 150, 30), (222, 50, 40), (140, 8, 60)]
    expected = np.array([[*c, o] for c, o in zip(colours, (0, 0.08, 0.55, 0.7, 0.78), strict=True)])
    assert draw.heat(marks) == pytest.approx(expected)
    assert draw.heat(marks.reshape(5, 1)[None]).shape == (1, 5, 1, 4)
    middles = draw.heat((marks[1:] + marks[:-1]) / 2)
    assert middles == pytest.approx((expected[1:] + expected[:-1]) / 2)  # straight between the marks
    assert draw.heat(np.array([-0.5, 2.5])) == pytest.approx(expected[[0, 4]])
    assert [draw._hex(c) for c in (INK, (0, 255, 9))] == ["#20242c", "#00ff09"]


@pytest.mark.parametrize("count", [1, 3, 8, 9])
def test_a_figure_has_one_lane_a_channel_up_to_eight(figures, count):
    views = [channel(np.arange(11.0), name=f"c{i}") for i in range(count)]
    picture, figure, axes = axes_of(figures, *views)
    lanes = min(count, 8)
    tall = 0.6 * lanes + 0.55
    assert figure.get_size_inches() == pytest.approx([6.4, tall])
    assert figure.dpi == 125
    assert picture.size == (800, int(tall * 125))
    left, bottom, width, height = axes.get_position().bounds
    assert (left, width) == pytest.approx((0.235, 0.665))
    assert bottom * tall == pytest.approx(0.45)  # room for the times, in inches
    assert height * tall == pytest.approx(tall - 0.56)
    assert axes.get_xlim() == (1.0, 6.0)
    assert axes.get_ylim() == pytest.approx((-0.12, lanes - 0.05))
    assert sorted(line.get_ydata().min() - 0.12 for line in axes.lines) == pytest.approx(
        [i + 0.68 * 1 / 11 for i in range(lanes)]
    )  # -1, the low end of the normal range, lies below the reading 0
    named = sorted((t for t in axes.texts if t.get_text().startswith("c")), key=lambda t: -t.xy[1])
    assert [t.get_text() for t in named] == [f"c{i} [A]" for i in range(lanes)]  # the first channel on top
    assert [t.xy[1] for t in named] == pytest.approx([lanes - 1 - i + 0.46 for i in range(lanes)])
    assert len(axes.images) == len(axes.lines) == lanes


def test_as_many_lanes_as_are_asked_for(figures):
    _, _, axes = axes_of(figures, *[channel(np.arange(11.0), name=f"c{i}") for i in range(4)], limit=2)
    assert len(axes.lines) == 2
    assert axes.get_ylim()[1] == pytest.approx(1.95)


def test_the_axes_name_the_time_and_have_only_a_faint_line_below(figures):
    _, _, axes = axes_of(figures, channel(np.arange(11.0)))
    assert axes.get_xlabel() == "time [s]"
    assert (axes.xaxis.label.get_fontsize(), to_hex(axes.xaxis.label.get_color())) == (9.0, "#20242c")
    assert len(axes.get_yticks()) == 0
    assert {s: axes.spines[s].get_visible() for s in ("top", "right", "left", "bottom")} == {
        "top": False, "right": False, "left": False, "bottom": True,
    }  # fmt: skip
    assert to_hex(axes.spines["bottom"].get_edgecolor()) == "#787e8a"
    tick = axes.xaxis.get_major_ticks()[0]
    assert tick.label1.get_fontsize() == 9.0
    assert to_hex(tick.label1.get_color()) == to_hex(tick.tick1line.get_color()) == "#20242c"
    assert tick.tick1line.get_markersize() == 3.0


def test_a_lane_holds_the_readings_over_their_normal_range(figures):
    values = np.linspace(1.0, 7.0, 11)
    values[4] = np.nan
    _, _, axes = axes_of(figures, channel(values, value=(-1.0, 0.0, 3.0)))
    (line,) = axes.lines
    drawn = 0.12 + 0.68 * (values + 1) / 8  # -1 to 7 are the lane's ends
    assert np.isnan(line.get_ydata()[4])
    assert np.nan_to_num(line.get_ydata()) == pytest.approx(np.nan_to_num(drawn))
    assert line.get_xdata().tolist() == TIMES.tolist()
    assert (line.get_linewidth(), line.get_zorder(), line.get_color()) == (1.0, 2, "#7d8796")
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    assert (corners[:, 0].min(), corners[:, 0].max()) == (1.0, 6.0)
    assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((0.12, 0.12 + 0.68 * 4 / 8))
    assert to_hex(band.get_facecolor()[0]) == "#dfe8f2"
    assert (band.get_linewidth()[0], band.get_zorder()) == (0, 0)


def test_the_ends_of_the_normal_range_stand_at_the_right_of_their_lane(figures):
    _, _, axes = axes_of(figures, channel(np.linspace(1.0, 7.0, 11), value=(-1.0, 0.0, 3.0)))
    low, high = texts(axes)["-1"], texts(axes)["3"]
    assert (low.xy[0], high.xy[0]) == (1, 1)
    assert (low.xy[1], high.xy[1]) == pytest.approx((0.12, 0.46))
    for text in (low, high):
        assert text.xycoords == ("axes fraction", "data")
        assert text.get_position() == (4, 0)  # points to the right
        assert text.anncoords == "offset points"
        assert (text.get_ha(), text.get_va(), text.get_fontsize()) == ("left", "center", 7.5)
        assert to_hex(text.get_color()) == "#787e8a"


def test_a_channel_that_no_normal_case_has_is_drawn_between_its_own_ends(figures):
    _, _, axes = axes_of(figures, channel(np.linspace(2.0, 4.0, 11), value=None))
    assert (axes.lines[0].get_ydata()[0], axes.lines[0].get_ydata()[-1]) == pytest.approx((0.12, 0.8))
    assert len(axes.collections) == 0
    assert [t.get_text() for t in axes.texts] == ["load [A]"]


def test_a_normal_range_wider_than_the_readings_sets_the_ends_of_the_lane(figures):
    _, _, axes = axes_of(figures, channel(np.linspace(2.0, 4.0, 11), value=(0.0, 4.0, 8.0)))
    assert (axes.lines[0].get_ydata()[0], axes.lines[0].get_ydata()[-1]) == pytest.approx((0.29, 0.46))


def test_one_value_throughout_lies_at_the_foot_of_its_lane(figures):
    _, _, axes = axes_of(figures, channel(np.full(11, 5.0), value=None))
    assert axes.lines[0].get_ydata() == pytest.approx(np.full(11, 0.12))


def test_differences_below_a_thousand_millionth_are_not_blown_up(figures):
    _, _, axes = axes_of(figures, channel(np.linspace(0, 5e-10, 11), value=None))
    assert axes.lines[0].get_ydata()[-1] == pytest.approx(0.12 + 0.34)


def test_a_channel_without_a_reading_has_an_empty_lane(figures):
    _, _, axes = axes_of(figures, channel(np.full(11, np.nan), value=None))
    assert np.isnan(axes.lines[0].get_ydata()).all()
    figures.clear()
    _, _, axes = axes_of(figures, channel(np.full(11, np.nan), value=(0.5, 1, 2.0)))
    corners = axes.collections[0].get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((0.12 + 0.17, 0.8))  # of a lane from 0 to 2


def test_the_map_is_a_band_at_the_foot_of_the_lane(figures):
    curve = np.linspace(0, 2, 11)
    top, below = channel(np.arange(11.0)), channel(np.arange(11.0), name="b", curve=curve)
    _, _, axes = axes_of(figures, top, below)
    assert [image.get_extent() for image in axes.images] == [[1.0, 6.0, 0, 0.07], [1.0, 6.0, 1, 1.07]]
    band = axes.images[0]
    colours = draw.heat(curve)
    assert np.asarray(band.get_array())[0, :, :3] == pytest.approx(colours[:, :3] / 255)
    assert np.asarray(band.get_array())[0, :, 3] == pytest.approx(np.minimum(1.3 * colours[:, 3], 1))
    assert colours[5, 3] * 1.3 == pytest.approx(0.715)
    assert colours[-1, 3] * 1.3 > 1
    assert (band.get_interpolation(), band.get_zorder(), axes.get_aspect()) == ("nearest", 1, "auto")


def test_events_are_marked_on_channels_that_are_named(figures):
    strong = Event("spike", 2.0, 3.0, 0.51, 0.0, 1.0, (0.0, 1.0))
    drift = Event("drift", 4.0, 5.5, 9.0, 0.0, 1.0, (0.0, 1.0))
    _, _, axes = axes_of(figures, channel(np.arange(11.0), events=[strong, drift]), channel(np.arange(11.0), name="b"))
    assert to_hex(axes.lines[0].get_color()) == "#7d8796"
    assert to_hex(axes.lines[1].get_color()) == "#20242c"
    marks = [c for c in axes.collections if c.get_alpha() is not None]
    for mark, (start, stop) in zip(marks, ((2.0, 3.0), (4.0, 5.5)), strict=True):
        corners = mark.get_paths()[0].vertices
        assert (corners[:, 0].min(), corners[:, 0].max()) == pytest.approx((start - 0.03, stop + 0.03))
        assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((1.09, 1.83))
        assert (mark.get_alpha(), mark.get_linewidth()[0], mark.get_zorder()) == (0.16, 0, 1)
        assert to_hex(mark.get_facecolor()[0]) == "#b01234"
    for kind, start in (("spike", 2.0), ("drift", 4.0)):
        said = texts(axes)[kind]
        assert said.get_position() == pytest.approx((start, 1.84))
        assert (said.get_fontsize(), said.get_va(), said.get_clip_on()) == (8.0, "bottom", False)
        assert to_hex(said.get_color()) == "#b01234"
    names = texts(axes)
    assert (names["load [A]"].get_weight(), names["b [A]"].get_weight()) == ("bold", "normal")


def test_events_of_a_channel_that_is_not_named_are_not_marked(figures):
    weak = Event("spike", 2.0, 3.0, 0.5, 0.0, 1.0, (0.0, 1.0))
    _, _, axes = axes_of(figures, channel(np.arange(11.0), value=None, events=[weak]))
    assert [t.get_text() for t in axes.texts] == ["load [A]"]
    assert len(axes.collections) == 0


def test_a_name_stands_left_of_its_lane_in_at_most_three_lines_of_seventeen_letters(figures):
    _, _, axes = axes_of(figures, channel(np.arange(11.0), name="spindle_motor_temperature of_unit_12 behind the belt"))
    (name,) = [t for t in axes.texts if t.get_ha() == "right"]
    assert name.get_text() == "spindle motor\ntemperature of\nunit 12 behind"
    assert (name.xy, name.get_position()) == ((0, 0.46), (-8, 0))
    assert (name.xycoords, name.anncoords) == (("axes fraction", "data"), "offset points")
    assert (name.get_va(), name.get_fontsize(), to_hex(name.get_color())) == ("center", 9.0, "#20242c")
    figures.clear()
    _, _, axes = axes_of(figures, channel(np.arange(11.0), name="a" * 17, unit=""))
    assert "a" * 17 in texts(axes)


def test_a_sensor_picture_has_its_colours_in_a_table_of_96(figures):
    views = [channel(np.sin(np.arange(11.0)), curve=np.linspace(0, 2, 11) + i / 40, name=f"c{i}") for i in range(8)]
    picture, _, _ = axes_of(figures, *views)
    assert picture.mode == "P"
    assert len(picture.getpalette()) == 3 * 96


def board(height, width):
    """A chessboard of single black and white pixels."""
    field = (np.add.outer(np.arange(height), np.arange(width)) % 2 * 255).astype(np.uint8)
    return np.repeat(field[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("height", "width", "side", "size"),
    [(30, 60, 90, (90, 45)), (60, 30, 90, (45, 90)), (1, 300, 30, (30, 1)), (300, 1, 30, (1, 30)), (3, 4, 99, (99, 74)),
     (200, 1000, 10, (10, 2))],
)  # fmt: skip
def test_a_picture_is_brought_to_its_longer_side(height, width, side, size):
    assert draw.image_picture(board(height, width), None, [], side=side).size == size


def test_a_picture_is_300_pixels_long_and_a_key_frame_180():
    assert draw.image_picture(board(10, 20), None, []).size == (300, 150)
    strip = draw.strip_picture([board(10, 20)], [None], [""])
    assert strip.size == (180 + 8 + 86 + 4, 18 + 2 * 90 + 8)


@pytest.mark.parametrize("side", [20, 30, 45, 50])
def test_pixels_stay_sharp_when_enlarged_and_are_averaged_when_shrunk(side):
    large = np.asarray(draw.image_picture(board(20, 20), None, [], side=side))
    assert set(np.unique(large)) == {0, 255}
    small = np.asarray(draw.image_picture(board(20, 20), None, [], side=5))
    assert small.min() > 60
    assert small.max() < 195


def test_a_region_has_a_red_frame_two_pixels_outside_it_and_a_white_one_within():
    pixels, cells = np.full((30, 40, 3), 100, np.uint8), np.zeros((3, 4))
    region = Region((10, 10, 30, 20), 0.1, 2.0, cells > 0)
    drawn = np.asarray(draw.image_picture(pixels, cells, [region], side=80))  # twice as large
    assert drawn.shape == (120, 2 * 80 + 24 + 86, 3)
    hot = drawn[:60, 92:172]
    grey, red, white = (100, 100, 100), HOT, PAPER
    across = [tuple(int(c) for c in hot[30, x]) for x in range(80)]
    assert across == [grey] * 18 + [red] * 2 + [white] * 2 + [grey] * 36 + [white] * 2 + [red] * 2 + [grey] * 18
    down = [tuple(int(c) for c in hot[y, 40]) for y in range(60)]
    assert down == [grey] * 18 + [red] * 2 + [white] * 2 + [grey] * 16 + [white] * 2 + [red] * 2 + [grey] * 18
    assert (drawn[60:, : 172 + 12] == 255).all()  # paper below
    assert (drawn[:60, :80] == 100).all()  # the plain picture has no frame
    assert (drawn[:60, 80:92] == 255).all()
    assert (drawn[:, 172:184] == 255).all()


def test_a_frame_at_the_border_stays_inside_the_picture():
    pixels, cells = np.full((30, 40, 3), 100, np.uint8), np.zeros((3, 4))
    region = Region((0, 0, 40, 30), 1.0, 2.0, cells > 0)
    drawn = np.asarray(draw.image_picture(pixels, cells, [region], side=40))
    hot = drawn[:30, 52:92]
    red, white, grey = HOT, PAPER, (100, 100, 100)
    assert [tuple(int(c) for c in hot[15, x]) for x in (0, 1, 2, 3, 4)] == [red, red, white, white, grey]
    assert [tuple(int(c) for c in hot[15, x]) for x in (39, 38, 37, 36, 35)] == [red, red, white, white, grey]
    assert [tuple(int(c) for c in hot[y, 20]) for y in (0, 1, 2, 3, 4)] == [red, red, white, white, grey]
    assert [tuple(int(c) for c in hot[y, 20]) for y in (29, 28, 27, 26, 25)] == [red, red, white, white, grey]
    assert drawn.shape == (120, 190, 3)
    assert drawn[:, 104:].tolist() == np.asarray(draw.colour_bar(120)).tolist()  # of at least 120 pixels
    tall = np.asarray(draw.image_picture(np.full((121, 4, 3), 9, np.uint8), cells, [], side=121))
    assert tall.shape == (121, 2 * 4 + 24 + 86, 3)


def test_an_overlay_of_colours_keeps_55_percent_of_them():
    pixels = np.tile(np.array([200, 100, 0], np.uint8), (4, 6, 1))
    assert draw.overlay(pixels, np.zeros((2, 3)))[0, 0].tolist() == [155, 100, 45]
    mild = draw.overlay(pixels, np.full((2, 3), 1.0))[0, 0]
    assert mild.tolist() == np.round(0.45 * np.array([155, 100, 45]) + 0.55 * np.array([250, 150, 30])).tolist()
    assert draw.overlay(pixels, np.zeros((2, 3))).dtype == np.uint8


def test_the_bar_is_the_scale_from_its_top_to_nothing_in_a_faint_frame_with_three_marks():
    bar = draw.colour_bar(216)
    drawn = np.asarray(bar).astype(int)
    assert bar.size == (86, 216)
    colours = draw.heat(np.linspace(2.0, 0.0, 200))
    strip = np.round(255 * (1 - colours[:, 3:]) + colours[:, :3] * colours[:, 3:])
    for column in (1, 5, 8):
        assert drawn[8:208, column].tolist() == strip.tolist()
    rows = [y for y in range(9, 207) if y != 108]
    assert drawn[rows, 10].tolist() == drawn[rows, 11].tolist() == strip[[y - 8 for y in rows]].tolist()
    assert drawn[7:209, 0].tolist() == [list(FAINT)] * 202
    assert drawn[rows, 12].tolist() == [list(FAINT)] * len(rows)
    assert drawn[7, :13].tolist() == [list(FAINT)] * 13
    assert drawn[208, :9].tolist() == [list(FAINT)] * 9
    assert (drawn[:7, :16] == 255).all()
    assert (drawn[209:, :16] == 255).all()
    for y in (8, 108, 208):
        assert drawn[y, 9:16].tolist() == [list(INK)] * 7
        assert drawn[y, 8].tolist() != list(INK)
        assert drawn[y, 16:18].tolist() == [[255] * 3] * 2
    assert (drawn[rows, 13:16] == 255).all()
    said = Image.new("RGB", bar.size, PAPER)
    pen, font = ImageDraw.Draw(said), ImageFont.load_default(12)
    for y, text in ((208, "typical"), (108, "99.9 % of\nnormal"), (8, "extreme")):
        pen.multiline_text((18, y), text, fill=INK, font=font, anchor="lm", spacing=2)
    assert drawn[:, 18:].tolist() == np.asarray(said)[:, 18:].astype(int).tolist()


@pytest.mark.parametrize(("height", "width", "size"), [(20, 40, (60, 30)), (40, 20, (30, 60)), (30, 30, (60, 60))])
def test_key_frames_fit_into_a_square(height, width, size):
    frames = [np.full((height, width, 3), v, np.uint8) for v in (40, 90, 140)]
    drawn = np.asarray(draw.strip_picture(frames, [None, np.zeros((2, 2)), None], ["", "", ""], side=60))
    wide, tall = size
    assert drawn.shape == (18 + 2 * tall + 8, 3 * (wide + 8) + 90, 3)
    for i, value in enumerate((40, 90, 140)):
        x = i * (wide + 8)
        assert (drawn[18 : 18 + tall, x : x + wide] == value).all()
        assert (drawn[18 : 18 + tall, x + wide : x + wide + 8] == 255).all()
        below = drawn[18 + tall + 8 :, x : x + wide]
        assert (below == (90 if i == 1 else 255)).all()
    assert (drawn[:18] == 255).all()
    x = 3 * (wide + 8) + 4
    assert drawn[18:, x:].tolist() == np.asarray(draw.colour_bar(2 * tall + 8)).tolist()


@pytest.mark.parametrize(("height", "width"), [(1, 200), (200, 1)])
def test_a_very_long_key_frame_keeps_one_pixel_of_its_short_side(height, width):
    drawn = draw.strip_picture([np.full((height, width, 3), 7, np.uint8)], [None], [""], side=60)
    wide, tall = (60, 1) if width > height else (1, 60)
    assert drawn.size == (wide + 8 + 90, 18 + 2 * tall + 8)


def test_titles_stand_over_their_key_frames():
    frames = [np.full((10, 40, 3), 255, np.uint8)] * 2
    drawn = np.asarray(draw.strip_picture(frames, [None, None], ["0.25 s", "1.5 s"], side=40))
    expected = Image.new("RGB", (drawn.shape[1], drawn.shape[0]), PAPER)
    pen, font = ImageDraw.Draw(expected), ImageFont.load_default(12)
    pen.text((0, 1), "0.25 s", fill=INK, font=font)
    pen.text((48, 1), "1.5 s", fill=INK, font=font)
    assert drawn.tolist() == np.asarray(expected).tolist()
    with pytest.raises(ValueError, match="argument 3 is shorter"):
        draw.strip_picture(frames, [None, None], ["one"], side=40)


def test_a_channel_marked_by_the_detector_is_drawn_as_a_named_one(figures):
    _, _, axes = axes_of(figures, replace(channel(np.arange(11.0)), marked=True))
    assert to_hex(axes.lines[0].get_color()) == "#20242c"


@pytest.mark.parametrize("name", ["Accelerometer2RMS", "WWWWWWWWWWWWWW", "MMMMMMMM_WWWWWWWW"])
def test_a_wide_name_stays_in_the_picture(figures, name):
    _, _, axes = axes_of(figures, channel(np.arange(11.0), name=name))
    (said,) = [t for t in axes.texts if t.get_ha() == "right"]
    assert said.get_window_extent().x0 > -1
    assert 5 < said.get_fontsize() <= 9
