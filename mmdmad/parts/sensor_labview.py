"""Measurement files of LabVIEW (.lvm): two headers above the names, and a first column that is the time."""

from collections.abc import Sequence

_END = "***End_of_Header***"
_SEPARATORS = {"tab": "\t", "comma": ","}


def below_headers(lines: Sequence[str]) -> tuple[int, str | None]:
    """The line of the names in a LabVIEW file, and its separator; (0, None) for any other file.

    >>> below_headers(["LabVIEW Measurement\\t", "Separator\\tTab", "***End_of_Header***\\t", "X_Value\\ta"])
    (3, '\\t')
    """
    if not lines[0].lstrip("\ufeff").startswith("LabVIEW Measurement"):
        return 0, None
    ends = [number for number, line in enumerate(lines[:200], 1) if line.startswith(_END)]
    said = _said(lines, "Separator").lower()
    return (ends[-1] if ends else 0), _SEPARATORS.get(said)


def named(lines: Sequence[str], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names of a LabVIEW table with its time called so, and what was decided.

    Its last column, of remarks, loses its name where it is one.
    """
    made, notes = list(names), []
    if made[:1] == ["X_Value"] and _said(lines, "X_Dimension") == "Time" and _said(lines, "Time_Pref") == "Relative":
        made[0] = "time [s]"
        begun = f"{_said(lines, 'Date')} {_said(lines, 'Time')}".strip()
        notes.append(f"'X_Value' is the time in seconds from the begin; that it was at {begun} is not read")
    if made[-1:] == ["Comment"]:
        made[-1] = ""
    return made, notes


def _said(lines: Sequence[str], key: str) -> str:
    """What the headers say of a key, "" where nothing."""
    for line in lines[:200]:
        for mark in ("\t", ","):
            cells = line.split(mark)
            if len(cells) > 1 and cells[0] == key:
                return cells[1].strip()
    return ""
