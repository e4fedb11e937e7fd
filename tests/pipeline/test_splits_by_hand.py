"""Where the cuts between fit, reference and calibration fall, and from when on there are too few parts."""

from types import SimpleNamespace

import numpy as np
import pytest

from mmdmad.calibration.fusion import TAIL_FEWEST
from mmdmad.cases import Case, Part
from mmdmad.pipeline import splits as module
from mmdmad.pipeline import units as units_module
from mmdmad.pipeline.config import PipelineConfig, Shares
from mmdmad.pipeline.splits import Split, is_too_few, split, too_few
from mmdmad.pipeline.stages import fingerprint, stage, workspace


def placed(monkeypatch, contents: str, shares: Shares | None = None, **uniform: float) -> tuple[str, str, str]:
    """The contents of the three parts, where contents are letters whose hash is their place in the alphabet."""
    monkeypatch.setattr(units_module, "case_key", lambda case: case.parts["text"].value.strip("_"))
    monkeypatch.setattr(module, "case_uniform", lambda key, what, seed: uniform.get(key, ord(key[0]) / 1000))
    cases = [Case(f"c{i:03d}", {"text": Part("text", value=letter)}) for i, letter in enumerate(contents)]
    rows = split(cases, shares or Shares(), 0)
    word = "".join(case.parts["text"].value for case in rows.cases)
    assert rows.keys == tuple(word)
    assert list(rows.held_out) == [*rows.reference, *rows.calibration]
    return tuple("".join(word[i] for i in part) for part in (rows.fit, rows.reference, rows.calibration))


def test_cuts_lie_where_the_shares_say(monkeypatch):
    assert placed(monkeypatch, "jihgfedcba") == ("abcde", "fg", "hij")
    assert placed(monkeypatch, "abcdefghijk") == ("abcdef", "gh", "ijk")  # 5.5 rounds to 6
    shares = Shares(fit=0.2, reference=0.4, calibration=0.4)
    assert placed(monkeypatch, "abcdefghij", shares) == ("ab", "cdef", "ghij")
    assert placed(monkeypatch, "abcdefghij", b=0.9) == ("acdef", "gh", "ijb")


def test_copies_stay_together_and_of_two_near_edges_the_later_is_taken(monkeypatch):
    assert placed(monkeypatch, "aaabbbcccddd", Shares(fit=0.4, reference=0.3, calibration=0.3)) == (
        "aaabbb", "ccc", "ddd",
    )  # fmt: skip
    # a cut at 5 of 10 lies between 4 and 6
    assert placed(monkeypatch, "aabbccddee") == ("aabbcc", "dd", "ee")
    assert placed(monkeypatch, "abc") == ("a", "b", "c")
    assert placed(monkeypatch, "ab") == ("a", "", "b")
    assert placed(monkeypatch, "a") == ("", "", "a")
    assert placed(monkeypatch, "") == ("", "", "")


def test_a_content_of_more_than_half_of_the_smallest_share_goes_to_fit(monkeypatch):
    # ten cases: the smallest share is two, half of it one; a content that stands there once is no such
    assert placed(monkeypatch, "abcdefghij")[0][0] == "a"
    assert placed(monkeypatch, "abcdefghzz")[0][:2] == "zz"
    # forty cases: half of the smallest share is four copies
    rest = "".join(chr(0x100 + i) for i in range(36))
    assert placed(monkeypatch, rest + "\u0400" * 4)[2].endswith("\u0400" * 4)
    assert placed(monkeypatch, rest[:-1] + "\u0400" * 5)[0].startswith("\u0400" * 5)


def test_cases_that_cannot_be_read_go_by_their_id(monkeypatch):
    monkeypatch.setattr(units_module, "case_key", lambda case: "")
    seen = []
    monkeypatch.setattr(module, "case_uniform", lambda key, what, seed: seen.append((key, what, seed)) or 0.0)
    rows = split([Case("b", {}), Case("a", {}), Case("c", {})], Shares(), 5)
    assert rows.keys == ("unreadable a", "unreadable b", "unreadable c")
    assert set(seen) == {(key, "split", 5) for key in rows.keys}


