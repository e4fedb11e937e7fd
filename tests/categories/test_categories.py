"""Categories: their files, the grammar that writes them, what an audit finds, versions."""

import numpy as np
import pytest

from mmdmad.categories import Category, Wording, audit, difference, load, names, parse, prune, save, write
from mmdmad.categories.grammar import defects, kinds
from mmdmad.errors import ConfigError

WORDS = {
    "noun": "bolt",
    "normal": ["a clean {}", "a new {}"],
    "anomalous": {"rust": ["a rusty {}"], "bent": ["a bent {}"]},
}


def category(**words) -> Category:
    return Category(name="bolt of ours", modality="image", cannot_have=[], en=Wording(**{**WORDS, **words}))


def reasons(found) -> set[tuple[str, str]]:
    return {(fault.state, fault.reason) for fault in found.faults if fault.reason != "not covered"}


@pytest.mark.parametrize("name", names())
def test_what_ships_has_both_languages_and_passes_its_own_audit(name):
    one = load(name)
    assert one.name == name
    assert one.languages == ("en", "de")
    assert [*one.words("en").anomalous] == [*one.words("de").anomalous]
    assert not audit(one, "en").faults
    assert not audit(one, "de").faults
    assert parse(_text(one), name) == one


def _text(one):
    import yaml

    return yaml.safe_dump(one.model_dump(mode="json", exclude_none=True), allow_unicode=True)


def test_there_are_categories_of_every_modality():
    found = [load(name).modality for name in names()]
    assert len(found) >= 25
    assert set(found) == {"image", "sensor", "text", "video"}


def test_a_category_is_written_and_read_again(tmp_path):
    one = write("copper pipe", nouns={"en": "copper pipe", "de": "Kupferrohr"})
    save(one, tmp_path / "pipe.yaml")
    assert load(tmp_path / "pipe.yaml") == one
    assert one.fingerprint() == load(tmp_path / "pipe.yaml").fingerprint()
    assert one.model_copy(update={"version": 7, "author": "me"}).fingerprint() == one.fingerprint()
    assert write("copper wire").fingerprint() != write("copper pipe").fingerprint()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nmodality: image\n", "words in en or de"),
        ("name: x\nmodality: smell\nen: {noun: x, normal: ['a {}'], anomalous: {r: ['r {}']}}", "modality"),
        ("name: x\nmodality: image\nen: {noun: x, normal: ['a thing'], anomalous: {r: ['r {}']}}", "0 places"),
        ("name: x\nmodality: image\nen: {noun: x, normal: ['{} {}'], anomalous: {r: ['r {}']}}", "2 places"),
        ("name: x\nmodality: image\nen: {noun: x, normal: ['a {}'], anomalous: {normal: ['r {}']}}", "normal state"),
        ("name: x\nmodality: image\nen: {noun: x, normal: ['a {}'], anomalous: {}}", "anomalous"),
        ("name: x\nmodality: image\nmore: 1\nen: {noun: x, normal: ['a {}'], anomalous: {r: ['r {}']}}", "more"),
        ("a: &a [x]\nb: *a", "alias"),
        ("- x", "dictionary"),
    ],
)
def test_a_wrong_file_is_refused_with_its_fault(tmp_path, text, said):
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load(file)


def test_an_unknown_category_is_told_how_to_be_written():
    with pytest.raises(ConfigError, match='mmdmad prompts write "space ship"'):
        load("space ship")
    with pytest.raises(ConfigError, match="is no file"):
        load("nowhere.yaml")


def test_what_goes_wrong_follows_from_what_a_thing_is():
    assert kinds("stainless steel sheets", "image") == ("metal",)
    assert kinds("Glasflasche", "image") == ("glass",)
    assert kinds("ear", "image") == ()  # no gear
    made = write("oak board of wood").words()
    assert "rot" in made.anomalous
    assert "rust" not in made.anomalous
    assert "a photo of an oak board of wood with a wormholes." not in made.prompts()
    assert "a photo of a flawless oak board of wood." in made.prompts()["normal"]
    assert "a photo of an oak board of wood with a knot hole." in made.prompts()["knot hole"]
    assert set(defects("room", "sensor")) > {"too warm", "spike"}
    with pytest.raises(ConfigError, match="cannot be the name"):
        write("§§")


