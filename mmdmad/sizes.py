"""The one owner of how large a number may be that an encoder, a detector or a network is made with.

It may come from somebody's YAML file or from a received model, and a single digit too many asks for more memory than a
machine has. Names mean the same wherever they stand. Least values, and how numbers must go together, are the business
of the class that has them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mmdmad.errors import ConfigError

MOST: dict[str, int] = {
    **dict.fromkeys(("autoencoder_widths", "head_width", "hidden", "inner", "latent_channels", "widths"), 8192),
    **dict.fromkeys(("blocks", "depth", "head_depth", "octaves", "past", "horizon", "corrections"), 256),
    **dict.fromkeys(("axes", "channels", "components", "dims", "window", "hop", "height", "width", "side"), 16_384),
    **dict.fromkeys(("bins", "calls", "draws", "evaluations", "exact", "generations", "levels", "mixture"), 10_000),
    **dict.fromkeys(("far", "near", "least", "level", "opacities", "places", "probes", "repeats", "scales"), 10_000),
    **dict.fromkeys(("score_levels", "start", "starts", "trees", "voting", "walk", "neighbourhood"), 10_000),
    **dict.fromkeys(("max_spans", "max_steps", "neighbours", "periods", "size", "grid", "rows", "columns"), 10_000),
    **dict.fromkeys(("batch", "period"), 1_000_000),
    **dict.fromkeys(
        ("epochs", "length", "max_memory", "max_tokens", "memory", "sample", "steps", "stride"), 100_000_000
    ),
}
"""The largest value of each parameter that memory or time grow with."""
RATES = (0.0001, 0.5)
"""The least and the largest false-alarm rate that verdicts may be declared at."""
LONGEST = 64  # values of a list, such as the widths of a network's layers
PARAMETERS = 2**28  # of one network: 1 GiB of float32
_allowed: ContextVar[int] = ContextVar("parameters of a network", default=PARAMETERS)


def check_sizes(owner: str, params: Mapping[str, Any]) -> None:
    """ConfigError where a constructor argument of `owner` is beyond `MOST`, not finite, or a list without end.

    >>> check_sizes("knn", {"neighbours": 5, "method": "largest"})
    >>> check_sizes("knn", {"neighbours": 10**9})
    Traceback (most recent call last):
    ...
    mmdmad.errors.ConfigError: neighbours=1000000000 was given to knn; allowed is at most 10000
    """
    for name, given in params.items():
        if isinstance(given, Mapping):  # arguments of a detector within this one
            check_sizes(f"{owner}'s {name}", given)
            continue
        values = given if isinstance(given, list | tuple) else [given]
        if len(values) > LONGEST and name in MOST:
            raise ConfigError(f"{name} of {len(values)} values was given to {owner}; allowed are at most {LONGEST}")
        for value in values:
            if isinstance(value, float) and not abs(value) < float("inf"):
                raise ConfigError(f"{name}={value} was given to {owner}; allowed is a finite number")
            if name in MOST and isinstance(value, int | float) and value > MOST[name]:
                raise ConfigError(f"{name}={_brief(given)} was given to {owner}; allowed is at most {MOST[name]}")


@contextmanager
def parameters_at_most(stored: int) -> Iterator[None]:
    """Within the block a network may have so many parameters as were stored for it, and no more."""
    token = _allowed.set(min(stored, PARAMETERS))
    try:
        yield
    finally:
        _allowed.reset(token)


@contextmanager
def bounded_networks() -> Iterator[None]:
    """ConfigError as soon as the networks built in this block have more parameters than are allowed.

    Parameters are counted while the layers are made, so that no more than one layer too many is ever allocated.
    """
    from torch.nn.modules.module import register_module_parameter_registration_hook as watch

    most, seen = _allowed.get(), 0

    def count(module: Any, name: str, parameter: Any) -> None:
        nonlocal seen
        seen += 0 if parameter is None else parameter.numel()
        if seen > most:
            raise ConfigError(f"the network has more than {most} parameters; give it smaller widths or fewer layers")

    hook = watch(count)
    try:
        yield
    finally:
        hook.remove()


def _brief(value: Any) -> str:
    try:
        return f"{value!r}"[:60]
    except ValueError:  # a whole number of more digits than Python writes out
        return "a number of thousands of digits"
