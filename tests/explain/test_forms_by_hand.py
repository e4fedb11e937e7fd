"""What is said of pictures and clips of another size, shape, colour or rate than normal ones."""

from types import SimpleNamespace

import numpy as np
import pytest
from mmdmad.agents.explainer import explain
from mmdmad.agents.grounding import check

from mmdmad.errors import ModelError
from mmdmad.explain import gather, image_normal, sizes, video_normal
from mmdmad.explain.image_normal import ImageNormal, has_colour
from mmdmad.explain.ranges import MIN_GROUP
from mmdmad.explain.video_normal import VideoNormal
from mmdmad.modalities.base import modality_of
from mmdmad.parts import Image, Video


def facts(draft):
    return {f.name: (f.value, f.unit) for f in draft.facts}


def said(width, height, *known):
    return [d.caption for d in sizes.evidence("image", "picture", width, height, np.array(known))]


@pytest.mark.parametrize(
    ("width", "height", "how"),
    [(1024, 768, "in the same shape"), (64, 48, "in the same shape"), (512, 96, "wider in shape"),
     (256, 96, "wider in shape"), (96, 128, "as if lying on its side"), (96, 96, "narrower in shape"),
     (127, 96, "in the same shape")],
)  # fmt: skip
def test_another_size_is_told_with_its_shape_and_the_normal_one(width, height, how):
    (draft,) = sizes.evidence("image", "picture", width, height, np.array([[128, 96]]))
    assert draft.caption == f"The picture is {width} px by {height} px, {how}; normal ones are 128 px by 96 px."
    assert (draft.kind, draft.part) == ("form", "image")
    assert facts(draft) == {
        "width": (width, "px"), "height": (height, "px"), "shape": (how, ""), "normal width": (128, "px"),
        "normal height": (96, "px"),
    }  # fmt: skip


def test_up_to_three_normal_sizes_are_told_one_by_one_and_what_lies_between_is_another():
    known = (128, 96), (128, 128), (640, 480)
    assert [said(*size, *known) for size in known] == [[], [], []]
    assert said(320, 240, *known) == [
        "The picture is 320 px by 240 px; normal ones are 128 px by 96 px or 128 px by 128 px or 640 px by 480 px."
    ]
    assert said(96, 128, *known)[0].startswith("The picture is 96 px by 128 px, as if lying on its side; ")
    assert said(640, 320, *known)[0].startswith("The picture is 640 px by 320 px, wider in shape; ")


def test_of_more_sizes_least_and_most_are_told_and_only_what_is_well_outside_is_another():
    known = [(100 + i, 80 + i) for i in range(20)]
    assert [said(*size, *known) for size in ((105, 87), (124, 103), (96, 77))] == [[], [], []]
    assert said(130, 110, *known) == [
        "The picture is 130 px by 110 px; normal ones are 100 px to 119 px wide by 80 px to 99 px high."
    ]
    assert said(119, 80, *known)[0].startswith("The picture is 119 px by 80 px, wider in shape; ")
    assert said(80, 100, *known)[0].startswith("The picture is 80 px by 100 px, narrower in shape; ")


def test_without_what_was_learned_no_size_is_another():
    assert sizes.evidence("image", "picture", 9, 9, None) == []


COLOURS = np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
GREY = np.repeat(COLOURS[..., :1], 3, axis=2)


def picture(pixels):
    return Image(np.ascontiguousarray(pixels))


def known_pictures(*pixels, group=""):
    known = ImageNormal()
    for one in pixels:
        known.add(picture(one), group)
    known.finish()
    return known


def told(pixels, known, group=None):
    return [d.caption for d in modality_of("image").form(picture(pixels), known, group)]


def test_grey_among_colours_and_colour_among_greys_are_told():
    assert told(GREY, known_pictures(COLOURS)) == ["The picture is grey; normal ones are in colour."]
    assert told(COLOURS, known_pictures(GREY)) == ["The picture is in colour; normal ones are grey."]
    assert told(COLOURS, known_pictures(COLOURS)) == told(GREY, known_pictures(GREY)) == []
    both = known_pictures(COLOURS, GREY)
    assert told(COLOURS, both) == told(GREY, both) == []
    assert told(GREY[:12], known_pictures(COLOURS)) == [
        "The picture is 32 px by 12 px, wider in shape; normal ones are 32 px by 24 px.",
        "The picture is grey; normal ones are in colour.",
    ]
    assert told(COLOURS[:12], ImageNormal()) == []  # a model of before pictures were remembered


def test_a_hot_pixel_and_the_noise_of_a_lossy_format_are_no_colour():
    plain = np.full((1200, 1200, 3), 90, np.uint8)
    noisy = plain + np.random.default_rng(0).integers(0, 3, plain.shape).astype(np.uint8)
    noisy[:6, :6] = 255, 0, 0
    assert not has_colour(noisy)
    noisy[:, -60:] = 255, 0, 0
    assert has_colour(noisy)


