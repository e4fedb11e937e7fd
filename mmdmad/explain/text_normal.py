"""What is normal in texts: the words that occur in them, their lines with numbers taken out, the templates of logs."""

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from mmdmad.explain.log_templates import SavedTemplates, Templates
from mmdmad.explain.ranges import Count
from mmdmad.saved import validated

if TYPE_CHECKING:
    import numpy as np

    from mmdmad.parts import Text

MAX_WORDS, MAX_TEMPLATES = 50_000, 20_000
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
"""A word without numbers."""


class _Saved(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: dict[str, Count]
    templates: dict[str, Count]
    n_texts: Count
    log: SavedTemplates | None = None  # none: fitted before templates were learned


class TextNormal:
    """In how many of `n_texts` normal texts a word or a kind of line occurs; `log` are the templates of their lines."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.templates: dict[str, int] = {}
        self.n_texts = 0
        self.log = Templates()
        self._words: Counter[str] = Counter()
        self._templates: Counter[str] = Counter()

    def add(self, signal: "Text", group: str) -> None:
        """Count the words and lines of one normal text."""
        self.n_texts += 1
        self._words.update(sorted(set(words_of(signal.text))))
        lines = [line for line in signal.text.splitlines() if line.strip()]
        self._templates.update(sorted({template(line) for line in lines}))
        for line in lines:
            self.log.add(line)

    def finish(self) -> None:
        """Keep the commonest."""
        self.words = dict(self._words.most_common(MAX_WORDS))
        self.templates = dict(self._templates.most_common(MAX_TEMPLATES))
        self._words.clear()
        self._templates.clear()

    def state(self) -> "tuple[dict[str, np.ndarray], dict[str, Any]]":
        """The counts."""
        return {}, {"words": self.words, "templates": self.templates, "n_texts": self.n_texts} | (
            {"log": self.log.state()} if self.log.tells else {}
        )

    def set_state(self, arrays: "dict[str, np.ndarray]", values: dict[str, Any]) -> None:
        """Restore what `state` gave; ModelError where it is nothing of that kind."""
        saved = validated(_Saved, values)
        self.words, self.templates, self.n_texts = saved.words, saved.templates, saved.n_texts
        self.log = Templates() if saved.log is None else Templates.from_state(saved.log)


def words_of(text: str) -> list[str]:
    """Words of a text in small letters, without numbers.

    >>> words_of("Belt stopped at 12.5 s")
    ['belt', 'stopped', 'at', 's']
    """
    return WORD.findall(text.lower())


def template(line: str) -> str:
    """A line with its numbers taken out, so that lines that differ only in numbers are one.

    >>> template("Unit 12: 3.5 A")
    'unit #: # a'
    """
    return re.sub(r"\s+", " ", re.sub(r"\d+(?:[.,:]\d+)*", "#", line)).strip().lower()
