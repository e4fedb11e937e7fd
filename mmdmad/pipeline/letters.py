"""A second look at a text: are its letters those of normal texts, whatever it means?

Sentence embeddings are blind to names, codes and spellings that their model never met; runs of letters are not. Texts
are compared whole, over TF-IDF (Salton and Buckley 1988) of 3 to 5 letters within words, numbers and long ids masked.
What this does not know: order of words, meaning, and runs of letters that no training text has (they have no weight;
the encoder's form features count those).
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from mmdmad.encoders.text_form import template
from mmdmad.errors import DataError
from mmdmad.saved import check_arrays, read_arrays, reading, require, write_arrays

NEIGHBOURS = 5
FLOOR = 1e-3
"""To be added to distances before logarithms, for texts with exact copies."""
BUCKETS = 2**28  # n-grams are hashed, so that no vocabulary has to be kept; so many that hardly two share a bucket
CHUNK = 256


class Letters:
    """Mean cosine distance of texts to the nearest of the training texts, over TF-IDF of letter n-grams.

    `template` masks numbers and ids, so that "belt 7" and "belt 12" are one text. Weights are
    (1 + log count) * (1 + log((1 + N) / (1 + n))) for an n-gram in n of N training texts, rows of length one.

    >>> letters = Letters().fit([f"belt {i} runs at 3.5 m/s" for i in range(20)])
    >>> letters.scores(["belt 7 runs at 1.2 m/s", "belt 7 ruptured", "smoke!"]).round(2).tolist()
    [0.0, 0.43, 1.0]
    """

    def fit(self, texts: Sequence[str]) -> Self:
        """Remember normal texts; DataError if there are fewer than two, or all are blank."""
        if len(texts) < 2:
            raise DataError(f"{len(texts)} texts were given; two or more are needed to compare letters")
        counts = _counts(texts)
        if not counts.nnz:
            raise DataError(f"none of {len(texts)} texts holds a letter, digit or sign to compare")
        self.seen_, inverse = np.unique(counts.indices, return_inverse=True)
        in_texts = np.bincount(inverse, minlength=len(self.seen_))
        self.weight_ = (np.log((1 + len(texts)) / (1 + in_texts)) + 1).astype(np.float32)
        self._remember(self._weighted(counts))
        return self

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Distances (N,) of texts, 0 (copies, up to numbers) to 1 (no common run of letters)."""
        return self._distances(self._weighted(_asked(tuple(texts))), own=False) if len(texts) else np.zeros(0)

    def own_scores(self) -> np.ndarray:
        """Distances (N,) of the training texts, each to the others."""
        return self._distances(self._known, own=True)

    def save(self, folder: Path) -> None:
        """Write `letters.safetensors` into `folder`."""
        arrays = {"seen": self.seen_, "weight": self.weight_, "shape": np.array(self._known.shape)}
        arrays |= {name: getattr(self._known, name) for name in ("data", "indices", "indptr")}
        write_arrays(folder / "letters.safetensors", arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote; ModelError where it is nothing that `fit` can have learned."""
        from scipy.sparse import csr_matrix

        made, file = cls(), folder / "letters.safetensors"
        arrays = read_arrays(file)
        with reading(file):
            forms = {"seen": "i V", "weight": "f V", "shape": "i 2", "data": "f n", "indices": "i n", "indptr": "i p"}
            sizes = check_arrays(arrays, forms)
            rows, columns = arrays["shape"].tolist()
            require(rows >= 2 and (rows + 1, columns) == (sizes["p"], sizes["V"]), "shape is not that of its arrays")
            require((np.diff(arrays["seen"]) > 0).all(), "seen is not in increasing order")
            require((arrays["weight"] > 0).all(), "weight holds a number that is not above 0")
            known = csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), (rows, columns))
            known.check_format(full_check=True)
        made.seen_, made.weight_ = arrays["seen"], arrays["weight"]
        made._remember(known)
        return made

    def _remember(self, known: Any) -> None:
        self._known, self._columns = known, known.T.tocsr()

    def _weighted(self, counts: Any) -> Any:
        """TF-IDF rows (N, n-grams seen) of length one; a row of nothing known stays zero."""
        from scipy.sparse import csr_matrix

        column = np.minimum(np.searchsorted(self.seen_, counts.indices), len(self.seen_) - 1)
        known = self.seen_[column] == counts.indices
        weights = np.where(known, (1 + np.log(counts.data)) * self.weight_[column], 0).astype(np.float32)
        ends = counts.indptr.copy()  # `eliminate_zeros` writes into it, and counts may be asked for again
        rows = csr_matrix((weights, column, ends), (counts.shape[0], len(self.seen_)))
        rows.eliminate_zeros()
        length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        rows.data /= np.repeat(np.where(length > 0, length, 1), np.diff(rows.indptr)).astype(np.float32)
        return rows

    def _distances(self, rows: Any, own: bool) -> np.ndarray:
        count = min(NEIGHBOURS, self._known.shape[0] - own)
        found = []
        for start in range(0, rows.shape[0], CHUNK):
            far = 1 - (rows[start : start + CHUNK] @ self._columns).toarray()
            if own:
                far[np.arange(len(far)), start + np.arange(len(far))] = np.inf
            nearest = np.partition(far, count - 1, axis=1)[:, :count]
            found.append(np.clip(nearest, 0, 1).mean(axis=1, dtype=np.float64))
        return np.concatenate(found)


@lru_cache(maxsize=1)
def _asked(texts: tuple[str, ...]) -> Any:
    """Counts of the texts that were asked for last: each fold of a model asks for the same ones."""
    return _counts(texts)


def _counts(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    hashed = HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), n_features=BUCKETS, norm=None, alternate_sign=False
    )
    return hashed.transform([template(text) for text in texts])
