"""A detector on trial: what its promises are tried on, and what is said when one is broken."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from mmdmad.detectors.base import Detector
from mmdmad.testing.samples import pictures, series, vectors
from mmdmad.tokens import Tokens


class BrokenPromiseError(AssertionError):
    """A detector does not do what every detector promises; the message says which promise and what was seen."""


def must(kept: bool | np.bool_, seen: str) -> None:
    """Raise BrokenPromiseError, with what was seen, unless `kept`."""
    if not kept:
        raise BrokenPromiseError(seen)


def must_refuse(call: Callable[[], object], kind: type[Exception], word: str) -> None:
    """Raise BrokenPromiseError unless `call` raises an error of this kind whose message has this word in it."""
    try:
        call()
    except kind as error:
        must(word.lower() in str(error).lower(), f"the error does not say {word!r}: {error}")
    else:
        raise BrokenPromiseError(f"no {kind.__name__} was raised, which should say {word!r}")


QUICK = 5
Promise = Callable[["Trial"], None]
PROMISES: dict[str, Promise] = {}


def promise(function: Promise) -> Promise:
    """Add a promise under the name of its function; its first line says what is promised."""
    PROMISES[function.__name__] = function
    return function


class Trial:
    """Fits of one detector, made once and shared by its promises.

    `detector` gives class and arguments; it is never fitted itself. A threshold is learned only where one is tried.
    """

    def __init__(self, detector: Detector) -> None:
        self.detector = detector

    def given(self) -> Detector:
        """A detector that is not fitted, of the same arguments."""
        return type(self.detector)(**self.detector.get_params())

    def new(self, **changes: Any) -> Detector:
        """A detector that is not fitted, without a threshold and with `changes`, else of the same arguments."""
        given = {"false_alarm_rate": None} if "false_alarm_rate" in self.detector.get_params() else {}
        return type(self.detector)(**{**self.detector.get_params(), **given, **changes})

    def quick(self, **changes: Any) -> Detector:
        """The same with a training of a few steps, where nothing is asked of how good it is."""
        short = {"steps": QUICK} if "steps" in self.detector.get_params() else {}
        return self.new(**{**short, **changes})

    @cached_property
    def on_vectors(self) -> Detector:
        """Fitted on a table, with a threshold."""
        return self.given().fit(vectors())

    @cached_property
    def on_vectors_again(self) -> Detector:
        """Fitted on the same rows, given as Tokens."""
        return self.given().fit([Tokens(row[None]) for row in vectors()])

    @cached_property
    def on_pictures(self) -> Detector:
        """Fitted on aligned grids."""
        return self.new().fit(pictures())

    @cached_property
    def on_series(self) -> Detector:
        """Fitted on channels over time."""
        return self.new().fit(series())
