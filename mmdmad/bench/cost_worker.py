"""One detector measured in a process of its own: `python -m mmdmad.bench.cost_worker SPEC` prints a JSON line a stage.

A line is printed as soon as its stage ends, so that what was measured before a time limit is not lost.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mmdmad.bench.base import model_mb
from mmdmad.bench.result import Meter
from mmdmad.detectors.base import Detector, make_detector
from mmdmad.errors import MmdmadError
from mmdmad.threads import one_thread
from mmdmad.tokens import Layout, Tokens

Items = np.ndarray | list[Tokens]
LATENT = 16  # directions in which the synthetic tokens vary
ALONE = 10  # items that are also scored one by one


@dataclass(frozen=True)
class Spec:
    """What to measure: `train` and `test` items of `shape` tokens (frames, rows, columns), or vectors where None."""

    detector: str
    seed: int
    train: int
    test: int
    width: int
    shape: tuple[int, int, int] | None = None

    def to_json(self) -> str:
        """One line; `Spec.read` gives the spec back."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, line: str) -> "Spec":
        """The spec that `to_json` wrote."""
        given = json.loads(line)
        return cls(**{**given, "shape": None if given["shape"] is None else tuple(given["shape"])})


def synthetic(spec: Spec) -> tuple[Items, Items]:
    """Seeded training and test items: `width` features that follow 16 hidden ones, and noise of a quarter their size.

    >>> train, test = synthetic(Spec("knn", 0, train=3, test=2, width=8))
    >>> train.shape, test.dtype
    ((3, 8), dtype('float32'))
    """
    rng = np.random.default_rng(spec.seed)
    mixing = rng.normal(size=(LATENT, spec.width)).astype(np.float32) / LATENT**0.5
    length = 1 if spec.shape is None else int(np.prod(spec.shape))

    def rows(count: int) -> np.ndarray:
        made = rng.standard_normal((count * length, LATENT), dtype=np.float32) @ mixing
        return made + 0.25 * rng.standard_normal(made.shape, dtype=np.float32)

    if spec.shape is None:
        return rows(spec.train), rows(spec.test)
    frames, height, width = spec.shape
    where = np.stack([np.arange(frames), np.arange(frames) + 1.0], axis=1)
    layout = Layout("frames", spec.shape, np.repeat(where, height * width, axis=0), size=(8 * height, 8 * width))
    made = [Tokens(values, layout) for values in rows(spec.train + spec.test).reshape(-1, length, spec.width)]
    return made[: spec.train], made[spec.train :]


@contextmanager
def network_calls() -> Iterator[list[int]]:
    """Count in a list of one number how often a network is called inside; its layers are not counted again."""
    from torch.nn.modules import module

    calls, depth = [0], [0]

    def before(*_: Any) -> None:
        calls[0] += depth[0] == 0
        depth[0] += 1

    def after(*_: Any) -> None:
        depth[0] -= 1

    hooks = (
        module.register_module_forward_pre_hook(before),
        module.register_module_forward_hook(after, always_call=True),
    )
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def measure(spec: Spec, tell: Callable[[dict[str, Any]], None]) -> None:
    """Fit and score as `spec` says, on one thread; `tell` gets the figures of each stage as it ends."""
    train, test = synthetic(spec)
    made = make_detector(spec.detector, seed=spec.seed, false_alarm_rate=None)
    with one_thread():
        short = make_detector(spec.detector, **({"steps": 2} if "steps" in made.get_params() else {}))
        short.fit(train[:20]).token_scores(test[:2])  # loads the libraries, which is not the detector's cost
        meter = Meter()
        start = meter.peak_mb()

        def memory() -> dict[str, float]:
            return {"memory_mb": meter.peak_mb() - start, "peak_mb": meter.peak_mb()}

        with meter.fit():
            made.fit(train)
        tell({"train_seconds": meter.seconds["fit"], **memory()})
        with meter.score():
            made.token_scores(test)
        tell({"score_ms_per_item": 1000 * meter.seconds["score"] / spec.test, **memory(), "model_mb": model_mb(made)})
        tell(one_by_one(made, test))


def one_by_one(made: Detector, test: Items) -> dict[str, float]:
    """Milliseconds of an item that comes alone, and how often it calls a network; means over the first few items."""
    items = [test[i : i + 1] for i in range(min(ALONE, len(test)))]
    begin = time.perf_counter()
    for item in items:
        made.token_scores(item)
    took = time.perf_counter() - begin
    with network_calls() as calls:
        for item in items:
            made.token_scores(item)
    return {"ms_alone": 1000 * took / len(items), "network_calls": calls[0] / len(items)}


def main(line: str) -> None:
    """Measure what the JSON spec says and print the stages; a refusal by the library is a stage too."""

    def tell(figures: dict[str, Any]) -> None:
        print(json.dumps(figures), flush=True)

    try:
        measure(Spec.read(line), tell)
    except MmdmadError as error:
        tell({"refused": str(error)})


if __name__ == "__main__":
    main(sys.argv[1])
