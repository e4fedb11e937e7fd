"""Units that stand in the cells of a column, behind every number ("12,3 °C"): taken off, and kept as its unit."""

from typing import Any

from mmdmad.parts.cell_scales import may_be_counts, one_scale
from mmdmad.parts.month_names import month_of

_CELL = r"^(?P<number>[+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d{1,3})?)[\s\x{00a0}\x{202f}]*(?P<unit>%s)$"
_UNIT = _CELL % r"[A-Za-zÀ-ɏ%‰°µμΩ′″$€£][A-Za-zÀ-ɏ%°µμΩ²³/*·^ .-]{0,14}(?:\d(?:/[A-Za-zÀ-ɏ]{1,3})?)?|1/[A-Za-zÀ-ɏ]{1,4}"
_THIN = " '’\u00a0\u202f\u2009"
_GROUPED = rf"^[+-]?\d{{1,3}}([{_THIN}]\d{{3}})+([.,]\d+)?([\s\x{{00a0}}\x{{202f}}]*(1/)?[A-Za-zÀ-ɏ%°‰µμΩ][^\d]*)?$"
_EXPONENT = r"^[+-]?\d+(\.\d*)?[eE]$"


def without_units(words: Any, said: str) -> tuple[Any, str, str] | None:
    """The numbers of tidy words (T,), the unit behind each of them and how others were brought to it ("" = none were).

    None where they are no such column. ValueError where units of several quantities stand in one column, or one in some
    of its cells only; zeros need none, nor do numbers without a k or an M.

    >>> import pyarrow as pa
    >>> cells, unit, _ = without_units(pa.array(["20,0 °C", None, "7 °C"]), "'t'")
    >>> cells.to_pylist(), unit
    (['20,0', None, '7'], '°C')
    """
    import pyarrow.compute as pc

    there = len(words) - words.null_count
    sample = words.drop_null().slice(0, 64)
    if not there or 2 * _matching(sample, _UNIT) < len(sample):
        return None
    found = pc.extract_regex(words, _UNIT)
    units = pc.struct_field(found, "unit")
    kinds = [unit for unit in pc.unique(units).to_pylist() if unit is not None]
    if any(month_of(unit.split(" ")[0]) for unit in kinds) or _matching(sample, _EXPONENT):
        return None
    rest = words.filter(pc.and_(words.is_valid(), units.is_null()))
    bare = _matching(rest, r"^[+-]?[\d.,]+([eE][+-]?\d+)?$")
    nothing = _matching(rest, r"^0([.,]0+)?$")
    plain = pc.if_else(units.is_valid(), pc.struct_field(found, "number"), words)
    counted = len(rest) == bare > 0 and may_be_counts(plain, pc.utf8_trim_whitespace(units), [k.strip() for k in kinds])
    if counted or (bare == nothing == len(rest) and (len(kinds) > 1 or bare)):
        every = [""] * counted + [kind.strip() for kind in kinds]
        scaled = one_scale(plain, pc.fill_null(pc.utf8_trim_whitespace(units), every[0]), list(dict.fromkeys(every)))
        if scaled is not None:
            return scaled
    if len(kinds) > 1 or bare:
        others = repr(kinds[1]) if len(kinds) > 1 else "no unit"
        if len(kinds) > 3 and all(len(kind) == 1 for kind in kinds):
            return None  # codes like 12a, 12b, 12c
        raise ValueError(
            f"column {said} has cells with the unit {kinds[0]!r} and with {others}; write all of them in one unit, "
            "best in the header"
        )
    numbers = pc.struct_field(found, "number")
    return pc.if_else(units.is_valid(), numbers, words), kinds[0].strip(), ""


def ungrouped(words: Any) -> Any:
    """Tidy words (T,) without the spaces or apostrophes between the thousands of their numbers.

    >>> import pyarrow as pa
    >>> ungrouped(pa.array(["1 234,5 W", "12'000 W", "2 x"])).to_pylist()
    ['1234,5 W', '12000 W', '2 x']
    """
    import pyarrow.compute as pc

    grouped = pc.match_substring_regex(words, _GROUPED)
    if not pc.any(grouped).as_py():
        return words
    made = words
    for _ in range(2):  # a digit is part of one match only: 1 234 567 takes two rounds
        made = pc.replace_substring_regex(made, rf"(\d)[{_THIN}](\d{{3}})", r"\1\2")
    return pc.if_else(grouped, made, words)