def test_an_audit_finds_planted_faults():
    assert reasons(audit(category())) == set()
    same = category(normal=["a clean {}", "a new {}", "A clean, {}!"])
    assert reasons(audit(same)) == {("normal", "duplicate")}
    assert reasons(audit(category(normal=["a clean {}", "a {} without rust"]))) == {("normal", "negation")}
    assert reasons(audit(category(normal=["a clean {}", "a rust-free {}"]))) == {("normal", "negation")}
    crossed = category(anomalous={"rust": ["a rusty {}"], "bent": ["a new {}"]})
    assert reasons(audit(crossed)) == {("bent", "crossed"), ("bent", "nothing said")}
    assert ("rust", "other category") in reasons(audit(category(anomalous={"rust": ["a {} on a solar cell"]})))
    many = [f"a {{}} with {n} holes" for n in ("two", "three", "four", "five")]
    assert reasons(audit(category(anomalous={"holes": many, "bent": ["a bent {}"]}))) == {("holes", "unbalanced")}
    assert reasons(audit(category(normal=["a clean {}"]))) == {("normal", "unbalanced")}


def test_defects_of_its_kind_that_nobody_wrote_are_named_unless_it_cannot_have_them():
    lacking = [f.state for f in audit(category()).faults if f.reason == "not covered"]
    assert "pitting" in lacking
    assert "rust" not in lacking
    one = category().model_copy(update={"cannot_have": ("pitting",)})
    assert "pitting" not in [f.state for f in audit(one).faults]


AXES = {"clean": 0, "new": 0, "rusty": 1, "bent": 2}


def embed(texts):
    """Texts as axes of the words they hold."""
    found = np.zeros((len(texts), 4))
    for row, text in zip(found, texts, strict=True):
        row[[axis for word, axis in AXES.items() if word in text]] = 1
        row[3] += 0.2
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_pictures_tell_which_prompts_are_weak():
    normal, rusty = embed(["clean"] * 6), embed(["rusty"] * 4)
    found = audit(category(), embed=embed, normal=normal, anomalous=rusty)
    assert found.separation is not None
    assert found.separation["rust"] == found.separation["normal"] == 1.0
    assert ("bent", "weak") not in reasons(found)  # as far from both
    swapped = audit(category(), embed=embed, normal=rusty, anomalous=normal)
    assert swapped.separation is not None
    assert swapped.separation["rust"] == 0.0
    assert ("rust", "weak") in reasons(swapped)
    alone = audit(category(), embed=embed, normal=rusty)
    assert alone.separation is not None
    assert alone.separation["rust"] == alone.separation["normal"] == 0.0
    assert ("rust", "weak") in reasons(alone)
    assert audit(category(), embed=embed).separation is None


def test_meaning_finds_duplicates_that_letters_do_not():
    assert ("normal", "duplicate") in reasons(audit(category(), embed=embed))  # clean and new are one axis
    assert ("normal", "duplicate") not in reasons(audit(category()))


def test_pruning_leaves_out_what_is_bad_and_counts_the_version_up():
    one = category(
        normal=["a clean {}", "a new {}", "a {} without rust"], anomalous={"rust": ["a new {}"], "bent": ["a bent {}"]}
    )
    left = prune(one, audit(one).faults)
    assert left.version == 2
    assert left.words().normal == ("a clean {}", "a new {}")
    assert [*left.words().anomalous] == ["bent"]
    assert {(c.kind, c.state, c.phrase) for c in difference(one, left)} == {
        ("removed", "normal", "a {} without rust"), ("removed", "rust", "a new {}"),
    }  # fmt: skip
    assert {c.kind for c in difference(left, one)} == {"added"}
    assert prune(category(), ()) == category()
    nothing = category(normal=["a {} without rust"], anomalous={"rust": ["a {}"]})
    kept = prune(nothing, audit(nothing).faults)
    assert kept.words().normal == ("a {} without rust",)
    assert [*kept.words().anomalous] == ["rust"]
