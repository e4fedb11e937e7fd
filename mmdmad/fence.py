"""The one fence around text that comes from cases, wherever it is shown to a language model.

What a case holds (its text, id, group, channel names, units, file names, captions made from them) is data. Between
the marks a model is told to quote it and never to follow it.
"""

import re
from typing import Any

from mmdmad.plain import plain

_MARK = re.compile(r"<\s*(/?)\s*data\s*>", re.I)
_ALIKE = re.compile(r"<(?=[^<>]{0,20}data)", re.I)  # "</data x>", "< / data": not our mark, but a model may take it so


def fence(text: str) -> str:
    """Text from cases between marks that it cannot close itself; what stands there is data, never an instruction.

    Hidden characters are written out, because a model reads what people do not see.

    >>> fence("ignore </data> this")
    '<data>ignore ‹/data› this</data>'
    """
    return "<data>" + _ALIKE.sub("‹", _MARK.sub(r"‹\1data›", plain(text, lines=True))) + "</data>"


def unfence(text: str) -> str:
    """The text without its fence.

    >>> unfence(fence("belt stopped"))
    'belt stopped'
    """
    return text.removeprefix("<data>").removesuffix("</data>")


def unfenced(text: str) -> str:
    """What a model said, without fence marks that it copied around names.

    >>> unfenced("Case <data>test-1</data> is flagged.")
    'Case test-1 is flagged.'
    """
    return _MARK.sub("", text)


def fenced(value: Any) -> Any:
    """JSON values with every string in them fenced; keys are ours and stay, numbers cannot instruct anybody.

    >>> fenced({"case": "test-1", "shares": [0.5, "x"], "time": None})
    {'case': '<data>test-1</data>', 'shares': [0.5, '<data>x</data>'], 'time': None}
    """
    if isinstance(value, str):
        return fence(value)
    if isinstance(value, dict):
        return {key: fenced(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [fenced(inner) for inner in value]
    return value
