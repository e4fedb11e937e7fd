import json
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from mmdmad.agents.grounding import check
from scipy.stats import binom
from sklearn.metrics import roc_auc_score

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import ConfigError, DataError, NotFittedError, PartError, RefusalWarning
from mmdmad.pipeline.config import presets
from mmdmad.pipeline.detector import JointDetector, PipelineConfig, load_config
from mmdmad.pipeline.part_model import PartModel


@pytest.fixture(scope="module")
def model(tiny):
    return JointDetector(tiny.tiny_config()).fit(tiny.tiny_cases(360, 0, missing=0.15))


@pytest.fixture(scope="module")
def normal(tiny, model):
    return [model.judge(case, 0.05) for case in tiny.tiny_cases(120, 1, missing=0.15)]


def same(a, b):
    """Two judgements say exactly the same."""
    return a.finding() == b.finding() and all(
        np.array_equal(a.parts[m].token_scores, b.parts[m].token_scores) for m in a.parts
    )


def test_shares_add_up_exactly_and_p_values_are_p_values(normal):
    for j in normal:
        shares = [p.share for p in j.parts.values()] + [c.share for c in j.contradictions]
        assert math.fsum(shares) == j.score
        assert min(shares) >= 0
        p_values = [j.p_value, *(p.p_value for p in j.parts.values()), *(c.p_value for c in j.contradictions)]
        assert all(0 < p <= 1 for p in p_values)
        assert j.guarantee.pattern == tuple(j.parts) == j.case.pattern
        assert [c.part for c in j.contradictions] == list(j.parts)
        assert all(len(p.token_scores) == len(p.layout) for p in j.parts.values())
        assert all(p.scale[0] < p.scale[1] for p in j.parts.values())


def test_false_alarms_stay_within_the_binomial_interval(normal):
    flagged = sum(j.verdict == "anomalous" for j in normal)
    worst = max(j.guarantee.interval[1] for j in normal)
    assert flagged <= binom.ppf(0.999, len(normal), max(worst, 0.05))
    assert all(j.guarantee.valid for j in normal)


@pytest.mark.parametrize("part", ["image", "text", "sensor", "video"])
def test_a_spoiled_part_is_found_and_carries_the_largest_share(tiny, model, normal, part):
    odd = [model.judge(tiny.tiny_case(2, i, spoil=part), 0.05) for i in range(30)]
    assert roc_auc_score([0] * len(normal) + [1] * 30, [j.score for j in [*normal, *odd]]) > 0.95
    shares = [max(j.parts.values(), key=lambda p: p.share).modality for j in odd]
    assert shares.count(part) >= 24


def test_swapped_parts_are_contradictions_though_each_part_is_normal(tiny, model, normal):
    swapped = [
        (part, model.judge(tiny.tiny_case(3, i, swap=part), 0.05)) for part in ("image", "sensor") for i in range(30)
    ]
    truth = [0] * len(normal) + [1] * len(swapped)
    worst = [max(c.share for c in j.contradictions) for j in [*normal, *(j for _, j in swapped)]]
    assert roc_auc_score(truth, worst) > 0.9
    parts = [min(p.p_value for p in j.parts.values()) for _, j in swapped]
    assert np.median(parts) > 0.1
    named = [max(j.contradictions, key=lambda c: c.share).part == part for part, j in swapped]
    assert np.mean(named) > 0.6


def test_scores_do_not_depend_on_order_or_company(tiny, model):
    cases = tiny.tiny_cases(6, 4)
    one = {c.id: model.judge(c, 0.05) for c in cases}
    for case in reversed(cases.items):
        assert same(model.judge(case, 0.05), one[case.id])


def test_fit_does_not_depend_on_the_order_of_cases(tiny):
    cases = tiny.tiny_cases(90, 5)
    shuffled = list(cases)
    random.Random(0).shuffle(shuffled)
    config = tiny.tiny_config(joint={"steps": 20, "width": 16, "levels": 4, "draws": 2})
    a, b = JointDetector(config).fit(cases), JointDetector(config).fit(Cases(tuple(shuffled)))
    assert same(a.judge(tiny.tiny_case(6, 0)), b.judge(tiny.tiny_case(6, 0)))


