# ruff: noqa: E501  (a statement reads better on one line)
"""What evidence says of pictures and clips: regions, moments, movement, brightness, size, and a part as a whole."""

import re
from collections.abc import Sequence

from mmdmad.claims import of_sensor
from mmdmad.claims.frames import Frame, View
from mmdmad.claims.slots import Listing, Name, Slot, Words
from mmdmad.explain.whole import SAID

_AT = "(at|in|in the) {place}"
_PICTURE = "(the picture|the image|the photo)"
_VIDEO = "(the video|the clip|the video part)"
FRAMES = (
    Frame(
        "region", "region", "at", "place", "a region of {size} stands out {at} {place}",
        "ein Bereich von {size} fällt auf, {place}", "unusual",
        (
            f"a [{{how_large}}] (region|area|spot) [of {{size}}] [of the picture] [{_AT}] [{{size}}] "
            f"(stands out|is unusual) [{_AT}] [of the picture] [{{share_of_the_picture}} of the picture from x {{left}} y "
            "{top}]",
            f"a [{{how_large}}] (region|area|spot) [{_AT}] covers {{share_of_the_picture}} of {_PICTURE}",
            f"look at the {{place}} of {_PICTURE}",
            "the box (begins|starts) at x [=] {left} and y [=] {top}",
        ),
    ),
    Frame(
        "region tone", "tone", "unlike", "tone", "it is {tone} than its surroundings", "er ist {tone} als seine Umgebung",
        "unusual",
        ("it is {tone_difference} of the grey range {tone} than its surroundings",
         "it is {tone} than (its surroundings|the area around it)"),
    ),
    Frame(
        "everywhere", "region", "within", "share of the picture", "the picture stands out nearly everywhere: "
        "{share_of_the_picture} of it does", "das Bild fällt fast überall auf: {share_of_the_picture} davon", "unusual",
        ("the picture stands out nearly everywhere",),
    ),
    Frame(
        "no region", "region", "equals", "place", "no single region of the picture stands out; the most unusual place is "
        "{place}", "kein einzelner Bereich des Bildes fällt auf; am wenigsten üblich ist die Stelle {place}", "usual",
        ("no single region of the picture stands out",),
    ),
    Frame(
        "clip", "time", "at", "start", "the video stands out {when}, most at {place}",
        "das Video fällt {when} auf, am meisten {place}", "unusual",
        (
            f"{_VIDEO} (stands out|is unusual) [{{when}}] [most {_AT}] [{{share_of_the_frame}} of the frame]",
            "{when} most at {place} [{share_of_the_frame} of the frame]", "something unusual is visible {when}",
        ),
    ),
    Frame(
        "no frame", "time", "equals", "place", "no single frame of the video stands out; the most unusual moment is {when}, "
        "at {place}", "kein einzelnes Bild des Videos fällt auf; am wenigsten üblich ist der Moment {when}, {place}", "usual",
        ("no single frame of the video stands out",),
    ),
    Frame(
        "still", "speed", "below", "speed", "hardly anything moves in the video: {speed}", "im Video bewegt sich kaum etwas: "
        "{speed}", "unusual",
        (
            f"hardly anything moves [in {_VIDEO}] [{{when}}] [: {{speed}}] [where normal clips move [{{normal_direction}}] at "
            "{normal_speeds}]",
        ),
    ),
    Frame(
        "turned", "direction", "unlike", "direction", "things move {direction} at {speed} in the video; in normal clips they "
        "move {normal_direction}", "im Video bewegt sich alles mit {speed} {direction}; in normalen Clips {normal_direction}",
        "unusual",
        (
            f"things move {{direction}} [at {{speed}}] [in {_VIDEO}] [{{when}}] [(\\;|while|but|where) in normal clips they "
            "move {normal_direction}]",
        ),
    ),
    Frame(
        "pace", "speed", "changed", "change", "things move {change} than usual in the video: {speed} {direction}",
        "im Video bewegt sich alles {change} als üblich: {speed} {direction}", "unusual",
        (f"things move {{change}} than usual [in {_VIDEO}] [{{when}}] [: {{speed}} {{direction}}]",),
    ),
    Frame(
        "moves", "speed", "equals", "speed", "things move {direction} at {speed} in the video", "im Video bewegt sich alles mit "
        "{speed} {direction}", "", (f"things move {{direction}} at {{speed}} [in {_VIDEO}] [{{when}}]",),
    ),
    Frame(
        "normal pace", "speed", "within", "normal low speed", "normal clips have {normal_speeds}",
        "normale Clips haben {normal_speeds}", "", ("[where] [the {normal_clips}] normal clips have {normal_speeds}",),
    ),
    Frame(
        "tone", "brightness", "changed", "tone", "the video is {tone} than usual: mean grey level {brightness}",
        "das Video ist {tone} als üblich: mittlerer Grauwert {brightness}", "unusual",
        (
            f"{_VIDEO} (is {{tone}} [than usual]|{{turns}}) [{{when}}] [: mean grey level {{brightness}}]",
        ),
    ),
    Frame(
        "grey level", "brightness", "equals", "brightness", "the video has a mean grey level of {brightness}",
        "das Video hat einen mittleren Grauwert von {brightness}", "",
        ("the video has a mean grey level of {brightness} [{when}]",),
    ),
    Frame(
        "normal tone", "brightness", "within", "normal low brightness", "normal clips have {normal_brightness}",
        "normale Clips haben {normal_brightness}", "", ("[the {normal_clips}] normal clips have {normal_brightness}",),
    ),
    Frame(
        "size", "size", "unlike", "width", "the {noun} is {size}", "{noun} hat die Größe {size}", "unusual",
        ("the {noun} is {size} [{shape}]",),
    ),
    Frame("normal size", "size", "within", "normal size", "normal ones are {normal_size}", "normale sind {normal_size}"),
    Frame(
        "frame rate", "frames a second", "unlike", "frames a second", "the video has {frames_a_second}",
        "das Video hat {frames_a_second}", "unusual",
    ),
    Frame(
        "normal frame rate", "frames a second", "within", "normal frames a second", "normal ones have {normal_rate}",
        "normale haben {normal_rate}",
    ),
    Frame("colour", "colour", "unlike", "", "the picture is in colour; normal ones are grey",
          "das Bild ist farbig; normale sind grau", "unusual"),
    Frame("grey", "colour", "unlike", "", "the picture is grey; normal ones are in colour",
          "das Bild ist grau; normale sind farbig", "unusual"),
    Frame(
        "whole", "look", "unlike", "look", "{whole}", "{whole}", "unusual",
        (
            r"{whole} (\; normal ones are nearly all alike|: its score is {times_the_usual} times the level that "
            "{share_of_normal_parts_below_the_usual} of normal ones stay below|: "
            "{share_of_normal_parts_below_the_usual} of normal ones stay below its score)",
        ),
    ),
)  # fmt: skip

