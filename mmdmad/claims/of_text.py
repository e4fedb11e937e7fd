# ruff: noqa: E501  (a statement reads better on one line)
"""What evidence says of a text: lines that stand out, words and templates that are new, words that carry a line."""

import re
from collections.abc import Sequence

from mmdmad.claims.frames import Frame, View
from mmdmad.claims.slots import Name

_LINE = "line {line} [of {file}]"
_WHERE = "[characters {first_character} to {last_character}]"
_NEW = "({count} words among them {never_seen} occur|the word {never_seen} occurs|the words {never_seen} occur)"
FRAMES = (
    Frame(
        "line", "line", "equals", "quote", "line {line} stands out: “{quote}”", "Zeile {line} fällt auf: „{quote}“", "unusual",
        (
            f'{_LINE} stands out : " {{quote}} " {_WHERE}',
            '(the text|the log|the line|it) (says|warns|reads|reports) [:] " {quote} " [which is unusual]',
            f'{_LINE} (says|warns|reads) [:] " {{quote}} "', '" {quote} " (stands out|is unusual)',
        ),
        ('Zeile {line} (fällt auf|lautet) : " {quote} "',),
    ),
    Frame(
        "line holds", "line", "equals", "quote", "line {line} is “{quote}”", "Zeile {line} lautet „{quote}“", "",
        (
            f'in {_LINE} " {{quote}} " {_WHERE}',
            '(the text|the log|the line|it) (says|warns|reads|reports) [:] " {quote} "',
        ),
    ),
    Frame(
        "new words", "words", "missing", "never seen", "of its words, none of {normal_texts} normal texts has {never_seen}",
        "von seinen Wörtern steht {never_seen} in keinem von {normal_texts} normalen Texten", "unusual",
        (f"{_NEW} in none of {{normal_texts}} normal texts",),
    ),
    Frame(
        "no such line", "line", "missing", "quote", "none of {normal_texts} normal texts has such a line",
        "keiner von {normal_texts} normalen Texten hat eine solche Zeile", "unusual",
    ),
    Frame(
        "new template", "template", "missing", "template", "its template “{template}” is new: none of {normal_lines} normal "
        "lines follows it", "ihr Muster „{template}“ ist neu: keine von {normal_lines} normalen Zeilen folgt ihm", "unusual",
        (
            'its template " {template} " is new [: none of {normal_lines} normal lines follows it '
            "[{lines_of_the_template_in_the_text} lines of this text do]]",
        ),
    ),
    Frame(
        "known template", "template", "count", "normal lines of the template",
        "{normal_lines_of_the_template} of {normal_lines} normal lines follow its template “{template}”",
        "{normal_lines_of_the_template} von {normal_lines} normalen Zeilen folgen ihrem Muster „{template}“", "",
        ('{normal_lines_of_the_template} of {normal_lines} normal lines follow its template " {template} "',),
    ),
    Frame(
        "new value", "word", "missing", "new value", "none of them has “{new_value}” as word {word_of_the_template}",
        "keine davon hat „{new_value}“ als {word_of_the_template}. Wort", "unusual",
        ('none with " {new_value} " as word {word_of_the_template}',),
    ),
    Frame(
        "no line", "line", "equals", "quote", "no single line of the text stands out; the least usual is line {line}: "
        "“{quote}”", "keine einzelne Zeile des Textes fällt auf; die am wenigsten übliche ist Zeile {line}: „{quote}“", "usual",
        (
            rf'no single line of the text stands out \; the least usual is {_LINE} : " {{quote}} "',
            'the one line of the text does not stand out by itself : " {quote} "',
            "no single line of the text stands out",
        ),
    ),
    Frame(
        "carrying", "words", "above", "words", "without {words}, line {line} would be less unusual",
        "ohne {words} wäre Zeile {line} weniger auffällig", "unusual",
        (
            rf"without {{words}} {_LINE} would score (far lower \; normal ones are nearly all alike|"
            r"{without_them_on_the_map_scale} instead of ({peak_on_the_map_scale} on the map scale|"
            r"1000 or more on the map scale \; normal ones are nearly all alike))",
        ),
    ),
    Frame(
        "letters", "distance of letters", "above", "distance of letters", "the letters of the text are at a distance of "
        "{distance_of_letters} from the normal texts most like it", "die Buchstaben des Textes liegen {distance_of_letters} "
        "von den ähnlichsten normalen Texten entfernt", "unusual",
    ),
    Frame(
        "usual letters", "distance of letters", "within", "usual distance of letters", "usual is a distance of at most "
        "{usual_distance_of_letters}", "üblich ist ein Abstand von höchstens {usual_distance_of_letters}", "",
        ("usual is a distance of at most {usual_distance_of_letters} 0 is a copy 1 nothing in common",),
    ),
)  # fmt: skip


def of_words(seen: View) -> Sequence[str]:
    """Which line or words, what is new about them."""
    if "distance of letters" in seen.facts:
        return ["letters", "usual letters"]
    if "words" in seen.facts:
        return ["carrying"]
    if "quote" not in seen.facts:
        return []
    seen.slots["quote"] = Name(seen.text("quote"))
    new = ["new words"] if "never seen" in seen.facts else []
    follows = _template(seen)
    if seen.caption.startswith(("No single line", "The one line")):
        return ["no line"]
    first = "line" if "peak on the map scale" in seen.facts or _said_out(seen) else "line holds"
    such = ["no such line"] if "normal texts" in seen.facts and not new else []
    return [first, *new, *follows, *such]


def _said_out(seen: View) -> bool:
    return re.match(r"Line \d+(?: of .+?)? stands out\b", seen.caption) is not None


def _template(seen: View) -> list[str]:
    lines = seen.number("normal lines of the template")
    if "template" not in seen.facts or lines is None:
        return []
    return ["known template" if lines else "new template"] + (["new value"] if "new value" in seen.facts else [])
