"""Logs of the simulated line: 2 to 6 lines from a grammar with many paraphrases, and messages that do not belong.

Every log names the product and says at what speed the belt runs, or that it stands; the rest is small talk of
machines and people. The figures are those of the sensors.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from mmdmad.datasets.line.truth import Fault, Scene
from mmdmad.datasets.line.words import (
    ALARMING,
    CAMERAS,
    LEVELS,
    MACHINES,
    NAMES,
    PHRASES,
    PRINTERS,
    PRODUCT_LINES,
    RARE_TALK,
    SMALL_TALK,
    SPEED_LINES,
    STAMPS,
    STOP_LINES,
    STOP_PRODUCT_LINES,
    UNKNOWN,
    WARNINGS,
)


def write_log(
    scene: Scene,
    figures: Mapping[str, float],
    time: datetime,
    piece: int,
    rng: np.random.Generator,
    odd: np.random.Generator,
    kind: str | None = None,
    cause: str | None = None,
    severity: float = 0.0,
) -> tuple[str, list[Fault]]:
    """The log of a scene; `figures` are means of the sensors by channel name.

    `kind` is None, "unknown message", "alarming message" or "warning" (of the chain `cause`). `rng` writes the normal
    log and `odd` the message that does not belong, so the rest is the same with and without it.
    """
    total = int(rng.integers(8, 30)) * 100
    count = 1 + piece % total
    fixed = {
        "product": scene.product.name,
        "piece": count,
        "total": total,
        "left": total - count,
        "order": f"A{4000 + piece % 900}",
        "speed": f"{figures['belt_speed']:.2f}",
        "current": f"{figures['motor_current']:.1f}",
        "heat": f"{figures['bearing_temperature']:.1f}",
        "pressure": f"{figures['oil_pressure']:.1f}",
        "damp": f"{figures['humidity']:.0f}",
    }
    grammars = (PRODUCT_LINES, SPEED_LINES) if scene.running else (STOP_PRODUCT_LINES, STOP_LINES)
    lines = [_fill(_pick(g, rng), fixed, rng) for g in grammars]
    needed = set(lines)
    for _ in range(int(rng.choice(5, p=[0.25, 0.3, 0.25, 0.15, 0.05]))):
        talk = _small_talk(rng)
        lines.insert(int(rng.integers(len(lines) + 1)), _fill(talk.strip(), fixed, rng))
    stamp, level = _pick(STAMPS, rng), _pick(LEVELS, rng)
    moments = sorted(int(s) for s in rng.integers(0, 5, 6))
    spoken: list[str] = []
    if kind is not None:
        store = {"unknown message": UNKNOWN, "alarming message": ALARMING}.get(kind) or WARNINGS[str(cause)]
        for _ in range(2 if kind == "warning" and severity > 0.6 else 1):
            words = _fill(_pick(store, odd), fixed, odd)
            if len(lines) == 6:  # a log has at most six lines
                lines.remove(next(line for line in lines if line not in needed))
            if words not in lines:
                lines.insert(int(odd.integers(1, len(lines) + 1)), words)
                spoken.append(words)
                needed.add(words)
    rows = [f"{time + timedelta(seconds=s):{stamp}} {level}{line}" for s, line in zip(moments, lines)]
    text = "\n".join(rows) + "\n"
    faults = []
    for words in spoken:
        at = text.index(words)
        faults.append(Fault("text", str(kind), severity, at, at + len(words), "char", words=words))
    return text, faults


def _pick(store: tuple[str, ...], rng: np.random.Generator) -> str:
    return store[int(rng.integers(len(store)))]


def _small_talk(rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.18:
        return _pick(RARE_TALK, rng)
    return _pick(SMALL_TALK, rng) if draw < 0.55 else " ".join(_pick(words, rng) for words in PHRASES)


def _fill(template: str, fixed: Mapping[str, object], rng: np.random.Generator) -> str:
    free = {
        "machine": _pick(MACHINES, rng),
        "camera": _pick(CAMERAS, rng),
        "printer": _pick(PRINTERS, rng),
        "name": _pick(NAMES, rng),
        "name2": _pick(NAMES, rng),
        "number": int(rng.integers(12, 980)),
        "hex": f"{int(rng.integers(0x1000, 0xFFFF)):X}",
        "byte": int(rng.integers(2, 250)),
        "byte2": int(rng.integers(2, 250)),
        "digit": int(rng.integers(1, 6)),
    }
    return template.format(**fixed, **free)