def rows_of(fit: int, reference: int, calibration: int, same: bool = False, other: int = 0) -> Split:
    total = fit + reference + calibration
    cases = tuple(Case(f"c{i}", {"text": Part("text", value="x")}) for i in range(total))
    cases += tuple(Case(f"o{i}", {"image": Part("image", value="x")}) for i in range(other))
    keys = tuple("same" if same else str(i) for i in range(len(cases)))
    return Split(cases, keys, range(fit), range(fit, fit + reference), range(fit + reference, len(cases)))


def test_each_split_needs_enough_parts():
    few = TAIL_FEWEST + 2
    assert too_few(rows_of(few, few, few), "text", few) == ""
    for sizes, name in (
        ((few - 1, few, few), "fit"),
        ((few, few - 1, few), "reference"),
        ((few, few, few - 1), "calibration"),
    ):
        told = too_few(rows_of(*sizes), "text", few)
        assert told == f"only {few - 1} usable text parts in the {name} split; {few} are needed to learn text"
        assert is_too_few(told)
    least = TAIL_FEWEST
    assert too_few(rows_of(least, least, least), "text", 2) == ""
    assert f"; {least} are needed" in too_few(rows_of(least, least, least - 1), "text", 2)
    assert "only 0 usable image parts in the fit split" in too_few(rows_of(few, few, few), "image", few)
    known = np.arange(3 * few) != few  # of the reference parts one cannot be read
    assert "in the reference split" in too_few(rows_of(few, few, few), "text", few, known)
    assert too_few(rows_of(few, few, few), "text", few - 1, known) == ""


def test_copies_are_told_where_there_are_some():
    told = too_few(rows_of(9, 0, 0, same=True), "text", 8)
    assert told.endswith("are needed to learn text (copies stay in one split, and 1 different contents were given)")
    assert "copies" not in too_few(rows_of(9, 0, 0), "text", 8)
    assert "copies" not in too_few(rows_of(1, 0, 0, same=True, other=4), "text", 8)
    assert is_too_few(told)
    for reason in ("only blanks", "8 are needed to learn text", "it is only 3; more are needed to learn"):
        assert not is_too_few(reason)


def test_a_stage_is_there_whole_or_not_at_all(tmp_path):
    made = []

    def make(out):
        made.append(out)
        assert list(out.iterdir()) == []
        (out / "a").write_text(str(len(made)))
        if len(made) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path / "one", make)
    assert not (tmp_path / "one").exists()
    assert stage(tmp_path / "one", make) == tmp_path / "one"
    assert stage(tmp_path / "one", make) == tmp_path / "one"
    assert (tmp_path / "one" / "a").read_text() == "2"
    assert made == [tmp_path / "one.part"] * 2
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_a_workspace_is_kept_where_it_is_named(tmp_path):
    with workspace(str(tmp_path / "deep" / "work")) as folder:
        assert folder == tmp_path / "deep" / "work"
        assert folder.is_dir()
    assert folder.is_dir()
    with workspace(None) as folder:
        assert folder.is_dir()
        assert folder.name.startswith("mmdmad-fit-")
    assert not folder.exists()


def test_what_decides_a_fit_is_in_its_fingerprint():
    config = PipelineConfig()
    case = lambda **more: SimpleNamespace(**{"id": "a", "group": "g", **more})  # noqa: E731
    one = lambda case, key="k", config=config: fingerprint(config, SimpleNamespace(cases=(case,), keys=(key,)))  # noqa: E731
    first = one(case())
    assert first == one(case(label=1, row=3))
    assert len(first) == 64
    others = {
        one(case(id="b")), one(case(group="h")), one(case(group=None)), one(case(), "l"),
        one(case(), config=config.model_copy(update={"seed": 1})),
        fingerprint(config, SimpleNamespace(cases=(case(), case()), keys=("k", "k"))),
    }  # fmt: skip
    assert len(others | {first}) == 7
