"""Words of a sensor table as numbers, dates or states: decimal marks are decided over the whole table, never a cell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmdmad.parts import clock
from mmdmad.parts.cell_spans import first_of_spans, from_hexadecimal, halves_behind
from mmdmad.parts.cell_units import as_office_writes, at_limits, signed, ungrouped, without_marks, without_units
from mmdmad.parts.compact_dates import dates_of_digits
from mmdmad.parts.date_forms import FORMS, SPANNED, SPANS
from mmdmad.parts.dates import Stamps, order_of, read_dates
from mmdmad.parts.sensor_columns import Column, Columns, as_floats, tidy

STATES = 20
"""Most different words of a column of states; more are names or remarks."""
RARE = 100
"""One cell in so many, at most, of a column of states may be something else: the mark of a logger that was stopped."""
REMARKS = 50
"""One row in so many, at most, has a word in a column of remarks."""
EVENTS, FEW = 2, 10
"""So many words at most are remarks in fewer rows too, where so many rows a word are there."""
KINDS = 5
"""Most different words that stand for no reading in a column of numbers."""
_STATE = r"^[\pL_][\pL\pN_\-./ ]{0,39}$"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_WRITTEN = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?)$"


_ID = re.compile(
    r"(^|[\s_.-])(id|uuid|guid|serial|serien|s/n|sn|hash|key|seriennummer|serial ?(number|no)|kennung|barcode)\b", re.I
)
"""Names of columns that name rows or things."""
_THING = re.compile(
    r"(^|[\s_.-])(id|host|hostname|server|node|device|machine|maschine|logger|instrument|model|modell|ger[äa]e?t(ename)?|"
    r"station|site|location|ort|messort|standort|meter|z[äa]hler|z[äa]hlpunkt|patient|name|dispositivo|appareil)$",
    re.IGNORECASE,
)
"""Names of columns that name the thing that a table is of."""


def _sure(mark: str, other: str) -> str:
    """A number that only `mark` as the decimal mark makes sense of: it cannot stand between thousands there."""
    alone = rf"\d*{mark}(\d{{1,2}}|\d{{4,}})|0\d*{mark}\d+|{mark}\d+|\d{{4,}}{mark}\d+"
    return rf"^[+-]?({alone}|\d{{1,3}}({other}\d{{3}})+{mark}\d+|\d{{1,3}}({other}\d{{3}}){{2,}})([eE][+-]?\d+)?$"


_SURE_COMMA, _SURE_DOT = _sure(",", r"\."), _sure(r"\.", ",")
_GROUPS = {",": r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$", ".": r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?$"}


def is_unit(name: str) -> bool:
    """Whether a column is called like one that holds the units of the others.

    >>> is_unit("Unit"), is_unit("temperature_unit"), is_unit("unit_3")
    (True, True, False)
    """
    last = re.split(r"[\s_.-]+", name.strip().lower())[-1]
    return last in ("unit", "units", "uom", "einheit", "einheiten", "unidad", "unité", "unite", "unità")


@dataclass(frozen=True)
class Marks:
    """How the numbers of a table are written: the decimal mark, the mark between thousands ("" = none), and a note."""

    decimal: str = "."
    group: str = ""
    note: str = ""


def look_at(table: Columns) -> tuple[list[Column], list[str]]:
    """Every column of a table looked at, and what was decided. ValueError says what is wrong or left open."""
    made: list[Column | Any] = []
    notes: list[str] = []
    wrong: list[str] = []
    for i, (name, given) in enumerate(zip(table.names, table.columns, strict=True)):
        label, unit = clock.split_unit(name)
        if table.units is not None:
            label, unit = name, table.units[i]
        about = Column(label, unit, i + 1, clock.named_time(name, unit if table.units is not None else ""))
        try:
            about, given = _bare(about, _ready(about, given), notes)
            dated = _dated(about, given)
            made.append((about, given) if dated is None else dated)
        except ValueError as why:
            wrong.append(str(why))
    open_ones = [one for one in made if isinstance(one, tuple) and not _is_array(one[1])]
    try:
        marks = decimal_marks([given for _, given in open_ones], [about.said for about, _ in open_ones])
    except ValueError as why:
        raise ValueError(_together([*wrong, str(why)])) from None
    if marks.note:
        notes.append(marks.note)
    for i, one in enumerate(made):
        if isinstance(one, tuple):
            about, given = one
            try:
                made[i] = replace(about, numbers=given) if _is_array(given) else _worded(about, given, marks, notes)
            except ValueError as why:
                wrong.append(str(why))
    if wrong:
        raise ValueError(_together(wrong))
    return [one for one in made if one is not None], notes


_NO_NUMBER = re.compile(r"^column ('[^']*'|\"[^\"]*\"|\d+), row \d+: .* is not a number")


def _together(wrong: Sequence[str]) -> str:
    """All that is wrong with the columns of a table, said at once: of words for numbers the first in full."""
    words = [(one, found[1]) for one in wrong if (found := _NO_NUMBER.match(one))]
    told = [one for one in wrong if not _NO_NUMBER.match(one)]
    if words:
        others = [name for _, name in words[1:]]
        more = f" and {len(others) - 6} more" if len(others) > 6 else ""
        some = f"; and so are columns {', '.join(others[:6])}{more}: they too hold words where numbers belong"
        told.append(words[0][0] + (some if others else ""))
    return "; besides, ".join(told[:4]) + (f"; besides, {len(told) - 4} more" if len(told) > 4 else "")


def _ready(about: Column, given: Any) -> Any:
    """The column as float64, as tidy words, or as a DatetimeIndex; ValueError for any other kind."""
    if not _is_array(given) or given.dtype == np.float64:
        return given
    if given.dtype.kind in "buif":
        return given.astype(np.float64)
    if given.dtype.kind in "US":
        import pyarrow as pa

        return tidy(pa.array([w.decode("utf-8", "replace") if isinstance(w, bytes) else str(w) for w in given]))
    raise ValueError(f"column {about.said} holds {given.dtype}, not numbers")


def _bare(about: Column, given: Any, notes: list[str]) -> tuple[Column, Any]:
    """A column whose cells hold their unit without it; ValueError where the header has another."""
    import pyarrow.compute as pc

    if _is_array(given) or type(given).__name__ == "DatetimeIndex":
        return about, given
    bare = without_marks(given)
    if marks := bare.null_count - given.null_count:
        notes.append(f"column {about.said}: {marks} cells of marks (as +++++ and #####) are taken as missing")
    given = signed(before := ungrouped(bare))
    if not given.equals(before):
        behind = pc.any(pc.match_substring_regex(before, r"\d ?-$")).as_py()
        told = "a minus behind a number is" if behind else "a sign apart from its number is"
        notes.append(f"column {about.said}: {told} read as its sign")
    given, brackets = as_office_writes(given)
    given, limits = at_limits(given)
    notes += [f"column {about.said}: {told}" for told in (brackets, limits) if told]
    found = without_units(given, about.said)
    if found is None:
        return about, given
    words, unit, scaled = found
    if about.unit and about.unit.replace(" ", "") != unit.replace(" ", ""):
        raise ValueError(f"column {about.said} has the unit {about.unit!r} in its header and {unit!r} in its cells")
    if scaled:
        notes.append(f"column {about.said}: its cells have several units, all are brought to one ({scaled})")
    if unit:
        notes.append(f"column {about.said}: {unit!r} stands behind its numbers and is read as its unit")
    named = clock.named_time(about.name, unit) or about.named
    return replace(about, unit=unit, named=named), words


def _is_array(given: Any) -> bool:
    return isinstance(given, np.ndarray)


def _dated(about: Column, given: Any) -> Column | None:
    """The column if it holds dates: as such, as words, or as digits without marks between them."""
    import pyarrow.compute as pc

    named = about.named
    if type(given).__name__ == "DatetimeIndex":
        return replace(about, dates=ready_stamps(given))
    if not _is_array(given) and (not len(given) or given.null_count == len(given)):
        return None
    if _is_array(given) or pc.all(pc.match_substring_regex(given, _NUMBER)).as_py():
        digits = dates_of_digits(given, about.name, about.said, named, about.unit)
        return None if digits is None else replace(about, dates=digits)
    order = named.order if named is not None and named.order else order_of(about.unit)
    given, told = first_of_spans(halves_behind(given))
    plain = re.sub(r"[\W_]+", " ", about.name.lower()).strip()
    spans = tuple(SPANS) if named is not None or plain in SPANNED else ()
    dates = read_dates(given, order, (*FORMS, *spans))
    if dates is None and named is not None and named.name != "t" and not _numeric(given):
        first = pc.index(pc.match_substring_regex(given, _NUMBER), False).as_py()
        raise ValueError(f"row {first + 1} has the time {given[first].as_py()[:60]!r}; write seconds or ISO 8601")
    if dates is None:
        return None
    return replace(about, dates=replace(dates, note="; ".join(filter(None, (told, dates.note)))))


def _numeric(given: Any) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(given, r"^[+-]?[\d.,]+([eE][+-]?\d+)?$")).as_py())


def ready_stamps(index: Any) -> Stamps:
    """A pandas DatetimeIndex (T,) as time stamps; ValueError names the first row that has none."""
    bad = np.flatnonzero(index.isna())
    if len(bad):
        raise ValueError(f"row {bad[0] + 1} has no time")
    aware = index.tz is not None
    if aware:
        index = index.tz_convert("UTC")
    ticks = index.as_unit("ns").asi8
    return Stamps(ticks // 10**9, ticks % 10**9, "stamp", aware)


def decimal_marks(columns: Sequence[Any], said: Sequence[str] = ()) -> Marks:
    """How numbers are written in columns of tidy words, as messages name them; ValueError where nothing decides it, or
    cells disagree.

    >>> import pyarrow as pa
    >>> decimal_marks([pa.array(["75,100", "0,2000", "1.000,5"])])
    Marks(decimal=',', group='.', note="numbers have decimal commas, and '.' between thousands")
    """
    import pyarrow.compute as pc

    def first(pattern: str) -> str | None:
        for k, words in enumerate(columns):
            at = pc.index(pc.match_substring_regex(words, pattern), True).as_py()
            if at >= 0:
                return f"{words[at].as_py()[:40]!r} ({f'column {said[k]}, ' if said else ''}row {at + 1})"
        return None

    if first(r"^[+-]?[\d.]*,[\d.,]+([eE][+-]?\d+)?$") is None and first(r"^[+-]?\d{1,3}(\.\d{3}){2,}$") is None:
        return Marks()
    comma, dot = first(_SURE_COMMA), first(_SURE_DOT)
    if comma and dot:
        raise ValueError(f"numbers are written with a comma in {comma} and with a dot in {dot}; write all with a dot")
    if comma:
        group = "." if first(_GROUPS["."]) else ""
        return Marks(",", group, "numbers have decimal commas" + (", and '.' between thousands" if group else ""))
    grouped = first(_GROUPS[","])
    if dot and grouped:
        return Marks(".", ",", "numbers have ',' between thousands")
    if grouped:
        raise ValueError(f"{grouped} may be a decimal comma or a mark between thousands; write a decimal dot")
    return Marks()


def _worded(about: Column, words: Any, marks: Marks, notes: list[str]) -> Column | None:
    """A column of words as numbers or states; None where it holds nothing but a few remarks."""
    import pyarrow.compute as pc

    written = words
    if marks.group:
        grouped = pc.match_substring_regex(words, _GROUPS[marks.group])
        written = pc.if_else(grouped, pc.replace_substring(words, marks.group, ""), words)
    if marks.decimal == ",":
        written = pc.if_else(
            pc.match_substring_regex(written, r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"),
            pc.replace_substring(written, ",", "."),
            written,
        )
    numbers = as_floats(written)
    if numbers is not None:
        return replace(about, numbers=numbers)
    said = about.said
    if (whole := from_hexadecimal(words)) is not None:
        notes.append(f"column {said} holds hexadecimal numbers (0x…), read as whole ones")
        return replace(about, numbers=whole)
    lower = pc.utf8_lower(words)
    if set(pc.unique(lower.drop_null()).slice(0, 3).to_pylist()) <= {"true", "false"}:
        notes.append(f"column {said}: True is read as 1, False as 0")
        return replace(about, numbers=as_floats(pc.if_else(pc.equal(lower, "true"), "1", "0")))  # null stays null
    good = pc.fill_null(pc.match_substring_regex(written, _WRITTEN), True)
    bad = np.flatnonzero(~good.to_numpy(zero_copy_only=False))
    there = len(words) - words.null_count
    place, word = int(bad[0]), words[int(bad[0])].as_py()
    if len(bad) == there and (REMARKS * there <= len(words) or (there <= EVENTS and len(words) >= FEW * there)):
        some = "a word in one row" if there == 1 else f"words in {there} rows"
        notes.append(
            f"column {said} holds {some} of {len(words)}, the first {word[:40]!r} in row {place + 1}, and is left out"
        )
        return None
    if len(bad) == there and (named := _names_something(about, words, there)):
        notes.append(f"column {said} {named} ({word[:40]!r} in row {place + 1}) and is left out: it is not a reading")
        return None
    if len(bad) == there:
        return _states(about, words, there, f"column {said}, row {place + 1}: {word[:60]!r} is not a number", notes)
    kinds = pc.unique(words.filter(pc.invert(good))) if 2 * len(bad) <= there else ()
    known = len(kinds) <= KINDS and len(bad) >= 2 * len(kinds) and not any(any(map(str.isdigit, str(k))) for k in kinds)
    if kinds and known:
        named = " and ".join(repr(kind[:30]) for kind in kinds.to_pylist())
        notes.append(
            f"column {said}: {named} in {len(bad)} of {there} cells, the first in row {place + 1}, taken as missing"
        )
        return replace(about, numbers=as_floats(pc.if_else(good, written, None)))
    if len(bad) > there // 10 and not (len(bad) == 1 and there >= 6):
        raise ValueError(
            f"column {said}, row {place + 1}: {word[:60]!r} is not a number, nor are {len(bad)} of its {there} cells; "
            "leave cells empty where nothing was measured"
        )
    several = f"{len(bad)} cells that are not numbers are" if len(bad) > 1 else "one cell that is not a number is"
    notes.append(f"column {said}: {several} taken as missing, {word[:40]!r} in row {place + 1}")
    return replace(about, numbers=as_floats(pc.if_else(good, written, None)))


def _names_something(about: Column, words: Any, there: int) -> str:
    """What words that are no states name: the thing the table is of, or (by the column's name) each row; else ""."""
    import pyarrow.compute as pc

    kinds = pc.count_distinct(words).as_py()
    if kinds == 1 and there > 1 and _THING.search(about.name.strip()):
        return "holds the same word in every row"
    if not pc.any(pc.invert(pc.match_substring_regex(words, _STATE))).as_py():
        return ""
    if kinds == 1 and there > 1:
        return "holds the same word in every row"
    if _ID.search(about.name.strip()) and there == len(words) == kinds:
        return "is called like one of ids and holds another word in every row"
    return ""


def _states(about: Column, words: Any, there: int, why: str, notes: list[str]) -> Column:
    import pyarrow.compute as pc

    strange = pc.fill_null(pc.invert(pc.match_substring_regex(words, _STATE)), False)
    odd = 0 if is_unit(about.name) else pc.sum(strange).as_py()
    if RARE * odd > there and not (odd == 1 and there >= RARE // 4):
        raise ValueError(f"{why}; where the column names things, leave it out")
    if odd:
        place = pc.index(strange, True).as_py()
        told = f"{odd} cells that are no states are" if odd > 1 else "one cell that is no state is"
        notes.append(f"column {about.said}: {told} taken as missing, {words[place].as_py()[:40]!r} in row {place + 1}")
        words, there = pc.if_else(strange, None, words), there - odd
    found = pc.unique(words.drop_null())
    if len(found) > STATES or 2 * len(found) > there:
        raise ValueError(
            f"{why}, and a column of states has at most {STATES} different words, each about twice or more "
            f"({len(found)} in {there} cells); leave the column out"
        )
    known = tuple(sorted(found.to_pylist()))
    codes = np.full(len(words), -1)
    for i, word in enumerate(known):
        codes[pc.fill_null(pc.equal(words, word), False).to_numpy(zero_copy_only=False)] = i
    said = ", ".join(re.sub(r"\s+", " ", word) for word in known[:6]) + (", …" if len(known) > 6 else "")
    notes.append(f"column {about.said} holds states in words, read as a channel of 0 and 1 each: {said}")
    return replace(about, words=known, codes=codes)
