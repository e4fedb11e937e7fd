"""Where every part of a kind is refused, fit, score and demo say so: which kind, how many, the first reason."""

import warnings
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from mmdmad.cases import Case, Cases, Part, Refusal, lost_kinds
from mmdmad.cli import app, main
from mmdmad.errors import DataError, RefusalWarning, RefusedError
from mmdmad.pipeline.detector import JointDetector
from mmdmad.store.run import Run


def two(tiny, count: int, seed: int) -> Cases:
    """Cases with a text and a clip."""
    kept = (tiny.tiny_case(seed, i, drop=["image", "sensor"]) for i in range(count))
    return Cases(tuple(kept))


def spoiled(cases: Cases, modality: str, value: object) -> Cases:
    return Cases(tuple(replace(c, parts={**c.parts, modality: Part(modality, value=value)}) for c in cases))


def config(tiny, *modalities: str):
    whole = tiny.tiny_config()
    return whole.model_copy(update={"parts": {m: whole.parts[m] for m in modalities}})


def test_lost_kinds_are_those_of_which_nothing_is_left():
    cases = [Case(f"c{i}", {"text": Part("text"), "video": Part("video")}) for i in range(3)]
    gone = [Refusal(c.id, "video", f"reason {c.id}") for c in cases]
    (lost,) = lost_kinds(cases, [*gone, Refusal("c0", "text", "blank"), Refusal("c1", "label", "odd")])
    assert (lost.modality, lost.count, lost.first) == ("video", 3, gone[0])
    assert str(lost) == "all 3 video parts were refused; the first, of case c0: reason c0"
    assert lost_kinds(cases, gone[:2]) == ()
    # A part that the manifest could not locate is no part of its case any more, and was given all the same.
    located = [Case(c.id, {"text": Part("text")}) for c in cases]
    assert lost_kinds(located, gone)[0].count == 3
    assert lost_kinds(located, [Refusal("of another split", "video", "no such file")]) == ()


def test_fit_warns_and_goes_on_with_the_rest(tiny):
    cases = spoiled(two(tiny, 60, 1), "video", "no clip at all")
    with pytest.warns(
        RefusalWarning, match=r"all 60 video parts were refused; the first, of case s1-\d+: a video must"
    ):
        model = JointDetector(config(tiny, "text", "video")).fit(cases)
    assert set(model.parts_) == {"text"}


def test_nothing_is_said_where_a_part_is_left(tiny):
    cases = two(tiny, 60, 2)
    some = Cases((*spoiled(Cases(cases.items[:9]), "video", "no clip").items, *cases.items[9:]))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RefusalWarning)
        model = JointDetector(config(tiny, "text", "video")).fit(some)
        found = model.score(some[:12])
    assert len(model.refused_) == 9
    assert sum(bool(f.refused) for f in found) == 9


def test_score_warns_also_where_nothing_of_the_cases_is_left(tiny):
    model = JointDetector(config(tiny, "text", "video")).fit(two(tiny, 60, 3))
    broken = spoiled(two(tiny, 5, 4), "video", 7)
    with pytest.warns(RefusalWarning, match="all 5 video parts were refused; the first, of case s4-0000"):
        assert len(model.score(broken)) == 5
    alone = Cases(tuple(replace(c, parts={"video": c.parts["video"]}) for c in broken))
    with pytest.warns(RefusalWarning, match="all 5 video parts were refused"):
        assert len(model.score(alone).refused) == 5


def test_where_nothing_can_be_learned_the_first_reason_is_said(tiny, tmp_path):
    cases = spoiled(two(tiny, 60, 5), "video", "no clip at all")
    alone = Cases(tuple(replace(c, parts={"video": c.parts["video"]}) for c in cases))
    with pytest.raises(
        RefusedError, match=r"no modality can be learned .* all 60 video parts were refused; .* a video must"
    ):
        JointDetector(config(tiny, "text", "video")).fit(alone)
    run = Run.create(tmp_path / "run", config(tiny, "text", "video").model_dump(mode="json"))
    with pytest.raises(RefusedError):
        run.fit(alone)
    assert len(run.refusals("fit")) == 60
    with pytest.raises(DataError) as few:  # too few parts is no fault of the parts
        JointDetector(config(tiny, "text", "video")).fit(two(tiny, 9, 6))
    assert not isinstance(few.value, RefusedError)


