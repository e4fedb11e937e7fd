"""Files that come inside pip packages and are used as data: found through importlib.metadata, checked by SHA-256.

The packages are never imported. Their files are read after their digests have been compared, so a changed or damaged
file is refused whoever uploaded it.
"""

import hashlib
import importlib.metadata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mmdmad.errors import WeightsError


@dataclass(frozen=True)
class PackagedData:
    """Files of a pip package used as data: `files` maps each path below `folder` to the SHA-256 it must have.

    `version` is the one to ask pip for ("" where any version that holds the same files will do).
    """

    distribution: str
    version: str
    folder: str
    files: tuple[tuple[str, str], ...]

    @property
    def command(self) -> str:
        """The pip line that puts the right files in place."""
        pinned = f"=={self.version}" if self.version else ""
        return f"pip install --force-reinstall --no-deps {self.distribution}{pinned}"


def sha256(path: Path) -> str:
    """SHA-256 of a file as hex; remembered for as long as the file keeps its size and modification time."""
    stat = path.stat()
    return _sha256(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: str, size: int, modified: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def packaged_file(package: PackagedData, name: str) -> Path:
    """One file of a package, checked; else a WeightsError that says what to run."""
    try:
        found = importlib.metadata.distribution(package.distribution)
    except importlib.metadata.PackageNotFoundError:
        raise WeightsError(f"{package.distribution} is not installed; run: {package.command}") from None
    path = Path(str(found.locate_file(package.folder))) / name
    digest = dict(package.files)[name]
    if not path.is_file():
        raise WeightsError(f"{package.distribution} {found.version} holds no {name}; run: {package.command}")
    if (given := sha256(path)) != digest:
        raise WeightsError(
            f"{name} of {package.distribution} {found.version} has SHA-256 {given[:12]}…, expected {digest[:12]}…; "
            f"run: {package.command}"
        )
    return path


def packaged_folder(package: PackagedData) -> Path:
    """The folder that holds the package's files, all present and checked; else a WeightsError that says what to run."""
    for name, _ in package.files:
        path = packaged_file(package, name)
    return path.parents[len(Path(name).parts) - 1]
