"""docs/detectors.md and docs/taxonomy.svg say what the registry says, and quote only what docs/results.md has."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from mmdmad.detectors.base import About, detectors
from mmdmad.detectors.docs.page import figures, page, write_page
from mmdmad.detectors.docs.taxonomy import by_branch, svg

DOCS = Path(__file__).parents[3] / "docs"
KNOWN = detectors()
REMEDY = "run: mmdmad detectors --page docs"


@pytest.fixture(scope="module")
def committed():
    return (DOCS / "detectors.md").read_text()


@pytest.mark.parametrize("name", list(KNOWN))
def test_every_detector_says_what_it_is_and_the_page_has_it(name, committed):
    about = KNOWN[name].about
    assert about.formula
    assert about.use.endswith(".")
    assert about.avoid.endswith(".")
    section = committed.split(f"\n### {name}\n", 1)
    assert len(section) == 2, f"{name} is not on the page; {REMEDY}"
    entry = section[1].split("\n### ")[0]
    for words in (about.paper, about.formula, about.use, about.avoid, f"cost: {about.cost}"):
        assert words in entry, f"{words!r} is not on the page; {REMEDY}"


def test_the_page_quotes_the_results_as_they_are(committed):
    measured = figures((DOCS / "results.md").read_text(), list(KNOWN))
    without = [name for name, found in measured.items() if all(f.suite == "Cost" for f in found)]
    assert 0 < len(without) < len(KNOWN)
    assert f"Without an accuracy figure in this repository: {', '.join(without)}." in committed, REMEDY
    for name in KNOWN:
        entry = committed.split(f"\n### {name}\n", 1)[1].split("\n#")[0]
        quoted = entry.split("- **Measured**: ")[1].strip()
        rows = ["no accuracy figure here"] if name in without else []
        rows += [f"[{f.suite}](results.md#{f.anchor}): {f.words}" for f in measured[name]]
        assert quoted == "; ".join(rows), f"{name}: {REMEDY}"


def test_every_detector_says_how_near_to_its_paper_it_is(committed):
    for name, cls in KNOWN.items():
        about = cls.about
        assert about.fidelity in ("equal", "reduced", "idea"), f"{name}: About.fidelity is missing"
        assert about.differs.endswith("."), f"{name}: About.differs says in sentences what is other than in the paper"
        entry = committed.split(f"\n### {name}\n", 1)[1].split("\n### ")[0]
        assert f"- **Fidelity**: {about.fidelity}. {about.differs}\n" in entry, REMEDY
        row = next(line for line in committed.splitlines() if line.startswith(f"| [{name}]"))
        assert row.split(" | ")[4] == about.fidelity, REMEDY
    assert {cls.about.fidelity for cls in KNOWN.values()} == {"equal", "reduced", "idea"}


def test_a_detector_of_others_that_states_nothing_is_shown_so():
    class Plain(KNOWN["knn"]):
        about = About("plain", "density", "nobody", "instant", formula="0", use="a.", avoid="b.")

    text = page({"plain": Plain}, "")
    assert "- **Fidelity**: not stated\n" in text
    assert "| instant | not stated | no accuracy |" in text


def test_the_picture_holds_every_detector():
    for text in ((DOCS / "taxonomy.svg").read_text(), svg([cls.about for cls in KNOWN.values()])):
        root = ET.fromstring(text)
        words = {"".join(node.itertext()) for node in root.iter() if node.tag.endswith("text")}
        assert set(KNOWN) <= words, REMEDY
        width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
        assert width < 1600
        assert height < 2500


def test_names_with_markup_are_escaped():
    picture = svg([About("a<b", "density", "Li & Wu, 2020", "instant")])
    assert "a&lt;b" in picture
    assert "Li &amp; Wu" in picture
    ET.fromstring(picture)


def test_figures_are_taken_from_detector_tables_only():
    results = (
        "## one: first\n\n| detector | AUROC | AP | F1 |\n|---|---|---|---|\n"
        "| **knn** (default) | 0.9 [0.8, 1.0] | | 0.7 |\n| knn, pooled | 0.1 | | |\n"
        "\n| cases | knn |\n|---|---|\n| knn | 0.2 |\n"
        "\n## two: second\n\n| detector | AUROC |\n|---|---|\n| pca | |\n"
    )
    found = figures(results, ["knn", "pca"])
    assert [(f.suite, f.anchor, f.words) for f in found["knn"]] == [
        ("one", "one-first", "AUROC 0.9 [0.8, 1.0], F1 0.7")
    ]
    assert found["pca"] == []


def test_writing_needs_no_results(tmp_path):
    some = {name: KNOWN[name] for name in ("knn", "dte-np")}
    assert [path.name for path in write_page(tmp_path, some)] == ["detectors.md", "taxonomy.svg"]
    text = (tmp_path / "detectors.md").read_text()
    assert text == page(some, "")
    assert text.count("no accuracy figure here") == len(some)
    assert text.count("no accuracy |") == len(some)
    assert list(by_branch(cls.about for cls in some.values())) == ["density", "baseline"]
