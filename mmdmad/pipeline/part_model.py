"""One modality's fitted pieces: encoder, detector and the fixed scale of its maps."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.calibration.likeness import Likeness
from mmdmad.calibration.whitening import part_vector
from mmdmad.cases import Case, Modality, Part
from mmdmad.detectors.base import Detector, detectors, load_detector, make_detector
from mmdmad.encoders import make_encoder, resolve_encoder
from mmdmad.encoders.base import Encoder
from mmdmad.encoders.cache import encode
from mmdmad.encoders.text_tokens import TextEncoder
from mmdmad.errors import ConfigError, DataError, ModelError, PartError
from mmdmad.files import make_folder
from mmdmad.modalities.base import modality_of
from mmdmad.parts import Text, read
from mmdmad.parts.levels import BYTES, Levels, common_levels
from mmdmad.pipeline.config import PartSettings
from mmdmad.pipeline.lengths import Lengths, learned, most_unusual, stretches
from mmdmad.pipeline.letters import FLOOR, Letters
from mmdmad.pipeline.part_about import PartAbout
from mmdmad.pipeline.pieces import PieceScores
from mmdmad.pipeline.readings import Outside, Readings, learned_readings
from mmdmad.pipeline.text_lengths import TextLengths
from mmdmad.pipeline.whole import LOOKS, WholePart, combined, fit_wholes
from mmdmad.saved import read_arrays, read_model, reading, require, write_arrays, write_values
from mmdmad.tokens import Layout, Tokens

LARGEST = 1e15
"""Features beyond it overflow in float32 when they are squared and summed."""
TOLD = 20
"""Most decisions of reading that a fit tells of."""
log = logging.getLogger(__name__)
_LETTERS = "letters"


@dataclass(frozen=True, eq=False)
class Measured:
    """What a part model says of one part: the score, the token scores (L,) behind it, and its vectors.

    `views` are all scores of the part that are judged: the detector's, then those of its letters and of it as a whole.
    `stretches` is of how many stretches of the usual length this is the most unusual one; 1 = the part as a whole.
    """

    score: float
    views: tuple[float, ...]
    token_scores: np.ndarray
    layout: Layout
    embedding: np.ndarray
    vector: np.ndarray
    stretches: int = 1


class PartModel:
    """Encoder and detector of one modality. Every part is encoded and scored alone, so no result depends on others."""

    def __init__(self, modality: Modality, encoder: Encoder, detector: Detector) -> None:
        self.modality, self.encoder, self.detector = modality, encoder, detector
        self.scale: tuple[float, float] = (0.0, 1.0)
        self.levels: Levels | None = None
        self.lengths: Lengths | TextLengths | None = None
        self.readings: Readings | None = None
        self.letters: Letters | None = None
        self.wholes: dict[str, WholePart] = {}
        self.likenesses: list[Likeness] = []
        self._pieces: PieceScores | None = None

    @classmethod
    def unfitted(cls, modality: Modality, settings: PartSettings, seed: int) -> "PartModel":
        """The pieces that the settings name; a name or argument that does not exist raises ConfigError."""
        try:
            encoder = resolve_encoder(settings.encoder, modality, **settings.encoder_params)
            known = detectors().get(settings.detector)
            params = dict(settings.detector_params)
            if known is not None and "seed" not in params:
                params["seed"] = seed
            if known is not None and "false_alarm_rate" in known.defaults():
                params.setdefault("false_alarm_rate", None)  # cases are judged by p-values, not by its threshold
            detector = make_detector(settings.detector, **params)
            detector._check_params()
        except TypeError as error:
            raise ConfigError(f"parts.{modality}: {error}") from error
        return cls(modality, encoder, detector)

    def fit_levels(self, parts: Iterable[Part]) -> None:
        """Decide what is black and white in pictures that are no bytes, for all that this model will see."""
        seen: list[tuple[str, float, float]] = []
        for part in parts:
            with suppress(PartError):  # what cannot be read is refused, with its reason, when it is encoded
                seen += modality_of(self.modality).depths(part)
        self.levels = common_levels(seen)
        if self.levels is not None and self.levels.kinds != (BYTES,):
            kinds, black, white = " and ".join(self.levels.kinds), self.levels.black, self.levels.white
            log.warning("%s: pixels are %s numbers; %g is shown black and %g white", self.modality, kinds, black, white)

    def given(self, part: Part) -> Part:
        """The part as this model looks at it: pictures at its levels."""
        return part if self.levels is None else replace(part, levels=self.levels)

    def fit_encoder(self, parts: Mapping[int, Part], needed: int, letters: bool = False) -> dict[int, str]:
        """Let the encoder, and the comparison of letters if it is asked for, learn from normal parts, by their row.

        Returns why rows cannot be learned: parts that cannot be read or are odd beside the others. With fewer than
        `needed` left nothing is learned. DataError where the encoder can make nothing of what is left.
        """
        learns, kind = type(self.encoder).fit is not Encoder.fit, modality_of(self.modality)
        if not (learns or letters or kind.timed or kind.written):
            return {}
        signals: dict[int, Any] = {}
        refused: dict[int, str] = {}
        for row, part in parts.items():
            try:
                signals[row] = read(part)
            except PartError as error:
                refused[row] = error.reason
        if learns:
            rows = list(signals)
            for place, reason in self.encoder.odd(list(signals.values())).items():
                refused[rows[place]] = reason
                del signals[rows[place]]
        if len(signals) < needed:
            return refused
        _tell(self.modality, signals, parts)
        self.lengths = learned(signals.values()) if kind.timed or kind.written else None
        self.readings = learned_readings(signals.values()) if kind.timed else None
        if learns:
            self.encoder.fit(list(signals.values()))
        if letters:
            self.letters = Letters().fit([signal.text for signal in signals.values() if isinstance(signal, Text)])
        return refused

    def fit_detector(self, items: Sequence[Tokens], looks: Sequence[str] = ()) -> None:
        """Let the detector, and the looks at a part as a whole that are asked for, learn from normal tokens."""
        self.detector.fit(items)
        self.wholes = fit_wholes(looks, items)

    def spoilt(self, part: Part, signal: Any = None) -> str:
        """Why a normal part that can be judged must not be learned or ranked with; "" if it may."""
        if type(self.encoder).spoilt is Encoder.spoilt:
            return ""
        why = self.encoder.spoilt(read(part) if signal is None else signal)
        cure = "it is not learned from: if a logger writes it for no reading, leave the cell empty"
        return f"{why}; {cure}" if why else ""

    def outside(self, signal: Any) -> Outside:
        """How a decoded part lies outside what was learned by the readings that are missing in it."""
        return Outside() if self.readings is None else self.readings.outside(self.modality, signal)

    def tokens(
        self, part: Part, cache: Path | None, signal: Any = None, known: dict[Any, Tokens] | None = None
    ) -> Tokens:
        """Tokens of a part (of its decoded `signal`, if at hand); whatever is wrong with the part is a PartError.

        `known` remembers the tokens of this one part, by all that decides them, for models that encode alike.
        """
        if known is not None:
            key = (type(self.encoder), repr(self.encoder.params()), self.encoder.state_key(), repr(part.levels))
            if key not in known:
                known[key] = self.tokens(part, cache, signal)
            return known[key]
        if signal is not None and cache is None:
            made = encode(self.encoder, replace(part, path=None, value=signal, start=None, stop=None))
        else:
            made = encode(self.encoder, part, cache)
        if reason := unfit(made):
            raise PartError(reason, part=part.modality, case_id=part.case_id, row=part.row)
        return made

    def looked_at(
        self,
        part: Part,
        cache: Path | None,
        signal: Any = None,
        fits: Callable[[Tokens], None] = lambda tokens: None,
        known: dict[Any, Tokens] | None = None,
    ) -> Measured:
        """What this model says of a part, as a whole or, of a longer recording, of its most unusual stretch.

        `fits` raises PartError for tokens that cannot be compared with those learned from; so does whatever is wrong
        with the part. `known`: see `tokens`.
        """
        if self.lengths is not None:
            signal = read(part) if signal is None else signal
            pieces = stretches(part, signal, self.lengths)
            if pieces:
                return most_unusual(self, part, signal, pieces, fits)
        tokens = self.tokens(part, cache, signal, known)
        fits(tokens)
        return self.measure(tokens, part)

    def measure(self, tokens: Tokens, part: Part, signal: Any = None) -> Measured:
        """Score of one part from its tokens, or of one stretch of it, whose decoded `signal` is given then.

        Tokens that the detector cannot take are a PartError.
        """
        try:
            token_scores = np.asarray(self.detector.token_scores([tokens])[0], np.float64)
            score = finite(self.detector._pool(token_scores))
        except DataError as error:
            raise PartError(str(error), part=part.modality, case_id=part.case_id, row=part.row) from error
        views: tuple[float, ...] = (score,)
        if self.letters is not None and isinstance(text := read(part) if signal is None else signal, Text):
            views += (float(self.letters.scores([text.text])[0]) + FLOOR,)
        views += tuple(finite(whole.of(tokens)) for whole in self.wholes.values())
        return Measured(score, views, token_scores, tokens.layout, tokens.embedding(), part_vector(tokens))

    def again(self, signal: Any) -> Callable[[Sequence[str]], np.ndarray] | None:
        """For a text: the token scores (n,) of n other pieces in the place of one of its own; None for other parts."""
        if not isinstance(self.encoder, TextEncoder):
            return None
        known = self._pieces
        if known is None or known.encoder is not self.encoder or known.detector is not self.detector:
            known = self._pieces = PieceScores(self.encoder, self.detector, finite)
        return lambda pieces: known.of(pieces, signal.text)

    def beside(self, measured: Measured) -> dict[str, tuple[float, float]]:
        """The further views of a part by name ("letters", LOOKS), and what 99 % of the reference parts stay below."""
        names = [*([_LETTERS] if self.letters is not None else []), *self.wholes]
        floors = [FLOOR if name == _LETTERS else 0.0 for name in names]
        own, likenesses = measured.views[1:], self.likenesses[1:]
        found = zip(names, floors, own, likenesses, strict=True)
        return {name: (view - floor, usual.high(0.99) - floor) for name, floor, view, usual in found}

    def fit_comparison(
        self, space: np.ndarray, vectors: np.ndarray, scores: Sequence[tuple[float, ...]], compare: str
    ) -> np.ndarray:
        """Learn what scores similar normal parts have; the reference parts' own compared scores (n,).

        `space` (N, E) holds the vectors of the fit split, `vectors` (n, E) and `scores` those of the reference parts,
        as `Measured.views` has them.
        """
        if len(scores) != len(vectors):
            raise ValueError(f"{len(scores)} parts have scores and {len(vectors)} vectors")
        views = np.array(scores, np.float64)
        neighbours = {} if compare == "similar" else {"neighbours": len(vectors)}
        self.likenesses = [Likeness(**neighbours).fit(space, vectors, view) for view in views.T]
        return combined(np.stack([likeness.reference() for likeness in self.likenesses], axis=1), [*self.wholes])

    def compared(self, scores: Sequence[float], vector: np.ndarray) -> float:
        """How a part's scores (`Measured.views`) stand among those of similar normal parts, all views `combined`."""
        views = zip(self.likenesses, scores, strict=True)
        found = np.array([[likeness.standardise(vector, view) for likeness, view in views]])
        return finite(float(combined(found, [*self.wholes])[0]))

    def save(self, folder: Path) -> None:
        """Write encoder state, detector and scale into `folder`."""
        make_folder(folder)
        arrays, values = self.encoder.state()
        if arrays:
            write_arrays(folder / "encoder.safetensors", arrays)
        about: dict[str, Any] = {
            "modality": self.modality,
            "encoder": self.encoder.name,
            "version": self.encoder.version,
            "params": self.encoder.params(),
            "state": values,
            "describe": self.encoder.describe(),
            "scale": self.scale,
        }
        if self.levels is not None:
            about["levels"] = asdict(self.levels)
        if self.lengths is not None:
            about["text_lengths" if isinstance(self.lengths, TextLengths) else "lengths"] = asdict(self.lengths)
        if self.readings is not None:
            about["readings"] = asdict(self.readings)
        write_values(folder / "part.json", about)
        for i, likeness in enumerate(self.likenesses):
            write_arrays(folder / f"likeness-{i}.safetensors", likeness.state())
        if self.letters is not None:
            self.letters.save(folder)
        for name, whole in self.wholes.items():
            whole.save(folder / name)
        self.detector.save(folder / "detector")

    @classmethod
    def load(cls, folder: Path) -> "PartModel":
        """The part model that `save` wrote; ModelError where the files do not make one."""
        about = read_model(folder / "part.json", PartAbout)
        with reading(folder / "part.json"):
            encoder = make_encoder(about.encoder, **about.params)
            require(encoder.modality == about.modality, f"the encoder {about.encoder} is not for {about.modality}")
            if about.version != encoder.version:
                raise ModelError(
                    f"it was learned with version {about.version} of the encoder {about.encoder}; this mmdmad has "
                    f"version {encoder.version}, whose numbers are others; what was judged stays readable, to judge "
                    "more fit again",
                    folder / "part.json",
                )
        file = folder / "encoder.safetensors"
        arrays = read_arrays(file) if file.is_file() else {}
        if arrays or about.state:
            with reading(file):
                encoder.set_state(arrays, about.state)
        made = cls(about.modality, encoder, load_detector(folder / "detector"))
        width, learned = encoder._token_width(), made.detector.n_features_in_
        if width is not None and width != learned:
            raise ModelError(
                f"its encoder makes {width} features, its detector learned {learned}", folder / "part.json"
            )
        made.scale, made.levels, made.lengths = about.scale, about.levels, about.lengths or about.text_lengths
        made.readings = about.readings
        for file in sorted(folder.glob("likeness-*.safetensors")):
            likeness = read_arrays(file)
            with reading(file):
                made.likenesses.append(Likeness.from_state(likeness))
        if (folder / "letters.safetensors").is_file():
            made.letters = Letters.load(folder)
        made.wholes = {name: WholePart.load(folder / name, name) for name in LOOKS if (folder / name).is_dir()}
        views = 1 + (made.letters is not None) + len(made.wholes)
        if len(made.likenesses) != views:
            raise ModelError(f"{len(made.likenesses)} likeness files are there for {views} views of a part", folder)
        return made