def test_pictures_are_learned_of_all_and_of_groups_of_twenty_and_kept():
    known = ImageNormal()
    for _ in range(MIN_GROUP):
        known.add(picture(COLOURS), "A")
    for _ in range(MIN_GROUP - 1):
        known.add(picture(GREY[:12]), "B")
    known.finish()
    assert known.colours == {"": (MIN_GROUP - 1, MIN_GROUP), "A": (0, MIN_GROUP)}
    assert known.sizes.known.keys() == {"", "A"}
    again = ImageNormal()
    again.set_state(*known.state())
    for one in (known, again):
        assert told(GREY, one, "A") == ["The picture is grey; normal ones are in colour."]
        assert told(COLOURS[:12], one, "A") == [
            "The picture is 32 px by 12 px, wider in shape; normal ones are 32 px by 24 px."
        ]
        assert told(GREY[:12], one, "B") == told(GREY, one, None) == []


def test_no_more_pictures_are_kept_than_are_needed(monkeypatch):
    monkeypatch.setattr(image_normal, "MAX_CASES", 2)
    known = known_pictures(COLOURS, COLOURS, GREY)
    assert known.colours == {"": (0, 2)}
    monkeypatch.setattr(sizes, "MAX_CASES", 1)
    assert known_pictures(COLOURS, COLOURS[:12]).sizes.known[""].tolist() == [[32, 24]]


@pytest.mark.parametrize(
    ("array", "why"),
    [(np.zeros((0, 2), np.int64), "no size"), (np.array([[0, 4]]), "not above 0"), (np.array([[3, 4, 5]]), "shape")],
)
def test_sizes_that_are_none_are_refused(array, why):
    _, values = known_pictures(COLOURS).state()
    with pytest.raises(ModelError, match=why):
        ImageNormal().set_state({"sizes.0": array}, values)
    with pytest.raises(ModelError, match="missing"):
        ImageNormal().set_state({}, values)
    with pytest.raises(ModelError, match="colours"):
        ImageNormal().set_state({"sizes.0": np.array([[3, 4]])}, {**values, "colours": {"": [-1, 2]}})


def clip(fps=25.0, width=32, height=24):
    return Video.from_array(np.zeros((6, height, width), np.uint8), fps)


def known_clips(*clips, group=""):
    known = VideoNormal()
    for one in clips:
        known.add(one, group)
    known.finish()
    return known


def seen(signal, known, group=None):
    return [d.caption for d in modality_of("video").form(signal, known, group)]


def test_another_size_or_rate_of_a_clip_is_told():
    known = known_clips(clip(), clip())
    assert seen(clip(), known) == seen(clip(25.9), known) == []
    assert seen(clip(12.5), known) == ["The video has 12.5 frames/s; normal ones have 25 frames/s."]
    assert seen(clip(width=64), known) == [
        "The video is 64 px by 24 px, wider in shape; normal ones are 32 px by 24 px."
    ]
    several = known_clips(clip(10), clip(30))
    assert seen(clip(20), several) == []
    assert seen(clip(60), several) == ["The video has 60 frames/s; normal ones have 10 frames/s to 30 frames/s."]


def test_forms_of_clips_are_kept_and_those_of_models_of_before_are_unknown(monkeypatch):
    monkeypatch.setattr(video_normal, "MAX_CASES", 3)
    known = known_clips(*[clip()] * MIN_GROUP, group="A")
    assert known.ranges[""].size == 3
    assert known.rates["A"].size == MIN_GROUP
    arrays, values = known.state()
    again = VideoNormal()
    again.set_state(arrays, values)
    assert len(seen(clip(5, 99), again, "A")) == 2
    old = VideoNormal()
    old.set_state(arrays, {"ranges": values["ranges"]})
    assert seen(clip(5, 99), old) == []
    assert old.clip(None) is not None
    values["rates"][0]["names"] = ("speed",)
    with pytest.raises(ModelError, match="other measures"):
        VideoNormal().set_state(arrays, values)


@pytest.mark.parametrize("p_value", [0.004, 0.6])
def test_every_sentence_about_a_form_is_true_of_its_evidence(samples, normals, p_value):
    made = samples.judgement(p_value=p_value, p={"image": p_value})
    shape = made.signals["image"].pixels.shape
    flat = np.full((2 * shape[0], shape[1], 3), 90, np.uint8)
    made.signals["image"] = Image(flat)
    known = SimpleNamespace(**{name: getattr(normals, name) for name in ("of", "nearest", "n_cases", "ids")})
    finding = made.finding(gather(made, known, None))
    forms = [e for e in finding.evidence if e.kind == "form"]
    assert len(forms) == 2
    for form in forms:
        assert check(form.caption, [form.id], finding.evidence) == []
    note = explain(finding)
    assert note.faithfulness == 1.0
    assert {e.id for e in forms} <= {cite for sentence in note.sentences for cite in sentence.cites}


@pytest.mark.parametrize("known", [[(128, 96)], [(128, 96), (64, 64)], [(100 + i, 80 + 2 * i) for i in range(9)]])
@pytest.mark.parametrize("size", [(1024, 768), (512, 96), (96, 128), (40, 20)])
def test_every_size_is_told_in_a_sentence_that_its_facts_hold(known, size):
    (draft,) = sizes.evidence("image", "picture", *size, np.array(known))
    form = draft.numbered(1, None)
    assert check(form.caption, ["E1"], [form]) == []
    wrong = form.caption.replace(f"{size[0]} px", f"{size[0] + 7} px", 1)
    assert check(wrong, ["E1"], [form]) != []
