"""The configuration of a pipeline: which encoder and detector each modality gets, the joint model, the splits."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from mmdmad.cases import Modality
from mmdmad.errors import ConfigError
from mmdmad.joint.settings import JointSettings, Settings
from mmdmad.modalities.base import modalities, modality_of
from mmdmad.sizes import RATES
from mmdmad.yaml_files import plain_yaml, yaml_text

KINDS = ("pipelines", "detectors")
LARGEST, MOST_VALUES, DEEPEST = 1e9, 1000, 6
"""What an encoder or a detector may be given at most: the size of a number, how many values, and how deep they lie."""


def _bounded(values: dict[str, Any]) -> dict[str, Any]:
    """Constructor arguments as they are, if they are few, not deep, and their numbers finite and not giant."""
    left = [(values, 0)]
    seen = 0
    while left:
        value, depth = left.pop()
        seen += 1
        if seen > MOST_VALUES or depth > DEEPEST:
            raise ValueError(f"more than {MOST_VALUES} values, or deeper than {DEEPEST} levels")
        if isinstance(value, dict):
            left += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list | tuple):
            left += [(inner, depth + 1) for inner in value]
        elif isinstance(value, int | float) and not abs(value) <= LARGEST:
            raise ValueError(f"a number is beyond {LARGEST:g}, or not finite")
    return values


Arguments = Annotated[dict[str, Any], AfterValidator(_bounded)]


class PartSettings(Settings):
    """Encoder and detector of one modality, each with its constructor arguments."""

    encoder: str = "auto"
    encoder_params: Arguments = Field(default_factory=dict)
    detector: str = "dte-np"
    detector_params: Arguments = Field(default_factory=dict)
    whole: bool = Field(default=False, description="look at mean and spread of the tokens too, not only at the worst")
    look: bool = Field(default=False, description="look at the mean token too")
    summary: bool = Field(default=False, description="look at the encoder's vector for the whole part too")
    letters: bool = Field(default=False, description="compare the letters of a text with those of normal texts too")
    compare: Literal["similar", "all"] = Field(
        default="similar", description="judge a score among those of similar normal parts, or of all normal parts"
    )

    @property
    def looks(self) -> tuple[str, ...]:
        """Names of the looks at a part as a whole that are asked for (`mmdmad.pipeline.whole`)."""
        return tuple(name for name in ("whole", "look", "summary") if getattr(self, name))


class Shares(Settings):
    """How the normal cases handed to `fit` are split; the three shares add up to one."""

    fit: float = Field(default=0.5, gt=0, lt=1)
    reference: float = Field(default=0.2, gt=0, lt=1)
    calibration: float = Field(default=0.3, gt=0, lt=1)

    @model_validator(mode="after")
    def _adds_up(self) -> "Shares":
        if abs(self.fit + self.reference + self.calibration - 1) > 1e-9:
            raise ValueError(f"shares add up to {self.fit + self.reference + self.calibration}, not to 1")
        return self


class PipelineConfig(Settings):
    """Everything that decides what a joint detector becomes, besides the data.

    `false_alarm_rate` is the declared one; None leaves it to what the calibration cases support
    (`mmdmad.calibration.rates`).

    >>> PipelineConfig(parts={"text": {"detector": "knn"}}, false_alarm_rate=0.02).false_alarm_rate
    0.02
    """

    parts: dict[Modality, PartSettings] = Field(default_factory=lambda: {m: PartSettings() for m in modalities()})
    joint: JointSettings = JointSettings()
    shares: Shares = Shares()
    false_alarm_rate: float | None = Field(default=None, ge=RATES[0], le=RATES[1])
    calibration: Literal["auto", "split", "cross"] = Field(
        default="auto", description="divide normal cases once, or cross them in folds; auto: cross where they are few"
    )
    folds: int | None = Field(default=None, ge=3, le=50, description="folds to cross in; 5, of recordings 10")
    by: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="rank cases within their group, so that the rate holds for each: group, or another column",
    )
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    min_parts: int = Field(
        default=8, ge=2, le=1_000_000, description="fewest usable parts a modality needs in each split"
    )

    @model_validator(mode="after")
    def _some_part(self) -> "PipelineConfig":
        if not self.parts:
            raise ValueError(f"no modality is configured; allowed are {', '.join(modalities())}")
        wrong = [m for m, part in self.parts.items() if part.letters and not modality_of(m).written]
        if wrong:
            raise ValueError(f"letters: true was given for {', '.join(wrong)}; only what is written has letters")
        return self

    @classmethod
    def load(cls, source: "str | Path | PipelineConfig | dict[str, Any]") -> "PipelineConfig":
        """A configuration from itself, a mapping, a YAML file, or the name of a preset.

        >>> PipelineConfig.load("detectors/knn").parts["sensor"].detector
        'knn'
        """
        if isinstance(source, PipelineConfig):
            return source
        values = source if isinstance(source, dict) else _read_yaml(source)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(piece) for piece in first["loc"]) or "the whole"
            given = repr(first["input"])  # at most a few words of it
            given = given if len(given) <= 120 else given[:117] + "..."
            raise ConfigError(f"pipeline configuration, {where[:120]}: {first['msg']} (given: {given})") from error


def presets() -> list[str]:
    """Names of the presets that ship with the package: pipelines first, then one a detector ("detectors/knn")."""
    return [
        f"{kind}/{name}"
        for kind in KINDS
        for name in sorted(p.name.removesuffix(".yaml") for p in _folder(kind).iterdir() if p.name.endswith(".yaml"))
    ]


def _folder(kind: str) -> Any:
    return files("mmdmad.configs").joinpath(kind)


def _of_detector(preset: dict[str, Any]) -> dict[str, Any]:
    """A pipeline in which every modality that a detector is made for gets this detector."""
    from mmdmad.detectors.base import detectors  # heavy: only where such a preset is asked for

    part = {"detector": preset["name"], "detector_params": preset["params"]}
    made_for = detectors()[preset["name"]].about.modalities
    return {"parts": {m: part for m in modalities() if m in made_for}}


def _read_yaml(source: str | Path) -> dict[str, Any]:
    path, name = Path(source), str(source).removesuffix(".yaml")
    if path.is_file():
        return _values(yaml_text(path), source)
    name = name if "/" in name else f"pipelines/{name}"
    if name not in presets():
        raise ConfigError(
            f"no pipeline configuration {str(source)!r}; give a YAML file or one of {', '.join(presets())}"
        )
    kind, _, file = name.partition("/")
    values = _values(_folder(kind).joinpath(f"{file}.yaml").read_text(encoding="utf-8"), source)
    return values if kind == "pipelines" else _of_detector(values)


def _values(text: str, source: str | Path) -> dict[str, Any]:
    try:
        values = plain_yaml(text)
    except (
        yaml.YAMLError,
        ValueError,
        RecursionError,
    ) as error:  # numbers of thousands of digits, brackets without end
        reason = " ".join((str(error) or type(error).__name__).split())
        raise ConfigError(
            f"{source} is not valid YAML: {reason[:200]}; mappings, lists, words and numbers are"
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(f"{source} holds {type(values).__name__}; a mapping with `parts` is needed")
    return values