def _tell(modality: Modality, signals: Mapping[int, Any], parts: Mapping[int, Part]) -> None:
    """Say once each what was decided while normal parts were read, with the first part it was decided for."""
    told: dict[str, list[int]] = {}
    for row, signal in signals.items():
        for note in getattr(signal, "notes", ()):
            told.setdefault(note, []).append(row)
    for note, rows in list(told.items())[:TOLD]:
        first = parts[rows[0]]
        name = first.path.name if first.path is not None else first.case_id or f"part {rows[0] + 1}"
        log.warning("%s, %s%s: %s", modality, name, f" and {len(rows) - 1} more" if len(rows) > 1 else "", note)
    if len(told) > TOLD:
        log.warning(
            "%s: %d more decisions while reading; findings tell those of their case", modality, len(told) - TOLD
        )


def unfit(tokens: Tokens) -> str:
    """Why no detector can compute with a part's numbers; "" if it can. That they are finite, `Tokens` has seen to."""
    largest = float(np.abs(tokens.values).max(initial=0.0))
    if largest > LARGEST:
        return f"its features reach {largest:.3g}; allowed are numbers up to {LARGEST:g}"
    if not np.isfinite(tokens.embedding()).all():
        return "its summary holds numbers that are NaN or infinite"
    return ""


def finite(score: float) -> float:
    """A finite score: a detector may answer inf for tokens unlike anything, but ranks need numbers."""
    return float(np.nan_to_num(score, nan=1e300, posinf=1e300, neginf=-1e300))


def map_scale(token_scores: Sequence[np.ndarray]) -> tuple[float, float]:
    """Fixed range of maps: median and 99.9 % quantile of the token scores of calibration parts, never equal.

    >>> map_scale([np.arange(1001.0)])
    (500.0, 999.0)
    """
    flat = np.concatenate(token_scores) if len(token_scores) else np.zeros(1)
    flat = flat[np.isfinite(flat)]
    if not len(flat):
        return 0.0, 1.0
    low, high = (float(q) for q in np.quantile(flat, [0.5, 0.999]))
    return low, high if high > low else low + max(1e-6, abs(low) * 1e-3)


def part_of(case: Case, modality: Modality) -> Part | None:
    """A case's part of one modality, carrying the case's id and row for messages."""
    part = case.parts.get(modality)
    if part is None or part.case_id is not None:
        return part
    return replace(part, case_id=case.id, row=case.row)
