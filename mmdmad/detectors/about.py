"""What the registry says of a detector: family, paper, cost, formula, when to use it, how near it is to its paper."""

from dataclasses import dataclass
from typing import Literal, get_args

from mmdmad.errors import ConfigError

Family = Literal["reconstruction", "density", "hybrid", "zero-shot", "baseline"]
Fidelity = Literal["equal", "reduced", "idea"]
Cost = Literal["instant", "seconds", "minutes"]


@dataclass(frozen=True)
class About:
    """What the registry says of a detector.

    branch: where in its family the method stands; formula: the token score in one line of plain text; use, avoid: when
    the method is the right one and when not, a sentence each; needs: what it cannot do without. fidelity: how near it
    is to the paper or its released code, "equal" (the same score and training), "reduced" (the same method, parts of
    it smaller or left out) or "idea" (taken to other data or put together here); differs: what is other, in sentences,
    which "reduced" and "idea" cannot do without. docs/detectors.md is written from these. ConfigError for a value that
    is none of the allowed ones.

    >>> About("mine", "baseline", "none", "instant").family
    'baseline'
    """

    name: str
    family: Family
    paper: str
    cost: Cost
    modalities: tuple[str, ...] = ("image", "text", "sensor", "video", "vectors")
    needs: str = ""
    formula: str = ""
    use: str = ""
    avoid: str = ""
    branch: str = ""
    fidelity: Fidelity | None = None
    differs: str = ""

    def __post_init__(self) -> None:
        allowed = {"family": get_args(Family), "cost": get_args(Cost), "fidelity": (*get_args(Fidelity), None)}
        for name, values in allowed.items():
            given = getattr(self, name)
            if given not in values:
                known = ", ".join(repr(value) for value in values)
                raise ConfigError(f"detector {self.name}: {name}={given!r} was given; allowed are {known}")
        if self.fidelity in ("reduced", "idea") and not self.differs.strip():
            raise ConfigError(
                f"detector {self.name}: fidelity={self.fidelity!r} was given without differs; say in sentences what is "
                "other than in the paper"
            )
