"""Findings along time, how their scores are spread, one of them, and two detectors beside each other."""

import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from mmdmad import Finding, Findings, compare
from mmdmad.cards import COLOURS
from mmdmad.detectors.base import make_detector
from mmdmad.errors import ConfigError, DataError, PartError, RunError
from mmdmad.findings import Contradiction, Evidence, Guarantee, PartFinding

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PATTERN = ("image", "text")


def finding(
    case_id: str,
    p_value: float = 0.5,
    score: float = 1.0,
    *,
    time: datetime | None = None,
    verdict: str | None = None,
    pattern: tuple[str, ...] = PATTERN,
) -> Finding:
    parts = tuple(
        PartFinding(modality=m, score=2.0, p_value=p_value, share=score / len(pattern), encoder="e", detector="d")
        for m in pattern
    )
    clash = Contradiction(part=pattern[0], given=pattern[1:], score=0.5, p_value=0.3, share=-0.2)
    return Finding(
        case_id=case_id, time=time, score=score, p_value=p_value, parts=parts, contradictions=(clash,),
        verdict=verdict or ("anomalous" if p_value <= 0.05 else "normal"),
        guarantee=Guarantee(rate=0.05, size=99, interval=(0, 0.1), pattern=pattern),
    )  # fmt: skip


def points(figure, verdict: str) -> np.ndarray:
    """Where a timeline has marks in the colour of a verdict, (n, 2)."""
    found = [c for c in figure.axes[0].collections if to_hex(c.get_facecolor()[0]) == COLOURS[verdict]]
    return np.concatenate([np.asarray(c.get_offsets()) for c in found]) if found else np.empty((0, 2))


def test_a_timeline_marks_what_is_flagged_when_it_was() -> None:
    items = [finding(f"c{i}", 0.01 if i == 2 else 0.2 + i / 10, time=NOON + timedelta(hours=i)) for i in range(5)]
    shown = Findings([*items[3:], *items[:3]]).plot("timeline")
    assert points(shown, "anomalous")[:, 1].tolist() == [0.01]
    assert points(shown, "normal")[:, 1] == pytest.approx([0.2, 0.3, 0.5, 0.6])
    hours = (points(shown, "normal")[:, 0] - NOON.timestamp() / 86_400) * 24
    assert np.allclose(hours, [0, 1, 3, 4])
    axes = shown.axes[0]
    assert axes.yaxis_inverted()
    assert axes.get_title(loc="left") == "1 of 5 cases flagged"
    assert [text.get_text() for text in axes.texts] == ["1", "1 c2"]
    assert repr(Findings(items)) == "Findings(5 cases, 1 flagged, 0 refused)"
    assert [line.get_ydata()[0] for line in axes.lines] == [0.05]
    assert shown._repr_png_().startswith(b"\x89PNG")


def test_without_times_for_all_a_timeline_counts_cases_in_their_order() -> None:
    items = [finding("a", 0.5, time=NOON), finding("b", 0.01, 9.0), finding("c", 0.9, verdict="no verdict")]
    shown = Findings(items).plot(of="score")
    assert points(shown, "anomalous").tolist() == [[2.0, 9.0]]
    assert points(shown, "no verdict").tolist() == [[3.0, 1.0]]
    assert shown.axes[0].get_xlabel() == "case, in the order given"
    assert not shown.axes[0].lines  # a rate is a limit of p-values, not of scores


def test_a_histogram_stands_below_that_of_the_calibration_cases_of_its_pattern() -> None:
    items = [finding("a", 0.01, 9.0), *(finding(f"n{i}", 0.5, i / 4) for i in range(8))]
    items += [finding("t", 0.5, 3.0, pattern=("text",))]
    normal = {PATTERN: np.linspace(0, 2, 40), ("text",): np.array([1.0, 2.0, 3.0])}
    shown = Findings(items, calibration=lambda: normal).plot("histogram")
    above, below, second, _ = shown.axes
    assert sum(bar.get_height() for bar in above.patches) == 40
    assert sum(bar.get_height() for bar in second.patches) == 3
    counts = {to_hex(bar.get_facecolor()): 0.0 for bar in below.patches}
    for bar in below.patches:
        counts[to_hex(bar.get_facecolor())] += bar.get_height()
    assert counts == {COLOURS["anomalous"]: 1.0, COLOURS["normal"]: 8.0}
    assert [text.get_text() for text in below.get_legend().get_texts()] == ["anomalous", "normal"]
    assert above.get_title(loc="left") == "9 cases with image and text; 40 calibration cases"
    high = max(bar.get_x() + bar.get_width() for bar in below.patches if bar.get_height())
    assert high == pytest.approx(9.0)
    alone = Findings(items).plot("histogram")
    assert alone.axes[0].get_title(loc="left").endswith("0 calibration cases at hand")


