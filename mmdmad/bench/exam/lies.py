"""Planted lies: true sentences of an explanation turned false in one claim, for the `faithfulness` suite and tests.

Each kind is a function (draft, evidence, generator) → (text, cites), or None where the sentence holds nothing to lie
about. The vocabulary of wrong names comes from the finding's own evidence, so that a lie is a plausible one.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np

from mmdmad.findings import Evidence

Lie = tuple[str, tuple[str, ...]]
Liar = Callable[[str, tuple[str, ...], Sequence[Evidence], np.random.Generator], Lie | None]

_NUMBER = re.compile(r"(?<![\w.:/-])\d+(?:\.\d+)?(?![\w:-]|\.\d)")
_FLIPS = {
    "up": "down",
    "down": "up",
    "above": "below",
    "rises": "falls",
    "falls": "rises",
    "faster": "slower",
    "slower": "faster",
    "higher": "lower",
}
_PLACES = {"upper": "lower", "lower": "upper", "left": "right", "right": "left"}
_UNITS = {
    "A": "V",
    "mm/s": "m/s",
    "m/s": "mm/s",
    "°C": "bar",
    "bar": "°C",
    "kg": "A",
    "s": "min",
    "px": "mm",
    "%": "px",
    "px/s": "px",
}
CHANNELS = ("motor_current", "belt_speed", "oil_pressure", "humidity", "vibration_y", "load")
GROUPS = ("brick tile", "gravel board", "grass mat", "coin tray", "moon plate")


def _swap(text: str, words: dict[str, str], rng: np.random.Generator, inside: str = r"\b{}\b") -> str | None:
    """One word of `text` replaced by its opposite."""
    hits = [m for w in words for m in re.finditer(inside.format(re.escape(w)), text)]
    if not hits:
        return None
    m = hits[int(rng.integers(len(hits)))]
    return text[: m.start()] + m[0].replace(m[0].strip(), words[m[0].strip()]) + text[m.end() :]


def _held(cites: Sequence[str], evidence: Sequence[Evidence]) -> str:
    return " ".join(f"{e.caption} {' '.join(str(f.value) for f in e.facts)}" for e in evidence if e.id in cites)


def number(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """One number is another."""
    hits = [m for m in _NUMBER.finditer(text) if float(m[0]) > 0]
    if not hits:
        return None
    m = hits[int(rng.integers(len(hits)))]
    decimals = len(m[0].partition(".")[2])
    value = float(m[0])
    for factor in (1.4, 0.6, 2.7, 10.0):
        wrong = f"{value * factor:.{decimals}f}"
        if float(wrong) != value and wrong not in _held(cites, evidence):
            return text[: m.start()] + wrong + text[m.end() :], cites
    return None


def decimal_point(
    text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator
) -> Lie | None:
    """A decimal point one place off."""
    hits = [m for m in _NUMBER.finditer(text) if "." in m[0] and float(m[0]) > 0]
    if not hits:
        return None
    m = hits[int(rng.integers(len(hits)))]
    wrong = f"{float(m[0]) * 10:g}"
    return (text[: m.start()] + wrong + text[m.end() :], cites) if wrong not in _held(cites, evidence) else None


def unit(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """A number with another unit."""
    wrong = _swap(text, _UNITS, rng, r"(?<=\d )(?:{})(?![\w/])")
    return (wrong, cites) if wrong else None


def channel(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """Another channel's name."""
    for name in {str(f.value) for e in evidence for f in e.facts if f.name == "channel"}:
        if re.search(rf"\b{re.escape(name)}\b", text):
            held = _held(cites, evidence)
            others = [c for c in CHANNELS if c not in held]
            return re.sub(rf"\b{re.escape(name)}\b", others[int(rng.integers(len(others)))], text), cites
    return None


