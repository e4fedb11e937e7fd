"""Requests to do something: the chat changes nothing, and says with which command a person does it."""
# ruff: noqa: E501  (one pattern a line reads better than a folded one)

import re

_PLEASE = r"^\W*(?:(?:please|pls|can you|could you|would you|will you|i want you to|and|now|then|just|so) )*"
_ACTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(_PLEASE + pattern, re.I))
    for name, pattern in (
        ("rescore", r"(?:re-?(?:score|judge|evaluate|run|check)|(?:score|judge)\b.* again)\b"),
        ("feedback", r"(?:mark|label|classify|declare|set|treat|flag|tag)\b(?!.*\b(?:rate|threshold)\b).*\b(?:as|to|a false alarm)\b"),
        ("feedback", r"(?:accept|approve|dismiss|acknowledge|unflag|confirm (?!whether|if|that))\b"),
        ("rate", r"(?:set|change|raise|lower|increase|decrease|reduce|put)\b.*\b(?:rate|threshold|limit)\b"),
        ("delete", r"(?:delete|erase|remove|drop|discard|wipe|throw away|clear)\b"),
        ("fit", r"(?:re-?train|re-?fit|re-?learn|fit|train|learn)\b"),
        ("recalibrate", r"recalibrate\b|from now on\b.* is normal\b"),
        ("report", r"(?:send|e-?mail|export|save|write|print|make|create|generate)\b.*\b(?:reports?|pdf|csv|excel|file|e-?mail)\b"),
        ("else", r"(?:stop|halt|shut down|restart|switch off|turn off|slow down) (?:the )?(?:line|machine|belt|press)\b"),
        ("else", r"(?:notify|inform|alert|order|book|schedule) (?:the |a |an )?(?!cases?\b)\w+"),
    )
)  # fmt: skip
COMMANDS = {
    "feedback": "mmdmad feedback RUN CASE false-alarm (or confirmed)",
    "rate": "mmdmad report RUN --rate RATE",
    "rescore": "mmdmad report RUN --rate RATE",
    "delete": "",
    "fit": "mmdmad fit --data NORMALS --run NEW_RUN",
    "recalibrate": "mmdmad recalibrate RUN",
    "report": "mmdmad report RUN",
    "else": "",
}


def asked_to_act(text: str) -> str:
    """What a question asks to be done, "" where it only asks.

    >>> asked_to_act("mark it as false alarm"), asked_to_act("which cases are marked as anomalous?")
    ('feedback', '')
    """
    return next((name for name, pattern in _ACTS if pattern.search(text)), "")


def told_to_act(act: str, cases: tuple[str, ...]) -> str:
    """That nothing is changed here, and the command that does it.

    >>> told_to_act("feedback", ("test-3",))
    'I cannot change anything from here. Please run: mmdmad feedback RUN test-3 false-alarm (or confirmed).'
    """
    command = COMMANDS[act].replace("CASE", cases[0] if cases else "CASE")
    if not command:
        return "I cannot do that: I look things up, and no command of mmdmad does it."
    return f"I cannot change anything from here. Please run: {command}."