def signed(words: Any) -> Any:
    """Tidy words (T,) with signs right before their numbers: a minus behind one, as business software writes it, and
    signs that stand apart ("+   23.4").

    >>> import pyarrow as pa
    >>> signed(pa.array(["0,02-", "1.250,00", "5 -", "a-", "+  23.4"])).to_pylist()
    ['-0,02', '1.250,00', '-5', 'a-', '+23.4']
    """
    import pyarrow.compute as pc

    behind = pc.replace_substring_regex(words, r"^(\d[\d.,]*|[.,]\d+)\s?-$", r"-\1")
    return pc.replace_substring_regex(behind, r"^([+-])\s+([\d.,]+)", r"\1\2")


def at_limits(words: Any) -> tuple[Any, str]:
    """Tidy words (T,) with numbers behind "<" or ">" as these, and what was decided, "" where none stand there.

    Laboratories write so what lies beyond the range that they can measure: its end is the nearest that is known.

    >>> import pyarrow as pa
    >>> cells, note = at_limits(pa.array(["<0.05", "0.2", "> 9", None]))
    >>> cells.to_pylist(), note
    (['0.05', '0.2', '9', None], "'<0.05' and 1 more cell lie beyond what can be measured and are read as that limit")
    """
    import pyarrow.compute as pc

    found = pc.match_substring_regex(words, r"^(<|>|≤|≥|<=|>=)\s?\d[\d.,]*(\s?[^\d\s].*)?$")
    many = pc.sum(found).as_py() or 0
    plain = _matching(words, r"^[+-]?\d[\d.,]*([eE][+-]?\d+)?(\s?[^\d\s].*)?$")
    if not many or many + plain < len(words) - words.null_count or not plain:
        return words, ""
    first = words.filter(found)[0].as_py()[:30]
    more = f" and {many - 1} more cell{'s' * (many > 2)}" * (many > 1)
    made = pc.if_else(found, pc.replace_substring_regex(words, r"^[<>≤≥]=?\s?", ""), words)
    told = "lies beyond what can be measured and is" if many == 1 else "lie beyond what can be measured and are"
    return made, f"{first!r}{more} {told} read as that limit"


def as_office_writes(words: Any) -> tuple[Any, str]:
    """Tidy words (T,) with the minus of print ("−5"), of accounts ("(5.00)") and a currency in front put as elsewhere.

    >>> import pyarrow as pa
    >>> cells, note = as_office_writes(pa.array(["(1.50)", "2.25", "$3"]))
    >>> cells.to_pylist(), note
    (['-1.50', '2.25', '3 $'], 'numbers in brackets are read as negative')
    """
    import pyarrow.compute as pc

    made, note = pc.replace_substring_regex(words, r"^[−–]\s?(\d|[.,]\d)", r"-\1"), ""
    bracket = pc.fill_null(pc.match_substring_regex(made, r"^\([$€£¥]?\d[\d.,]*\)$"), False)
    inside = pc.sum(bracket).as_py() or 0
    if inside and inside + _matching(made, r"^[+-]?[$€£¥]?\s?\d[\d.,]*$") >= len(made) - made.null_count > inside:
        bare = pc.replace_substring_regex(made, r"^\((.*)\)$", r"-\1")
        made, note = pc.if_else(bracket, bare, made), "numbers in brackets are read as negative"
    return pc.replace_substring_regex(made, r"^([+-]?)([$€£¥])\s?(\d[\d.,]*)$", r"\1\3 \2"), note


def without_marks(words: Any) -> Any:
    """Tidy words (T,), null where one mark stands again and again, as loggers and spreadsheets write what is too large.

    >>> import pyarrow as pa
    >>> without_marks(pa.array(["+++++++", "-----", "####", "+1", "a"])).to_pylist()
    [None, None, None, '+1', 'a']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    marked = pc.match_substring_regex(words, r"^(\+{2,}|-{2,}|\*{2,}|#{2,}|\?{2,}|={2,}|\.{2,}|_{2,})$")
    return pc.replace_with_mask(words, marked, pa.scalar(None, words.type))


def _matching(words: Any, pattern: str) -> int:
    import pyarrow.compute as pc

    return pc.sum(pc.match_substring_regex(words, pattern)).as_py() or 0
