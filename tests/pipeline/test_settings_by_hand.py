"""Every setting of a pipeline: its default, both ends of its range, and what a file of them may hold."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from mmdmad.errors import ConfigError
from mmdmad.joint.settings import JointSettings
from mmdmad.pipeline import config as module
from mmdmad.pipeline.config import PartSettings, PipelineConfig, Shares, presets
from mmdmad.yaml_files import MAX_BYTES, yaml_text


def test_defaults():
    assert PartSettings().model_dump() == {
        "encoder": "auto", "encoder_params": {}, "detector": "dte-np", "detector_params": {},
        "whole": False, "look": False, "summary": False,
        "letters": False, "compare": "similar",
    }  # fmt: skip
    assert Shares().model_dump() == {"fit": 0.5, "reference": 0.2, "calibration": 0.3}
    made = PipelineConfig()
    assert list(made.parts) == ["image", "text", "sensor", "video"]
    assert set(map(repr, made.parts.values())) == {repr(PartSettings())}
    assert (made.joint, made.shares) == (JointSettings(), Shares())
    assert (made.false_alarm_rate, made.seed, made.min_parts) == (None, 0, 8)


RANGES = {"false_alarm_rate": (0.0001, 0.5), "seed": (0, 4_294_967_295), "min_parts": (2, 1_000_000)}
BEYOND = {"false_alarm_rate": (0.00009, 0.50001), "seed": (-1, 4_294_967_296), "min_parts": (1, 1_000_001)}


@pytest.mark.parametrize("name", RANGES)
def test_both_ends_of_a_range(name):
    for value in RANGES[name]:
        assert getattr(PipelineConfig(**{name: value}), name) == value
    for value in BEYOND[name]:
        with pytest.raises(ValidationError, match=name):
            PipelineConfig(**{name: value})


def test_shares_lie_between_nothing_and_all_and_add_up_to_one():
    for fit, reference, calibration in ((0.001, 0.001, 0.998), (0.998, 0.001, 0.001), (1 / 3, 1 / 3, 1 / 3)):
        assert Shares(fit=fit, reference=reference, calibration=calibration).fit == fit
    for name in ("fit", "reference", "calibration"):
        for wrong, kind in ((0.0, "greater_than"), (-0.1, "greater_than"), (1.0, "less_than"), (1.5, "less_than")):
            with pytest.raises(ValidationError) as why:
                Shares(**{name: wrong})
            assert [(one["loc"], one["type"]) for one in why.value.errors()] == [((name,), kind)]
    for off in (1e-8, -1e-8, 0.1, -0.1):
        with pytest.raises(ValidationError, match="add up to"):
            Shares(fit=0.5 + off)
    assert Shares(fit=0.5 + 1e-10).fit > 0.5


def test_settings_hold_still_and_know_their_names():
    for made, name in ((PartSettings(), "whole"), (Shares(), "fit"), (PipelineConfig(), "seed")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(made, name, 1)
        with pytest.raises(ValidationError, match="not permitted"):
            type(made)(nmae=1)
    with pytest.raises(ValidationError, match="compare"):
        PartSettings(compare="none")
    for name in ("image", "sensor", "video"):
        with pytest.raises(ValidationError, match=f"letters: true was given for {name}; only what is written"):
            PipelineConfig(parts={"text": {"letters": True}, name: {"letters": True}})
    assert PipelineConfig(parts={"text": {"letters": True}, "image": {}}).parts["text"].letters
    with pytest.raises(ValidationError, match="no modality is configured; allowed are image, text, sensor, video"):
        PipelineConfig(parts={})


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("name", ["encoder_params", "detector_params"])
def test_arguments_are_few_shallow_and_of_moderate_size(name):
    def taken(**values):
        return getattr(PartSettings(**{name: values}), name) == values

    assert (module.LARGEST, module.MOST_VALUES, module.DEEPEST) == (1e9, 1000, 6)
    assert taken(a=1e9, b=-1e9, c=[10**9, True, "9" * 50, None])
    assert taken(a=nested(5))
    assert taken(a={"b": {"c": {"d": {"e": {"f": 1}}}}})
    assert taken(a=[0] * 998)  # with the list and the whole a thousand
    assert taken(a=(1, 2))
    for a in (1e9 + 1, -1e9 - 1, float("nan"), float("inf"), [[10**10]], {"x": (10**10,)}):
        with pytest.raises(ValidationError, match=r"a number is beyond 1e\+09, or not finite"):
            taken(a=a)
    for a in (nested(6), {"b": nested(5)}, [0] * 999):
        with pytest.raises(ValidationError, match="more than 1000 values, or deeper than 6 levels"):
            taken(a=a)


def load(folder: Path, content: bytes | str) -> PipelineConfig:
    (folder / "a.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    return PipelineConfig.load(folder / "a.yaml")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("seed: 1\nseed: 2\n", r"'seed' stands twice, again in line 2"),
        ("? [1]\n: 2\nseed: 1\nseed: 2\n", r"'seed' stands twice, again in line 4"),
        ("parts:\n  text: {detector: knn}\nseed: &x 3\njoint: {dims: *x}\n", r"an alias \(\*name\) in line 4; write"),
        (b"seed: 1\n# caf\xe9", r"a\.yaml is not UTF-8 \(byte 0xe9 in line 2\); save it as UTF-8"),
        ("- 1", "holds list; a mapping with `parts` is needed"),
        ("", "holds NoneType"),
        ("[1]: 2", "configuration|YAML"),
        ("seed: x", r"pipeline configuration, seed: .* \(given: 'x'\)"),
        ("parts: {text: {compare: 3}}", r"parts\.text\.compare: .* \(given: 3\)"),
        ("shares: {fit: 0.6}", r"pipeline configuration, shares: .*shares add up to 1\.1"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path, content, told):
    with pytest.raises(ConfigError, match=told):
        load(tmp_path, content)


def test_a_file_may_have_its_most_bytes_and_a_mark_at_its_beginning(tmp_path):
    assert MAX_BYTES == 256 * 1024
    text = "seed: 5\n"
    assert load(tmp_path, text + "#" * (MAX_BYTES - len(text))).seed == 5
    with pytest.raises(ConfigError, match="has more than 262144 bytes"):
        load(tmp_path, text + "#" * (MAX_BYTES - len(text) + 1))
    assert load(tmp_path, b"\xef\xbb\xbfseed: 7\n").seed == 7
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ConfigError, match="no pipeline configuration"):
        PipelineConfig.load(tmp_path / "folder.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        yaml_text(tmp_path / "folder.yaml")


def test_long_values_are_told_in_few_words(tmp_path):
    with pytest.raises(ConfigError) as why:
        load(tmp_path, f"seed: {'x' * 500}")
    given = str(why.value).partition("(given: ")[2]
    assert given == "'" + "x" * 116 + "...)"
    with pytest.raises(ConfigError) as why:
        load(tmp_path, f"seed: {'x' * 118}")
    assert str(why.value).endswith("'" + "x" * 118 + "')")
    with pytest.raises(ConfigError) as why:
        load(tmp_path, f"{'y' * 300}: 1")
    assert f"configuration, {'y' * 120}: " in str(why.value)


def test_presets_by_name(tmp_path):
    named = presets()
    pipelines = [name for name in named if name.startswith("pipelines/")]
    assert named[: len(pipelines)] == pipelines == sorted(pipelines)
    assert named[len(pipelines) :] == sorted(n for n in named if n.startswith("detectors/"))
    assert all(not name.endswith(".yaml") for name in named)
    for name in ("inspection", "inspection.yaml", "pipelines/inspection", "pipelines/inspection.yaml"):
        assert PipelineConfig.load(name) == PipelineConfig.load("pipelines/inspection")
    assert set(PipelineConfig.load("detectors/knn").parts) == {"image", "text", "sensor", "video"}
    made = PipelineConfig()
    assert PipelineConfig.load(made) is made
    with pytest.raises(ConfigError, match="no pipeline configuration 'knn'; give a YAML file or one of pipelines/"):
        PipelineConfig.load("knn")
    (tmp_path / "inspection").write_text("seed: 9\n")
    assert PipelineConfig.load(str(tmp_path / "inspection")).seed == 9
