"""Without a manifest and without a configuration: a preset is chosen, and findings show themselves."""

import numpy as np
import pandas as pd
import pytest

from mmdmad import Case, JointDetector, Part, Run, cases_from
from mmdmad.errors import DataError
from mmdmad.explain import is_drawn
from mmdmad.findings import Guarantee
from mmdmad.judgement import Judgement
from mmdmad.pipeline.presets import preset_for


def tables(count: int, seed: int, odd: bool = False) -> list[pd.DataFrame]:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        wave = np.sin(np.arange(60) * np.pi / 6 + rng.uniform(0, 6)) + rng.normal(0, 0.1, 60)
        wave[20:40] += 8 * (odd and i == 0)
        made.append(pd.DataFrame({"flow": wave}))
    return made


@pytest.fixture(scope="module")
def model() -> JointDetector:
    return JointDetector().fit(tables(80, 0))


def test_a_preset_is_chosen_by_the_parts_and_said(model: JointDetector) -> None:
    assert model.preset_ == "pipelines/inspection: it looks at sensor"
    assert model.config.parts["sensor"].whole  # the preset's, not the default's
    assert repr(model) == "JointDetector(fitted on sensor; pipelines/inspection: it looks at sensor)"
    assert repr(JointDetector()) == "JointDetector(not fitted)"


def test_a_configuration_that_was_given_stays() -> None:
    model = JointDetector.from_config("detectors/knn").fit(tables(80, 0))
    assert (model.preset_, model.config.parts["sensor"].detector) == ("", "knn")


def test_tables_are_judged_as_they_lie_in_memory_and_draw_their_pictures(model: JointDetector) -> None:
    findings = model.score(tables(4, 1, odd=True), false_alarm_rate=0.05)
    assert findings.ranked()[0].case_id == "0"
    assert findings[0].verdict == "anomalous"
    usual = next(f for f in findings if f.verdict == "normal")
    assert all(f._repr_html_().count("data:image/jpeg") == 1 for f in (findings[0], usual))
    below = findings.plot("histogram").axes[0]
    assert sum(bar.get_height() for bar in below.patches) == findings[0].guarantee.size > 0
    assert findings[:2].calibration is findings.ranked().calibration is findings.calibration is not None
    undecided = model.score(tables(1, 2), false_alarm_rate=0.01)[0]
    assert undecided.verdict == "no verdict"
    assert "data:image/jpeg" in undecided._repr_html_()
    with pytest.raises(DataError, match="no file, folder or glob"):
        model.score(["no such file"])


def test_a_channel_may_be_called_like_a_formula(model: JointDetector) -> None:
    named = [table.rename(columns={"flow": r"flow $\frac{x$"}) for table in tables(80, 0)]
    odd = [table.rename(columns={"flow": r"flow $\frac{x$"}) for table in tables(1, 1, odd=True)]
    found = JointDetector().fit(named).score(odd, false_alarm_rate=0.05)[0]
    assert "data:image/jpeg" in found._repr_html_()


def judged(p_value: float, size: int, rate: float) -> Judgement:
    guarantee = Guarantee(rate=rate, size=size, interval=(0, 1), pattern=("text",), valid=(size + 1) * rate >= 1)
    case = Case("a", {"text": Part("text", value="x")})
    return Judgement(case, {}, {}, (), 1.0, p_value, guarantee)


def test_the_oddest_without_a_verdict_are_drawn_when_they_are_judged() -> None:
    assert is_drawn(judged(0.05, 99, 0.01))
    assert not is_drawn(judged(0.06, 99, 0.01))
    assert is_drawn(judged(0.1, 9, 0.01))  # no case of this pattern can be odder
    assert not is_drawn(judged(0.2, 9, 0.01))
    assert not is_drawn(judged(1.0, 0, 0.01))


def test_a_run_shows_what_it_holds_and_draws_the_pictures_of_unflagged_cases(tmp_path) -> None:
    run = Run.create(tmp_path / "<b>run", "detectors/knn")
    assert "no model is fitted yet" in run._repr_html_()
    assert repr(run).endswith("not fitted, 0 cases judged)")
    run.fit(tables(80, 0))
    assert "no case is judged yet" in run._repr_html_()
    paths = []
    for i, table in enumerate(tables(12, 1, odd=True)):
        paths.append(tmp_path / f"{i:02d}.csv")
        table.assign(time=np.arange(60)).to_csv(paths[-1], index=False)
    run.score(paths, false_alarm_rate=0.05)
    html = run._repr_html_()
    assert "&lt;b&gt;run</b>" in html
    assert "a model of sensor (auto, knn)" in html
    assert "12 cases judged at a declared false-alarm rate of 5 %" in html
    assert "… and" not in html
    assert "the 10 most anomalous" in html
    assert html.count("<tr>") == 11
    usual = run.findings(order="-rank", limit=1)[0]
    assert not any(e.artifact for e in usual.evidence)
    assert "data:image/jpeg" in usual._repr_html_()
    assert run.findings().calibration is not None
    (path,) = (path for path in paths if path.stem == usual.case_id)
    path.write_text("time,flow\n0,1\n1,2\n")
    assert "were changed since" in run.finding(usual.case_id)._repr_html_()
    run.close()


def test_presets_by_kind() -> None:
    assert preset_for(cases_from(texts=["a line"]))[0] == "pipelines/logs"
    assert preset_for(cases_from(texts=["a line " * 100]))[0] == "pipelines/inspection"
    assert preset_for(cases_from(images=[np.zeros((4, 4), np.uint8)]))[0] == "pipelines/pictures"
