"""One white for a whole run: decided over its fit pictures, kept with the model, compared when cases are scored."""

import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import ModelError
from mmdmad.parts.levels import Levels
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.detector import JointDetector
from mmdmad.pipeline.model_manifest import write_manifest
from mmdmad.pipeline.part_model import PartModel

CONFIG = PipelineConfig.model_validate(
    {
        "calibration": "split",
        "parts": {
            "image": {
                "encoder": "pixels",
                "encoder_params": {"size": 8, "grey": True},
                "detector": "gaussian-diffusion",
                "compare": "all",
            }
        },
        "false_alarm_rate": 0.1,
        "min_parts": 8,
    }
)


def picture(i: int, top: int, kind: str, dent: bool = False) -> np.ndarray:
    x = 0.5 + 0.1 * gaussian_filter(np.random.default_rng([3, i]).normal(size=(24, 24)), 2)
    if dent:
        x[8:14, 6:18] -= 0.1
    return np.rint(np.clip(x, 0, 1) * top).astype(kind)


def case(name: str, value: np.ndarray) -> Case:
    return Case(name, {"image": Part("image", value=value)})


def fitted(top: int, kind: str, count: int = 60) -> JointDetector:
    cases = [case(f"n{i}", picture(i, top, kind)) for i in range(count)]
    return JointDetector(CONFIG).fit(Cases(tuple(cases)))


@pytest.mark.parametrize(("top", "kind"), [(4095, "uint16"), (1023, "uint16"), (4095, "float32"), (30000, "int32")])
def test_a_dent_is_found_whatever_the_camera_writes(top: int, kind: str, tmp_path) -> None:
    model = fitted(top, kind)
    levels = model.parts_["image"].levels
    assert levels is not None
    assert levels.white < 65535
    model.save(tmp_path / "m")
    again = JointDetector.load(tmp_path / "m")
    assert again.parts_["image"].levels == levels
    dented = [again.finding(case(f"d{i}", picture(1000 + i, top, kind, dent=True))) for i in range(5)]
    assert [found.verdict for found in dented] == ["anomalous"] * 5
    assert dented[0].score == model.finding(case("d0", picture(1000, top, kind, dent=True))).score
    bright = picture(2000, top, kind)
    bright[:5, :5] = 5 * top
    said = [e.caption for e in again.finding(case("b", bright)).evidence if e.kind == "context"]
    assert "lie above the white of the pictures learned from" in said[0]
    assert again.judge(case("b", bright)).signals["image"].pixels[2, 2, 0] == 255


def test_scoring_uses_the_level_of_the_model_and_not_that_of_the_picture() -> None:
    model = fitted(4095, "uint16")
    same, darker = picture(5000, 4095, "uint16"), picture(5000, 1023, "uint16")
    scores = [model.judge(case("a", one)).parts["image"].score for one in (same, darker)]
    assert scores[1] > 10 * scores[0]  # a quarter of the brightness is another picture, though no bit is missing


def test_models_of_bytes_and_models_saved_before_levels_score_as_they_did(tmp_path) -> None:
    model = fitted(255, "uint8")
    assert model.parts_["image"].levels == Levels(0.0, 255.0, ("8-bit",))
    before = model.finding(case("a", picture(1, 255, "uint8", dent=True)))
    model.save(tmp_path)
    about = json.loads((tmp_path / "image" / "part.json").read_text())
    del about["levels"]
    (tmp_path / "image" / "part.json").write_text(json.dumps(about))
    (tmp_path / "manifest.json").unlink()
    write_manifest(tmp_path)
    old = JointDetector.load(tmp_path)
    assert old.parts_["image"].levels is None
    assert old.finding(case("a", picture(1, 255, "uint8", dent=True))) == before
    deep = old.judge(case("b", np.full((24, 24), 65535, np.uint16))).signals["image"]
    assert (deep.pixels.min(), deep.notes) == (255, ())


def test_a_black_above_white_makes_no_model(tmp_path) -> None:
    model = fitted(4095, "uint16").parts_["image"]
    model.save(tmp_path)
    about = json.loads((tmp_path / "part.json").read_text())
    about["levels"]["black"] = 5000.0
    (tmp_path / "part.json").write_text(json.dumps(about))
    with pytest.raises(ModelError, match="black 5000"):
        PartModel.load(tmp_path)
