"""Configuration files are untrusted: whatever is wrong with them is one line of ConfigError."""

import pytest

from mmdmad.errors import ConfigError
from mmdmad.pipeline.config import PipelineConfig

ALIASES = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
ONE = "parts: {text: {detector: knn, detector_params: %s}}\n"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (ALIASES.encode(), "alias"),
        (b"parts: {text: {detector: knn, detector_params: &b {x: *b}}}", "alias"),
        (b"parts: {text: {detector: caf\xe9}}", "not UTF-8"),
        (b"seed: " + b"9" * 5000, "not valid YAML"),
        (b"seed: " + b"9" * 4000, "seed"),
        (b"parts: " + b"[" * 5000, "not valid YAML"),
        (b"#" * 300_000, "more than"),
        (b"joint: {width: 999999999}", "width"),
        (b"joint: {learning_rate: .inf}", "learning_rate"),
        ((ONE % "{hidden: [99999999999999]}").encode(), "beyond"),
        ((ONE % "{neighbours: .nan}").encode(), "not finite"),
        ((ONE % ("{a: [" + "1, " * 2000 + "1]}")).encode(), "more than"),
        ((ONE % ("{a: " + "[" * 20 + "]" * 20 + "}")).encode(), "deeper"),
    ],
)
def test_hostile_files_are_refused_in_one_line(tmp_path, content, word):
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as why:
        PipelineConfig.load(tmp_path / "a.yaml")
    said = str(why.value)
    assert word in said
    assert "\n" not in said
    assert len(said) < 600
