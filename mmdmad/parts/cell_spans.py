"""Cells that hold more than one number: the begin and the end of a stretch of time; and numbers of base sixteen."""

from typing import Any

import numpy as np

_HALVES = r"^(?P<begin>.*\d\S*)\s+(?:-|–|—|to|bis|until)\s+(?P<end>.*\d.*)$"
_SLASHED = r"^(?P<begin>\d{4}-\d\d-\d\dT[^/]+)/(?P<end>\d{4}-\d\d-\d\dT[^/]+)$"
_HEX = r"^0[xX][0-9a-fA-F]{1,13}$"


def first_of_spans(words: Any) -> tuple[Any, str]:
    """Tidy words (T,) as the begins of the stretches of time that they hold, and a note; as they are where they do not.

    >>> import pyarrow as pa
    >>> begins, note = first_of_spans(pa.array(["01.03.2026 00:00 - 01.03.2026 01:00"]))
    >>> begins.to_pylist(), note
    (['01.03.2026 00:00'], 'times with a begin and an end count from the begin')
    """
    import pyarrow.compute as pc

    if not len(words) or words.null_count:
        return words, ""
    first = words.slice(0, 8)
    forms = (form for form in (_HALVES, _SLASHED) if pc.all(pc.match_substring_regex(first, form)).as_py())
    form = next(forms, None)
    if form is None or not pc.all(pc.match_substring_regex(words, form)).as_py():
        return words, ""
    cells = pc.extract_regex(words, form)
    begin, end = pc.struct_field(cells, "begin"), pc.struct_field(cells, "end")
    if not all(pc.all(pc.match_substring_regex(half, r"\d[:./-]\d")).as_py() for half in (begin, end)):
        return words, ""
    return pc.utf8_trim_whitespace(begin), "times with a begin and an end count from the begin"


def halves_behind(words: Any) -> Any:
    """Tidy words (T,) with the halves of the day of the East (上午, 오후) behind their times, as AM and PM.

    >>> import pyarrow as pa
    >>> halves_behind(pa.array(["2026-03-14 오후 1:05:00"])).to_pylist()
    ['2026-03-14 1:05:00 PM']
    """
    import pyarrow.compute as pc

    if not len(words) or not pc.match_substring_regex(words.slice(0, 1), r"[오上下午][전후午前後]")[0].as_py():
        return words
    for half, mark in (("오전|上午|午前", "AM"), ("오후|下午|午後", "PM")):
        words = pc.replace_substring_regex(words, rf"\s*(?:{half})\s*(\d[\d:.,]*)$", rf" \1 {mark}")
    return pc.utf8_trim_whitespace(words)


def from_hexadecimal(words: Any) -> np.ndarray | None:
    """Tidy words (T,) like 0x1A as numbers, null as NaN; None where one is written otherwise, or all are the same.

    >>> import pyarrow as pa
    >>> from_hexadecimal(pa.array(["0x1A", None, "0x00"]))
    array([26., nan,  0.])
    """
    import pyarrow.compute as pc

    there = words.drop_null()
    if not len(there) or not pc.all(pc.match_substring_regex(there, _HEX)).as_py():
        return None
    coded = pc.dictionary_encode(words)
    coded = coded.combine_chunks() if hasattr(coded, "combine_chunks") else coded
    if len(coded.dictionary) < 2:
        return None
    known = np.array([int(word, 16) for word in coded.dictionary.to_pylist()], np.float64)
    places = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return np.where(words.is_null().to_numpy(zero_copy_only=False), np.nan, known[places])
