"""Which words of modalities the ids of a run begin with, as its overview says them."""

from mmdmad.ask.base import Scope, ask
from mmdmad.bench.synthetic_run import synthetic_findings


def test_words_that_ids_begin_with(a_run, tmp_path):
    names = ("Clip-0", "clipping-1", "logs_2", "blog-3", "photos", "test-video-5")
    found = [f.model_copy(update={"case_id": name}) for f, name in zip(synthetic_findings(6, seed=1), names)]
    told = ask(Scope(run=a_run(tmp_path / "run", found)), "overview")
    assert sorted(told.called) == ["clip", "logs"]
    assert set(told.parts) == {"image", "text", "sensor", "video"}


def test_cases_called_like_others_are_none(asked):
    assert ask(asked, "overview").called == ()