def test_patterns_that_a_histogram_has_no_room_for_are_counted() -> None:
    names = (("image",), ("text",), ("sensor",), ("video",))
    items = [finding(f"{m}{i}", pattern=m) for m in names for i in range(3 - (m == ("video",)))]
    shown = Findings(items).plot("histogram")
    assert len(shown.axes) == 6
    assert shown._supxlabel.get_text() == "2 cases with other parts are not shown"


def test_one_case_shows_what_its_score_consists_of(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20), (255, 0, 0)).save(tmp_path / "a.png")
    evidence = (Evidence(id="E1", kind="part", part="image", caption="x", artifact="a.png"),)
    one = finding("a", 0.01, 9.0).model_copy(update={"evidence": evidence}).located(tmp_path)
    bars, picture = one.plot().axes
    assert [bar.get_width() for bar in bars.patches] == [4.5, 4.5, -0.2]
    assert [text.get_text() for text in bars.texts] == ["p = 0.01", "p = 0.01", "p = 0.3"]
    assert np.asarray(picture.images[0].get_array()).shape[:2] == (20, 40)
    assert "a: anomalous, p = 0.01, joint score 9" in bars.get_title(loc="left")
    with pytest.raises(DataError, match="no judged part to plot"):
        one.model_copy(update={"parts": (), "contradictions": ()}).located(None).plot()


def test_names_of_cases_are_no_formulas() -> None:
    odd = r"$\frac{$ x$ \undefined$"
    items = [finding(odd, 0.01), finding("\x1b[31mb", 0.02)]
    for figure in (Findings(items).plot(), items[0].plot(), compare(Findings(items), Findings(items)).plot()):
        assert figure._repr_png_()
    assert Findings(items).plot().axes[0].texts[-1].get_text() == f"1 {odd}\n2 \\u001b[31mb"
    many = Findings([finding(f"c{i}", 0.01) for i in range(8)]).plot().axes[0].texts
    assert [text.get_text() for text in many[:-1]] == ["1", "2", "3", "4", "5"]
    assert many[-1].get_text().splitlines()[-1] == "and 3 more"


def test_what_cannot_be_plotted_is_refused() -> None:
    with pytest.raises(DataError, match="no finding to plot"):
        Findings([]).plot()
    with pytest.raises(DataError, match="no finding has a part that was judged"):
        Findings([finding("a").model_copy(update={"parts": ()})]).plot("histogram")
    with pytest.raises(ConfigError, match="kind='pie' was given; allowed are timeline, histogram"):
        Findings([finding("a")]).plot("pie")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no finding is of a case 'x'; there are 1, such as a"):
        Findings([finding("a")]).of("x")
    assert Findings([finding("a"), finding("b")]).of("b").case_id == "b"


def test_a_card_draws_its_picture_where_none_is_stored(tmp_path: Path) -> None:
    drawn = []

    def draw():
        drawn.append(1)
        return {"image": Image.new("RGB", (9, 9))}

    one = finding("a", verdict="no verdict").located(None, draw)
    assert one._repr_html_().count("data:image/jpeg") == 1
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png")
    evidence = (Evidence(id="E1", kind="part", part="image", caption="x", artifact="a.png"),)
    stored = one.model_copy(update={"evidence": evidence}).located(tmp_path, draw)
    assert stored._repr_html_().count("data:image/jpeg") == 1
    assert len(drawn) == 1
    assert "data:image" not in Findings([one])._repr_html_()  # a table of many draws nothing

    def fail():
        raise RunError("the files of case <a> were changed since")

    assert "no picture: the files of case &lt;a&gt; were changed since" in one.located(None, fail)._repr_html_()

    def gone():
        raise PartError("no such file", part="image")

    assert "no picture: image: no such file" in one.located(None, gone)._repr_html_()


def test_findings_travel_to_other_processes_without_their_model() -> None:
    one = finding("a").located(Path("run"), lambda: {})
    there = pickle.loads(pickle.dumps(Findings([one], calibration=lambda: {})))
    assert list(there) == [one]
    assert (there[0].folder, there[0].drawing, there.calibration) == (None, None, None)


def test_a_card_says_what_its_p_values_rank_among_and_why_there_is_no_verdict() -> None:
    one = finding("a")
    assert "99 calibration cases)" in one._repr_html_()
    note = {"unit": "recording", "units": 7, "valid": False, "note": "only <7> recordings"}
    few = one.model_copy(update={"guarantee": one.guarantee.model_copy(update=note)})
    assert "99 calibration cases of 7 recordings; no guarantee: only &lt;7&gt; recordings)" in few._repr_html_()


