"""Evidence from a text: the lines and words that stand out, words and kinds of lines that no normal text has."""

from typing import TYPE_CHECKING

from mmdmad.explain.maps import Span, character_spans
from mmdmad.explain.reference import Reference, template, words_of
from mmdmad.explain.words import Draft, draft, fact, listed, quoted

if TYPE_CHECKING:
    from mmdmad.joint.judgement import PartJudgement

MAX_SPANS, MAX_WORDS = 3, 6


def look(judged: "PartJudgement", text: str) -> list[Span]:
    """The spans of the text with scores on the fixed scale, in reading order; none for an encoder without places."""
    if judged.layout.kind != "spans" or not text:
        return []
    low, high = judged.scale
    room = max(high - low, 1e-300)
    spans = character_spans(judged.token_scores, judged.layout)
    inner = [s for s in spans if s.start < s.stop <= len(text)]
    # a span over everything says nothing about where
    inner = [s for s in inner if s.stop - s.start < 0.9 * len(text)] or inner
    return [Span(s.start, s.stop, (s.peak - low) / room) for s in inner]


def evidence(spans: list[Span], text: str, reference: Reference) -> list[Draft]:
    """Hot spans, strongest first, each with its place and what about it is new; new words elsewhere last."""
    hot = sorted((s for s in spans if s.peak > 1), key=lambda s: -s.peak)[:MAX_SPANS]
    drafts = [_span(s, text, reference) for s in hot]
    said = {word for s in hot for word in words_of(text[int(s.start) : int(s.stop)])}
    rest = [w for w in _unseen(text, reference) if w not in said]
    if rest:
        drafts.append(_words(rest, text, reference))
    if not drafts and spans:
        drafts.append(_least_usual(max(spans, key=lambda s: s.peak), text))
    return drafts


def _least_usual(span: Span, text: str) -> Draft:
    facts = _where(span, text)
    return draft(
        "words", "text", "no single line of the text stands out; the least usual is line {line}: “{quote}”.", facts
    )


def _span(span: Span, text: str, reference: Reference) -> Draft:
    piece = text[int(span.start) : int(span.stop)]
    facts = _where(span, text)
    facts.append(fact("peak on the map scale", span.peak))
    sentence = "line {line} stands out (characters {first_character} to {last_character}): “{quote}”"
    new = _unseen(piece, reference)[:MAX_WORDS]
    if new:
        facts += [
            fact("never seen", listed([f"“{w}”" for w in new])),
            fact("normal texts", reference.n_texts),
        ]
        sentence += (
            f"; the {'words' if len(new) > 1 else 'word'} {{never_seen}} {'occur' if len(new) > 1 else 'occurs'}"
        )
        sentence += " in none of {normal_texts} normal texts"
    elif reference.n_texts and _is_line(span, text) and template(piece) not in reference.templates:
        facts.append(fact("normal texts", reference.n_texts))
        sentence += "; none of {normal_texts} normal texts has such a line"
    return draft("words", "text", sentence + ".", facts)


def _words(words: list[str], text: str, reference: Reference) -> Draft:
    shown = words[:MAX_WORDS]
    facts = [
        fact("never seen", listed([f"“{w}”" for w in shown])),
        fact("count", len(words)),
        fact("normal texts", reference.n_texts),
        fact("first character", text.lower().find(shown[0])),
    ]
    if len(words) == 1:
        return draft("words", "text", "the word {never_seen} occurs in none of {normal_texts} normal texts.", facts)
    more = " of {count} new words, among them" if len(words) > len(shown) else ""
    sentence = "the words {never_seen} occur in none of {normal_texts} normal texts."
    if more:
        sentence = "{count} words occur in none of {normal_texts} normal texts, among them {never_seen}."
    return draft("words", "text", sentence, facts)


def _where(span: Span, text: str) -> list:
    start, stop = int(span.start), int(span.stop)
    return [
        fact("line", text.count("\n", 0, start) + 1),
        fact("first character", start),
        fact("last character", stop - 1),
        fact("quote", quoted(text[start:stop])),
    ]


def _is_line(span: Span, text: str) -> bool:
    """Whether the span is a whole line, the unit that templates are made of."""
    line_start = text.rfind("\n", 0, int(span.start)) + 1
    line_stop = text.find("\n", int(span.start))
    line = text[line_start : line_stop if line_stop >= 0 else len(text)]
    return text[int(span.start) : int(span.stop)].strip() == line.strip()


def _unseen(text: str, reference: Reference) -> list[str]:
    """Words of the text that no normal text has, in order, each once."""
    if not reference.n_texts:
        return []
    return [w for w in dict.fromkeys(words_of(text)) if w not in reference.words and len(w) > 1]
