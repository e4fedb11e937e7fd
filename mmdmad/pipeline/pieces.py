"""Scores of other pieces in the place of a piece of a text, as occlusion asks for them line after line.

Logs repeat themselves: what was asked of one line is asked again of its next copy, and the encoder, which is nearly
all of the cost, is not run again. The same question has the same answer, to the last bit: only whole questions are
kept, because what stands beside a piece in a batch may change its last digits.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from mmdmad.detectors.base import Detector
from mmdmad.encoders.text_form import fold
from mmdmad.encoders.text_tokens import TextEncoder
from mmdmad.threads import one_thread
from mmdmad.tokens import Layout, Tokens

MOST = 2000
"""Questions that are kept; the oldest goes first. A question has some forty pieces of a line at most."""


class PieceScores:
    """The token scores of pieces by one encoder and one detector, as they are when first asked."""

    def __init__(self, encoder: TextEncoder, detector: Detector, finite: Callable[[float], float]) -> None:
        self.encoder, self.detector, self.finite = encoder, detector, finite
        self._known: OrderedDict[tuple[int, tuple[str, ...]], np.ndarray] = OrderedDict()

    def of(self, pieces: Sequence[str], text: str) -> np.ndarray:
        """Scores (n,) that n pieces would have in the place of a piece of `text`."""
        asked = fold(text), tuple(pieces)  # all that an encoder knows of the text around a piece is its fold
        if asked in self._known:
            self._known.move_to_end(asked)
            return self._known[asked]
        scores = self._scores(pieces, text)
        scores.flags.writeable = False
        self._known[asked] = scores
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return scores

    def _scores(self, pieces: Sequence[str], text: str) -> np.ndarray:
        with one_thread():
            values = self.encoder.encode_pieces(pieces, text)
        items = [
            Tokens(row[None], Layout("spans", (1,), where=np.array([[0.0, len(piece)]])))
            for row, piece in zip(values, pieces, strict=True)
        ]
        return np.array([self.finite(float(scores[0])) for scores in self.detector.token_scores(items)])
