"""What is said of the template of a log line: whether normal lines follow it, how many, what is new in it."""

from dataclasses import dataclass

from mmdmad.explain.log_templates import Templates
from mmdmad.explain.words import fact, quoted
from mmdmad.findings import Fact

TEMPLATE, SEEN, LIKE = "template", "normal lines of the template", "lines of the template in the text"
"""The facts by which templates are found again in a run."""


@dataclass(frozen=True)
class Followed:
    """The end of a sentence on a line, with braces for its facts, and these."""

    words: str
    facts: tuple[Fact, ...]


def followed(line: str, text: str, known: Templates) -> Followed | None:
    """What a line of a text follows; None where nothing can be said of it (`Templates.match`).

    >>> known = Templates()
    >>> for i in range(20): known.add(f"unit {i} leaves")
    >>> followed("belt 3 burns", "belt 3 burns", known).words
    'its template “{template}” is new: none of {normal_lines} normal lines follows it'
    """
    found = known.match(line)
    if found is None:
        return None
    same = 0
    for other in text.splitlines():
        match = known.match(other)
        same += match is not None and match.template == found.template
    facts = [
        fact(TEMPLATE, quoted(found.template)),
        fact(SEEN, found.lines),
        fact("normal lines", found.of),
        fact(LIKE, same),
    ]
    if not found.lines:
        words = "its template “{template}” is new: none of {normal_lines} normal lines follows it"
        words += ", {lines_of_the_template_in_the_text} lines of this text do" if same > 1 else ""
    else:
        words = "{normal_lines_of_the_template} of {normal_lines} normal lines follow its template “{template}”"
    if found.value:
        facts += [
            fact("new value", quoted(found.value)),
            fact("word of the template", found.place),
            fact("values of normal lines there", found.others),
        ]
        words += ", none with “{new_value}” as word {word_of_the_template}"
    return Followed(words, tuple(facts))
