"""The data of evidence cannot be changed once made, and what only type checkers need is not loaded."""

import ast
import importlib
import inspect
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import numpy as np
import pytest

import mmdmad.explain
from mmdmad.explain import (  # fmt: skip
    base,
    draw,
    events,
    image,
    maps,
    motion,
    normal,
    occlusion,
    ranges,
    relations,
    sensor,
    sensor_normal,
    text,
    text_normal,
    traces,
    verdict,
    video,
    video_normal,
    words,
)

MODULES = sorted(Path(mmdmad.explain.__file__).parent.glob("*.py"))
FROZEN = {
    base.Seen: False, base.Look: False, events.Event: True, maps.Region: False, maps.Span: True, motion.Motion: False,
    normal.Neighbours: False, occlusion.Carried: True, ranges.Ranges: False, sensor.ChannelView: False,
    traces.Traces: False, video.ClipView: False, words.Draft: True,
}  # fmt: skip


@pytest.mark.parametrize("kind", FROZEN, ids=lambda kind: kind.__name__)
def test_what_was_found_cannot_be_changed_and_arrays_are_not_compared(kind):
    names = [f.name for f in fields(kind)]
    made = kind(*[np.arange(3.0)] * len(names))
    with pytest.raises(FrozenInstanceError):
        setattr(made, names[0], None)
    if FROZEN[kind]:
        assert kind(*range(len(names))) == kind(*range(len(names)))
        assert hash(kind(*range(len(names)))) == hash(kind(*range(len(names))))
    else:
        assert made == made
        assert made != kind(*[np.arange(3.0)] * len(names))


def test_what_is_left_out_is_nothing():
    look = base.Look()
    assert (look.drafts, look.draw, look.marked) == ((), None, None)
    assert not normal.Neighbours(("a",), ("",), np.ones(1)).alike
    empty = normal.Normal()
    assert (empty.embeddings, empty.ids, empty.groups, empty.learned, empty.n_cases) == ({}, {}, {}, {}, 0)
    assert empty != normal.Normal()  # arrays are not compared
    assert ranges.SavedRanges(group="", names=(), size=0).channel == ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_names_for_type_checkers_are_not_loaded(path):
    name = "mmdmad.explain" if path.stem == "__init__" else f"mmdmad.explain.{path.stem}"
    held = vars(importlib.import_module(name))
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            guarded = [alias.asname or alias.name for statement in node.body for alias in statement.names]
            loaded = [one for one in guarded if one in held and not inspect.ismodule(held[one])]
            assert loaded == []


def test_what_saved_ranges_words_and_counts_hold_is_known_by_name():
    for kind in (normal._Saved, ranges.SavedRanges, sensor_normal._Saved, text_normal._Saved, video_normal._Saved):
        assert kind.model_config["extra"] == "forbid"


def test_the_bounds_of_evidence():
    assert mmdmad.explain.DRAWN_UP_TO == 0.05
    assert (image.MAX_REGIONS, sensor.MAX_CHANNELS, text.MAX_SPANS, text.MAX_WORDS, video.KEY_FRAMES) == (3, 4, 3, 6, 4)
    assert (motion.MAX_FRAMES, motion.MAX_SIDE, motion._MOVING, video._STILL) == (32, 96, 4.0, 0.1)
    assert (normal.ALIKE, normal.TWINS) == (1e-6, 1e-3)
    assert (occlusion.MOST_UNITS, occlusion.MOST_WORDS, occlusion.STEP) == (48, 4, 0.2)
    assert (ranges.QUANTILES, ranges.MIN_GROUP) == ((0.005, 0.5, 0.995), 20)
    assert (relations.NEAREST, relations.NAMED, relations._MAJORITY, relations._CARRIES) == (5, 3, 0.8, 0.1)
    assert (sensor._CLEAR, sensor_normal.MAX_CASES, sensor_normal._VALUES_PER_CASE) == (0.5, 3000, 64)
    assert (text_normal.MAX_WORDS, text_normal.MAX_TEMPLATES, video_normal.MAX_CASES) == (50_000, 20_000, 160)
    assert (verdict.UNUSUAL, verdict._USUAL_PART, draw.BAR) == (0.05, 0.5, 86)
