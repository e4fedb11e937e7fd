"""What the columns of a manifest mean: the names that mmdmad knows, and those that people give them in other words.

A name in other words counts only where nothing else can be meant, and every one that counts is told.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdmad.case_reader import known_columns, part_columns
from mmdmad.errors import ManifestError
from mmdmad.manifest_rows import Row, is_missing, rows_of
from mmdmad.manifest_times import looks_like_time, order_named
from mmdmad.modalities.base import by_suffix, modalities
from mmdmad.roles import MASK, roles_of, said, split_of

SAMPLE = 200
"""Rows that are looked at to see what a column holds."""
FEW, LONGEST = 20, 500
"""Rows in which a file is looked for, and characters that its name may have."""
SURE = 5
"""One value in so many may be another than what its column holds."""
PATH, DATE = "path", "date"
_SOUNDS = re.compile(
    r"^(?!.*(birth|geburt|expir|ablauf|due|deliver|liefer|order|bestell)).*"
    r"(time|date|zeit|datum|fecha|hora|heure|stamp|aufnahme|taken|recorded|captured|tijd|klok)"
)
"""What a column is called that may hold the time, beside the names that say so: "Prüfdatum", "inspected_date"."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


MEANINGS: dict[str, frozenset[str]] = {
    "id": _set(
        "id ids idx case caseid case_id sample sampleid sample_id sample_name item item_id uid uuid key nr no number "
        "nummer numero número numéro serial serial_number serial_no serialnumber sn barcode seriennummer teil "
        "teilenummer teil_nr teilnr teil_id bauteil werkstück probe probennummer proben_id fall fallnummer pièce piece "
        "piece_id pieza pezzo peça part part_id part_number part_no partno product_id unit_id index"
    ),
    "image": _set(
        "image images img imgs image_path image_file imagepath imagefile image_name image_filename img_path img_file "
        "img_name picture pictures photo photos bild bilder bilddatei bildpfad bildname foto fotos afbeelding imagen "
        "immagine imagem obraz kuva billede bilde 画像 图像 图片"
    ),
    "sensor": _set(
        "sensor sensors sensor_file sensor_path sensordatei sensor_data signal signals signal_file signal_path csv "
        "csv_file csv_path timeseries time_series messung messdatei messwerte mesure mesures capteur medida medidas "
        "misura misure"
    ),
    "video": _set("video videos video_file video_path videodatei clip clips clip_path vidéo film filmdatei vídeo"),
    "text_file": _set("text_file textfile text_path textdatei log_file logfile log_path logdatei fichier_texte"),
    "text": _set(
        "text texts texte texto testo tekst bemerkung bemerkungen anmerkung kommentar kommentare comment comments note "
        "notes notiz beschreibung description message nachricht meldung remark remarks remarque commentaire comentario "
        "observation observación caption report bericht opmerking 备注 コメント"
    ),
    "time": _set(
        "time timestamp datetime date_time zeit zeitpunkt zeitstempel uhrzeit aufnahmezeit heure horodatage hora "
        "fecha_hora ora tijd acquired_at captured_at recorded_at created_at acquisition_time capture_time"
    ),
    DATE: _set("date datum fecha data dato prüfdatum messdatum aufnahmedatum test_date inspection_date"),
    "split": _set("split splits subset partition set aufteilung datensatz satz verwendung conjunto ensemble"),
    "label": _set("label labels"),
    PATH: _set(
        "file files file_path filepath filename file_name path paths datei dateiname dateipfad pfad fichier chemin "
        "nom_fichier archivo ruta percorso bestand arquivo uri 文件 ファイル"
    ),
}
"""What columns are called; `path` is a file whose kind its suffix says."""


@dataclass(frozen=True, eq=False)
class Meant:
    """The known name of each column that has one in other words, and what was decided.

    `id_from` is the column of files whose names are the ids of a manifest without ids, `order` that of day and month
    which the column of the time names, "dmy" or "mdy".
    """

    names: Mapping[str, str]
    id_from: str | None = None
    notes: tuple[str, ...] = ()
    order: str | None = None

    def columns(self, columns: Sequence[str]) -> list[str]:
        """The columns under the known names."""
        known = [self.names.get(name, name) for name in columns]
        return known if self.id_from is None else ["id", *known]

    def row(self, row: Row) -> Row:
        """A row under the known names."""
        if isinstance(row.values, str) or not (self.names or self.id_from):
            return row
        values = {self.names.get(name, name): value for name, value in row.values.items()}
        if self.id_from is not None:
            values["id"] = row.values.get(self.id_from)
        return Row(row.number, values)


