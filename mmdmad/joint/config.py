"""The configuration of a pipeline: which encoder and detector each modality gets, the joint model, the splits."""

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mmdmad.cases import MODALITIES, Modality
from mmdmad.errors import ConfigError


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PartSettings(_Settings):
    """Encoder and detector of one modality, each with its constructor arguments."""

    encoder: str = "auto"
    encoder_params: dict[str, Any] = Field(default_factory=dict)
    detector: str = "dte-np"
    detector_params: dict[str, Any] = Field(default_factory=dict)
    whole: bool = Field(default=False, description="look at the part as a whole too, not only at its worst tokens")
    letters: bool = Field(default=False, description="compare the letters of a text with those of normal texts too")
    compare: Literal["similar", "all"] = Field(
        default="similar", description="judge a score among those of similar normal parts, or of all normal parts"
    )


class JointSettings(_Settings):
    """The joint model: size of the whitened embeddings, of the network, of its training and of the noise bank."""

    components: int = Field(default=64, ge=1, le=256, description="principal components of a part's vector looked at")
    dims: int = Field(default=12, ge=1, le=64, description="directions of these, most shared with other parts, kept")
    floor: float = Field(default=0.001, ge=0, lt=1, description="least variance kept, as a share of the largest")
    width: int = Field(default=192, ge=8)
    blocks: int = Field(default=2, ge=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    steps: int = Field(default=2000, ge=1)
    batch: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.02, ge=0)
    held_out: float = Field(default=0.1, ge=0, lt=0.5, description="share of cases that decide when to stop (0: none)")
    ema: float = Field(default=0.995, ge=0, lt=1)
    levels: int = Field(default=16, ge=2, description="noise levels of the bank on which errors are compared")
    draws: int = Field(default=4, ge=2, description="noise draws a level, in antithetic pairs")
    checkpoint_seconds: float = Field(default=10.0, ge=0)


class Shares(_Settings):
    """How the normal cases handed to `fit` are split; the three shares add up to one."""

    fit: float = Field(default=0.5, gt=0, lt=1)
    reference: float = Field(default=0.2, gt=0, lt=1)
    calibration: float = Field(default=0.3, gt=0, lt=1)

    @model_validator(mode="after")
    def _adds_up(self) -> "Shares":
        if abs(self.fit + self.reference + self.calibration - 1) > 1e-9:
            raise ValueError(f"shares add up to {self.fit + self.reference + self.calibration}, not to 1")
        return self


class PipelineConfig(_Settings):
    """Everything that decides what a joint detector becomes, besides the data.

    >>> PipelineConfig(parts={"text": {"detector": "knn"}}).false_alarm_rate
    0.01
    """

    parts: dict[Modality, PartSettings] = Field(default_factory=lambda: {m: PartSettings() for m in MODALITIES})
    joint: JointSettings = JointSettings()
    shares: Shares = Shares()
    false_alarm_rate: float = Field(default=0.01, gt=0, lt=1)
    seed: int = Field(default=0, ge=0)
    min_parts: int = Field(default=8, ge=2, description="fewest usable parts a modality needs in each split")

    @model_validator(mode="after")
    def _some_part(self) -> "PipelineConfig":
        if not self.parts:
            raise ValueError(f"no modality is configured; allowed are {', '.join(MODALITIES)}")
        wrong = [modality for modality, part in self.parts.items() if part.letters and modality != "text"]
        if wrong:
            raise ValueError(f"letters: true was given for {', '.join(wrong)}; only text has letters")
        return self

    @classmethod
    def load(cls, source: "str | Path | PipelineConfig | dict[str, Any]") -> "PipelineConfig":
        """A configuration from itself, a mapping, a YAML file, or the name of a preset ("pipelines/inspection")."""
        if isinstance(source, PipelineConfig):
            return source
        values = source if isinstance(source, dict) else _read_yaml(source)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(piece) for piece in first["loc"]) or "the whole"
            raise ConfigError(f"pipeline configuration, {where}: {first['msg']} (given: {first['input']!r})") from error


def presets() -> list[str]:
    """Names of the presets that ship with the package."""
    return sorted(f"pipelines/{p.name.removesuffix('.yaml')}" for p in _folder().iterdir() if p.name.endswith(".yaml"))


def _folder() -> Any:
    return files("mmdmad.configs").joinpath("pipelines")


def _read_yaml(source: str | Path) -> dict[str, Any]:
    path = Path(source)
    name = str(source).removeprefix("pipelines/").removesuffix(".yaml")
    preset = _folder().joinpath(f"{name}.yaml")
    if path.is_file():
        text = path.read_text(encoding="utf-8")
    elif "/" not in name and preset.is_file():
        text = preset.read_text(encoding="utf-8")
    else:
        raise ConfigError(
            f"no pipeline configuration {str(source)!r}; give a YAML file or one of {', '.join(presets())}"
        )
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{source} holds {type(values).__name__}; a mapping with `parts` is needed")
    return values
