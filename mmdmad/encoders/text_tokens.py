"""Tokens of texts: what every text encoder shares. A subclass only says how strings are embedded.

A token is one piece of the text (`spans`). Its two blocks have equal weight whatever the detector does with scales:

    meaning   main directions of the training pieces' embeddings (one common scale, so that what varies little stays
              small) and the logarithm of what lies outside them
    form      lengths, kinds of characters, unseen words and templates (`text_form`), each with unit variance

The summary stands for the whole text: its embedding, or for a text of several pieces the mean of theirs, of length one;
so nothing of a long text is cut off.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdmad.encoders.asked import Asked
from mmdmad.encoders.base import Encoder
from mmdmad.encoders.sensor_windows import principal_directions
from mmdmad.encoders.text_form import FOLDS, FORM, Counts, Known, fold, form
from mmdmad.encoders.text_spans import spans
from mmdmad.errors import ConfigError, DataError, NotFittedError
from mmdmad.saved import check_arrays, require
from mmdmad.tokens import Layout, Tokens

FIT_PIECES = 1500
"""Different training pieces from which the directions of meaning are learned."""
FAR = 20.0
"""Form features are held within so many training deviations."""
_ASKED = Asked()


@dataclass(frozen=True, eq=False)
class TextState:
    """What `TextEncoder.fit` learned."""

    known: Known
    form: np.ndarray  # (2, 18) mean and deviation
    mean: np.ndarray  # (E,)
    directions: np.ndarray  # (E, k)
    scale: np.ndarray  # (1,) common scale of the scores
    rest: np.ndarray  # (2,)


class TextEncoder(Encoder):
    """Meaning and form of the pieces of a text.

    `components` is the number of meaning directions, `max_spans` the most pieces a text is cut into.
    """

    def __init__(self, components: int = 32, max_spans: int = 64) -> None:
        for name, value in (("components", components), ("max_spans", max_spans)):
            if value < 1:
                raise ConfigError(f"{name}={value} was given; allowed is 1 or more")
        self.components, self.max_spans = components, max_spans

    @abstractmethod
    def embed(self, pieces: Sequence[str]) -> np.ndarray:
        """Embeddings of the pieces of one text, float32 (N, E), each of length one.

        One call per text: its pieces share the work, and no text's numbers depend on another text. Nothing but the
        pieces, `params` and `describe` decides them, so that fitted encoders of one kind can share them (`asked`).
        """

    def fit(self, signals: Sequence[Any]) -> "TextEncoder":
        """Learn words, templates, the scale of form and the directions of meaning from normal texts."""
        texts = [signal.text for signal in signals]
        if not texts:
            raise DataError("no texts were given; at least one is needed")
        known = Known.of(texts)
        pieces = [(text[a:b], fold(text)) for text in texts for a, b in spans(text, self.max_spans)]
        shapes = np.stack([form(piece, own, known) for piece, own in pieces])
        different = sorted({piece for piece, _ in pieces}, key=lambda piece: (len(piece), piece))
        picked = [different[i] for i in np.unique(np.linspace(0, len(different) - 1, FIT_PIECES).round().astype(int))]
        meaning = self.embed(picked).astype(np.float64)
        mean, directions, _ = principal_directions(meaning, min(self.components, max(1, len(picked) // 4)))
        scores = (meaning - mean) @ directions
        rest = _log_rest(meaning - mean, directions)
        total = max(float(scores.var(axis=0).sum()), 1e-12)
        self.fitted_ = TextState(
            known=known,
            form=np.stack([shapes.mean(axis=0), np.maximum(shapes.std(axis=0), 0.02)]),
            mean=mean,
            directions=directions,
            scale=np.array([np.sqrt(total / len(FORM))]),
            rest=np.array([rest.mean(), max(rest.std(), 0.02)]),
        )
        return self

    def encode(self, signal: Any) -> Tokens:
        """Tokens (pieces, components + 19) of a Text."""
        where = spans(signal.text, self.max_spans)
        values, meaning = self._values([signal.text[a:b] for a, b in where], fold(signal.text))
        layout = Layout("spans", (len(where),), where=np.array(where, np.float64))
        return Tokens(values, layout, summary=_whole(meaning))

    def encode_pieces(self, pieces: Sequence[str], text: str) -> np.ndarray:
        """Tokens (N, components + 19) that other pieces would have in the place of a piece of `text`."""
        return self._values(pieces, fold(text))[0]

    def _values(self, pieces: Sequence[str], own: int) -> tuple[np.ndarray, np.ndarray]:
        """Tokens and embeddings of pieces of a text of the fold `own`."""
        state = self._fitted()
        meaning = _ASKED.of(self._weights(), pieces, self.embed)
        centred = meaning.astype(np.float64) - state.mean
        scores = np.zeros((len(pieces), self.components))  # fewer directions than components when texts were few
        scores[:, : state.directions.shape[1]] = centred @ state.directions / state.scale
        outside = (_log_rest(centred, state.directions) - state.rest[0]) / state.rest[1]
        shapes = (np.stack([form(piece, own, state.known) for piece in pieces]) - state.form[0]) / state.form[1]
        return np.concatenate([scores, outside[:, None], np.clip(shapes, -FAR, FAR)], axis=1), meaning

    def _weights(self) -> tuple[object, ...]:
        """All that decides embeddings besides the pieces."""
        return type(self), self.version, repr(self.params()), self.describe()

    def _token_width(self) -> int:
        """Features of a token."""
        return self.components + 1 + len(FORM)

    def params(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"components": self.components, "max_spans": self.max_spans}

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """What `fit` learned."""
        if not hasattr(self, "fitted_"):
            return {}, {}
        known = self.fitted_.known
        arrays = {name: getattr(self.fitted_, name) for name in ("form", "mean", "directions", "scale", "rest")}
        arrays |= {f"known.{name}": getattr(known, name).counts for name in ("words", "templates", "triples")}
        arrays["known.texts"] = known.texts
        return arrays, {name: list(getattr(known, name).keys) for name in ("words", "templates", "triples")}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where `fit` cannot have written it."""
        if not arrays:
            return
        forms = {"form": f"f 2 {len(FORM)}", "mean": "f E", "directions": "f E k", "scale": "f 1", "rest": "f 2"}
        sizes = check_arrays(arrays, {**forms, "known.texts": f"i {FOLDS}"})
        require(1 <= sizes["k"] <= self.components, f"{sizes['k']} directions are not 1 to {self.components}")
        above = (arrays["form"][1], arrays["scale"], arrays["rest"][1:])
        require(all((scale > 0).all() for scale in above), "a scale is not above 0")
        texts = int(arrays["known.texts"].sum())
        require((arrays["known.texts"] >= 0).all() and texts > 0, "the numbers of texts are out of range")
        for name in ("words", "templates", "triples"):
            keys, counted = values[name], arrays[f"known.{name}"]
            require(isinstance(keys, list) and all(isinstance(key, str) for key in keys), f"{name} are words")
            require(len(set(keys)) == len(keys), f"{name} holds a word twice")
            check_arrays(arrays, {f"known.{name}": f"i {len(keys)} {FOLDS}"})
            require(((counted >= 0) & (counted <= texts)).all(), f"counts of {name} are out of range")
            require((counted.sum(axis=1) > 0).all(), f"{name} holds a word that no text had")
        counts = {n: Counts(tuple(values[n]), arrays[f"known.{n}"]) for n in ("words", "templates", "triples")}
        rest = {name: arrays[name] for name in ("form", "mean", "directions", "scale", "rest")}
        self.fitted_ = TextState(known=Known(texts=arrays["known.texts"], **counts), **rest)

    def _fitted(self) -> TextState:
        if not hasattr(self, "fitted_"):
            raise NotFittedError(f"this {type(self).__name__} encoder is not fitted; call fit(signals) first")
        return self.fitted_


def _whole(meaning: np.ndarray) -> np.ndarray:
    mean = meaning.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), np.float32)


def _log_rest(centred: np.ndarray, directions: np.ndarray) -> np.ndarray:
    rest = centred - centred @ directions @ directions.T
    return np.log(np.sqrt((rest**2).sum(axis=1)) + 0.01)