def meant(manifest: Path, columns: Sequence[str], rows: Callable[[], Iterable[Row]]) -> Meant:
    """What the columns of a manifest mean, by their names and by what the first of its `rows()` hold.

    A manifest with a column `id` and one of a part keeps all its names, but for others' upper and lower case.
    ManifestError where two columns may be meant by one name.
    """
    known = known_columns()
    lower = [order_named(c)[0].strip().lower() for c in columns]
    names = {c: low for c, low in zip(columns, lower) if c not in known and low in known and lower.count(low) == 1}
    plain = {*columns, *names.values()}
    sample = _sample(columns, rows())
    if "id" in plain and plain & set(part_columns()):
        names |= _by_values(manifest, sample, [c for c in columns if c not in names and c not in known], plain)
        return Meant(names, None, _told(names), _order(names))
    open_ones = [c for c in columns if c not in names and c not in known]
    found = {meaning: [c for c in open_ones if _plain(c) in words] for meaning, words in MEANINGS.items()}
    if not found["time"]:
        found["time"], found[DATE] = found[DATE], []
    for column in found[PATH]:
        if kind := _kind(sample[column]):
            found[kind].append(column)
    for meaning in ("image", "sensor", "video", "text_file", "text", "time", DATE, "split", "label"):
        if meaning in plain or (meaning == "text" and "text_file" in plain):
            continue
        fits = [c for c in found[meaning] if c not in names and _fits(meaning, sample[c])]
        if len(fits) > 1:
            raise _doubt(manifest, meaning, fits)
        names |= dict.fromkeys(fits, meaning)
        plain |= {meaning} if fits else set()
    names |= _by_values(manifest, sample, [c for c in open_ones if c not in names], {*plain, *names.values()})
    plain |= set(names.values())
    files = [c for c in columns if names.get(c, c) in _file_columns()]
    id_from = None
    if "id" not in plain:
        fits = [c for c in found["id"] if c not in names and _differ(sample[c])]
        if len(fits) > 1:
            raise _doubt(manifest, "id", fits)
        names |= dict.fromkeys(fits, "id")
        id_from = next((c for c in files if _differ(sample[c])), None) if not fits else None
    if "id" not in {*names.values(), *plain} and id_from is None:
        return Meant({}, None)  # no manifest in any words; its own names are what messages name
    return Meant(names, id_from, _told(names, id_from), _order(names))


def _by_values(
    manifest: Path, sample: Mapping[str, Sequence[str]], open_ones: Sequence[str], plain: Collection[str]
) -> dict[str, str]:
    """What columns of any name mean by what they hold: files of a kind that no column names, and times.

    Names of files count whether they exist or not: rows whose file is missing are refused by name, none is dropped.
    ManifestError where several columns hold files of one kind, and as many of them exist.
    """
    found: dict[str, str] = {}
    for meaning in _file_columns():
        fits = [c for c in open_ones if _kind(sample[c]) == meaning and MASK not in (roles_of(_plain(c)) or ())]
        there = {c: sum(_exists(manifest, value) for value in sample[c][:FEW]) for c in fits}
        fits = [c for c in fits if there[c] == max(there.values())]
        if meaning in plain or not fits:
            continue
        if len(fits) > 1:
            raise _doubt(manifest, meaning, fits)
        found[fits[0]] = meaning
    if not {"time", DATE} & set(plain):
        timed = [c for c in open_ones if _SOUNDS.search(_plain(c)) and _most(map(looks_like_time, sample[c]))]
        found |= {timed[0]: "time"} if len(timed) == 1 else {}
    return found


def _exists(manifest: Path, value: str) -> bool:
    name = value.partition("#")[0].replace("\\", "/")
    try:
        return "\0" not in name and (manifest.parent / name).exists()
    except OSError:
        return False


