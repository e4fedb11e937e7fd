"""From a folder without a manifest to cases: what the names of its folders say is learned, judged, or a mask.

Every file goes by the folders above it. Below a mask folder nothing is a case; below a folder of faults nothing is ever
learned; below `test` nothing is. A folder that says nothing beside other folders is an open question: its cases carry
its name as their split, and nothing is learned until somebody answers (`mmdmad.learning`). Folders called by what they
hold or by a date ("images", "2026-05-01"), and the one folder that holds all, ask nothing.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from mmdmad.case_reader import RowReader
from mmdmad.cases import Cases, Modality, Refusal
from mmdmad.errors import ManifestError
from mmdmad.files import RUN, left_by_others
from mmdmad.folder_boxes import is_boxes, note_of_boxes, take_boxes
from mmdmad.folder_clips import clips, note_of_clips
from mmdmad.folder_described import described
from mmdmad.folder_masks import marked_by, note_of_masks, question_of_masks
from mmdmad.folder_names import lists_among, lists_cases, name_roles, question_of_lists, says_nothing
from mmdmad.folder_sheets import RAW, SHEETS, question_of_sheets, sheets_among
from mmdmad.folder_tree import LOOSE, Place, Tree, name_of, readable
from mmdmad.log_pieces import cure, is_log_name, is_packed_log, log_of
from mmdmad.manifest_rows import Row
from mmdmad.modalities.base import by_suffix, modalities, modality_of
from mmdmad.plain import plain
from mmdmad.roles import FAULTY, MASK, NORMAL, TEST, TRAIN, VALIDATION, counted, roles_of, said

_OF_MASK = re.compile(r"[ _.-](mask|gt|ground_?truth|label|seg|segmentation)s?$", re.IGNORECASE)
LONE, PICTURES = 2, 5
"""Texts at most that are no cases beside so many pictures and more, of which none has a text."""
_READ_ME = re.compile(r"(read_?me|licen[cs]e|copying|notice|citation|changelog)", re.IGNORECASE)
"""Texts of these names are about the data, in any folder."""
PAPERS = re.compile(
    r"(read_?me|licen[cs]e|copying|notice|citation|changelog|about|info|notes?|notiz(en)?|comments?|settings?|liesmich)\b.*",
    re.IGNORECASE,
)
"""Texts of these names are about the data where they lie beside what says what it is."""


@dataclass(frozen=True)
class FolderRole:
    """What was made of one folder: how many cases or masks lie right in it, and what they are.

    role: train, test, validation, normal, faulty or mask; "?" for a question; "flat" where no folder says anything.
    """

    folder: str
    role: str
    files: int


def read_folder(
    folder: Path,
    allow_outside: bool,
    files: Sequence[Path] | None = None,
    kinds: Mapping[Path, Modality] | None = None,
) -> Cases:
    """The cases of a folder without a manifest: files of one name in one sub-folder are the parts of one case.

    With `files`, paths relative to the folder, they alone are looked at; else all that lie in it. `kinds` say what such
    files hold where that is not what their suffixes say (a table called .dat).
    Where two files of one name are of one kind (7.png, 7.jpg), each file of that name is a case of its own with its
    suffix in the id. What systems, viewers and cameras leave there is passed over; other files of unknown kinds are
    listed as refused. `Cases.extra` holds `folders` (a FolderRole each), `masks`, {case id: path of its mask}, and
    `called`, the ids of cases that lie in folders of faults.
    """
    root = Path(os.path.realpath(folder))
    reader = RowReader(root, None if allow_outside else root)
    if all((root / name).is_file() for name in RUN):
        raise ManifestError(
            f"{folder} is a run of mmdmad and no data; mmdmad report {folder} tells what was found, and the data to "
            "look at are given by their own folder"
        )
    runs: list[Path] = []
    groups, unknown = _by_stem(_below(root, runs) if files is None else files, kinds or {})
    manifests, telling = _take_manifests(root, groups)
    lists = [*telling, *_take_lists(root, groups)]
    told = described(root, unknown)
    unknown = [path for path in unknown if path not in told.files]
    tree = Tree({path.parent for members in groups.values() for _, path in members}, told.splits, root.name)
    boxes = take_boxes(root, groups)
    masks = _masks(groups, tree) | boxes
    boxed = {mask for mask in masks if is_boxes(root / mask) is not False}
    silent = [stem for stem, members in groups.items() if _open(members, tree, masks)]
    pictures = {picture: mask for mask, picture in masks.items() if picture != mask}
    marked = marked_by(root, {p: pictures[p] for stem in silent for _, p in groups[stem] if p in pictures}, told.fine)
    rest = (path for stem in silent for _, path in groups[stem] if path not in masks)
    undone = question_of_masks(marked, rest, bool(boxed))
    marked = {} if undone else marked | marked_by(root, _to_judge(pictures, tree), told.fine)
    named, doubt = name_roles(Path(s) for s in silent if not any(path in marked for _, path in groups[s]))
    parts = [path for members in groups.values() for _, path in members if path not in masks]
    asked = any(path not in marked for s in silent for _, path in groups[s]) and not named
    sheets = sheets_among(root, unknown, parts, asked)
    lone = _lone_texts(groups, masks)
    of_clips = clips(_pictures(groups, masks))
    columns = {name: one.path_column for name, one in modalities().items()}
    counts: dict[tuple[str, str], int] = defaultdict(int)
    ids: dict[PurePath, str] = {}
    used: set[str] = set()
    called: set[str] = set()
    number = 0
    for stem, members in groups.items():
        left = [member for member in members if member[1] not in masks]
        for _, path in members:
            if path in masks:
                counts[name_of(path.parent), MASK] += 1
        alone = len({kind for kind, _ in left}) < len(left)
        for chunk in [[member] for member in left] if alone else [left] * bool(left):
            path = chunk[0][1]
            found = _by_name(tree.of(path.parent), named.get(Path(stem)))
            marks = [marked[one] for _, one in chunk if one in marked]
            found = _by_mask(found, max(marks)) if marks else found
            if (found.split == LOOSE and tree.learned and PAPERS.fullmatch(path.stem)) or path in lone:
                continue
            if len(chunk) == 1 and modality_of(chunk[0][0]).written and _READ_ME.fullmatch(path.stem):
                continue
            number += 1
            counts[name_of(path.parent), found.role] += 1
            case_id = readable(path.as_posix() if alone else stem)
            if case_id in used:
                case_id = plain(path.as_posix() if alone else stem)
            used.add(case_id)
            if tree.of(path.parent).label == 1:
                called.add(case_id)
            ids.update((one, case_id) for _, one in chunk)
            values = {columns[kind]: one.as_posix() for kind, one in chunk}
            values |= {"recording": name_of(path.parent)} if path.parent in of_clips else {}
            reader.add(Row(number, {"id": case_id, **_about(path, found), **values}))
    reader.refused += [Refusal(readable(path.as_posix()), "case", why) for path, why in _unknown(folder, unknown)]
    if not number:
        nouns = " or ".join(one.noun for one in modalities().values())
        sheet = next((path for path in unknown if path.suffix.lower() in SHEETS), None)
        saved = "" if sheet is None else f"; save its sheets ({readable(sheet.name)}) as CSV"
        raise ManifestError(f"{folder} holds no {nouns}; give a manifest or a folder of files{saved}")
    if len(masks) > len(boxed):
        many = counted(len(masks) - len(boxed), "file")
        reader.notes.append(f"{many} taken as masks, by folder or name, and not as cases")
    if boxed:
        reader.notes.append(note_of_boxes(len(boxed)))
    reader.notes += told.notes
    if tree.vouched and not told.splits:
        reader.notes.append(f"all of it counts as normal by the name of the folder, {readable(root.name)}")
    if marked:
        reader.notes.append(note_of_masks(marked, bool(boxed)))
    if lone:
        what = said(path.as_posix() for path in lone)
        reader.notes.append(f"{what} {'stands' if len(lone) == 1 else 'stand'} alone beside pictures and is no case")
    if of_clips:
        reader.notes.append(note_of_clips(of_clips))
    if manifests:
        what = said(path.as_posix() for path in manifests)
        verb = "is a manifest" if len(manifests) == 1 else "are manifests"
        reader.notes.append(f"{what} {verb} of files that lie here, and no case; give its name to read it instead")
    if runs:
        reader.notes.append(f"{said(name_of(one) for one in runs)}: runs of mmdmad are passed over")
    if lists:
        reader.notes.append(
            f"{said(path.as_posix() for path in lists)} {'lists' if len(lists) == 1 else 'list'} files and is no case"
        )
    folders = tuple(FolderRole(name, role, count) for (name, role), count in sorted(counts.items()))
    of_cases = {ids[picture]: root / mask for mask, picture in masks.items() if picture in ids and mask not in boxed}
    listed = question_of_lists(lists) or question_of_sheets(sheets)
    why = "; ".join(one for one in (listed, doubt) if one) or undone
    return reader.cases_of(folders=folders, masks=of_cases, open=why, called=frozenset(called))


def _unknown(folder: Path, paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Why each of these files is no case; pieces of a log are told with what makes one file of them."""
    for path in paths:
        log = log_of(path.name)
        if log is None:
            saved = "; save the sheet as CSV" if path.suffix.lower() in SHEETS else ""
            saved = saved or ("; if it is a picture, export it as TIFF or PNG" if path.suffix.lower() in RAW else "")
            yield path, f"unknown kind of file {path.suffix!r}{saved}"
        else:
            pieces = [one.name for one in paths if one.parent == path.parent and log_of(one.name) == log]
            yield (
                path,
                f"it is an earlier piece of {readable(log)}; {readable(cure(log, pieces, folder / path.parent))}",
            )


