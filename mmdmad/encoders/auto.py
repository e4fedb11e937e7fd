"""Which encoder a modality gets: the named one, or with "auto" CLIP where its weights are, else the pip weights."""

import logging
from typing import Any

from mmdmad.cases import Modality
from mmdmad.encoders.base import Encoder, encoders, make_encoder
from mmdmad.encoders.clip_weights import find_clip
from mmdmad.errors import ConfigError, WeightsError
from mmdmad.modalities.base import BaseModality, modality_of

log = logging.getLogger(__name__)


def resolve_encoder(name: str, modality: Modality, **params: Any) -> Encoder:
    """The encoder `name` for `modality`; "auto" chooses, and `describe()` of what it gives says which.

    A choice of CLIP is pinned: the encoder carries the weights that were found, so that a saved model opens the same
    ones. `params` that only one of the candidates takes make no choice: name the encoder to set them.

    >>> resolve_encoder("windows", "sensor", periods=2.0).describe()
    'sensor windows, not fitted'
    """
    wanted = modality_of(modality)
    if name == "auto":
        chosen = _choose(wanted, params)
        log.info("%s: auto is %s", modality, chosen.describe())
        return chosen
    known = encoders()
    if name in known and known[name].modality != modality:
        allowed = ", ".join(["auto", *(n for n, cls in known.items() if cls.modality == modality)])
        raise ConfigError(f"encoder {name!r} is for {known[name].modality} parts; for {modality} there are {allowed}")
    return make_encoder(name, **params)


def _choose(modality: BaseModality, params: dict[str, Any]) -> Encoder:
    named = {key: params[key] for key in ("model", "checkpoint") if params.get(key) is not None}
    if not modality.clip_encoder:
        return make_encoder(modality.encoder, **params)
    try:
        source = find_clip(**named)
    except WeightsError:
        if named:
            raise  # the user asked for these weights: do not quietly take others
        return make_encoder(modality.encoder, **params)
    if source.name.startswith("local-dir:"):
        pinned = {"checkpoint": source.name.removeprefix("local-dir:")}
    else:
        pinned = {"model": source.name, "checkpoint": str(source.weights)}
    return make_encoder(modality.clip_encoder, **{**params, **pinned})
