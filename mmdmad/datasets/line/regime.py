"""The sensors of the simulated line: 8 coupled channels, 4 s at 50 Hz, and the faults of single channels.

Couplings an engineer would expect: load is the mass of the pieces on the weighing table, motor current rises with
speed and with load times speed, the roller turns at v / r so vibration follows the belt speed, the bearing warms with
the current, the oil pump is driven by the belt.
"""

from dataclasses import dataclass

import numpy as np

from mmdmad.datasets.line.truth import CHANNEL_NAMES, CHANNELS, PIECE, PITCH, RATE, SECONDS, Fault, Scene

ROLLER = 0.04  # m, radius
TABLE = 0.45  # m, length of the weighing table
NOISE = np.array([0.10, 0.10, 0.030, 0.0025, 0.05, 0.010, 0.08, 0.10])  # per channel, in its unit


@dataclass(frozen=True, eq=False)
class Motion:
    """The belt on the case's clock: `times` (T,) s, `speed` (T,) m/s, `way` (T,) m travelled, `phase` m of a piece."""

    times: np.ndarray
    speed: np.ndarray
    way: np.ndarray
    phase: float


def motion(scene: Scene, rng: np.random.Generator, cause: str | None, severity: float, onset: float) -> Motion:
    """How the belt of this scene moves; chains that change the true speed do it here, for sensor and video alike."""
    times = np.arange(int(SECONDS * RATE)) / RATE
    wander = np.cumsum(rng.normal(0, 1, len(times)))
    wander -= wander.mean()
    speed = scene.speed * (1 + 0.012 * wander / max(wander.std(), 1e-9))
    late = np.clip((times - onset) / 0.5, 0, 1)
    if cause == "overload":
        speed = speed * (1 - late * (0.10 + 0.18 * severity))
    elif cause == "belt slip":
        speed = speed * (1 + late * (0.09 + 0.14 * severity) * np.sin(2 * np.pi * 1.6 * (times - onset)))
    phase = rng.uniform(0, PITCH)
    return Motion(times, speed, np.concatenate([[0.0], np.cumsum(speed[:-1]) / RATE]), phase)


def regime(scene: Scene, move: Motion, rng: np.random.Generator) -> np.ndarray:
    """Normal readings (T, 8) of a scene, in the order of CHANNELS."""
    p, v, t = scene.product, move.speed, move.times
    gain = 1 + 0.05 * rng.normal(size=8)  # tolerances of the day
    a, b, c = rng.uniform(0, 2 * np.pi, 3)
    slow = np.cumsum(rng.normal(0, 1, (len(t), 2)), axis=0) / np.sqrt(len(t))
    noise = rng.normal(0, 1, (len(t), 8)) * NOISE
    slots = move.way[:, None] + move.phase + PITCH * np.arange(-6, 3)
    on_table = np.clip(np.minimum(slots + PIECE, TABLE) - np.maximum(slots, 0), 0, PIECE) / PIECE
    load = 0.6 + p.mass * gain[6] * on_table.sum(1)
    turn = move.way / ROLLER + a
    pace = v / 0.3
    shake = p.shake * gain[0] * (0.5 + 0.5 * pace) if scene.running else np.zeros_like(v)
    rough = 1 + 0.03 * load * pace * scene.running
    x = shake * (np.sin(turn) + 0.45 * np.sin(3 * turn + b) + 0.35 * np.sin(8 * turn + c))
    y = 0.7 * gain[1] * shake * (np.cos(turn) + 0.5 * np.cos(3 * turn + b) + 0.4 * np.sin(8 * turn + c + 1))
    drive = (1.1 + 2.6 * v + 0.055 * load * pace) if scene.running else np.full_like(v, 0.35)
    current = gain[2] * drive + (0.06 * np.sin(3 * turn) if scene.running else 0)
    ambient = 24 + 1.2 * rng.normal()
    temperature = ambient + p.heat + 6.0 * gain[4] * current.mean() + 0.12 * slow[:, 0] + 0.02 * t
    pump = 0.03 * np.sin(5 * turn + b) if scene.running else 0.0
    pressure = (p.pressure * gain[5] ** 0.5 + 0.9 * (v - p.speed) if scene.running else 0.85 * gain[5]) + pump
    humidity = p.damp + 2.5 * rng.normal() + 0.25 * slow[:, 1]
    clean = np.column_stack([x, y, current, v, temperature, np.broadcast_to(pressure, t.shape), load, humidity])
    noise[:, :2] *= rough[:, None]
    if not scene.running:
        noise[:, :4] *= 0.4
    return clean + noise