_TONES = {"brighter": ("heller",), "darker": ("dunkler",)}
_PACES = {"faster": ("schneller",), "slower": ("langsamer",)}
_SHAPES = {
    "as if lying on its side": "wie auf der Seite liegend", "wider in shape": "breiter in der Form",
    "narrower in shape": "schmaler in der Form", "in the same shape": "in derselben Form",
}  # fmt: skip
_WHOLES = {
    "whole": "Niveau und Streuung des ganzen Teils {part} sind ungewöhnlich",
    "look": "der Teil {part} sieht im Ganzen anders aus als normale",
    "summary": "der Teil {part} gleicht im Ganzen keinem normalen",
}
SMALL = 10.0
"""Per cent of a picture below which a region may be called small; above half of it, large."""


def of_region(seen: View) -> Sequence[str]:
    """Where a picture stands out and how large the place is."""
    seen.pair("size", "width", "height", size=True)
    share = seen.number("share of the picture")
    seen.slots["at"] = Words(("in the",) if seen.text("place") == "centre" else ("at",), ("",))
    if share is None or "size" not in seen.slots:
        return ["no region"] if seen.caption.startswith("No single region") else []
    if share < SMALL or share > 50:
        seen.slots["how_large"] = Words(("small",), ("klein",)) if share < SMALL else Words(("large",), ("groß",))
    if "nearly everywhere" in seen.caption:
        return ["everywhere"]
    if (tone := seen.text("tone")) in _TONES:
        seen.slots["tone"] = Words((tone,), _TONES[tone])
        return ["region", "region tone"]
    return ["region"]


