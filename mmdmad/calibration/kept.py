"""A joint calibration as JSON values, and back; what no fit can have written is refused."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.calibration.budget import Track
from mmdmad.calibration.fusion import Tail
from mmdmad.calibration.recordings import PerRecording
from mmdmad.guarantees import Unit
from mmdmad.saved import check_finite, require, validated

if TYPE_CHECKING:
    from mmdmad.calibration.patterns import JointCalibration


class _Group(BaseModel):
    """What is kept of the calibration cases of one group; None is that of the cases without one."""

    model_config = ConfigDict(extra="forbid")

    name: str | None
    scores: dict[str, list[float]]
    natural: dict[str, Annotated[int, Field(ge=0)]]
    units: dict[str, tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]]]
    recordings: dict[str, list[list[float]]] = Field(default_factory=dict)


class _State(BaseModel):
    """What `state` gives."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(ge=0)
    tails: dict[str, list[float]]
    scores: dict[str, list[float]]
    natural: dict[str, Annotated[int, Field(ge=0)]]
    unit: Unit = "case"
    units: dict[str, tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]]] = Field(default_factory=dict)
    track: dict[str, Any] | None = None
    recordings: dict[str, list[list[float]]] = Field(default_factory=dict)
    groups: list[_Group] = Field(default_factory=list)


def state(of: "JointCalibration") -> dict[str, Any]:
    """Everything learned, as JSON values (floats survive JSON exactly); a group keeps only what is its own."""
    groups = [{"name": name, **_ranked_among(own)} for name, own in of.groups_.items()]
    return {
        "seed": of.seed,
        "tails": {k: t.state().tolist() for k, t in of.tails_.items()},
        "unit": of.unit,
        "track": None if of.track_ is None else of.track_.state(),
        **_ranked_among(of),
        **({"groups": groups} if groups else {}),
    }


def _ranked_among(of: "JointCalibration") -> dict[str, Any]:
    return {
        "scores": {k: s.tolist() for k, s in of.scores_.items()},
        "natural": of.natural_,
        "units": {k: list(u) for k, u in of.units_.items()},
        **({"recordings": {k: r.state() for k, r in of.recordings_.items()}} if of.recordings_ else {}),
    }


def restored(kind: "type[JointCalibration]", given: Mapping[str, Any]) -> "JointCalibration":
    """The calibration that `state` described; ModelError where no fit can have written it."""
    known = validated(_State, given)
    made = kind(known.seed, known.unit)
    made.tails_ = {k: Tail.from_state(np.array(t, np.float64)) for k, t in known.tails.items()}
    _take(made, known)
    made.track_ = None if known.track is None else Track.from_state(known.track)
    most = sum(known.natural.values())
    require(made.track_ is None or len(made.track_) <= most, f"more than {most} calibration cases are in order")
    for one in known.groups:
        require(one.name not in made.groups_, f"the group {one.name!r} is there twice")
        own = made.groups_[one.name] = kind(known.seed, known.unit)
        own.tails_ = made.tails_
        _take(own, one)
    for key, every in made.scores_.items():
        inside = sum(len(own.scores_.get(key, ())) for own in made.groups_.values())
        require(not made.groups_ or inside == len(every), f"the groups have {inside} of {len(every)} scores of {key}")
    return made


def _take(made: "JointCalibration", known: _State | _Group) -> None:
    """Scores, units and recordings as they are kept; ModelError where they do not belong together."""
    made.scores_ = {k: np.array(s, np.float64) for k, s in known.scores.items()}
    made.natural_ = known.natural
    for key, scores in made.scores_.items():
        check_finite(f"the scores of {key}", scores)
        require((np.diff(scores) >= 0).all(), f"the scores of {key} are not in increasing order")
    for key, natural in made.natural_.items():
        size = len(made.scores_.get(key, ()))
        require(natural <= size, f"{natural} of {size} calibration cases of {key} have exactly these parts")
    made.units_ = known.units
    for key, (units, smallest) in known.units.items():
        size = len(made.scores_.get(key, ()))
        require(
            units * smallest <= size,
            f"{size} calibration cases of {key} are no {units} units of {smallest} or more",
        )
    made.recordings_ = {key: PerRecording.from_state(key, one) for key, one in known.recordings.items()}
    for key, one in made.recordings_.items():
        ranked = made.units_.get(key, (0, 1))[0]
        require(made.unit == "recording", f"{made.unit}s have windows of recordings drawn")
        require(len(one) == ranked, f"a window of {len(one)} recordings is drawn, and {key} has {ranked}")