def line(folder: Path, count: int, broken: tuple[str, ...]) -> Path:
    """A manifest of texts and tables, all of some kinds broken."""
    rng = np.random.default_rng(0)
    rows = ["id,text_file,sensor,split"]
    for i in range(count):
        text, table = folder / f"{i}.txt", folder / f"{i}.csv"
        text.write_text("" if "text" in broken else f"unit {i} passed at {i % 7} bar")
        body = "\n".join(f"{k},{v:.3f}" for k, v in enumerate(rng.normal(size=40)))
        table.write_text("time,load\nnot a number,x\n" if "sensor" in broken else f"time,load\n{body}\n")
        rows.append(f"c{i:03d},{text.name},{table.name},{'train' if i % 8 else 'test'}")
    (folder / "m.csv").write_text("\n".join(rows) + "\n")
    (folder / "p.yaml").write_text(
        "parts:\n  text: {encoder: tiny-text, detector: knn}\n  sensor: {encoder: windows, detector: knn}\n"
        "joint: {steps: 20, width: 16, levels: 4, draws: 2}\n"
    )
    return folder / "m.csv"


def call(*words: object):
    return CliRunner().invoke(app, [str(w) for w in words])


def test_the_command_line_ends_with_3_and_says_it_last(tiny, tmp_path):
    data = line(tmp_path, 80, ("sensor",))
    said = call("fit", "--data", data, "--config", tmp_path / "p.yaml", "--run", tmp_path / "run")
    assert said.exit_code == 3, said.output
    last = said.output.strip().splitlines()[-1]
    assert last.startswith("mmdmad: all 70 sensor parts were refused; the first, of case c")
    assert "not a number" in last
    again = call("fit", "--data", data, "--config", tmp_path / "p.yaml", "--run", tmp_path / "run", "--resume")
    assert (again.exit_code, again.output.strip().splitlines()[-1]) == (3, last)
    scored = call("score", tmp_path / "run", "--data", data)
    assert scored.exit_code == 3, scored.output
    assert scored.output.strip().splitlines()[-1].startswith("mmdmad: all 10 sensor parts were refused")


def test_a_fit_that_learns_nothing_ends_with_3(tiny, tmp_path, monkeypatch, capsys):
    data = line(tmp_path, 80, ("sensor", "text"))
    words = ["fit", "--data", data, "--config", tmp_path / "p.yaml", "--run", tmp_path / "run"]
    monkeypatch.setattr("sys.argv", ["mmdmad", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert stop.value.code == 3
    assert "no modality can be learned" in last
    assert "all 70 text parts were refused" in last
    assert "(0 bytes)" in last


def test_the_demo_does_not_end_well_without_a_kind(tiny, tmp_path, monkeypatch):
    from mmdmad import demo
    from mmdmad.datasets.line import inspection_line
    from mmdmad.pipeline import detector

    def write(folder: Path, **_: object) -> Path:
        folder.mkdir(parents=True)
        return line(folder, 80, ("sensor",))

    monkeypatch.setattr(inspection_line, "make_line", write)
    preset = config(tiny, "text", "sensor").model_copy(update={"false_alarm_rate": demo.RATE})
    monkeypatch.setattr(detector, "load_config", lambda _: preset)
    for _ in range(2):  # also when it goes on where it stopped
        with pytest.raises(RefusedError, match="all 70 sensor parts were refused"):
            demo.run_demo(tmp_path / "demo", write=lambda f: f.explain(), train=70, test=10, seed=0)
        assert (tmp_path / "demo" / "report.html").is_file()
        monkeypatch.setattr(inspection_line, "make_line", lambda folder, **_: folder / "m.csv")


def test_a_fault_of_the_program_ends_a_fit_and_is_no_refusal(tiny, tmp_path, monkeypatch):
    clip = tmp_path / "a.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * i, np.uint8))))
        container.mux(stream.encode())
    cases = Cases(tuple(Case(f"c{i}", {"video": Part("video", clip)}) for i in range(60)))

    def changed(file: object, mode: str = "r") -> None:
        raise AssertionError("never reached")

    monkeypatch.setattr(av, "open", changed)
    with pytest.raises(TypeError, match="container_options"):
        JointDetector(config(tiny, "video")).fit(cases)