def of_frames(seen: View) -> Sequence[str]:
    """When and where a clip stands out, or how things move in it and how bright it is."""
    if "speed" in seen.facts:
        return _movement(seen)
    if "brightness" in seen.facts:
        seen.pair("normal_brightness", "normal low brightness", "normal high brightness")
        tone = seen.text("tone")
        if tone not in _TONES:
            return ["grey level", "normal tone"]
        seen.slots["tone"] = Words((tone,), _TONES[tone])
        plain = {"brighter": "bright", "darker": "dark"}[tone]
        seen.slots["turns"] = Words(tuple(f"{verb} {w}" for verb in ("gets", "turns", "becomes") for w in (plain, tone)),
                                    ("wird " + _TONES[tone][0],))  # fmt: skip
        return ["tone", "normal tone"]
    if "place" not in seen.facts:
        return []
    if seen.caption.startswith("No single frame"):
        return ["no frame"]
    return ["clip"] if "when" in seen.slots else []


def _movement(seen: View) -> list[str]:
    seen.pair("normal_speeds", "normal low speed", "normal high speed")
    pace = seen.text("change")
    if pace in _PACES:
        seen.slots["change"] = Words((pace,), _PACES[pace])
        return ["pace", "normal pace"]
    if "normal clips" in seen.facts:
        return ["moves", "normal pace"]
    if seen.caption.startswith("Hardly anything moves"):
        return ["still", "normal pace"]
    return ["turned"] if "normal direction" in seen.facts else ["moves", "normal pace"]


def of_form(seen: View) -> Sequence[str]:
    """A form that normal parts do not have: size, frames a second, colour, rows of a table."""
    if seen.caption.startswith("The picture is in colour"):
        return ["colour"]
    if seen.caption.startswith("The picture is grey"):
        return ["grey"]
    if "frames a second" in seen.facts:
        seen.pair("normal_rate", "normal least", "normal most")
        if "normal frames a second" in seen.facts:
            seen.slots["normal_rate"] = seen.slots["normal_frames_a_second"]
        return ["frame rate", "normal frame rate"]
    seen.pair("size", "width", "height", size=True)
    if "size" not in seen.slots:
        return of_sensor.of_form(seen)
    noun = "picture" if seen.caption.startswith("The picture") else "video"
    seen.slots["noun"] = Words((noun,), ("das Bild" if noun == "picture" else "das Video",))
    if (shape := seen.text("shape")) in _SHAPES:
        seen.slots["shape"] = Words((shape,), (_SHAPES[shape],))
    return ["size", "normal size"] if _normal_sizes(seen) else ["size"]


def _normal_sizes(seen: View) -> bool:
    """Fills the sizes that normal ones have: one, one of several, or from least to most."""
    one: list[Slot] = []
    for mark in ("", *(f" {i}" for i in range(1, 10))):
        seen.pair(f"normal_size{mark}", f"normal width{mark}", f"normal height{mark}", size=True)
        one += [seen.slots[f"normal_size{mark}"]] if f"normal_size{mark}" in seen.slots else []
    words = re.search(r"normal ones are (.*)\.$", seen.caption)
    if one:
        seen.slots["normal_size"] = one[0] if len(one) == 1 else Listing(tuple(one), ("or", "oder"))
    elif "normal least width" in seen.facts and words is not None:
        seen.slots["normal_size"] = Name(words[1])
    return "normal_size" in seen.slots


def of_whole(seen: View) -> Sequence[str]:
    """What is odd about a part as a whole."""
    look, noun = seen.text("look"), seen.text("part")
    if look not in SAID:
        return []
    german = _WHOLES[look].format(part=seen.slots["part"].written("de"))
    seen.slots["whole"] = Words((SAID[look].format(part=noun),), (german,))
    return ["whole"]
