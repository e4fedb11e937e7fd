"""The encoding of text that is not UTF-8: Shift-JIS, GBK, else a single-byte one."""

import codecs
import re

_EAST = {"cp932": "Shift-JIS", "gb18030": "GBK"}
_WIDE = r"[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]"
_KANA, _HALF = re.compile(r"[\u3040-\u30ff]"), re.compile(r"[\uff61-\uff9f]")
_BESIDE = re.compile(rf"{_WIDE}{{2,}}|(?<=\d)[年月日時时分秒点]")


def encoding_of(data: bytes) -> str:
    """The encoding of text that is not UTF-8.

    Shift-JIS and GBK where nearly all letters beyond ASCII are of the East and stand in words of several, or behind
    the numbers of a date: Western letters stand alone between ASCII ones. Else Windows-1252, or Latin-1 where that
    lacks a character.

    >>> [encoding_of(word.encode(code)) for word, code in (("時間", "cp932"), ("时间", "gbk"), ("Kühl", "cp1252"))]
    ['cp932', 'gb18030', 'cp1252']
    """
    found = {}
    for encoding in _EAST:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(data)
        except UnicodeDecodeError:
            continue
        beyond = sum(not letter.isascii() for letter in text)
        beside = sum(map(len, _BESIDE.findall(text)))
        if beside >= 2 and 10 * beside >= 7 * beyond:
            found[encoding] = (bool(_KANA.search(text)) and encoding == "cp932", -len(_HALF.findall(text)), beside)
    if found:
        return max(found, key=lambda encoding: found[encoding])
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def note_of(encoding: str) -> str:
    """What is said of a file in such an encoding.

    >>> note_of("cp932")
    'the file is not UTF-8; it is read as Shift-JIS'
    """
    return f"the file is not UTF-8; it is read as {_EAST.get(encoding, 'Latin-1 (Windows-1252)')}"
