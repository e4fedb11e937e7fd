"""Evidence from a text: the lines and words that stand out, words and kinds of lines that no normal text has."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmdmad.explain.log_lines import Followed, followed
from mmdmad.explain.maps import Span, character_spans, on_scale
from mmdmad.explain.occlusion import Carried, carrying
from mmdmad.explain.text_normal import WORD, TextNormal, template
from mmdmad.explain.words import Draft, draft, fact, listed, quoted
from mmdmad.findings import Fact

if TYPE_CHECKING:
    from mmdmad.judgement import PartJudgement
    from mmdmad.parts import Text

MAX_SPANS, MAX_WORDS = 3, 6
BEYOND = 1000.0
"""On the map scale: above it normal lines are nearly all alike, and a figure would be one of rounding."""
_WHOLE = re.compile(rf"(?<![^\W_]){WORD.pattern}")  # not the letters inside 8aff0003


def look(judged: "PartJudgement", text: str) -> list[Span]:
    """The spans of the text with scores on the fixed scale, in reading order; none for an encoder without places."""
    if judged.layout.kind != "spans" or not text:
        return []
    spans = character_spans(on_scale(judged.token_scores, judged.scale), judged.layout)
    inner = [s for s in spans if 0 <= s.start < s.stop <= len(text)]
    # a span over everything says nothing about where
    return [s for s in inner if s.stop - s.start < 0.9 * len(text)] or inner


def carried(judged: "PartJudgement", spans: list[Span], text: str) -> list[Carried]:
    """The words that carry the lines which stand out (the highest line where none does), most unusual line first."""
    if judged.again is None or not spans:
        return []
    lines = _hottest(spans) or [max(spans, key=lambda s: s.peak)]
    found = (carrying(line, text, judged.again, judged.scale) for line in lines)
    return [one for one in found if one is not None]


def evidence(spans: list[Span], signal: "Text", normal: TextNormal, found: Sequence[Carried] = ()) -> list[Draft]:
    """The lines that stand out, by the detector's map or by words that no normal text has, most unusual first.

    Lines of a piece of a log are told by their number in it. `found` are the words that carry lines; they are said
    after the lines.
    """
    text = signal.text
    hot, strange = _hottest(spans), _strange(spans, text, normal)
    drafts = [_hot(s, signal, normal) for s in hot]
    drafts += [_new(s, signal, _unseen(_piece(s, text), normal), normal) for s in strange]
    if not drafts and spans:
        facts = _where(max(spans, key=lambda s: s.peak), signal)
        said = f"no single line of the text stands out; the least usual is {_line(signal)}: “{{quote}}”."
        if "\n" not in text.strip():
            said = "the one line of the text does not stand out by itself: “{quote}”."
        drafts.append(draft("words", "text", said, facts))
    return drafts + [_carry(one, signal) for one in found]


def letters(judged: "PartJudgement") -> list[Draft]:
    """That the letters of the text are further from those of normal texts than nearly all normal ones are."""
    distance, usual = judged.views.get("letters", (0.0, 0.0))
    if distance <= usual:
        return []
    facts = [
        fact("distance of letters", distance),
        fact("usual distance of letters", usual),
        fact("share of normal texts within the usual distance", 99, "%"),
    ]
    said = "the letters of the text are at a distance of {distance_of_letters} from the normal texts most like it; "
    said += "usual is a distance of at most {usual_distance_of_letters} (0 is a copy, 1 nothing in common)."
    return [draft("words", "text", said, facts)]


def marks(spans: list[Span], text: str, normal: TextNormal, found: Sequence[Carried] = ()) -> list[Span]:
    """The words that `evidence` names, with the scores of their lines: never seen in a normal text, or carrying."""
    lines = [*_hottest(spans), *_strange(spans, text, normal)]
    new = [word for line in lines for word in _unseen_spans(line, text, normal)]
    return sorted({*new, *(word for one in found for word in one.words)}, key=lambda s: (s.start, s.stop))


def heats(spans: Sequence[Span]) -> list[dict[str, float]]:
    """Spans as they are stored beside a text."""
    return [{"start": int(s.start), "stop": int(s.stop), "heat": round(s.peak, 3)} for s in spans]


def _hottest(spans: list[Span]) -> list[Span]:
    return sorted((s for s in spans if s.peak > 1), key=lambda s: -s.peak)[:MAX_SPANS]


def _strange(spans: list[Span], text: str, normal: TextNormal) -> list[Span]:
    """Further lines, with most words that no normal text has first, as many as leave MAX_SPANS lines in all."""
    hot = _hottest(spans)
    lines = [s for s in _lines(text) if not any(h.start < s.stop and s.start < h.stop for h in hot)]
    new = {s: len(_unseen(_piece(s, text), normal)) for s in lines}
    return sorted((s for s in lines if new[s]), key=lambda s: -new[s])[: MAX_SPANS - len(hot)]


def _carry(found: Carried, signal: "Text") -> Draft:
    """The words without which a line would be less unusual; where each stands is kept in the facts."""
    text = signal.text
    facts = [
        *_number(int(found.words[0].start), signal),
        fact("words", listed([f"“{quoted(_piece(w, text))}”" for w in found.words])),
    ]
    for i, word in enumerate(found.words, 1):
        facts += [fact(f"first character {i}", int(word.start)), fact(f"last character {i}", int(word.stop) - 1)]
    sentence = f"without {{words}}, {_line(signal)} would score "
    if found.without > BEYOND:
        return draft("words", "text", sentence + "far lower; normal ones are nearly all alike.", facts)
    facts.append(fact("peak on the map scale", found.peak))
    facts.append(fact("without them on the map scale", found.without))
    sentence += "{without_them_on_the_map_scale} instead of "
    if found.peak > BEYOND:
        sentence += f"{BEYOND:g} or more on the map scale; normal ones are nearly all alike."
        return draft("words", "text", sentence, facts)
    return draft("words", "text", sentence + "{peak_on_the_map_scale} on the map scale.", facts)


def _hot(span: Span, signal: "Text", normal: TextNormal) -> Draft:
    """A span that the detector marks, with what about it is new."""
    text = signal.text
    piece = _piece(span, text)
    facts = [*_where(span, signal), fact("peak on the map scale", span.peak)]
    sentence = f"{_line(signal)} stands out: “{{quote}}”{_characters(signal)}"
    new, kind = _unseen(piece, normal), _followed(span, signal, normal)
    if new:
        facts += _new_words(new, normal)
        sentence += "; " + _never(new)
    if kind is not None:
        facts += kind.facts
        sentence += "; " + kind.words
    elif not new and normal.n_texts and _is_line(span, text) and template(piece) not in normal.templates:
        facts.append(fact("normal texts", normal.n_texts))
        sentence += "; none of {normal_texts} normal texts has such a line"
    return draft("words", "text", sentence + ".", facts)


def _new(span: Span, signal: "Text", new: list[str], normal: TextNormal) -> Draft:
    """A line that the detector does not mark but that holds words which no normal text has."""
    facts = [*_where(span, signal), *_new_words(new, normal)]
    sentence = f"in {_line(signal)}, “{{quote}}”{_characters(signal)}, " + _never(new)
    if (kind := _followed(span, signal, normal)) is not None:
        facts += kind.facts
        sentence += "; " + kind.words
    return draft("words", "text", sentence + ".", facts)


def _followed(span: Span, signal: "Text", normal: TextNormal) -> Followed | None:
    """What is known of the template of a line, where normal texts were those of a log and the span is a whole line."""
    if not normal.log.tells or not _is_line(span, signal.text):
        return None
    return followed(_piece(span, signal.text), signal.text, normal.log)


def _never(new: list[str]) -> str:
    some = "the word {never_seen} occurs" if len(new) == 1 else "the words {never_seen} occur"
    return (some if len(new) <= MAX_WORDS else "{count} words, among them {never_seen}, occur") + (
        " in none of {normal_texts} normal texts"
    )


def _new_words(new: list[str], normal: TextNormal) -> list[Fact]:
    return [
        fact("never seen", listed([f"“{w}”" for w in new[:MAX_WORDS]])),
        fact("count", len(new)),
        fact("normal texts", normal.n_texts),
    ]


def _where(span: Span, signal: "Text") -> list[Fact]:
    start, stop = int(span.start), int(span.stop)
    return [
        *_number(start, signal),
        fact("first character", start),
        fact("last character", stop - 1),
        fact("quote", quoted(signal.text[start:stop])),
    ]


def _number(character: int, signal: "Text") -> list[Fact]:
    """The number of the line in which a character stands, from 1 in the file, and which file."""
    number = fact("line", signal.before + signal.text.count("\n", 0, character) + 1)
    return [number, fact("file", quoted(signal.file, 60))] if signal.file else [number]


def _line(signal: "Text") -> str:
    return "line {line} of {file}" if signal.file else "line {line}"


def _characters(signal: "Text") -> str:
    """Where in the text a line stands; of a piece of a log nobody counts the characters."""
    return "" if signal.file else " (characters {first_character} to {last_character})"


def _piece(span: Span, text: str) -> str:
    return text[int(span.start) : int(span.stop)]


def _lines(text: str) -> list[Span]:
    """The lines of the text that hold something."""
    found, start = [], 0
    for line in text.split("\n"):
        if line.strip():
            found.append(Span(float(start), float(start + len(line)), 0.0))
        start += len(line) + 1
    return found


def _is_line(span: Span, text: str) -> bool:
    """Whether the span is a whole line, the unit that templates are made of."""
    return any(_piece(line, text).strip() == _piece(span, text).strip() for line in _lines(text))


def _unseen(text: str, normal: TextNormal) -> list[str]:
    """Words of the text that no normal text has, in order, each once."""
    if not normal.n_texts:
        return []
    every = (match.group().lower() for match in _WHOLE.finditer(text))
    return [w for w in dict.fromkeys(every) if w not in normal.words and len(w) > 1]


def _unseen_spans(line: Span, text: str, normal: TextNormal) -> list[Span]:
    """Where the words of a line that no normal text has stand."""
    new, first = set(_unseen(_piece(line, text), normal)), int(line.start)
    found = (match for match in _WHOLE.finditer(_piece(line, text)) if match.group().lower() in new)
    return [Span(float(first + m.start()), float(first + m.end()), line.peak) for m in found]
