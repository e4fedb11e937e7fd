"""Manifests whose columns have other names: taken where nothing else can be meant, told, and refused otherwise."""

from pathlib import Path

import pytest

from mmdmad.cases import Cases
from mmdmad.errors import ManifestError
from mmdmad.manifest import read_cases
from mmdmad.recordings import is_manifest, kind_of


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    for kind, suffix in (("bilder", "png"), ("werte", "csv")):
        (tmp_path / kind).mkdir()
        for i in range(4):
            (tmp_path / kind / f"t{i} ß.{suffix}").write_text("x")
    return tmp_path


def read(folder: Path, header: str, rows: list[str], name: str = "liste.csv", encoding: str = "utf-8") -> Cases:
    (folder / name).write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return read_cases(folder / name)


def test_a_german_list_with_backslashes_is_read(plant: Path) -> None:
    rows = [f"T{i};bilder\\t{i} ß.png;werte\\t{i} ß.csv;Naht {i};{'i.O.' if i else 'n.i.O.'}" for i in range(4)]
    made = read(plant, "Teil;Bild;Messung;Bemerkung;Ergebnis", rows, encoding="cp1252")
    assert [case.id for case in made] == ["T0", "T1", "T2", "T3"]
    assert set(made[0].parts) == {"image", "sensor", "text"}
    assert [case.label for case in made] == [1, 0, 0, 0]
    said = " | ".join(made.extra["notes"])
    for told in ("'Bild' is read as 'image'", "'Teil' is read as 'id'", "8 files were found by paths with backslashes"):
        assert told in said
    assert is_manifest(plant / "liste.csv")


def test_a_list_of_files_and_labels_needs_no_ids(plant: Path) -> None:
    made = read(plant, "image_path,class", [f"bilder/t{i} ß.png,{('ok', 'ng')[i % 2]}" for i in range(4)])
    assert [case.id for case in made] == [f"bilder/t{i} ß.png" for i in range(4)]
    assert [case.label for case in made] == [0, 1, 0, 1]
    assert "no column holds ids: the names in column 'image_path' are the ids" in made.extra["notes"]
    made = read(plant, "Datei\tsubset", [f"werte/t{i} ß.csv\tTraining" for i in range(4)], "liste.txt", "utf-16")
    assert {tuple(case.parts) for case in made} == {("sensor",)}
    assert {case.split for case in made} == {"train"}
    assert is_manifest(plant / "liste.txt")


def test_upper_case_alone_is_another_spelling(plant: Path) -> None:
    made = read(plant, "ID,Image,Label", [f"a{i},bilder/t{i} ß.png,0" for i in range(4)])
    assert (made[0].id, made[0].label, set(made[0].parts)) == ("a0", 0, {"image"})
    assert "column 'Image' is read as 'image'" in made.extra["notes"]


@pytest.mark.parametrize(
    ("header", "row", "says"),
    [
        ("Teil;Bild;Foto", "T{0};bilder/t{0} ß.png;bilder/t{0} ß.png", "'Bild', 'Foto' may be meant; call one"),
        ("Teil;Nummer;Bild", "T{0};{0};bilder/t{0} ß.png", "'Nummer', 'Teil' may be meant; call one 'id'"),
        ("Schicht;Anlage", "{0};Presse {0}", "has no column 'id'"),
        ("Teil;Bild", "T;bilder/t{0} ß.png", None),
    ],
)
def test_what_may_be_meant_twice_is_a_question(plant: Path, header: str, row: str, says: str | None) -> None:
    rows = [row.format(i) for i in range(4)]
    if says is None:  # a name that is the same in every row is no id; the files are
        assert [case.id for case in read(plant, header, rows)] == [f"bilder/t{i} ß.png" for i in range(4)]
        return
    with pytest.raises(ManifestError, match=says):
        read(plant, header, rows)


def test_well_formed_manifests_keep_their_own_columns(plant: Path) -> None:
    made = read(plant, "id,image,comment,Nr", [f"a{i},bilder/t{i} ß.png,fine,{i}" for i in range(4)])
    assert set(made[0].parts) == {"image"}
    assert made.extra["columns"]["a1"] == {"comment": "fine", "Nr": "1"}


def test_recordings_are_no_lists(plant: Path) -> None:
    (plant / "pump.csv").write_text("time,signal\n" + "".join(f"{i},{i % 7}\n" for i in range(20)))
    (plant / "log.csv").write_text("time,message\n" + "".join(f"{i},started\n" for i in range(20)))
    (plant / "app.txt").write_text("".join(f"2026-05-01 10:00:{i:02d} file image ok\n" for i in range(20)))
    for name in ("pump.csv", "log.csv", "app.txt"):
        assert not is_manifest(plant / name)
    assert (kind_of(plant / "pump.csv"), kind_of(plant / "app.txt")) == ("sensor", "text")
    (plant / "pump.txt").write_text((plant / "pump.csv").read_text())
    assert kind_of(plant / "pump.txt") == "sensor"
    assert kind_of(plant / "gone.dat") is None