def case_id(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """Another case's id."""
    m = re.search(r"\b((?:test|train)-)(\d+)\b", text)
    return (text[: m.start(2)] + f"{(int(m[2]) + 7) % 1000:05d}" + text[m.end(2) :], cites) if m else None


def group(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """Another product."""
    held = _held(cites, evidence)
    for name in GROUPS:
        others = [g for g in GROUPS if g not in held]
        if name in text and others:
            return text.replace(name, others[int(rng.integers(len(others)))], 1), cites
    return None


def clock(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """Another time of day."""
    m = re.search(r"\b(\d{2}):(\d{2})", text)
    return (text[: m.start()] + f"{(int(m[1]) + 3) % 24:02d}:{m[2]}" + text[m.end() :], cites) if m else None


def span(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """A time span that ends elsewhere."""
    m = re.search(r"from ([\d.]+) s to ([\d.]+) s", text)
    if not m:
        return None
    wrong = f"{float(m[2]) + 0.7:.3g}"
    return (
        (text[: m.start(2)] + wrong + text[m.end(2) :], cites) if f"{wrong} s" not in _held(cites, evidence) else None
    )


def place(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """Another place in the picture."""
    if not re.search(r"\b(?:at|in the) (?:upper|lower|left|right)\b", text):
        return None
    wrong = _swap(text, _PLACES, rng)
    return (wrong, cites) if wrong else None


def direction(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """The opposite direction."""
    wrong = _swap(text, _FLIPS, rng)
    return (wrong, cites) if wrong else None


def verdict(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """The opposite verdict."""
    for told, wrong in (("is flagged as anomalous", "is not flagged"), ("is not flagged", "is flagged as anomalous")):
        if told in text:
            return text.replace(told, wrong), cites
    return None


def modality(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """Another part."""
    for told in ("image", "text", "sensor", "video"):
        held = _held(cites, evidence).lower()
        others = [m for m in ("image", "sensor", "video") if m not in held and not (m == "image" and "picture" in held)]
        if re.search(rf"\bthe {told} part\b", text, re.I) and others:
            return re.sub(rf"\b([Tt]he) {told} part\b", rf"\1 {others[0]} part", text, count=1), cites
    return None


def negation(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """A denied fact."""
    denied = {
        "stands out": "does not stand out",
        "does not fit": "does fit",
        "is frozen": "is not frozen",
        "looks normal": "does not look normal",
        "has no": "has a",
    }
    for told, wrong in denied.items():
        if told in text:
            return text.replace(told, wrong, 1), cites
    return None


def cause(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """An asserted cause."""
    causes = ("because of a worn bearing", "caused by a loose belt", "due to an overload", "after the lamp failed")
    return text.rstrip(".") + f", {causes[int(rng.integers(len(causes)))]}.", cites


def forecast(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """A forecast."""
    return text.rstrip(".") + ", and it will get worse within the next shift.", cites


def wrong_evidence(
    text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator
) -> Lie | None:
    """A true sentence that cites another evidence, which does not hold it."""
    kinds = {e.kind for e in evidence if e.id in cites}
    parts = {e.part for e in evidence if e.id in cites}
    others = [e.id for e in evidence if e.kind not in kinds and (e.part not in parts or e.part is None)]
    return (text, (others[int(rng.integers(len(others)))],)) if others else None


def no_evidence(
    text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator
) -> Lie | None:
    """Evidence that does not exist."""
    return text, (f"E{len(evidence) + 40}",)


def number_word(
    text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator
) -> Lie | None:
    """A count in words that no evidence gives."""
    m = re.search(r"\((\d) of the nearest (\d)", text)
    if not m:
        return None
    words = ("two", "three", "four", "six", "seven")
    wrong = next(w for w, n in zip(words, (2, 3, 4, 6, 7)) if str(n) not in (m[1], m[2]))
    return text[: m.start(1)] + wrong + text[m.end(1) :], cites


def swapped(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """The measured value told as the end of the normal range, and the other way round."""
    m = re.search(r"a mean of (-?[\d.]+)(.*normal levels lie between )(-?[\d.]+)", text)
    if not m or m[1] == m[3]:
        return None
    return text[: m.start(1)] + m[3] + m[2] + m[1] + text[m.end(3) :], cites


def quote(text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator) -> Lie | None:
    """Words that the text does not hold."""
    m = re.search(r"“([^”]+)”", text)
    return (text[: m.start(1)] + "emergency stop pressed by the operator" + text[m.end(1) :], cites) if m else None


def superlative(
    text: str, cites: tuple[str, ...], evidence: Sequence[Evidence], rng: np.random.Generator
) -> Lie | None:
    """The part with a smaller share told as the one with the largest."""
    m = re.search(r"\bcarries [\d.]+ %", text)
    shares = {
        e.part: float(f.value)
        for e in evidence
        for f in e.facts
        if e.kind == "part" and f.name == "share" and not isinstance(f.value, str)
    }
    own = next((e.part for e in evidence if e.id in cites and e.kind == "part"), None)
    if not m or own not in shares or shares[own] == max(shares.values()):
        return None
    return re.sub(r"carries [\d.]+ %", "carries the largest share", text), cites


LIARS: dict[str, Liar] = {
    "number": number,
    "decimal point": decimal_point,
    "unit": unit,
    "channel": channel,
    "case id": case_id,
    "group": group,
    "clock": clock,
    "span": span,
    "place": place,
    "direction": direction,
    "verdict": verdict,
    "part": modality,
    "negation": negation,
    "cause": cause,
    "forecast": forecast,
    "wrong evidence": wrong_evidence,
    "no such evidence": no_evidence,
    "number word": number_word,
    "swapped": swapped,
    "quote": quote,
    "superlative": superlative,
}
