"""The form of a piece of text: lengths, kinds of characters, and how unusual its words and template are.

Nothing here knows a data set. Learned counts are cross-fitted: training texts are dealt into folds by a hash of their
content, and a text is compared with the other folds only. So a training text never meets itself, a test text never
meets its own copy, and the features of both are alike; without that every training text would seem fully known.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmdmad.encoders.text_spans import spans

FOLDS = 5
FORM = (
    "length",
    "words",
    "mean word length",
    "longest word",
    "digits",
    "upper case",
    "punctuation",
    "not ASCII",
    "white space",
    "longest number",
    "different characters",
    "longest repetition",
    "words never seen",
    "mean surprise of words",
    "greatest surprise of a word",
    "template never seen",
    "surprise of the template",
    "surprise of letter triples",
)
"""What each form feature is; lengths and counts as logarithms, kinds of characters as shares, surprise in bits."""
_WORD = re.compile(r"[^\W_]+")
_ID = re.compile(r"\b(?=[0-9a-f-]*\d)[0-9a-f-]{8,}\b")
_RUN = re.compile(r"(.)\1*", re.DOTALL)


def template(text: str) -> str:
    """The text in lower case with numbers and long hexadecimal ids masked and white space joined.

    >>> template("Motor 12 at 3.5 A,  id 9f3a77b0-11")
    'motor 0 at 0.0 a, id #'
    """
    masked = re.sub(r"\d+", "0", _ID.sub("#", text.lower()))
    return " ".join(masked.split())


def fold(text: str) -> int:
    """Which of the folds a whole text belongs to, from its content alone."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[0] % FOLDS


@dataclass(frozen=True, eq=False)
class Counts:
    """In how many training texts of each fold a key occurs: `keys` and int32 (len(keys), FOLDS)."""

    keys: tuple[str, ...]
    counts: np.ndarray
    index: dict[str, int] = field(init=False, repr=False)
    others: np.ndarray = field(init=False, repr=False)  # in how many texts of all folds but one; a last row for none

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {key: i for i, key in enumerate(self.keys)})
        others = self.counts.sum(axis=1, keepdims=True) - self.counts
        object.__setattr__(self, "others", np.concatenate([others, np.zeros((1, FOLDS), others.dtype)]))

    @classmethod
    def of(cls, texts: Sequence[str], keys_of: Callable[[str], Iterable[str]], most: int) -> "Counts":
        """Counts over texts; the `most` commonest keys are kept."""
        per_fold = [Counter[str]() for _ in range(FOLDS)]
        for text in texts:
            per_fold[fold(text)].update(set(keys_of(text)))
        total = sum(per_fold, Counter[str]())
        kept = tuple(key for key, _ in sorted(total.items(), key=lambda item: (-item[1], item[0]))[:most])
        counts = np.array([[one[key] for one in per_fold] for key in kept], np.int32).reshape(len(kept), FOLDS)
        return cls(kept, counts)

    def elsewhere(self, keys: Iterable[str], own: int) -> np.ndarray:
        """In how many texts of the other folds each of n keys occurs, (n,)."""
        rows = [self.index.get(key, -1) for key in keys]
        return self.others[np.array(rows, np.int64), own]


@dataclass(frozen=True, eq=False)
class Known:
    """Words, templates and letter triples of the training texts, and the number of texts in each fold."""

    words: Counts
    templates: Counts
    triples: Counts
    texts: np.ndarray  # int64 (FOLDS,)

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Known":
        """Learn from whole training texts."""
        return cls(
            Counts.of(texts, words, 50_000),
            Counts.of(texts, lambda text: (template(text[a:b]) for a, b in spans(text)), 50_000),
            Counts.of(texts, lambda text: triples(template(text)), 30_000),
            np.bincount([fold(text) for text in texts], minlength=FOLDS).astype(np.int64),
        )

    def surprise(self, counts: Counts, keys: Iterable[str], own: int) -> np.ndarray:
        """Bits of surprise of each key: minus log2 of its smoothed share of the texts in the other folds."""
        others = int(self.texts.sum() - self.texts[own])
        return -np.log2((counts.elsewhere(keys, own) + 0.5) / (others + 1))


def words(text: str) -> list[str]:
    """Words of the masked text."""
    return _WORD.findall(template(text))


def triples(text: str) -> list[str]:
    """All runs of three characters."""
    return [text[i : i + 3] for i in range(len(text) - 2)]


def form(piece: str, own: int, known: Known) -> np.ndarray:
    """The features of FORM of one piece, float64 (18,); `own` is the fold of the whole text it comes from."""
    n = max(len(piece), 1)
    letters = sum(map(str.isalpha, piece))
    tokens = piece.split()
    lengths = [len(token) for token in tokens] or [0]
    space = sum(map(str.isspace, piece))
    digits = sum(map(str.isdigit, piece))
    alphanumeric = sum(map(str.isalnum, piece))
    inside = words(piece)
    word = known.surprise(known.words, inside, own) if inside else np.zeros(1)
    unseen = np.mean(known.words.elsewhere(inside, own) == 0) if inside else 0.0
    masked = template(piece)
    triple = triples(masked)
    return np.array(
        [
            np.log1p(len(piece)),
            np.log1p(len(tokens)),
            np.mean(lengths),
            np.log1p(max(lengths)),
            digits / n,
            sum(map(str.isupper, piece)) / max(letters, 1),
            (len(piece) - alphanumeric - space) / n,
            sum(ord(c) > 127 for c in piece) / n,
            space / n,
            np.log1p(max((len(run) for run in re.findall(r"\d+", piece)), default=0)),
            np.log1p(len(set(piece))),
            np.log1p(max((len(run.group()) for run in _RUN.finditer(piece)), default=0)),
            unseen,
            word.mean(),
            word.max(),
            float(known.templates.elsewhere([masked], own)[0] == 0),
            known.surprise(known.templates, [masked], own)[0],
            known.surprise(known.triples, triple, own).mean() if triple else 0.0,
        ]
    )
