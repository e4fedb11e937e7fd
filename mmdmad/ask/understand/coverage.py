"""The coverage rule: which words of a question were not used, and which of these could be a condition on cases."""

import re
from dataclasses import dataclass

from mmdmad.ask.understand.vocabulary import is_known

_TOKEN = re.compile(r"[^\W_]+(?:[-'’.,:][^\W_]+)*(?: ?%)?", re.UNICODE)
_PREPOSITIONS = """
with without in of from for by at on near under during using per except excluding not but only no non
"""
_CASES = """
case cases piece pieces item items part parts one ones product products alarm alarms anomaly anomalies normal normals
group groups channel channels picture pictures pics photo photos image images clip clips
"""
_COUNTS = frozenset(
    [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "quarter",
        "half",
        "dozen",
        "hundred",
    ]
)
_OF_COUNTS = """
of most worst least top nearest closest similar different other more such more things points normal flagged or and
"""
_COUNTED = frozenset((_CASES + _OF_COUNTS + " examples neighbours sensors signals types kinds which").split())
_DETERMINERS = frozenset(["all", "every", "each", "which", "many", "any"])
_BUT = frozenset(["except", "excepting", "excluding", "besides", "unless"])
_SMALL = "a an the this that these those any all some its their my our"
_BEFORE, _AFTER, _ARTICLES = (frozenset(words.split()) for words in (_PREPOSITIONS, _CASES, _SMALL))


@dataclass(frozen=True)
class Unread:
    """Words that were not used: `doubts` could narrow what is asked, `others` are told beside the answer."""

    doubts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.doubts or self.others)


def unread(rest: str, read: str = "") -> Unread:
    """What is left in `rest`, a question without what was read of it, beyond the closed list.

    A number could be a condition, so could an unknown word after a preposition or before a word for cases; `read` holds
    numbers that were used elsewhere.

    >>> unread("how many flagged cases of the turquoise line were there 7")
    Unread(doubts=('turquoise', '7'), others=())
    >>> unread("where is the gouge")
    Unread(doubts=(), others=('gouge',))
    """
    doubts: list[str] = []
    others: list[str] = []
    tokens = _TOKEN.findall(rest)
    words = [token.lower() for token in tokens]
    for i, (token, word) in enumerate(zip(tokens, words)):
        if word[:1].isdigit():
            if not re.search(rf"(?<![\w.,]){re.escape(word.rstrip('% '))}(?![\w]|[.,]\d)", read):
                doubts.append(token)
        elif word in _BUT:
            doubts.append(token)
        elif word in _COUNTS:
            after = words[i + 1] if i + 1 < len(words) else ""
            if word not in read.split() and after not in _COUNTED:
                doubts.append(token)
        elif not all(is_known(piece) for piece in (word, *word.split("-")) if piece) and len(word) > 1:
            before = next((w for w in reversed(words[:i]) if w not in _ARTICLES and not _new(w)), "")
            after = next((w for w in words[i + 1 :] if not _new(w)), "")
            at_once = i + 1 < len(words) and (words[i + 1] in _AFTER or (_new(words[i + 1]) and after in _AFTER))
            head = i > 0 and words[i - 1] in _DETERMINERS  # "all flurbs", "which flurbs"
            (doubts if before in _BEFORE or at_once or head else others).append(token)
    return Unread(tuple(dict.fromkeys(doubts)), tuple(dict.fromkeys(others)))


def _new(word: str) -> bool:
    return not word[:1].isdigit() and not is_known(word)
