"""A question of several sentences or several questions in one, taken apart."""
# ruff: noqa: E501  (one pattern a line reads better than a folded one)

import re

_END = re.compile(r"(?<=[.?!])(?<!\b[a-z]\.)(?<!\d\.)(?<!\bno\.)(?<!\bvs\.) +(?=\S)", re.I)
_AND = re.compile(
    r",? (?:and|und)(?: also| then)? (?=(?:how (?:many|often|much)|which|when|what|where|why|was|is|are|were|did|wie|welche|wann|warum|wo|ist)\b)",
    re.I,
)
_ASKS = re.compile(
    r"\?\s*$|^\W*(?:(?:please|and|so|then|now) )*(?:which|what|why|when|where|who|how|is|are|was|were|did|does|do|has|have|can|could|list|show|"
    r"tell|give|name|count|compare|explain|describe|find|quote|point|locate|summari[sz]e|mark|delete|wie|welche|warum|wann|ist|zeig|nenn|vergleich)",
    re.I,
)
_ENOUGH = 4  # words without which half a sentence is no question of its own


def clauses(question: str) -> list[str]:
    """The sentences of a question, and the questions of a sentence that asks two.

    >>> clauses("How many were flagged today? And which product is the worst?")
    ['How many were flagged today?', 'And which product is the worst?']
    >>> clauses("How many cases were flagged and what is the p-value of test-3?")
    ['How many cases were flagged', 'what is the p-value of test-3?']
    >>> clauses("When was the first alarm and when the last?")
    ['When was the first alarm and when the last?']
    """
    found: list[str] = []
    for sentence in _joined(_END.split(question.strip())):
        halves = _AND.split(sentence)
        whole = (
            len(halves) > 1
            and all(len(half.split()) >= _ENOUGH or re.search(r"\d", half) for half in halves)
            and asks(halves[0])
        )
        found += halves if whole else [sentence]
    return found


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