def _most(held: Iterable[bool]) -> bool:
    """Whether nearly all are true: a line of sums below a list holds something else."""
    told = list(held)
    return SURE * sum(told) >= (SURE - 1) * len(told) > 0


def _order(names: Mapping[str, str]) -> str | None:
    return next((order_named(column)[1] for column, meaning in names.items() if meaning == "time"), None)


def sounds_like_time(column: str) -> bool:
    """Whether a column is called as one of times.

    >>> sounds_like_time("Prüfdatum"), sounds_like_time("timestamp"), sounds_like_time("Dateiname")
    (True, True, False)
    """
    word = _plain(column)
    return _SOUNDS.search(word) is not None and word not in MEANINGS[PATH]


def names_files(manifest: Path) -> bool:
    """Whether one of the first rows of a table names a file or folder that lies below the table's own folder."""
    base = Path(os.path.realpath(manifest.absolute().parent))
    for row, _ in zip(rows_of(manifest).rows, range(FEW)):
        if isinstance(row.values, Mapping):
            for value in row.values.values():
                if isinstance(value, str) and 0 < len(value) < LONGEST and "\0" not in value:
                    name = value.strip().partition("#")[0].replace("\\", "/")
                    path = Path(os.path.realpath(base / name))
                    if name not in ("", ".") and path != base and path.is_relative_to(base) and path.exists():
                        return True
    return False


def lists_files(manifest: Path) -> bool:
    """Whether a column that is called as one of files holds nothing but names of files, wherever these lie."""
    table = rows_of(manifest)
    sample = _sample(table.columns, table.rows)
    called = {column: _plain(column) for column in table.columns}
    kinds = (*_file_columns(), PATH)
    return any(
        word in MEANINGS.get(kind, ()) and (found := _kind(sample[column])) is not None and kind in (found, PATH)
        for column, word in called.items()
        for kind in kinds
    )


def _plain(column: str) -> str:
    return re.sub(r"[\s_.\-/]+", "_", order_named(column)[0].strip().lower()).strip("_")


def _sample(columns: Sequence[str], rows: Iterable[Row]) -> dict[str, list[str]]:
    """What the first rows hold in each column, without what is missing."""
    held: dict[str, list[str]] = {column: [] for column in columns}
    for row, _ in zip(rows, range(SAMPLE)):
        if isinstance(row.values, Mapping):
            for column in columns:
                value = row.values.get(column)
                if not is_missing(value):
                    held[column].append(str(value).strip())
    return held


def _file_columns() -> set[str]:
    return {one.path_column for one in modalities().values()}


def _kind(values: Sequence[str]) -> str | None:
    """The column of the kind that all files of a column are of, by their suffixes; one in five may be no file."""
    kinds = [by_suffix().get(Path(value.partition("#")[0].replace("\\", "/")).suffix.lower()) for value in values]
    one = max(set(kinds), key=kinds.count, default=None)
    return modalities()[one].path_column if one is not None and _most(kind == one for kind in kinds) else None


def _fits(meaning: str, values: Sequence[str]) -> bool:
    """Whether a column can hold what its name means: files of that kind, splits, something at all."""
    if meaning in _file_columns():
        folders = any(one.folders for one in modalities().values() if one.path_column == meaning)
        return _kind(values) == meaning or (folders and bool(values) and _kind(values) is None)
    if meaning == "split":
        return bool(values) and all(split_of(value) for value in values)
    return bool(values)


def _differ(values: Sequence[str]) -> bool:
    return len(values) > 0 and len(set(values)) == len(values)


def _doubt(manifest: Path, meaning: str, columns: Sequence[str]) -> ManifestError:
    return ManifestError(
        f"{manifest} has no column {meaning!r}, and {said(columns)} may be meant; call one {meaning!r}"
    )


def _told(names: Mapping[str, str], id_from: str | None = None) -> tuple[str, ...]:
    told = [f"column {column!r} is read as {meaning!r}" for column, meaning in names.items()]
    if id_from is not None:
        told.append(f"no column holds ids: the names in column {id_from!r} are the ids")
    return tuple(told)
