"""What a modality has to do with evidence: what it looks at, what it finds, what it remembers of normal signals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from mmdmad.explain.words import Draft
    from mmdmad.judgement import PartJudgement


class Learned(Protocol):
    """What is normal in the signals of one modality, for words: filled one normal signal at a time, then finished.

    It decides nothing: scores and p-values come from detectors and calibration.
    """

    def add(self, signal: Any, group: str) -> None:
        """Take in one decoded normal part; `group` is "" where its case has none."""

    def finish(self) -> None:
        """Nothing more will be added."""

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """What was learned, as arrays and JSON values."""

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One judged part to look at: its judgement, its decoded signal, the group of its case.

    `normal` is what the modality remembers of normal signals (`Learned`, empty where nothing was learned); `telling`
    says whether the part is worth more than one line.
    """

    judged: "PartJudgement"
    signal: Any
    group: str | None
    normal: Any
    telling: bool


@dataclass(frozen=True, eq=False)
class Look:
    """What a look at a part found: sentences, a function that draws the picture behind them, and a marked text.

    `placed`: False where the sentences only say that nothing stands out by itself.
    `marked` is {"text": …, "spans": […], "words": […]}, spans and words as {"start", "stop", "heat"} in characters.
    """

    drafts: "Sequence[Draft]" = ()
    draw: "Callable[[], Picture] | None" = None
    marked: dict[str, Any] | None = None
    placed: bool = True