def test_save_and_load_give_the_same_judgements(tiny, model, tmp_path):
    model.save(tmp_path)
    again = JointDetector.load(tmp_path)
    assert again.config == model.config
    for case in (tiny.tiny_case(7, 0), tiny.tiny_case(7, 1, spoil="sensor", drop=["video"])):
        assert same(again.judge(case), model.judge(case))
    assert not list(tmp_path.rglob("*.pkl")) + list(tmp_path.rglob("*.pt"))


def test_finding_carries_evidence_and_artifacts(tiny, model, tmp_path):
    finding = model.finding(tiny.tiny_case(8, 0, spoil="image"), 0.05, tmp_path)
    assert finding.verdict == "anomalous"
    assert finding.evidence[0].kind == "verdict"
    assert any(e.artifact for e in finding.evidence)
    assert json.loads(finding.model_dump_json())["case_id"] == finding.case_id


def test_score_keeps_order_and_lists_what_it_cannot_judge(tiny, model):
    empty = Case("nothing", {"text": Part("text", value="")})
    findings = model.score([tiny.tiny_case(9, 0), empty, tiny.tiny_case(9, 1)], 0.05)
    assert [f.case_id for f in findings] == ["s9-0000", "s9-0001"]
    assert [r.case_id for r in findings.refused] == ["nothing"]


def test_labels_move_no_p_value_and_faulty_cases_are_not_learned(tiny, model):
    case = tiny.tiny_case(10, 0)
    assert model.judge(replace(case, label=1)).p_value == model.judge(case).p_value
    cases = tiny.tiny_cases(60, 10)
    relabelled = Cases((replace(cases[0], label=1), *cases.items[1:]))
    config = tiny.tiny_config(parts={"text": {"encoder": "tiny-text", "detector": "knn"}})
    with pytest.warns(RefusalWarning, match="1 case is not learned from: they are labelled faulty"):
        one = JointDetector(config).fit(relabelled)
    assert same(one.judge(case), JointDetector(config).fit(cases[1:]).judge(case))


def test_broken_and_unknown_parts_are_refused_and_the_rest_goes_on(tiny):
    cases = tiny.tiny_cases(60, 11)
    broken = [replace(c, parts={**c.parts, "image": Part("image", value=b"no picture")}) for c in cases.items[:3]]
    config = tiny.tiny_config(
        parts={
            "image": {"encoder": "tiny-image", "detector": "knn"},
            "text": {"encoder": "tiny-text", "detector": "knn"},
        },
        joint={"steps": 20, "width": 16, "levels": 4, "draws": 2},
    )
    model = JointDetector(config).fit(Cases((*broken, *cases.items[3:])))
    assert sorted(r.case_id for r in model.refused_) == [c.id for c in cases.items[:3]]
    judged = model.judge(broken[0], 0.2)
    assert list(judged.parts) == ["text"]
    assert {r.part for r in judged.refused} == {"image", "sensor", "video"}
    assert "has not learned sensor" in next(r.reason for r in judged.refused if r.part == "sensor")
    assert judged.guarantee.pattern == ("text",)
    assert "masked" in judged.guarantee.note
    only = replace(broken[0], parts={"image": broken[0].parts["image"]})
    with pytest.raises(PartError, match="no part can be judged"):
        model.judge(only)


def test_a_modality_with_too_few_parts_is_not_learned(tiny):
    cases = tiny.tiny_cases(60, 12)
    rare = Cases(tuple(c if i < 10 else replace(c, parts={"text": c.parts["text"]}) for i, c in enumerate(cases)))
    config = tiny.tiny_config(
        parts={
            "image": {"encoder": "tiny-image", "detector": "knn"},
            "text": {"encoder": "tiny-text", "detector": "knn"},
        }
    )
    model = JointDetector(config).fit(rare)
    assert list(model.parts_) == ["text"]
    assert model.joint_ is None
    assert len(model.refused_) == 10
    assert not model.judge(cases[0]).contradictions
    with pytest.raises(DataError, match="no modality"):
        JointDetector(config).fit(Cases(cases.items[:5]))


def test_no_verdict_where_the_calibration_is_too_small(tiny, model):
    judged = model.judge(tiny.tiny_case(13, 0, spoil="sensor"), 0.001)
    assert judged.verdict == "no verdict"
    assert not judged.guarantee.valid
    assert "needs 999" in judged.guarantee.note


def test_rates_are_checked(tiny, model):
    with pytest.raises(DataError, match="rate"):
        model.judge(tiny.tiny_case(13, 1), 1.5)


