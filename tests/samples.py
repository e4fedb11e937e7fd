"""Normal signals of a small made-up machine and judgements over them, for the tests of evidence, store and report."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from mmdmad.cases import Case, Part, Refusal
from mmdmad.explain.normal import Normal
from mmdmad.findings import Contradiction, Guarantee
from mmdmad.judgement import Judgement, PartJudgement
from mmdmad.parts import Image, Sensor, Text, Video
from mmdmad.tokens import Layout

CHANNELS, UNITS = ("vibration", "current", "speed"), ("mm/s", "A", "m/s")
TIMES = np.arange(200) / 50
LINES = ("unit {n} enters station 3", "gripper closed after {n} ms", "unit {n} leaves, belt at 0.4 m/s")
SCALE = (1.0, 3.0)
ENCODERS = {"image": "lite0 v1", "text": "minilm v1", "sensor": "windows v1", "video": "clip v1"}


def sensor(seed: int, group: str = "A") -> Sensor:
    """Three channels over 4 s; group B runs at another current."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 6.28)
    values = np.stack(
        [
            0.5 * np.sin(40 * TIMES + phase) + rng.normal(0, 0.05, 200),
            (3.0 if group == "A" else 5.0) + rng.normal(0, 0.1) + rng.normal(0, 0.05, 200),
            0.4 + rng.normal(0, 0.005) + rng.normal(0, 0.004, 200),
        ],
        axis=1,
    )
    return Sensor(values, TIMES, CHANNELS, UNITS, None)


def image(seed: int, group: str = "A") -> Image:
    rng = np.random.default_rng(seed)
    base = 90 if group == "A" else 150
    return Image(rng.normal(base, 6, (64, 96, 3)).clip(0, 255).astype(np.uint8))


def text(seed: int) -> Text:
    rng = np.random.default_rng(seed)
    return Text("\n".join(line.format(n=rng.integers(10, 99)) for line in LINES))


def video(seed: int, step: float = 3.0) -> Video:
    """A bright square that moves to the right by `step` pixels a frame, 16 frames at 8 a second."""
    rng = np.random.default_rng(seed)
    frames = rng.normal(60, 1.5, (16, 40, 64))
    for i, frame in enumerate(frames):
        x = int((4 + step * i) % 52)
        frame[14:26, x : x + 10] += 120
    return Video.from_array(np.repeat(frames.clip(0, 255).astype(np.uint8)[..., None], 3, axis=3), 8)


def signals(seed: int, group: str = "A") -> dict:
    return {"image": image(seed, group), "text": text(seed), "sensor": sensor(seed, group), "video": video(seed)}


def embedding(seed: int, group: str = "A") -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([[4.0 if group == "A" else -4.0], rng.normal(0, 1, 5)]).astype(np.float32)


def normals(n: int = 60) -> Normal:
    """What normal looks like in n normal cases, half of group A and half of group B."""

    def rows():
        for i in range(n):
            group = "AB"[i % 2]
            found = signals(i, group)
            case = Case(f"n-{i:03d}", {m: Part(m) for m in found}, group=group)
            yield case, found, {m: embedding(i, group) for m in found}

    return Normal.fit(rows())


def layouts(found: dict) -> dict[str, Layout]:
    """An 8 x 12 grid, half-second windows per channel, 4 frames of 4 x 4 cells, one span a line."""
    starts = np.arange(15) * 0.25
    windows = np.stack([starts, starts + 0.5], axis=1)
    line_starts = np.cumsum([0] + [len(line) + 1 for line in found["text"].text.split("\n")])
    spans = np.array([[a, b - 1] for a, b in pairwise(line_starts)], float)
    seconds = np.repeat(np.arange(4) * 0.5, 16)
    return {
        "image": Layout("grid", (8, 12), size=found["image"].pixels.shape[:2]),
        "sensor": Layout("steps", (45,), where=np.tile(windows, (3, 1)), channels=tuple(np.repeat(CHANNELS, 15))),
        "text": Layout("spans", (len(spans),), where=spans),
        "video": Layout("frames", (4, 4, 4), where=np.stack([seconds, seconds + 0.5], axis=1), size=(40, 64)),
    }


def judgement(
    case_id: str = "c-017",
    *,
    seed: int = 1000,
    group: str = "A",
    found: dict | None = None,
    hot: dict[str, list[int]] | None = None,
    p: dict[str, float] | None = None,
    p_value: float = 0.004,
    odd: str | None = None,
    embeddings: dict | None = None,
    refused: tuple[Refusal, ...] = (),
    size: int = 210,
) -> Judgement:
    """A judgement: tokens `hot[modality]` score 5 on a scale of 1 to 3, all others about 1."""
    found = signals(seed, group) if found is None else found
    p = {m: 0.004 if m in (hot or {}) else 0.4 for m in found} | (p or {})
    rng = np.random.default_rng(seed)
    shapes = layouts({**signals(seed, group), **found})
    parts = {}
    for m in found:
        scores = rng.normal(1, 0.05, len(shapes[m]))
        scores[(hot or {}).get(m, [])] = 5.0
        vector = (embeddings or {}).get(m, embedding(seed, group))
        parts[m] = PartJudgement(
            m,
            float(scores.max()),
            p[m],
            2.0 / p[m] ** 0.5 / 40,
            scores,
            shapes[m],
            SCALE,
            vector,
            ENCODERS[m],
            "dte-np",
        )
    shares = sum(part.share for part in parts.values())
    given = tuple(m for m in found if m != odd)
    contradictions = () if odd is None else (Contradiction(part=odd, given=given, score=3.2, p_value=0.003, share=2.0),)
    case = Case(
        case_id,
        {m: Part(m) for m in found},
        time=datetime(2026, 3, 3, 8, 15, 20, tzinfo=UTC),
        group=group,
        label=1,
    )
    guarantee = Guarantee(
        rate=0.01,
        size=size,
        interval=(0.002, 0.029),
        pattern=tuple(found),
        valid=size >= 99,
        note="" if size >= 99 else "too few",
    )
    total = shares + sum(c.share for c in contradictions)
    return Judgement(case, found, parts, contradictions, total, p_value, guarantee, refused)


class FakeModel:
    """Stands in for a fitted JointDetector: judges by id, without any network; refuses ids with "broken"."""

    def __init__(self, known: Normal, pause: float = 0.0) -> None:
        self.normal_, self.pause, self.calls = known, pause, []
        self.parts_ = dict.fromkeys(ENCODERS)
        self.joint_scores = dict  # nothing to rank among, so nothing enters the stream

    def finding(self, case, false_alarm_rate=None, artifacts=None, *, cache=None):
        import time
        import zlib

        from mmdmad.errors import PartError
        from mmdmad.explain import gather

        self.calls.append(case.id)
        time.sleep(self.pause)
        if "broken" in case.id:
            raise PartError("the picture ends too early", part="case", case_id=case.id, row=case.row)
        seed = zlib.crc32(case.id.encode())
        bad = "bad" in case.id
        refused = (Refusal(case.id, "video", "no frames: empty file", case.row),) if "blind" in case.id else ()
        found = signals(seed, case.group or "A")
        if refused:
            del found["video"]
        hot = {"sensor": [4], "image": [30]} if bad else {}
        made = judgement(
            case.id, seed=seed, group=case.group or "A", found=found, hot=hot,
            p_value=0.004 if bad else 0.02 + (seed % 1000) / 1100,
            odd="image" if "odd" in case.id else None, refused=refused,
        )  # fmt: skip
        made = replace(made, case=case)
        return made.finding(gather(made, self.normal_, artifacts))
