"""Every encoder keeps the contract: it can be built again from its parameters and says what it is."""

import subprocess
import sys

import pytest

from mmdmad.encoders import encoders, make_encoder
from mmdmad.errors import ConfigError
from mmdmad.modalities.base import modalities

OFFLINE = [name for name in encoders() if not name.startswith("clip-")]


def test_every_modality_has_an_encoder_without_a_hub() -> None:
    assert {encoders()[name].modality for name in OFFLINE} == set(modalities())
    assert all(encoders()[one.encoder].modality == name for name, one in modalities().items())
    assert set(encoders()) == {"clip", "clip-image", "clip-text", "lite0", "minilm", "pixels", "windows"}


@pytest.mark.parametrize("name", OFFLINE)
def test_parameters_rebuild_the_encoder(name: str) -> None:
    made = make_encoder(name)
    again = make_encoder(name, **made.params())
    assert again.params() == made.params()
    assert again.describe() == made.describe()
    assert made.state() == ({}, {})


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="there are clip, clip-image"):
        make_encoder("resnet")


def test_the_package_is_light_to_import() -> None:
    code = "import sys, mmdmad.encoders; print([m for m in ('torch', 'timm', 'open_clip', 'cv2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
