"""A list that is not read (a spreadsheet, JSON) beside pictures stops the learning, as a CSV list does."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdmad.errors import DataError, ManifestError
from mmdmad.learning import question, to_learn
from mmdmad.manifest import read_cases

CURE = "save the list as CSV and give that as manifest"


def pictures(folder: Path, count: int = 6) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.fromarray(np.full((8, 8, 3), 30 * i, np.uint8)).save(folder / f"piece_{i}.png")


def packed(path: Path, member: str, text: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(member, text)


def listed(count: int = 6) -> str:
    return "".join(f"<si><t>img\\piece_{i}.png</t></si><si><t>n.i.O.</t></si>" for i in range(count))


def write(path: Path, names: str) -> None:
    member = {".xlsx": "xl/sharedStrings.xml", ".xlsm": "xl/sharedStrings.xml", ".ods": "content.xml"}
    if path.suffix in member:
        packed(path, member[path.suffix], f"<sst>{names}</sst>")
    elif path.suffix == ".xls":
        path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(11) + names.encode("utf-16-le"))
    else:
        path.write_text(names)


@pytest.mark.parametrize(
    "name", ["list.xlsx", "list.xlsm", "list.ods", "list.xls", "list.json", "list.xml", "sub/a.xlsx"]
)
@pytest.mark.parametrize("below", ["", "train/good"])
def test_a_list_that_is_not_read_stops_the_learning_whatever_folders_say(tmp_path: Path, name: str, below: str) -> None:
    pictures(tmp_path / below)
    (tmp_path / "sub").mkdir()
    write(tmp_path / name, listed())
    cases = read_cases(tmp_path)
    assert CURE in question(cases)
    with pytest.raises(DataError, match=f"'{name}' may list files"):
        to_learn(cases)
    assert len(to_learn(cases, normal=[below or "."]).cases) == 6


def test_a_spreadsheet_that_names_nothing_asks_only_where_nothing_else_says_what_is_normal(tmp_path: Path) -> None:
    pictures(tmp_path / "flat")
    write(tmp_path / "flat" / "results.xlsx", "<t>1</t><t>OK</t><t>NOK</t>")
    assert CURE in question(read_cases(tmp_path / "flat"))
    pictures(tmp_path / "told" / "good")
    write(tmp_path / "told" / "costs.xlsx", "<t>1</t><t>OK</t><t>NOK</t>")
    assert question(read_cases(tmp_path / "told")) == ""
    pictures(tmp_path / "other")
    write(tmp_path / "other" / "settings.json", '{"exposure": 7}')
    assert question(read_cases(tmp_path / "other")) == ""


def test_notes_of_one_picture_each_are_a_list_together(tmp_path: Path) -> None:
    pictures(tmp_path)
    for i in range(6):
        (tmp_path / f"piece_{i}.xml").write_text(f"<annotation><filename>piece_{i}.png</filename></annotation>")
    assert CURE in question(read_cases(tmp_path))


def test_an_archive_is_read_no_further_than_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmdmad.folder_sheets.MOST", 1000)
    pictures(tmp_path / "good")
    write(tmp_path / "large.xlsx", " " * 2000 + listed())
    assert question(read_cases(tmp_path)) == ""


def test_a_folder_of_spreadsheets_alone_says_to_save_them_as_csv(tmp_path: Path) -> None:
    write(tmp_path / "pump.xlsx", "<t>x</t>")
    with pytest.raises(ManifestError, match=r"save its sheets \(pump.xlsx\) as CSV"):
        read_cases(tmp_path)
