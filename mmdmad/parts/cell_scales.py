"""Units of one quantity at several scales in one column ("925 MiB", "1.01 GiB"): brought to the smallest of them."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

_PREFIXES = {"n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "c": 1e-2, "": 1.0}
_PREFIXES |= {"h": 1e2, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BASES = ("V", "A", "W", "Hz", "Pa", "g", "m", "l", "L", "J", "Wh", "VA", "var", "F", "Ω", "Ohm", "S", "N", "eV")
_TIMES = {
    **{"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "min": 60.0},
    **{"mins": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "day": 86400.0},
    **{"days": 86400.0, "seconds": 1.0, "second": 1.0},
}
COUNTED = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "Mil": 1e6, "G": 1e9, "B": 1e9, "Bil": 1e9, "T": 1e12, "Tri": 1e12}
"""Letters of a count, and what they stand for."""
_BYTES = re.compile(r"^(?P<prefix>[kKMGTP]?)(?P<two>i?)(?P<base>B|b|bit|bits|Bytes?|bytes?|bps)(?P<per>/s|/sec|ps)?$")


def one_scale(numbers: Any, units: Any, kinds: Sequence[str]) -> tuple[Any, str, str] | None:
    """Numbers as words (T,) in the smallest of their units, that unit, and what was decided; None where none is one.

    Bytes are counted in thousands, but in 1024 where a number of the smaller unit is 1000 or more. Numbers keep the
    decimal mark that they are written with.

    >>> import pyarrow as pa
    >>> one_scale(pa.array(["925", "1.5"]), pa.array(["MiB", "GiB"]), ["MiB", "GiB"])[0].to_pylist()
    ['925', '1536']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    words = numbers.to_pylist()
    mark = "," if any("," in word for word in words if word) else "."
    if any(word and not re.fullmatch(r"[+-]?\d*" + re.escape(mark) + r"?\d*([eE][+-]?\d+)?", word) for word in words):
        return None
    if mark == "," and any(word and re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", word) for word in words):
        return None  # a decimal comma, or one between thousands
    values = np.array([float(word.replace(",", ".")) if word else np.nan for word in words])
    coded = pc.fill_null(pc.index_in(units, value_set=pa.array(kinds)), 0).to_numpy(zero_copy_only=False)
    sizes = _sizes(kinds, values, coded)
    if sizes is None:
        return None
    least = int(np.argmin(sizes))
    scales = [size / sizes[least] for size in sizes]
    made = [
        word if word is None or scales[k] == 1 else f"{value * scales[k]:.15g}".replace(".", mark)
        for word, value, k in zip(words, values, coded, strict=True)
    ]
    told = [f"1 {kind} = {scale:.12g} {kinds[least]}".strip() for kind, scale in zip(kinds, scales) if scale != 1]
    return pa.array(made, pa.string()), kinds[least], ", ".join(told)


def _sizes(kinds: Sequence[str], values: np.ndarray, coded: np.ndarray) -> list[float] | None:
    """How large each unit is, in one of their own; None where they are not of one quantity."""
    if all(kind in _TIMES for kind in kinds):
        return [_TIMES[kind] for kind in kinds]
    if all(kind in COUNTED for kind in kinds):
        return [COUNTED[kind] for kind in kinds]
    found = [_BYTES.match(kind) for kind in kinds]
    held = [one for one in found if one is not None]
    if len(held) == len(kinds):
        same = {(_base(one["base"]), one["per"]) for one in held}
        mixed = {one["two"] for one in held if one["prefix"]}
        if len(same) > 1 or len(mixed) > 1:
            return None
        steps = ["kmgtp".index(one["prefix"].lower()) + 1 if one["prefix"] else 0 for one in held]
        small = values[coded == int(np.argmin(steps))]
        two = "i" in mixed or bool((small >= 1000).any())
        return [float((1024 if two else 1000) ** step) for step in steps]
    for base in _BASES:
        prefixes = [kind.removesuffix(base) for kind in kinds if kind.endswith(base)]
        if len(prefixes) == len(kinds) and all(prefix in _PREFIXES for prefix in prefixes):
            return [_PREFIXES[prefix] for prefix in prefixes]
    return None


def _base(word: str) -> str:
    """Bits or bytes: of one letter its case tells."""
    return word if len(word) == 1 else word.lower().removesuffix("s")


def may_be_counts(numbers: Any, units: Any, kinds: Sequence[str]) -> bool:
    """Whether letters behind some of the numbers count thousands and millions: "900", "1.5k". 300 K are kelvin.

    >>> import pyarrow as pa
    >>> may_be_counts(pa.array(["1.5", "900"]), pa.array(["k", None]), ["k"])
    True
    >>> may_be_counts(pa.array(["300", "290"]), pa.array(["K", None]), ["K"])
    False
    """
    if not set(kinds) <= set(COUNTED) or not set(kinds) & {"k", "K", "M", "Mil"}:
        return False
    held = [word.replace(",", ".") for word, unit in zip(numbers.to_pylist(), units.to_pylist()) if unit == "K"]
    return not held or min(float(word) if re.fullmatch(r"[+-]?\d+(\.\d+)?", word) else 0.0 for word in held) < 100
