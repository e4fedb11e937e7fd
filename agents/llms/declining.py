"""What is said where a question is not answered, or not all of it: why, and which words were in the way."""

from textwrap import shorten

from mmdmad.agents.llms.acting import told_to_act
from mmdmad.agents.llms.heard import Reading
from mmdmad.agents.llms.phrases import CAN

LANGUAGES = "I cannot read that language: questions may be in English or in German."


def declined(reading: Reading) -> str:
    """The answer to a reading that asks for nothing that can be looked up; "" where it can."""
    match reading.intent:
        case "thanks":
            return "You are welcome."
        case "help":
            return CAN
        case "decline":
            return (
                f"I cannot answer that from the evidence: it is about {reading.reason}. {CAN}"
                if not reading.reason.startswith("that")
                else f"I cannot answer {reading.reason}. {CAN}"
            )
        case "which case":
            note = f" ({reading.reason})" if reading.reason else ""
            return f"Which case do you mean{note}? Please give its id."
        case "time":
            return (
                f"I cannot tell which time is meant by “{reading.reason}”. Please say a day (a date, Monday, "
                "yesterday), a part of it (morning, afternoon, evening, last night) or hours."
            )
        case "needs":
            return f"Please say the {reading.reason}."
        case "unclear":
            words = _quoted((*reading.doubts, *reading.others))
            return "\n".join(
                [f"I did not understand the question. {CAN}", *([f"I do not know: {words}."] if words else [])]
            )
        case "doubt":
            return (
                f"I cannot answer that without knowing what is meant by {_quoted(reading.doubts)}: it could say which "
                "cases are asked for. Please leave it out or say it in other words."
            )
        case "no such channel":
            return f"I cannot answer that: {reading.reason}."
        case "act":
            return told_to_act(reading.attribute, reading.cases)
        case "foreign":
            return f"{LANGUAGES} {CAN}"
    return ""


def notes(reading: Reading, unused: tuple[str, ...]) -> list[str]:
    """What an answer did not use of the question, a line each."""
    said = [LANGUAGES] if reading.foreign else []
    said += [f"I did not know {_quoted((given,))} and read it as {name}." for given, name in reading.corrected]
    if unused:
        said.append(f"I did not filter by {' and '.join(unused)}: this answer is about everything.")
    if reading.unread:
        said.append(f"I did not use {' and '.join(reading.unread)}: say which number is meant for what.")
    if reading.reason == "rescore":
        said.append("I cannot change the run from here. Please run: mmdmad report RUN --rate RATE.")
    left = () if reading.foreign else (*reading.doubts, *reading.others)
    left = tuple(word for word in left if word not in reading.unread)
    if left:
        said.append(f"I did not use: {_quoted(left)}.")
    if reading.skipped:
        said.append(f"I did not answer: {_quoted(reading.skipped)}.")
    return said


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"“{shorten(word.rstrip('.!? '), 60, placeholder=' …')}”" for word in words)