def _lone_texts(groups: Mapping[str, list[tuple[Modality, Path]]], masks: Mapping[Path, Path]) -> list[Path]:
    """One or two texts among many pictures of which none has a text: notes of whoever made the pictures, no cases."""
    kinds = [({modality_of(kind).photo for kind, _ in members}, members) for members in groups.values() if members]
    texts = [m[0][1] for _, m in kinds if len(m) == 1 and modality_of(m[0][0]).written]
    alone = [m for photos, m in kinds if photos == {True} and len(m) == 1 and m[0][1] not in masks]
    others = len(kinds) - len(texts) - len(alone) - sum(m[0][1] in masks for _, m in kinds if len(m) == 1)
    return texts if 0 < len(texts) <= LONE and not others and len(alone) >= PICTURES else []


def _pictures(
    groups: Mapping[str, list[tuple[Modality, Path]]], masks: Mapping[Path, Path]
) -> dict[PurePath, list[str]]:
    """The stems of the pictures right in each folder, masks left out."""
    found: dict[PurePath, list[str]] = defaultdict(list)
    for members in groups.values():
        for kind, path in members:
            if modality_of(kind).photo and path not in masks:
                found[path.parent].append(path.stem)
    return found


def _take(groups: dict[str, list[tuple[Modality, Path]]], taken: Iterable[Path]) -> None:
    """Take files out of the `groups`."""
    for path in taken:
        stem = path.with_suffix("").as_posix()
        groups[stem] = [member for member in groups[stem] if member[1] != path]
        if not groups[stem]:
            del groups[stem]