def isolated_gaps(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One in twelve cases loses a single reading: normal, so a missing value alone proves nothing."""
    lost, row, channel = rng.random() < 1 / 12, rng.integers(len(values)), rng.integers(values.shape[1])
    if lost:
        values = values.copy()
        values[row, channel] = np.nan
    return values


def sensor_fault(values: np.ndarray, kind: str, severity: float, rng: np.random.Generator) -> tuple[np.ndarray, Fault]:
    """Plant one fault in one channel; sizes are multiples of what the channel does within a normal case."""
    values = values.copy()
    rows = len(values)
    # a frozen or silent channel must be one that moves, or nobody could see it
    channel = int(rng.integers(0, 4) if kind == "frozen channel" else rng.integers(0, values.shape[1]))
    column = values[:, channel]
    spread = max(float(np.nanstd(column)), float(NOISE[channel]))
    sign = rng.choice([-1.0, 1.0])
    long = {"spike": 0.02, "noise burst": 0.5, "dropout": 0.2, "frozen channel": 0.8, "level shift": 1.2, "drift": 1.5}
    length = round(RATE * long[kind] * (1 + severity + rng.uniform(0, 0.5)))
    start = int(rng.integers(10, rows - length - 10))
    stop = rows if kind == "drift" else start + length
    span = slice(start, stop)
    size: float | None = None
    if kind == "spike":
        size = sign * spread * (4 + 6 * severity)
        column[span] += size
    elif kind == "level shift":
        size = sign * spread * (2.5 + 3.0 * severity)
        column[span] += size
    elif kind == "drift":
        size = sign * spread * (4.0 + 4.0 * severity)
        column[span] += size * np.linspace(0, 1, stop - start)
    elif kind == "noise burst":
        size = spread * (1.5 + 2.0 * severity)
        column[span] += rng.normal(0, size, stop - start)
    elif kind == "frozen channel":
        column[span] = column[start]
    else:
        column[span] = np.nan
    unit = None if size is None else CHANNELS[channel][1]
    return values, Fault(
        "sensor", kind, severity, start / RATE, stop / RATE, "s", CHANNEL_NAMES[channel],
        None if size is None else round(float(size), 4), unit,
    )  # fmt: skip


def chain_fault(
    values: np.ndarray, move: Motion, cause: str, severity: float, onset: float, rng: np.random.Generator
) -> tuple[np.ndarray, list[Fault]]:
    """What a chain does to the sensors; changes of the belt speed are already in `move`."""
    values, t = values.copy(), move.times
    late = np.clip((t - onset) / 0.8, 0, 1)
    strong = 0.4 + 0.6 * severity
    touched: list[tuple[str, str, int]] = []
    if cause == "bearing failure":
        knock = np.sin(2 * np.pi * 17.0 * t) * (rng.random(len(t)) < 0.6)
        for c in (0, 1):
            spread = np.nanstd(values[:, c])
            values[:, c] += late * strong * (1.6 * spread * knock + rng.normal(0, 0.8 * spread, len(t)))
            touched.append(("vibration rise", CHANNEL_NAMES[c], c))
        values[:, 4] += late * strong * 6.0 * (t - onset).clip(0) / SECONDS
        touched.append(("heating", "bearing_temperature", 4))
    elif cause == "overload":
        values[:, 6] += late * strong * 12.0
        values[:, 2] += late * strong * 1.2
        touched += [("overweight", "load", 6), ("torque rise", "motor_current", 2), ("speed sag", "belt_speed", 3)]
    elif cause == "coolant leak":
        values[:, 5] -= late * strong * 0.45
        values[:, 7] += late * strong * 7.0
        values[:, 4] += late * strong * 2.0
        touched += [("pressure loss", "oil_pressure", 5), ("moisture", "humidity", 7)]
        touched += [("heating", "bearing_temperature", 4)]
    elif cause == "belt slip":
        values[:, 2] -= late * strong * 0.5 * np.abs(np.sin(2 * np.pi * 1.6 * (t - onset)))
        touched += [("speed hunting", "belt_speed", 3), ("current dips", "motor_current", 2)]
    start = round(float(np.ceil(onset * RATE) / RATE), 3)
    return values, [Fault("sensor", kind, severity, start, SECONDS, "s", name) for kind, name, _ in touched]
