"""ResNet-18 features of MVTec AD from ADBench: 15 tables of 512 columns, no pictures, no manifest.

Expected: `mvtec_resnet18_feats/MVTec-AD_<category>.npz`. The split protocols are those of `mmdmad.datasets.adbench`.
"""

from pathlib import Path

import numpy as np

from mmdmad.datasets import adbench

NAME = "mvtec_resnet18_feats"


def names(data: str | Path) -> list[str]:
    """Names of the category tables ("MVTec-AD_bottle")."""
    return adbench.names(data, NAME)


def load(data: str | Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """`X` (n, 512) and `y` (n,) of one category."""
    return adbench.load(data, name, NAME)