def _take_manifests(root: Path, groups: dict[str, list[tuple[Modality, Path]]]) -> tuple[list[Path], list[Path]]:
    """Manifests of this folder's files, taken out of the `groups`: those that say nothing of what is normal, others."""
    found = [path for members in groups.values() for _, path in members if lists_cases(root / path)]
    silent = [path for path in found if says_nothing(root / path)]
    _take(groups, found)
    return silent, [path for path in found if path not in silent]


def _take_lists(root: Path, groups: dict[str, list[tuple[Modality, Path]]]) -> list[Path]:
    """Lists of the files of this folder, which are taken out of the `groups`."""
    every: dict[Path, list[str]] = defaultdict(list)
    for members in groups.values():
        for _, path in members:
            every[path.parent].append(path.name)
    lists = lists_among(root, every)
    _take(groups, lists)
    return lists


def _open(members: Sequence[tuple[Modality, Path]], tree: Tree, masks: Mapping[Path, Path]) -> bool:
    """Whether folders leave it open if these files are normal."""
    place = tree.of(members[0][1].parent)
    return place.label is None and place.role in ("flat", "?", TRAIN) and members[0][1] not in masks


def _by_name(place: Place, role: str | None) -> Place:
    """What folders say of a file, and what its name says where they leave it open."""
    if role in (TRAIN, TEST):
        return Place(role, None, role)
    if role in (NORMAL, FAULTY):
        answered = None if place.role == "?" else place.split  # what folders leave open the name says
        return Place(
            answered, int(role == FAULTY), FAULTY if role == FAULTY else NORMAL if place.role == "?" else place.role
        )
    return place


