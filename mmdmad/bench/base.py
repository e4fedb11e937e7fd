"""The registry of suites and the one function that runs them. A new suite is one new file with one `@suite` function.

Settings are fixed before test labels are looked at: one setting for all data sets of a suite. Where something was
chosen while looking at labels, the suite's `note` says so in every summary line.
"""

import importlib
import json
import pkgutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mmdmad.bench.result import Meter, Result, Row, summarise
from mmdmad.errors import ConfigError, DataError, ManifestError, MissingExtraError
from mmdmad.tokens import Tokens

if TYPE_CHECKING:
    from mmdmad.detectors.base import Detector

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """What a suite is run with."""

    detectors: tuple[str, ...]
    seeds: int
    peers: bool
    work: Path | None
    folder: Path | None
    chosen: bool = False  # the detectors were named by the user
    sample: int | None = None  # how many of the suite's items to run on
    refused: dict[str, str] = field(default_factory=dict)  # detectors that cannot take the suite's tokens, and why

    @property
    def data(self) -> Path:
        """Folder of the labelled sets; ManifestError if none was given."""
        if self.folder is None:
            raise ManifestError("this suite needs labelled sets; give the folder that holds them as --data DIR")
        if not self.folder.is_dir():
            raise ManifestError(f"--data {self.folder} is not a folder")
        return self.folder

    @property
    def cache(self) -> Path | None:
        """Folder of the token cache, if a work folder was given."""
        return None if self.work is None else self.work / "tokens"

    def artifacts(self, name: str) -> Path | None:
        """A folder for pictures of this suite, made if a work folder was given."""
        if self.work is None:
            return None
        (self.work / name).mkdir(parents=True, exist_ok=True)
        return self.work / name

    def some(self, items: Sequence[T]) -> Sequence[T]:
        """All items, or as many as the sample asks for, spread evenly over their fixed order.

        >>> Context((), 1, False, None, None, sample=3).some("abcdefg")
        ['a', 'd', 'g']
        """
        if self.sample is None or self.sample >= len(items):
            return items
        return [items[round(at)] for at in np.linspace(0, len(items) - 1, self.sample)]

    @contextmanager
    def trying(self, detector: str) -> Iterator[None]:
        """What stands under `with context.trying(name):` goes on without a detector that refuses the tokens."""
        try:
            yield
        except (ConfigError, DataError, MissingExtraError) as error:
            self.refused.setdefault(detector, str(error))

    def track(self, items: Sequence[T], text: str) -> Iterable[T]:
        """`items` with a progress bar on standard error where that is a terminal."""
        if not sys.stderr.isatty():
            return items
        from rich.console import Console
        from rich.progress import track

        return track(items, text, console=Console(stderr=True))


@dataclass(frozen=True)
class Suite:
    """A registered suite; `detectors` are run when none are named, the first is the default."""

    name: str
    text: str
    protocol: str
    detectors: tuple[str, ...]
    run: Callable[[Context], Iterator[Row]]
    note: str | None = None
    sampled: bool = False  # takes `sample`


_SUITES: dict[str, Suite] = {}


def suite(
    name: str,
    text: str,
    protocol: str,
    detectors: tuple[str, ...],
    note: str | None = None,
    sampled: bool = False,
) -> Callable[[Callable[[Context], Iterator[Row]]], Callable[[Context], Iterator[Row]]]:
    """Register a function that yields rows as a suite."""

    def register(run: Callable[[Context], Iterator[Row]]) -> Callable[[Context], Iterator[Row]]:
        _SUITES[name] = Suite(name, text, protocol, detectors, run, note, sampled)
        return run

    return register


def suites() -> dict[str, Suite]:
    """Every suite by name; loads each file of this folder once."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        importlib.import_module(f"{__package__}.{module.name}")
    return dict(sorted(_SUITES.items()))


def list_suites() -> dict[str, str]:
    """Name and one line of every suite."""
    return {name: one.text for name, one in suites().items()}


def run_suite(
    name: str,
    data: str | Path | None = None,
    detectors: Sequence[str] | None = None,
    seeds: int = 1,
    peers: bool = False,
    out: str | Path | None = None,
    work: str | Path | None = None,
    sample: int | None = None,
) -> dict[str, Any]:
    """Run a suite and return its result (format of `mmdmad.bench.result.Result`); `out` also writes it as JSON.

    `data` is the folder that holds the labelled sets, `detectors` replaces the suite's own list, `seeds` the number of
    seeds, `peers` adds other libraries' detectors, `work` is a folder for the token cache and for pictures. `sample`
    runs on that many items of the suite, spread evenly over their order, for detectors that take minutes an item.
    While a suite runs, its rows so far stand in `out` with the ending .part, one JSON object a line.
    """
    known = suites()
    if name not in known:
        raise ConfigError(f"no suite is called {name!r}; there are {', '.join(known)}")
    if seeds < 1:
        raise ConfigError(f"seeds={seeds} was given; allowed is 1 or more")
    one = known[name]
    if sample is not None and (sample < 1 or not one.sampled):
        able = ", ".join(n for n, other in known.items() if other.sampled)
        raise ConfigError(f"sample={sample} was given to {name}; allowed is 1 or more, for {able}")
    context = Context(
        tuple(detectors) if detectors else one.detectors,
        seeds,
        peers,
        None if work is None else Path(work),
        None if data is None else Path(data),
        bool(detectors),
        sample,
    )
    rows = list(_kept(one.run(context), None if out is None else Path(out)))
    if context.refused and set(context.refused) >= set(context.detectors):
        raise ConfigError(f"no detector can take the tokens of {name}: " + "; ".join(context.refused.values()))
    protocol = one.protocol if sample is None else f"{one.protocol}; a sample: {sample} items, evenly spaced by number"
    result = Result(
        suite=name,
        protocol=protocol,
        rows=rows,
        summary=summarise(rows, one.detectors[0], one.note),
        refused=context.refused,
    ).model_dump(mode="json", exclude_none=False)
    if out is not None:
        Path(out).write_text(json.dumps(result, indent=1) + "\n")
        _part(Path(out)).unlink(missing_ok=True)
    return result


def _part(out: Path) -> Path:
    return out.with_name(out.name + ".part")


def _kept(rows: Iterator[Row], out: Path | None) -> Iterator[Row]:
    """The rows as they come, each written at once: hours of a suite are not lost with its last minute."""
    if out is None:
        yield from rows
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    with _part(out).open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(row.model_dump_json() + "\n")
            file.flush()
            yield row


def fit_and_score(
    name: str, train: Sequence[Tokens] | np.ndarray, test: Sequence[Tokens] | np.ndarray, seed: int, **params: Any
) -> tuple[Meter, list[np.ndarray], np.ndarray]:
    """Fit a detector on training tokens, score the test tokens: the meter, token scores per item, item scores."""
    from mmdmad.detectors.base import make_detector

    meter = Meter()
    detector = make_detector(name, seed=seed, **{"false_alarm_rate": None, **params})
    with meter.fit():
        detector.fit(train)
    with meter.score():
        tokens = detector.token_scores(test)
        items = np.array([detector._pool(scores) for scores in tokens])
    return meter, tokens, items


def model_mb(made: "Detector") -> float:
    """Size of the saved model in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        made.save(folder)
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
