"""Embeddings that were asked for lately, so that encoders of the same weights do not compute them again.

The folds of a model differ in what was fitted, not in the network that reads a text: without this each of them runs it
on the same text, and again on every question of occlusion. Only whole questions are kept, because what stands beside a
piece in a batch may change its last digits: the same question has the same answer, to the last bit.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock

import numpy as np

BYTES = 16 * 2**20
"""Embeddings and texts that are kept: some thousands of lines. A question that is larger is never kept."""
BESIDE = 1000
"""Bytes that a kept question takes beside its arrays and texts."""


class Asked:
    """Answers to the last questions within a number of bytes; the one that was asked longest ago goes first.

    >>> asked = Asked(10_000)
    >>> first = asked.of("weights", ["a", "b"], lambda pieces: np.ones((len(pieces), 3), np.float32))
    >>> asked.of("weights", ["a", "b"], lambda pieces: 1 / 0) is first
    True
    """

    def __init__(self, most: int = BYTES) -> None:
        self.most = most
        self._known: OrderedDict[tuple[Hashable, tuple[str, ...]], tuple[np.ndarray, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def of(self, weights: Hashable, pieces: Sequence[str], embed: Callable[[Sequence[str]], np.ndarray]) -> np.ndarray:
        """Embeddings (N, E) of pieces, not to be written into; `embed` is asked where they are not known.

        `weights` says everything that decides them besides the pieces.
        """
        question = weights, tuple(pieces)
        with self._lock:
            if (known := self._known.get(question)) is not None:
                self._known.move_to_end(question)
                return known[0]
        answer = embed(pieces)
        answer.flags.writeable = False
        size = answer.nbytes + sum(map(sys.getsizeof, pieces)) + BESIDE
        with self._lock:
            if question not in self._known and size <= self.most:
                self._known[question] = answer, size
                self._bytes += size
            while self._bytes > self.most:
                self._bytes -= self._known.popitem(last=False)[1][1]
        return answer
