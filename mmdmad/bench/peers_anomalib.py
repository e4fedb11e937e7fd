"""Anomalib's own PatchCore and PaDiM on the backbone that pip carries, for picture suites (`--peers`).

Anomalib downloads its backbones; here its models get EfficientNet-Lite0 instead, the same network with the same
weights and picture preparation as ours. Everything after the backbone is Anomalib's: the grid of its layers, pooling,
coreset, map and picture score. PaDiM has its default layers by stride, 4, 8 and 16; PatchCore those of stride 16 and
32, one up from its default, because choosing the coreset of a 32 x 32 grid takes hours on one core.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmdmad.bench.result import Meter
from mmdmad.errors import MissingExtraError, WeightsError

ANOMALIB = ("anomalib:Patchcore", "anomalib:Padim")
SIDE = 256
BATCH = 16
CORESET = 0.01  # share of the patches kept, as the paper reports it too; 0.1 is Anomalib's default
FEATURES = 100  # of PaDiM, its default for ResNet-18


def require_anomalib() -> None:
    """MissingExtraError where Anomalib is not installed."""
    if importlib.util.find_spec("anomalib") is None:
        raise MissingExtraError("running Anomalib's models", "anomalib", "bench")


def model(name: str, seed: int) -> Any:
    """An untrained Anomalib model over Lite0; needs the extra `bench`."""
    require_anomalib()
    import torch
    from anomalib.models.image.padim.torch_model import PadimModel
    from anomalib.models.image.patchcore.torch_model import PatchcoreModel

    from mmdmad.encoders.lite0 import load_lite0

    lite0 = {"backbone": "tf_efficientnet_lite0", "pre_trained": False}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # PaDiM draws its features
        if name == "anomalib:Patchcore":
            made: Any = PatchcoreModel(layers=["blocks.4", "blocks.6"], **lite0)
        else:
            made = PadimModel(layers=["blocks.1", "blocks.2", "blocks.4"], n_features=FEATURES, **lite0)
    missing = made.feature_extractor.feature_extractor.load_state_dict(load_lite0().state_dict(), strict=False)[0]
    if missing:
        raise WeightsError(f"Anomalib's backbone has {missing[0]}, which EfficientNet-Lite0 does not")
    return made


def fit_and_score_pictures(
    name: str, train: Sequence[Path], test: Sequence[Path], seed: int
) -> tuple[Meter, list[np.ndarray], np.ndarray]:
    """Fit on training pictures and score test pictures: the meter, maps (256, 256) and scores (N,)."""
    import torch

    meter, made = Meter(), model(name, seed)
    with meter.fit(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # the coreset starts at random
        made.train()
        made.feature_extractor.eval()
        for batch in _batches(train):
            made(batch)
        if name == "anomalib:Patchcore":
            made.subsample_embedding(CORESET)
        else:
            made.fit()
    made.eval()
    maps: list[np.ndarray] = []
    scores: list[float] = []
    with meter.score(), torch.inference_mode():
        for batch in _batches(test):
            found = made(batch)
            maps += list(found.anomaly_map[:, 0].numpy())
            scores += found.pred_score.flatten().tolist()
    return meter, maps, np.array(scores)


def _batches(paths: Sequence[Path]) -> Iterator[Any]:
    """Pictures, squeezed to a square and prepared for Lite0, BATCH at a time."""
    import torch
    from PIL import Image

    from mmdmad.encoders.lite0 import prepare

    for start in range(0, len(paths), BATCH):
        ready = []
        for path in paths[start : start + BATCH]:
            with Image.open(path) as picture:
                ready.append(prepare(np.asarray(picture.convert("RGB")), SIDE, SIDE))
        yield torch.cat(ready)
