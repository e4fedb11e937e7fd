"""The contract of detectors as a suite that anyone can run on a detector of their own.

>>> from mmdmad.detectors import KNN
>>> kept = check_detector(KNN)
>>> "scores_do_not_depend_on_the_batch" in kept
True

A broken promise says which one and what was seen:

>>> class Forgetful(KNN):
...     "Says 0 to whatever comes third."
...     def _score(self, items):
...         scores = super()._score(items)
...         return [0 * one if i == 2 else one for i, one in enumerate(scores)]
>>> try:
...     check_detector(Forgetful, only=["scores_do_not_depend_on_the_batch"])
... except BrokenPromiseError as error:
...     print(str(error).splitlines()[1])
- scores_do_not_depend_on_the_batch: rows 150 to 157 score otherwise alone

With pytest, one test a promise:

    @pytest.mark.parametrize("name, check", detector_checks(MyDetector(steps=50)))
    def test_promise(name, check):
        check()
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from mmdmad.detectors.base import Detector
from mmdmad.errors import ConfigError
from mmdmad.testing import habits, scores  # noqa: F401  (they fill PROMISES)
from mmdmad.testing.scikit_learn import EXEMPT, sklearn_checks
from mmdmad.testing.trial import PROMISES, BrokenPromiseError, Trial

__all__ = [
    "EXEMPT",
    "PROMISES",
    "BrokenPromiseError",
    "Trial",
    "check_detector",
    "detector_checks",
    "sklearn_checks",
    "try_promise",
]


def check_detector(
    detector: type[Detector] | Detector, *, only: Sequence[str] | None = None, leave_out: Sequence[str] = ()
) -> list[str]:
    """Try every promise of `PROMISES` on a detector of this class, on tables, grids and sequences.

    detector: a class under `@detector`, or one of its instances, whose arguments are then taken (a network with few
    training steps, so that the suite is quick). only, leave_out: names of promises. Returns the names of the promises
    that were tried and kept. Raises BrokenPromiseError, which names all broken ones and what was seen, and ConfigError
    for a name that is no promise.
    """
    unknown = [name for name in (*(only or ()), *leave_out) if name not in PROMISES]
    if unknown:
        raise ConfigError(f"no promise is called {', '.join(unknown)}; there are {', '.join(PROMISES)}")
    kept, broken = [], []
    for name, check in detector_checks(detector):
        if name in leave_out or (only is not None and name not in only):
            continue
        try:
            check()
        except BrokenPromiseError as error:
            broken.append(f"- {error}")
        else:
            kept.append(name)
    if broken:
        name = (detector if isinstance(detector, type) else type(detector)).__name__
        raise BrokenPromiseError(f"{name} broke {len(broken)} promises:\n" + "\n".join(broken))
    return kept


def detector_checks(detector: type[Detector] | Detector) -> Iterator[tuple[str, Callable[[], None]]]:
    """Name and check of every promise; a check takes nothing and raises where it finds one broken."""
    trial = Trial(_made(detector) if isinstance(detector, type) else detector)
    for name in PROMISES:
        yield name, partial(try_promise, name, trial)


def _made(detector: type[Detector]) -> Detector:
    """An instance with the defaults; BrokenPromiseError where there is none."""
    try:
        return detector()
    except Exception as error:
        raise BrokenPromiseError(
            f"constructor_stores_its_arguments: {detector.__name__} cannot be made without arguments "
            f"({type(error).__name__}: {error}); every argument of a detector has a default"
        ) from error


def try_promise(name: str, trial: Trial) -> None:
    """Try one promise; whatever it raises becomes a BrokenPromiseError that begins with its name."""
    try:
        PROMISES[name](trial)
    except BrokenPromiseError as error:
        raise BrokenPromiseError(f"{name}: {error}") from error
    except Exception as error:
        raise BrokenPromiseError(f"{name}: {type(error).__name__} was raised: {error}") from error
