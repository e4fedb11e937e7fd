"""Pixel figures against the masks of a folder: of the right pictures, and of nothing that the masks had a say in."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from mmdmad.cases import Cases
from mmdmad.cli import app
from mmdmad.encoders import base as encoder_registry
from mmdmad.errors import DataError
from mmdmad.manifest import read_cases
from mmdmad.metrics import masks as masks_module
from mmdmad.metrics.masks import mask_figures
from mmdmad.pipeline.detector import JointDetector
from mmdmad.store.run import Run

SIDE = 32


@pytest.fixture(scope="module")
def config() -> Iterator[dict]:
    """A pipeline for pictures alone, with a cheap encoder that is known while these tests run."""
    before = encoder_registry.encoders()
    spec = importlib.util.spec_from_file_location("tiny_masks", Path(__file__).parents[1] / "tiny_pipeline.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    settings = module.tiny_config().model_dump(mode="json")
    yield {**settings, "parts": {"image": settings["parts"]["image"]}, "min_parts": 4}
    for name in set(encoder_registry.encoders()) - set(before):
        encoder_registry._REGISTRY.remove(name)


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels.astype(np.uint8)).save(path)


def mvtec(root: Path, seed: int = 0) -> Path:
    """A tree of 48 good pictures to learn, 4 good ones and 6 cracks to judge, the cracks with masks."""
    rng = np.random.default_rng(seed)
    for i in range(52):
        pixels = rng.normal(120, 4, (SIDE, SIDE, 3))
        save(root / ("train" if i < 48 else "test") / "good" / f"{i}.png", pixels)
    for i in range(6):
        pixels, mask = rng.normal(120, 4, (SIDE, SIDE, 3)), np.zeros((SIDE, SIDE))
        row, column = 8 * int(rng.integers(0, 4)), 8 * int(rng.integers(0, 4))
        pixels[row : row + 8, column : column + 8] += 90
        mask[row : row + 8, column : column + 8] = 255
        save(root / "test" / "crack" / f"{i}.png", pixels.clip(0, 255))
        save(root / "ground_truth" / "crack" / f"{i}_mask.png", mask)
    return root


@pytest.fixture(scope="module")
def fitted(config: dict, tmp_path_factory: pytest.TempPathFactory) -> tuple[JointDetector, Cases]:
    cases = read_cases(mvtec(tmp_path_factory.mktemp("mvtec")))
    with pytest.warns(UserWarning, match="not learned from"):
        return JointDetector.from_config(config).fit(cases), cases


def test_cracks_are_found_where_their_masks_are(fitted: tuple[JointDetector, Cases]) -> None:
    found = mask_figures(fitted[0], fitted[1].where(split="test"))
    assert (found.pictures, found.masked, found.every, found.left) == (10, 6, 1, ())
    assert found.figures["pixel_auroc"] > 0.95
    assert found.figures["pixel_ap"] > 0.6
    assert found.figures["aupro"] > 0.8
    fewer = mask_figures(fitted[0], fitted[1], within=["test/crack/1", "test/good/49"])
    assert (fewer.pictures, fewer.masked) == (2, 1)


def test_masks_move_the_figures_and_no_map(fitted: tuple[JointDetector, Cases], tmp_path: Path) -> None:
    detector, cases = fitted
    names = dict(cases.extra["masks"])
    turned = dict(zip(names, list(names.values())[1:] + list(names.values())[:1], strict=True))
    swapped = Cases(cases.items, cases.refused, cases.root, {**cases.extra, "masks": turned})
    test = swapped.where(split="test")
    before = [detector.judge(case).p_value for case in test]
    assert mask_figures(detector, test).figures["pixel_ap"] < 0.4
    assert [detector.judge(case).p_value for case in test] == before


def test_pictures_that_cannot_be_held_against_a_mask_are_left_out_by_name(
    fitted: tuple[JointDetector, Cases], tmp_path: Path
) -> None:
    detector = fitted[0]
    root = mvtec(tmp_path / "b", seed=1)
    save(root / "ground_truth" / "crack" / "0_mask.png", np.full((16, 16), 255))
    (root / "ground_truth" / "crack" / "1_mask.png").write_bytes(b"no picture")
    (root / "ground_truth" / "crack" / "2_mask.png").unlink()
    found = mask_figures(detector, read_cases(root).where(split="test"))
    assert (found.pictures, found.masked) == (7, 3)
    said = {refusal.case_id: refusal.reason for refusal in found.left}
    assert "16 x 16 pixels, the picture 32 x 32" in said["test/crack/0"]
    assert "not a picture" in said["test/crack/1"]
    assert said["test/crack/2"] == "it has no mask, and nothing says that it is normal"


def test_a_manifest_names_masks_in_a_column(fitted: tuple[JointDetector, Cases], tmp_path: Path) -> None:
    root = mvtec(tmp_path / "m", seed=2)
    rows = [f"c{i},test/crack/{i}.png,1,ground_truth\\crack\\{i}_mask.png" for i in range(6)]
    (root / "manifest.csv").write_text("id,image,label,mask\n" + "\n".join([*rows, "g,test/good/50.png,0,"]) + "\n")
    found = mask_figures(fitted[0], read_cases(root))
    assert (found.pictures, found.masked, found.left) == (7, 6, ())
    assert found.figures["pixel_auroc"] > 0.95


def test_many_pixels_are_thinned(fitted: tuple[JointDetector, Cases], monkeypatch: pytest.MonkeyPatch) -> None:
    test = fitted[1].where(split="test")
    monkeypatch.setattr(masks_module, "MOST", 10 * SIDE * SIDE // 5)
    found = mask_figures(fitted[0], test)
    assert found.every == 3
    assert found.figures["pixel_auroc"] > 0.95


def test_without_masks_or_pictures_it_says_so(fitted: tuple[JointDetector, Cases]) -> None:
    detector, cases = fitted
    with pytest.raises(DataError, match="there are no masks"):
        mask_figures(detector, Cases(cases.items))
    with pytest.raises(DataError, match="no mask of the 4 pictures holds a defect"):
        mask_figures(detector, cases.where(split="test"), within=[f"test/good/{i}" for i in range(48, 52)])
    with pytest.raises(DataError, match="has learned no pictures"):
        mask_figures(JointDetector(), cases)


def test_score_prints_the_figures(config: dict, tmp_path: Path) -> None:
    root, folder = mvtec(tmp_path / "tree"), tmp_path / "run"
    Run.create(folder, config).fit(read_cases(root).where(split="train"))
    said = CliRunner().invoke(app, ["score", str(folder), "--data", str(root), "--masks"])
    assert said.exit_code == 0, said.output
    assert "pixels of 10 pictures, 6 with a defect in their masks: AUROC 0.9" in said.output
    assert "AUPRO 0." in said.output
