"""The encoder contract and the one registry: an encoder turns decoded parts of one modality into tokens.

A new encoder is one new file with one class under `@encoder`, in this folder or in a distribution that names it under
the entry point `mmdmad.encoders`. Encoders know nothing about detectors.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from mmdmad.cases import Modality
from mmdmad.errors import ConfigError
from mmdmad.registry import Registry
from mmdmad.sizes import check_sizes
from mmdmad.tokens import Tokens


class Encoder(ABC):
    """Turns parts of one modality into tokens.

    `fit` learns what must come from normal data (a series' period, a scale); most encoders learn nothing. `encode`
    is deterministic and handles one decoded part at a time, so that a result never depends on its neighbours in a
    batch. `version` changes whenever the numbers would; with `state_key()` it is part of the cache key.
    """

    name: ClassVar[str]
    modality: ClassVar[Modality]
    version: ClassVar[str] = "1"

    def fit(self, signals: Sequence[Any]) -> "Encoder":
        """Learn from decoded normal parts; returns self."""
        return self

    def odd(self, signals: Sequence[Any]) -> dict[int, str]:
        """Normal parts that cannot be learned together with the others: why, by their place in `signals`.

        `fit` is given the rest. The majority decides, never the first part or the order. Most encoders take any part.
        """
        return {}

    def spoilt(self, signal: Any) -> str:
        """Why a normal part would blind what is learned after `fit` (tokens, tails, ranks), though it can be judged.

        It is left out of the fit by name. "" for most parts, and for most encoders for every part.
        """
        return ""

    @abstractmethod
    def encode(self, signal: Any) -> Tokens:
        """Tokens of one decoded part (`mmdmad.parts.Image`, `Text`, `Sensor` or `Video`)."""

    def _token_width(self) -> int | None:
        """Features of a token, where what was learned fixes them; a stored model is checked by it."""
        return None

    def describe(self) -> str:
        """One line for outputs: which encoder with which weights."""
        return f"{self.name} v{self.version}"

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """What `fit` learned, as arrays and JSON values; empty for encoders that learn nothing."""
        return {}, {}

    def set_state(self, arrays: dict[str, np.ndarray], values: dict[str, Any]) -> None:
        """Restore what `state` gave."""
        if arrays or values:
            raise ConfigError(f"{self.name} learns nothing, but a state with {', '.join([*arrays, *values])} was given")

    def state_key(self) -> str:
        """SHA-256 of what `fit` learned, part of the cache key; "" for encoders that learn nothing.

        Remembered as long as `fitted_`, the one object in which an encoder keeps all that it learned, is the same.
        """
        fitted = getattr(self, "fitted_", None)
        known = getattr(self, "_known_key", None)
        if known is not None and fitted is not None and known[0] is fitted:
            return str(known[1])
        arrays, values = self.state()
        if not arrays and not values:
            return ""
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
        for name in sorted(arrays):
            digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
            digest.update(np.ascontiguousarray(arrays[name]).tobytes())
        self._known_key = (fitted, digest.hexdigest())
        return self._known_key[1]

    def params(self) -> dict[str, Any]:
        """Constructor arguments as JSON values, enough to build the encoder again."""
        return {}


E = TypeVar("E", bound=type[Encoder])
_REGISTRY: Registry[type[Encoder]] = Registry("encoder", "mmdmad.encoders", "mmdmad.encoders")


def encoder(name: str, modality: Modality, version: str = "1") -> Callable[[E], E]:
    """Register an encoder class under a name; the one decorator an encoder file needs."""

    def register(cls: E) -> E:
        cls.name, cls.modality, cls.version = name, modality, version
        _REGISTRY.add(name, cls)
        return cls

    return register


def encoders() -> dict[str, type[Encoder]]:
    """Every encoder by name; loads each file of this folder, and what other distributions bring, once."""
    return _REGISTRY.all()


def make_encoder(name: str, **params: Any) -> Encoder:
    """The encoder called `name`; unknown names raise ConfigError with the known ones."""
    check_sizes(name, params)
    return _REGISTRY.get(name)(**params)