def _to_judge(pictures: Mapping[Path, Path], tree: Tree) -> dict[Path, Path]:
    """The masks of pictures of test and validation of which folders do not say whether they are faulty."""
    places = {path: tree.of(path.parent) for path in pictures}
    return {path: pictures[path] for path, at in places.items() if at.role in (TEST, VALIDATION) and at.label is None}


def _by_mask(place: Place, label: int) -> Place:
    """What folders say of a picture, and what its mask says where they leave it open."""
    if place.role in (TEST, VALIDATION):
        return Place(place.split, label, place.role)
    split = place.split if place.split == TRAIN else None
    return Place(split, label, FAULTY if label else split or NORMAL)


def _below(root: Path, runs: list[Path]) -> Iterator[Path]:
    """The files of a folder, relative to it, without those that others leave there; `runs` gets runs of mmdmad."""
    for at, folders, names in os.walk(root):
        if set(RUN) <= set(names):
            runs.append(Path(at).relative_to(root))
            folders.clear()
            continue
        folders[:] = sorted(f for f in folders if not left_by_others(f))
        for name in sorted(n for n in names if not left_by_others(n)):
            yield Path(at, name).relative_to(root)


def _by_stem(
    files: Iterable[Path], told: Mapping[Path, Modality]
) -> tuple[dict[str, list[tuple[Modality, Path]]], list[Path]]:
    """The files of known kinds by their path without suffix, and those of unknown kinds."""
    kinds = by_suffix()
    groups: dict[str, list[tuple[Modality, Path]]] = defaultdict(list)
    written = next((name for name, one in modalities().items() if one.written), None)
    unknown = []
    for path in files:
        kind = told.get(path) or kinds.get(path.suffix.lower())
        if kind is None and (is_log_name(path.name) or is_packed_log(path.name)):
            kind = written
        if kind is None:
            unknown.append(path)
        else:
            groups[path.with_suffix("").as_posix()].append((kind, path))
    return groups, unknown


def _masks(groups: Mapping[str, list[tuple[Modality, Path]]], tree: Tree) -> dict[Path, Path]:
    """Each mask with the picture that it belongs to (itself where there is none, so that it is no case all the same).

    A mask lies in a folder of masks, or beside its picture under the picture's name with "_mask" or the like.
    """
    pictures: dict[tuple[str, ...], dict[frozenset[str], Path]] = defaultdict(dict)
    masks, beside = [], {}
    every = {path.with_suffix("").as_posix(): path for ms in groups.values() for _, path in ms}
    for members in groups.values():
        for kind, path in members:
            picture = every.get(path.with_name(without_mask(path.stem)).as_posix())
            if tree.of(path.parent).role == MASK:
                masks.append(path)
            elif picture is not None and picture.stem != path.stem and modality_of(kind).photo:
                beside[path] = picture
            else:
                pictures[_key(path)].setdefault(_splits(path), path)
    found = dict(beside)
    for path in masks:
        without = path.with_name(without_mask(path.stem) + path.suffix)
        folder = path.parent.with_suffix(path.suffix)  # one folder of masks a picture
        near = (pictures.get(_key(one), {}) for one in (path, without, folder))
        # Names of pictures often begin anew in each split: that of the same split counts, where masks say theirs.
        fits = next((one for one in near if one), {})
        found[path] = fits.get(_splits(path)) or next(iter(fits.values()), path)
    return found


def without_mask(name: str) -> str:
    """The name of what a file or folder is the mask of: "7" of "7_mask"; the name itself where it is no mask's.

    >>> without_mask("7_mask"), without_mask("Test001_gt"), without_mask("7")
    ('7', 'Test001', '7')
    """
    return _OF_MASK.sub("", name)


def _key(path: Path) -> tuple[str, ...]:
    """A path without the folders that say split or mask, or nothing: a picture and its mask have one key."""
    kept = []
    for name in path.parts[:-1]:
        roles = roles_of(name)
        if roles is None or roles & {FAULTY, NORMAL}:
            kept.append(name.casefold())
    return (*kept, path.stem)


def _splits(path: Path) -> frozenset[str]:
    """The splits that the folders above a file name."""
    return frozenset(role for name in path.parts[:-1] for role in roles_of(name) or ()) & {TRAIN, TEST, VALIDATION}


def _about(path: Path, found: Place) -> dict[str, Any]:
    parent = name_of(path.parent)
    label = {} if found.label is None else {"label": str(found.label)}
    return {"group": "" if parent == "." else parent, "split": found.split or "", **label}
