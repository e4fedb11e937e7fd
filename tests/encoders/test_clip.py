"""CLIP from local weights only; a small random model stands in for real weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mmdmad.encoders import resolve_encoder
from mmdmad.encoders.clip import ClipImage, ClipText
from mmdmad.encoders.clip_weights import CONFIG, VARIABLE, find_clip, load_clip
from mmdmad.errors import ConfigError, WeightsError
from mmdmad.parts import Image, Text
from tests.tiny_clip import TINY, write_tiny_clip

CAT = np.random.default_rng(0).integers(0, 255, (80, 100, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_clip(tmp_path_factory.mktemp("tiny-clip"))


@pytest.fixture(autouse=True)
def _no_weights_by_chance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("mmdmad.encoders.clip_weights.REPOSITORIES", ("nobody/no-such-clip",))


def test_image_tokens(folder: Path) -> None:
    tokens = ClipImage(checkpoint=str(folder)).encode(Image(CAT))
    assert tokens.layout.shape == (4, 4)
    assert tokens.layout.size == (80, 100)
    assert tokens.layout.positions().tolist() == list(range(16))
    assert tokens.values.shape == (16, 64)
    assert np.linalg.norm(tokens.embedding()) == pytest.approx(1, abs=1e-5)


def test_the_summary_is_the_models_own_embedding(folder: Path) -> None:
    model, _ = load_clip(find_clip(checkpoint=str(folder)))
    square = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    given = (torch.from_numpy(square.astype(np.float32)).permute(2, 0, 1)[None] / 255 - 0.5) / 0.5
    with torch.inference_mode():
        wanted = model.encode_image(given, normalize=True)[0].numpy()
    assert ClipImage(checkpoint=str(folder)).encode(Image(square)).embedding() == pytest.approx(wanted, abs=1e-5)


def test_text_tokens_share_the_space(folder: Path) -> None:
    encoder = ClipText(checkpoint=str(folder)).fit([Text(f"belt {i} runs\nlane {i} clear") for i in range(20)])
    tokens = encoder.encode(Text("belt stopped\nalarm"))
    assert tokens.layout.where is not None
    assert tokens.layout.where.tolist() == [[0, 12], [13, 18]]
    assert tokens.embedding().shape == (24,)
    assert np.isfinite(encoder.encode(Text("word " * 5000)).values).all()


def test_a_single_file_with_its_architecture(folder: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes((folder / "open_clip_model.safetensors").read_bytes())
    with pytest.raises(WeightsError, match="needs model=NAME"):
        ClipImage(checkpoint=str(weights))
    with pytest.raises(WeightsError, match="does not hold weights of ViT-S-32-alt"):
        ClipImage("ViT-S-32-alt", str(weights)).encode(Image(CAT))
    with pytest.raises(WeightsError, match="knows no model 'ViT-X'"):
        ClipImage("ViT-X", str(weights)).encode(Image(CAT))
    with pytest.raises(WeightsError, match="tokenizer of ViT-B-16-SigLIP is on a hub"):
        ClipText("ViT-B-16-SigLIP", str(weights)).embed(["x"])


def test_pickles_are_not_run(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "harm",))

    (tmp_path / CONFIG).write_text(json.dumps({"model_cfg": TINY}))
    torch.save({"state_dict": Harm()}, tmp_path / "open_clip_pytorch_model.bin")
    with pytest.raises(WeightsError, match="does not hold weights"):
        ClipImage(checkpoint=str(tmp_path)).encode(Image(CAT))
    assert not (tmp_path / "harm").exists()


def test_absent_weights_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"set MMDMAD_CLIP=.*run: hf download"):
        ClipImage()
    with pytest.raises(WeightsError, match="not in the local hub cache"):
        ClipText("nobody/no-such-clip")
    with pytest.raises(WeightsError, match="without weights"):
        ClipImage("ViT-B-32")
    with pytest.raises(WeightsError, match="holds no open_clip_config"):
        ClipImage(checkpoint=str(tmp_path))
    with pytest.raises(WeightsError, match="is not there"):
        ClipImage("ViT-B-32", str(tmp_path / "none.pt"))
    with pytest.raises(ConfigError, match="depths"):
        ClipImage(depths=(0.0,))


def test_auto_takes_clip_where_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_encoder("auto", "image").name == "lite0"
    assert resolve_encoder("auto", "text").name == "minilm"
    monkeypatch.setenv(VARIABLE, str(folder))
    chosen = resolve_encoder("auto", "image")
    assert chosen.name == "clip-image"
    assert chosen.params()["checkpoint"] == str(folder), "the choice is pinned for when the model is opened again"
    assert folder.name in chosen.describe()
    assert resolve_encoder("auto", "text").name == "clip-text"
    assert resolve_encoder("auto", "sensor").name == "windows"
    assert resolve_encoder("auto", "video").name == "clip"
    monkeypatch.setenv(VARIABLE, f"ViT-S-32-alt:{folder / 'open_clip_model.safetensors'}")
    assert resolve_encoder("auto", "image").params()["model"] == "ViT-S-32-alt"


def test_auto_does_not_hide_a_wrong_wish(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no open_clip_config"):
        resolve_encoder("auto", "image", checkpoint=str(tmp_path))
    with pytest.raises(ConfigError, match="is for text parts; for image there are auto, clip-image, lite0"):
        resolve_encoder("minilm", "image")
    with pytest.raises(ConfigError, match="no encoder is called"):
        resolve_encoder("nothing", "image")
    with pytest.raises(ConfigError, match="no modality"):
        resolve_encoder("auto", "sound")  # type: ignore[arg-type]


def test_a_cached_hub_repository_is_found_without_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cached(repository: str, file: str) -> str | None:
        return str(folder / file) if repository == "somebody/clip" else None

    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", cached)
    assert find_clip("somebody/clip").weights == folder / "open_clip_model.safetensors"
    assert find_clip("hf-hub:somebody/clip").name == f"local-dir:{folder}"
    monkeypatch.setattr("mmdmad.encoders.clip_weights.REPOSITORIES", ("a/b", "somebody/clip"))
    assert resolve_encoder("auto", "image").name == "clip-image"