def test_a_table_of_findings_has_the_parts_that_occur_and_times() -> None:
    items = [finding("a", 0.01, 9.0, time=NOON), finding("b", 0.5, time=NOON + timedelta(hours=1), pattern=("text",))]
    frame = Findings(items).to_dataframe()
    assert frame["case_id"].tolist() == ["a", "b"]
    assert frame["time"].iloc[1] == pd.Timestamp("2026-05-01 13:00", tz="UTC")
    assert [c for c in frame if c.endswith("_p_value")] == [
        "image_p_value", "text_p_value", "contradiction_p_value", "recording_p_value", "whole_recording_p_value",
    ]  # fmt: skip
    assert np.isnan(frame["image_p_value"].iloc[1])
    assert frame["text_score"].tolist() == [2.0, 2.0]
    assert len(Findings([]).to_dataframe()) == 0


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".html"])
def test_findings_are_saved_most_anomalous_first(tmp_path: Path, suffix: str) -> None:
    items = [finding("n", 0.5), finding("a", 0.01, 9.0), finding("u", 0.5, verdict="no verdict")]
    path = Findings(items).save(tmp_path / f"t{suffix}")
    if suffix == ".html":
        page = path.read_text(encoding="utf-8")
        assert page.startswith("<!doctype html>")
        assert "1 of 3 cases flagged</b>, 1 without a verdict" in page
        assert page.count("border-left:4px") == 2  # cards: flagged, and without verdict
        assert page.index(">a<") < page.index(">n<")
        return
    table = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".jsonl": lambda p: pd.read_json(p, lines=True)}[suffix](
        path
    )
    assert table["case_id"].tolist()[0] == "a"
    assert len(table) == 3


def test_other_suffixes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"t\.xlsx: findings are saved as \.parquet, \.csv, \.jsonl, \.html"):
        Findings([finding("a")]).save(tmp_path / "t.xlsx")
    assert not list(tmp_path.iterdir())


def test_two_findings_of_the_same_cases_are_compared_in_the_order_in_which_they_are_told() -> None:
    first = Findings([finding("a", 0.01, 9.0), finding("b", 0.02, 8.0), finding("c", 0.9), finding("only", 0.5)])
    second = Findings([finding("c", 0.01, 5.0), finding("b", 0.03, 1.0), finding("a", 0.4, 2.0), finding("d", 0.1)])
    found = compare(first, second, names=("one", "two"))
    assert found.ids == ("a", "b", "c")
    assert found.left_out == ("d", "only")
    assert found.ranks.tolist() == [[1, 3], [2, 2], [3, 1]]
    assert found.scores.tolist() == [[9.0, 2.0], [8.0, 1.0], [1.0, 5.0]]
    a = found.agreement
    assert (a.both, a.first_only, a.second_only, a.neither, a.kendall) == (1, 1, 1, 0, pytest.approx(-1))
    assert found.differing()["case_id"].tolist() == ["a", "c"]
    assert found.to_dataframe()["apart"].tolist() == [2, 0, 2]
    assert [text.get_text() for text in found.plot().axes[0].texts][-1] == "1 a\n2 c"
    assert repr(found).startswith("Comparison('one', 'two', 3 cases, Agreement(both=1")
    html = found._repr_html_()
    assert "one and two on 3 cases" in html
    assert "2 judged by one of them alone are left out" in html
    labels = [text.get_text() for text in found.plot().axes[0].get_legend().get_texts()]
    assert labels == ["both flag: 1", "one alone: 1", "two alone: 1"]


def test_two_detectors_are_compared_on_rows() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    new = pd.DataFrame(np.vstack([rng.normal(size=(19, 2)), [[9.0, 9.0]]]), columns=["u", "v"])
    new.index = [f"row {i}" for i in range(20)]
    X = pd.DataFrame(X, columns=["u", "v"])
    knn, gaussian = make_detector("knn").fit(X), make_detector("gaussian-diffusion").fit(X)
    found = compare(knn, gaussian, new, names=("knn", "gaussian"))
    assert found.ids[-1] == "row 19"
    assert found.ranks[-1].tolist() == [1, 1]
    assert found.flagged[-1].all()
    assert found.agreement.kendall > 0.5
    assert np.array_equal(found.scores[:, 1], gaussian.decision_function(new))
    assert compare(knn, knn, new, names=("a", "b")).agreement.kendall == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((Findings([finding("a")]), Findings([finding("b")])), "no case was judged by both .'a' by the first, 'b'"),
        ((make_detector("knn"), make_detector("knn")), "what they are compared on"),
        ((make_detector("knn"), object(), [[1.0]]), "KNN and object were given"),
    ],
)
def test_what_cannot_be_compared_is_refused(given: tuple, said: str) -> None:
    with pytest.raises(DataError, match=said):
        compare(*given)
    with pytest.raises(DataError, match="both detectors are called 'x'"):
        compare(*given, names=("x", "x"))
