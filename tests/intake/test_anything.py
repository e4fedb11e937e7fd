"""A list of whatever there is becomes cases; what could be of several kinds is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mmdmad.cases import Case, Cases, Part
from mmdmad.errors import DataError
from mmdmad.intake import cases_of
from mmdmad.parts import Text, Video

PIXELS = np.zeros((4, 4, 3), np.uint8)


def test_values_whose_type_says_what_they_are() -> None:
    given = [pd.DataFrame({"flow": [1.0]}), Image.fromarray(PIXELS), Text("a"), Video.from_array(PIXELS[None], 5)]
    assert [(case.id, case.pattern) for case in cases_of(given)] == [
        ("0", ("sensor",)),
        ("1", ("image",)),
        ("2", ("text",)),
        ("3", ("video",)),
    ]
    (case,) = cases_of(pd.DataFrame({"flow": [1.0]}))
    assert case.pattern == ("sensor",)
    (both,) = cases_of({"image": PIXELS, "text": "belt started", "video": None})
    assert both.pattern == ("image", "text")


def test_cases_stay_as_they_are() -> None:
    case = Case("a", {"text": Part("text", value="x")})
    cases = Cases((case,), extra={"simulated": True})
    assert cases_of(cases) is cases
    assert cases_of(case).items == (case,)
    assert cases_of(c for c in [case]).items == (case,)
    assert cases_of([cases, Case("b", case.parts)]).extra["simulated"] is True
    assert len(cases_of([])) == 0


def test_files_folders_and_manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("train/1.png", "test/2.png"):
        Path(name).parent.mkdir()
        Image.fromarray(PIXELS).save(name)
    assert [c.split for c in cases_of(".")] == ["test", "train"]
    Path("m.csv").write_text("id,text\nm,x\n")
    Path("test/2.txt").write_text("beside")
    mixed = cases_of(["m.csv", "test/2.png", Path("test/2.txt"), "train/*.png"])
    assert [(c.id, c.split, c.pattern) for c in mixed] == [
        ("m", None, ("text",)),
        ("test/2", "test", ("image", "text")),
        ("train/1", "train", ("image",)),
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([PIXELS], r"ndarray of shape \(4, 4, 3\); give cases"),
        (PIXELS, r"ndarray of shape \(4, 4, 3\); give cases"),
        (["belt started"], "no file, folder or glob; texts in memory"),
        ([3], "of the type int"),
        (None, "of the type NoneType"),
        ([{"picture": PIXELS}], "picture is no part; parts are image, text"),
        ([{}], "nothing is no part"),
        ([Case("0", {}), Text("a"), Cases((Case("0", {}),))], "two cases are called '0'"),
    ],
)
def test_what_could_be_several_things_is_refused(given: object, said: str) -> None:
    with pytest.raises(DataError, match=said):
        cases_of(given)


def test_a_suffix_that_nothing_has_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.exe").write_text("x")
    with pytest.raises(DataError, match="a suffix that no kind of part has"):
        cases_of([tmp_path / "a.exe"])