def test_a_path_with_backslashes_stays_inside(plant: Path) -> None:
    (plant / "inner").mkdir()
    made = read(plant / "inner", "id,image", ["a,..\\bilder\\t0 ß.png", "b,../bilder/t1 ß.png"])
    assert [refusal.case_id for refusal in made.refused] == ["a", "b"]
    assert all("leaves the manifest's folder" in refusal.reason for refusal in made.refused)


TITLES = {
    "excel": "Inspection list line 3, as of 28 Nov 2026;;;;\nResponsible: M. Huber;;;;\n;;;;\n",
    "pairs": "Linie:;3;;;\nStand:;28.11.2026\n",
    "bare": "Prüfliste, Linie 3, Stand 28.11.\n\n",
    "sep": "sep=;\nPrüfliste\n",
    "none": "",
}


@pytest.mark.parametrize("titles", TITLES)
@pytest.mark.parametrize("last", ["1", ""])
def test_titles_above_the_header_are_passed_over_and_told(plant: Path, titles: str, last: str) -> None:
    rows = [f"T{i};bilder/t{i} ß.png;i.O.;train;{last}" for i in range(4)]
    made = read(plant, TITLES[titles] + "ID;Bild;Ergebnis;Split;Los", rows)
    assert [case.id for case in made] == ["T0", "T1", "T2", "T3"]
    assert {(case.label, case.split) for case in made} == {(0, "train")}
    assert not made.refused
    many = {"excel": 3, "pairs": 2, "bare": 1, "sep": 1}.get(titles, 0)
    told = [note for note in made.extra["notes"] if "above the header" in note]
    assert told == ([f"{many} line{'s' * (many > 1)} above the header passed over"] if many else [])
    assert is_manifest(plant / "liste.csv")


def test_a_header_with_fewer_names_than_a_row_has_cells_is_a_header(plant: Path) -> None:
    made = read(plant, "id;image", ["a;bilder/t0 ß.png;more;cells", "b;bilder/t1 ß.png;;"])
    assert [case.id for case in made] == ["b"]
    assert made.refused[0].reason == "the row has 4 cells, the header has 2"


@pytest.mark.parametrize("base", ["C:\\Users\\QS\\", "\\\\server\\prüfung\\", "/home/qs/", "D:/daten/2026/"])
def test_paths_of_another_machine_are_found_below_the_list_or_refused_with_the_cure(plant: Path, base: str) -> None:
    rows = [f"{i};{base}bilder{base[-1]}t{i} ß.png;ohne Befund" for i in range(5)]
    made = read(plant, "Nr.;Foto;Befund", rows, encoding="cp1252")
    assert is_manifest(plant / "liste.csv")
    assert [case.id for case in made] == ["0", "1", "2", "3"]
    assert {case.parts["image"].path.parent.name for case in made} == {"bilder"}  # type: ignore[union-attr]
    assert any(
        "4 files named by paths of another machine were found by the ends of these" in n for n in made.extra["notes"]
    )
    assert "t4 ß.png" in made.refused[0].reason
    assert "write paths from the manifest's own folder" in made.refused[0].reason


def test_one_file_is_not_taken_for_two_paths_of_another_machine(plant: Path) -> None:
    made = read(plant, "id,image", ["a,C:\\x\\bilder\\t0 ß.png", "b,C:\\y\\bilder\\t0 ß.png"])
    assert [case.id for case in made] == ["a"]
    assert "as is 'C:" in made.refused[0].reason
    assert "write paths from the manifest's own folder" in made.refused[0].reason


def test_a_list_whose_files_are_elsewhere_is_a_list_and_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "liste.csv"
    path.write_text(
        "Nr.;Datum;Bild;Befund\n" + "".join(f"{i};28.11.2026 06:0{i};F:\\a\\{i}.jpg;i.O.\n" for i in range(9))
    )
    assert is_manifest(path)
    made = read_cases(path)
    assert not made.items
    assert len(made.refused) >= 1
    path.write_text("time;Bild\n" + "".join(f"{i};{i}.5\n" for i in range(9)))
    assert not is_manifest(path)


def test_paths_from_the_folder_above_the_list_are_refused_with_the_cure(plant: Path) -> None:
    made = read(plant, "id,image", [f"{i},{plant.name}/bilder/t{i} ß.png" for i in range(3)])
    assert not made.items
    assert "from the folder above: put the manifest into that" in made.refused[0].reason
    (plant / "liste.csv").rename(plant.parent / "liste.csv")
    assert len(read_cases(plant.parent / "liste.csv")) == 3
