"""A question of several sentences or several questions in one, taken apart."""
# ruff: noqa: E501  (one pattern a line reads better than a folded one)

import re

_END = re.compile(r"(?<=[.?!])(?<!\b[a-z]\.)(?<!\d\.)(?<!\bno\.)(?<!\bvs\.) +(?=\S)", re.I)
_WORD = r"how (?:many|much|often)|which|when|what|where|why|who|was|is|are|were|did|do|does|wie|welche[rsnm]?|wann|warum|wo|ist|sind"
_BID = r"list|show|name|tell|give|explain|compare|count|zeig\w*|nenn\w*|erklär\w*|liste"
_NOUN = r"the (?:time|date|p-?value|score|verdict|reason|id) (?:of|for)"
_AND = re.compile(
    rf",? (?:and|und|but|aber|sowie|as well as)(?: also| then| dann| auch)? (?=(?:of (?:those|these|them),? |davon |von (?:denen|diesen) )?(?:{_WORD}|{_BID}|{_NOUN})\b)",
    re.I,
)
_TAIL = re.compile(
    rf"(?:,|,? (?:and|und|but|aber|or|oder))(?: also| then| of (?:those|these|them),?)? (?P<tail>(?:{_WORD}|{_NOUN})\b.*)$",
    re.I,
)
_ASKS = re.compile(
    r"\?\s*$|^\W*(?:(?:please|and|so|then|now) )*(?:which|what|why|when|where|who|how|number of|anzahl|the (?:time|date|p-?value|score|verdict|reason|id) (?:of|for)|of (?:those|these|them)|davon|is|are|was|were|did|does|do|has|have|can|could|list|show|"
    r"tell|give|name|count|compare|explain|describe|find|quote|point|locate|summari[sz]e|mark|delete|wie|welche|warum|wann|wo|ist|sind|gibt|gab|zeig|nenn|vergleich)",
    re.I,
)
_ENOUGH = 4  # words without which half a sentence is no question of its own


def clauses(question: str) -> list[str]:
    """The sentences of a question, and the questions of a sentence that asks two.

    >>> clauses("How many were flagged today? And which product is the worst?")
    ['How many were flagged today?', 'And which product is the worst?']
    >>> clauses("How many cases were flagged and what is the p-value of test-3?")
    ['How many cases were flagged', 'what is the p-value of test-3?']
    >>> clauses("How many lack text, and of those which were flagged?")
    ['How many lack text', 'of those which were flagged?']
    >>> clauses("When was the first alarm and when the last?")
    ['When was the first alarm and when the last?']
    """
    found: list[str] = []
    for sentence in _joined(_END.split(question.strip())):
        halves = _AND.split(sentence)
        whole = len(halves) > 1 and all(_enough(half) for half in halves) and asks(halves[0])
        found += halves if whole else [sentence]
    return found


def second_ask(clause: str) -> str:
    """The second question of a clause that was not taken apart, "" where there is none.

    >>> second_ask("which were flagged and why"), second_ask("which cases were flagged?")
    ('why', '')
    """
    m = _TAIL.search(clause.strip())
    return "" if m is None or not asks(clause[: m.start()]) else m["tail"]


def _enough(half: str) -> bool:
    """Whether half a sentence may be a question: long enough, or with a number or a word for what was said before."""
    pointing = r"\d|\b(?:it|that|those|these|them|he|she|er|sie|es|davon|denen)\b|\b(?:worst|schlimmste[rsn]?)\b"
    return len(half.split()) >= _ENOUGH or (len(half.split()) > 1 and bool(re.search(pointing, half, re.I)))


def asks(clause: str) -> bool:
    """Whether a clause asks or bids, rather than tells."""
    return bool(_ASKS.search(clause))


def _joined(sentences: list[str]) -> list[str]:
    """Sentences, those of fewer than three words put before the next ("Okay. And that one?")."""
    found: list[str] = []
    lead = ""
    for sentence in sentences:
        if len((lead + sentence).split()) < 3:
            lead += f"{sentence} "
            continue
        found.append(lead + sentence)
        lead = ""
    if lead:
        found[-1:] = [f"{found[-1]} {lead}".strip()] if found else [lead.strip()]
    return found
