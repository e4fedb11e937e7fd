"""Logs of the simulated line: 2 to 6 lines from a grammar with many paraphrases, and messages that do not belong.

Every log names the product and says at what speed the belt runs, or that it stands; the rest is small talk of
machines and people. The figures are those of the sensors.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from mmdmad.datasets.line_truth import Fault, Scene

STAMPS = ("%Y-%m-%d %H:%M:%S", "%H:%M:%S", "[%H:%M:%S]", "%Y-%m-%dT%H:%M:%S")
PRODUCT_LINES = (
    "order {order}: {product}, piece {piece} of {total}",
    "inspecting {product} {piece}/{total}",
    "{product} number {piece} under the camera",
    "now running {product}, {piece} pieces done, {left} to go",
    "piece {piece} ({product}) enters the station",
    "count {piece}, product {product}, order {order}",
    "station {camera} took {product} {piece} of {total} from the belt",
    "next up: {product}, piece no. {piece}",
    "recipe loaded for {product}; piece {piece} of order {order}",
)
SPEED_LINES = (
    "belt speed {speed} m/s, motor {current} A",
    "belt at {speed} m/s and steady",
    "conveyor runs with {speed} m/s",
    "drive reports {speed} m/s at {current} A",
    "speed {speed} m/s, bearing {heat} °C",
    "line moving, {speed} m/s",
    "transport ok ({speed} m/s, {current} A, {heat} °C)",
    "v={speed} m/s I={current} A",
)
STOP_PRODUCT_LINES = (
    "order {order} for {product} on hold at piece {piece}",
    "{product} {piece} of {total} stays under the camera",
    "pausing {product}, {left} pieces to go",
    "product {product}, count {piece}, waiting",
    "piece {piece} ({product}) rests at the station",
)
STOP_LINES = (
    "belt stopped for maintenance",
    "belt stopped, greasing the rollers",
    "maintenance break, conveyor stands still",
    "line idle, speed 0.00 m/s",
    "drive off, belt at rest for the lens check",
    "standstill as planned, scale being checked",
    "planned stop: cleaning the rails",
)
SMALL_TALK = (
    "{camera} exposure {number} us",
    "{printer}: {number} labels left",
    "operator {name} signed the check list",
    "{name} took over at {machine}",
    "air filter of {machine} cleaned",
    "scale W1 zeroed",
    "oil level of {machine} fine, {pressure} bar",
    "hall humidity {damp} %",
    "picture {piece} stored",
    "data sent to the office, {number} kB",
    "lamp of {camera} on, {number} h in use",
    "box {number} full, box changed",
    "all quiet at {machine}",
    "{machine}: self test passed",
    "sample set aside for the lab by {name}",
    "robot R3 at home position",
    "paper of {printer} refilled",
    "{machine} good, nothing to report",
    "sticker on box {number} replaced by {name}",
    "warehouse asks for {number} more boxes, passed on to {name}",
    "lens of {camera} wiped by {name}",
    "{name} back from the break",
)
# Small talk put together from pieces, so that normal test logs hold lines that training never showed.
PHRASES = (
    ("{name} has", "{name} just", "the night crew", "{name} and {name2} have", "the lab has", "the foreman", "we have",
     "the forklift driver", "the trainee", "somebody from the office"),
    ("checked", "brought", "moved", "counted", "cleaned", "ordered", "asked for", "put away", "swapped", "picked up"),
    ("the gloves", "two pallets", "a new roll of labels", "the torque wrench", "the shift book", "{number} boxes",
     "the drawings", "a spare lamp", "the sample of {product}", "the brush", "the stickers for {product}",
     "the calibration weights", "a can of grease", "the cable drum", "the old pallet", "the paperwork"),
    ("", "", "near {machine}", "for the afternoon", "before the break", "as planned", "on the way to gate G2",
     "at the request of {name2}", "for order {order}", "behind {machine}", "once more", "without trouble"),
)  # fmt: skip
UNKNOWN = (
    "unhandled frame type 0x{hex} from node {number}",
    "segfault at {hex}{hex} ip {hex} in plc_task",
    "SELECT * FROM recipe WHERE id={number}; -- timeout",
    "??? {hex} {hex} {hex} ???",
    "Achtung: Konfigurationsdatei nicht gefunden",
    "firmware signature mismatch, slot {number}, fallback image loaded",
    "user 'guest{number}' logged in from 10.4.{byte}.{byte2}",
    "recipe table version {number} does not match, using defaults",
    "license of module VX-{number} expires today",
    "Zeitserver antwortet nicht, Uhr driftet",
    "retrying handshake with gateway, attempt {number}",
    "stack trace follows: plc.c:{number} scan.c:{byte} main.c:{byte2}",
)
ALARMING = (
    "smoke seen near the gearbox of {machine}, {name} pulled the cord",
    "EMERGENCY: guard door of {machine} open while moving",
    "{name} hurt a finger at {machine}, first aid called",
    "strange grinding noise from {machine}, getting louder",
    "hot smell around {machine}, please look at it soon",
    "sparks at the motor terminal",
    "{machine} hit something hard, whole frame shook",
    "light curtain bridged by hand",
    "FATAL drive fault F{number}, torque cut",
    "fire alarm in hall {digit}, waiting for orders",
    "{name} says the belt edge is torn and fraying",
    "safety relay of {machine} does not drop out",
    "something is wrong with the sound of {machine}",
    "leak under {machine}, floor slippery",
)
WARNINGS: Mapping[str, tuple[str, ...]] = {
    "bearing failure": (
        "WARN rough running at roller bearing of {machine}",
        "vibration limit exceeded on {machine}",
        "{name} hears rattling at {machine}, bearing suspected",
        "WARNING bearing of {machine} warm and shaking",
    ),
    "overload": (
        "WARN torque limit reached, belt slowing down",
        "too much weight on the belt, drive overloaded",
        "overload warning from {machine}, {name} informed",
        "motor of {machine} pulls hard, load too high",
    ),
    "coolant leak": (
        "WARN coolant level falling fast at {machine}",
        "puddle under {machine}, coolant hose suspected",
        "pressure of the coolant circuit drops",
        "{name} found wet pieces behind {machine}",
    ),
    "lamp failure": (
        "WARN lamp of {camera} flickers",
        "picture too dark, exposure of {camera} at its limit",
        "LED driver of {camera} reports undervoltage",
        "{name} says the light above {camera} fails now and then",
    ),
    "belt slip": (
        "WARN encoder and drive disagree, belt slipping",
        "belt tension too low at {machine}",
        "pieces creep on the belt, says {name}",
        "slip detected on {machine}, speed not constant",
    ),
}
MACHINES = ("feeder F2", "press P4", "scale W1", "robot R3", "saw S7", "gate G2", "drive D1", "pump P9")
CAMERAS = ("camera K1", "camera K2", "K1", "K2")
PRINTERS = ("label printer L5", "label printer L6", "printer L5")
NAMES = ("Aylin", "Bruno", "Chen", "Dora", "Emeka", "Farid", "Greta", "Hana", "Ivan", "Jo", "Karin", "Luis")
LEVELS = ("", "", "INFO ", "info: ", "line 3 ", "L3: ")


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
        talk = _pick(SMALL_TALK, rng) if rng.random() < 0.5 else " ".join(_pick(words, rng) for words in PHRASES)
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
