"""A new file, judged from the chat: flagged or not, the answer tells the verdict; nothing of it is stored."""

import pytest
from mmdmad.agents.investigator import Investigator


class Judge:
    """Stands in for the fitted model: every new case gets the finding it was made with."""

    def __init__(self, found):
        self.found, self.seen = found, []

    def finding(self, case, rate, artifacts):
        self.seen.append(case)
        return self.found.model_copy(update={"case_id": case.id})


@pytest.fixture
def judged(fake_run, tmp_path_factory, monkeypatch):
    """Judge new files as this finding; gives what is said of one."""
    files = tmp_path_factory.mktemp("new files")

    def judge(found, name="new.csv"):
        model = Judge(found)
        monkeypatch.setattr(type(fake_run), "model", property(lambda run: model), raising=False)
        (files / name).write_text("time,a\n0,1\n")
        agent = Investigator(fake_run, folder=files)
        said = agent.ask(f"Judge the file {name}")
        agent.close()
        return said, model

    return judge


@pytest.mark.parametrize("lead", ["image", "text", "sensor", "video"])
def test_a_flagged_file_is_told(judged, flagged, lead):
    said, model = judged(flagged[lead])
    assert said.tools[-1] == "score_files"
    assert "new is anomalous" in said.text
    assert not said.withheld
    assert [set(case.parts) for case in model.seen] == [{"sensor"}]


def test_a_flagged_file_with_a_contradiction_is_told(judged, some_findings):
    said, _ = judged(next(f for f in some_findings if f.contradictions))
    assert "new is anomalous" in said.text
    assert "does not fit" in said.text


def test_a_normal_file_and_one_without_verdict_are_told(judged, some_findings):
    normal = next(f for f in some_findings if f.verdict == "normal")
    assert "new is judged normal" in judged(normal)[0].text
    odd = normal.model_copy(update={"verdict": "no verdict"})
    assert "new has no verdict" in judged(odd)[0].text


def test_a_new_file_is_not_stored(judged, flagged, fake_run):
    before = len(list(fake_run.findings()))
    judged(flagged["sensor"])
    assert len(list(fake_run.findings())) == before
    assert fake_run.finding("new") is None