def test_unfitted_is_said():
    with pytest.raises(NotFittedError):
        JointDetector().judge(Case("a", {}))
    with pytest.raises(NotFittedError, match="no fitted pipeline"):
        JointDetector.load("nowhere")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("pipelines/no-such", "inspection"),
        ({"parts": {"smell": {}}}, "parts"),
        ({"parts": {}}, "no modality"),
        ({"shares": {"fit": 0.9}}, "add up"),
        ({"false_alarm_rate": 2}, "false_alarm_rate"),
        ({"jiont": {}}, "jiont"),
    ],
)
def test_wrong_configurations_are_refused_with_reason(config, words):
    with pytest.raises(ConfigError, match=words):
        load_config(config)


@pytest.mark.parametrize(
    "part", [{"detector": "no-such"}, {"detector": "knn", "detector_params": {"nope": 1}}, {"encoder": "no-such"}]
)
def test_wrong_detectors_and_arguments_are_config_errors(tiny, part):
    config = PipelineConfig.model_validate({"parts": {"text": {"encoder": "tiny-text", **part}}})
    with pytest.raises(ConfigError):
        JointDetector(config).fit(tiny.tiny_cases(60, 14))


def test_presets_and_files_load(tmp_path):
    assert load_config("pipelines/inspection") == load_config("inspection")
    assert set(presets()) >= {"pipelines/inspection", "pipelines/logs", "pipelines/pictures"}
    for name in presets():
        for modality, settings in load_config(name).parts.items():
            PartModel.unfitted(modality, settings, seed=0)  # every encoder, detector and argument exists
    assert load_config("logs").parts["text"].compare == "all"
    with pytest.raises(ConfigError, match="detectors/knn"):
        load_config("detectors/no-such-detector")
    file = tmp_path / "mine.yaml"
    file.write_text("parts: {text: {detector: knn}}\nseed: 3\n")
    assert load_config(file).seed == 3
    file.write_text("- a list")
    with pytest.raises(ConfigError, match="mapping"):
        load_config(file)
    file.write_text("a: [")
    with pytest.raises(ConfigError, match="YAML"):
        load_config(file)


def test_a_detectors_preset_is_a_pipeline_of_the_modalities_it_is_made_for():
    knn = load_config("detectors/knn")
    assert set(knn.parts) == {"image", "text", "sensor", "video"}
    assert {(p.encoder, p.detector) for p in knn.parts.values()} == {("auto", "knn")}
    assert knn.parts["text"].detector_params == {"neighbours": 5, "method": "largest", "max_memory": "auto"}
    assert set(load_config("detectors/mocodad").parts) == {"sensor", "video"}


def test_letters_are_judged_said_and_saved(tiny, tmp_path):
    config = {"parts": {"text": {"encoder": "tiny-text", "letters": True, "compare": "all"}}}
    plain = {"parts": {"text": {"encoder": "tiny-text", "compare": "all"}}}
    cases = tiny.tiny_cases(200, 0)
    # no two alike: exact copies would fall into one split together
    texts = Cases(
        tuple(
            replace(c, parts={"text": Part("text", value=f"{c.parts['text'].value} {i}")}) for i, c in enumerate(cases)
        )
    )
    model, without = (JointDetector.from_config(c).fit(texts) for c in (config, plain))
    # The letter shares of an anagram are normal, so that only its runs of letters give it away.
    odd = Case("odd", {"text": Part("text", value="mabre ecepi dessap, tfihs 2. 77")})
    usual = replace(texts.items[0], id="usual")
    said = model.finding(odd, 0.05)
    assert said.verdict == "anomalous"
    assert without.finding(odd, 0.05).p_value > said.p_value
    facts = {f.name: f.value for e in said.evidence for f in e.facts}
    assert facts["distance of letters"] > 0.8 > 0.6 > facts["usual distance of letters"]
    (sheet,) = [e for e in said.evidence if e.caption.startswith("The letters of the text")]
    assert check(sheet.caption, (sheet.id,), said.evidence) == []
    assert check(sheet.caption.replace("0.8", "0.7"), (sheet.id,), said.evidence)
    assert "distance of letters" not in {f.name for e in model.finding(usual, 0.05).evidence for f in e.facts}
    model.save(tmp_path)
    assert same(model.judge(odd), JointDetector.load(tmp_path).judge(odd))
