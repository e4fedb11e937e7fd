# ruff: noqa: E501  (a statement reads better on one line)
"""What evidence says of the verdict: the verdict itself, the p-value against the rate, what stands behind the guarantee."""

import re
from collections.abc import Sequence

from mmdmad.claims.frames import Frame, View
from mmdmad.claims.slots import Name, Words

_RATE = "(the [declared] [false-alarm] rate of {declared_false-alarm_rate}|the {declared_false-alarm_rate} rate)"
_LAPSE = re.compile(
    r"has lapsed since .*\d: (either normal has moved, or more than [\w ]+(?:\.\d+ )?%? ?of the cases is odd|normal has moved, "
    r"scores are lower than those of the calibration, and faults may be missed)\.$"
)
_JUDGED = "(is|was|has been|gets)"
FRAMES = (
    Frame(
        "flagged", "verdict", "equals", "verdict", "case {case} is flagged as anomalous",
        "Fall {case} ist als auffällig gemeldet", "unusual",
        (
            f"@case [group {{group}}] [{{time}}] {_JUDGED} (flagged [as (anomalous|abnormal|unusual|an anomaly)]|"
            "[judged [as|to be]] (anomalous|abnormal|an anomaly)) "
            "<with [a|its] [joint] p-value [of] ({p-value}|{p-value_among_recordings} among one window of each of {calibration_recordings} "
            "calibration recordings);at (a|the) [declared] false-alarm rate of {declared_false-alarm_rate}>",
            f"(at|with) a [declared] [false-alarm] rate of {{declared_false-alarm_rate}} @case {_JUDGED} "
            "(flagged|judged (anomalous|abnormal))",
            "the verdict [of|on @case] is (anomalous|abnormal)",
        ),
        ("@case (ist|wurde) [als] (auffällig|anomal) [gemeldet|eingestuft]",),
    ),
    Frame(
        "not flagged", "verdict", "equals", "verdict", "case {case} is not flagged",
        "Fall {case} ist nicht gemeldet", "usual",
        (
            f"@case [group {{group}}] [{{time}}] {_JUDGED} (not (flagged|anomalous|abnormal)|judged [as|to be] normal|"
            "normal)",
            f"(at|with) a [declared] [false-alarm] rate of {{declared_false-alarm_rate}} @case {_JUDGED} "
            "(judged normal|not flagged)",
            "that means it looks like the normal cases \\; it does not prove that nothing is wrong",
        ),
        ("@case (ist|wurde) (nicht (gemeldet|auffällig)|als normal (eingestuft|beurteilt)|normal)",),
    ),
    Frame(
        "no verdict", "verdict", "equals", "verdict", "case {case} gets no verdict",
        "Fall {case} bekommt kein Urteil", "",
        ("@case [group {group}] [{time}] (gets|has|got) no verdict",),
        ("@case (bekommt|hat) kein Urteil",),
    ),
    Frame(
        "p below rate", "p-value", "below", "p-value", "its joint p-value {p-value} is not above the declared false-alarm "
        "rate of {declared_false-alarm_rate}", "sein gemeinsamer p-Wert {p-value} liegt nicht über der erklärten "
        "Fehlalarmrate von {declared_false-alarm_rate}", "unusual",
        (f"[since] [its|the] ([joint] p-value [of]|p =) {{p-value}} (is|lies) (below|at most|not above) {_RATE}",),
    ),
    Frame(
        "p below rate among recordings", "p-value among recordings", "below", "p-value among recordings",
        "its p-value {p-value_among_recordings} among one window of each of {calibration_recordings} calibration "
        "recordings is not above the declared false-alarm rate of {declared_false-alarm_rate}",
        "sein p-Wert {p-value_among_recordings} unter je einem Fenster von {calibration_recordings} "
        "Vergleichsaufnahmen liegt nicht über der erklärten Fehlalarmrate von {declared_false-alarm_rate}", "unusual",
    ),
    Frame(
        "p above rate", "p-value", "above", "p-value", "its joint p-value {p-value} is above the declared false-alarm "
        "rate of {declared_false-alarm_rate}", "sein gemeinsamer p-Wert {p-value} liegt über der erklärten "
        "Fehlalarmrate von {declared_false-alarm_rate}", "usual",
        (f"[since] [its|the] ([joint] p-value [of]|p =) {{p-value}} (is|lies) above {_RATE}",),
    ),
    Frame(
        "p above rate among recordings", "p-value among recordings", "above", "p-value among recordings",
        "its p-value {p-value_among_recordings} among one window of each of {calibration_recordings} calibration "
        "recordings is above the declared false-alarm rate of {declared_false-alarm_rate}",
        "sein p-Wert {p-value_among_recordings} unter je einem Fenster von {calibration_recordings} "
        "Vergleichsaufnahmen liegt über der erklärten Fehlalarmrate von {declared_false-alarm_rate}", "usual",
    ),
    Frame(
        "p", "p-value", "equals", "p-value", "its joint p-value is {p-value}", "sein gemeinsamer p-Wert ist {p-value}", "",
        (
            "[joint] p-value {p-value}", "[its|the] [joint] p-value [of @case] (is|was|:|=) {p-value}", "p = {p-value}",
            "@case has [a|the] [joint] p-value [of] {p-value}",
            "its joint p-value among {calibration_cases} calibration cases is {p-value}",
            "joint p-value {p-value} among all {calibration_cases} windows of these",
        ),
    ),
    Frame(
        "p among recordings", "p-value among recordings", "equals", "p-value among recordings",
        "among one window of each of {calibration_recordings} calibration recordings its p-value is "
        "{p-value_among_recordings}",
        "unter je einem Fenster von {calibration_recordings} Vergleichsaufnahmen ist sein p-Wert "
        "{p-value_among_recordings}", "",
        ("p-value among recordings {p-value_among_recordings} {calibration_recordings} of these",),
    ),
    Frame(
        "rate", "declared false-alarm rate", "equals", "declared false-alarm rate",
        "the declared false-alarm rate is {declared_false-alarm_rate}",
        "die erklärte Fehlalarmrate ist {declared_false-alarm_rate}", "",
        (
            "[the|a] [declared] false-alarm rate [is|of] {declared_false-alarm_rate}",
            "at (a|the) [declared] false-alarm rate of {declared_false-alarm_rate}",
            "the declared false-alarm rate of {declared_false-alarm_rate} is not promised [for it]",
        ),
    ),
    Frame(
        "calibration", "calibration cases", "count", "calibration cases",
        "the verdict rests on {calibration_cases} calibration cases",
        "das Urteil beruht auf {calibration_cases} Vergleichsfällen", "",
        (
            "{calibration_cases} calibration cases [{whose} [that lack the same {missing_readings}]]",
            "the (decision|verdict|guarantee|p-value) rests on {calibration_cases} calibration cases [{whose} [that lack the same {missing_readings}]]",
        ),
    ),
    Frame(
        "readings missing", "readings", "missing", "missing readings",
        "it is ranked among normal cases that lack the same: {missing_readings}",
        "verglichen wird mit normalen Fällen, denen dasselbe fehlt: {missing_readings}",
    ),
    Frame(
        "too few", "calibration cases", "below", "calibration cases",
        "{calibration_cases} calibration cases {whose} cannot support a declared false-alarm rate of "
        "{declared_false-alarm_rate}",
        "{calibration_cases} Vergleichsfälle {whose} tragen keine erklärte Fehlalarmrate von "
        "{declared_false-alarm_rate}",
    ),
    Frame(
        "interval", "interval", "within", "interval low", "the {interval_level} interval of the rate is {interval}",
        "das Intervall der Rate zu {interval_level} ist {interval}", "",
        ("[the] {interval_level} interval [is|from] {interval}",),
    ),
    Frame(
        "group", "group", "equals", "group", "case {case} is of group {group}", "Fall {case} gehört zur Gruppe {group}", "",
        (
            "@case (is|was) (of|in) [the] group {group}", "@case belongs to [the] group {group}", "group {group}",
            "@case is (one of the|a) {group} [cases|case]", "its group is {group}",
        ),
    ),
    Frame(
        "recorded", "time", "at", "time", "case {case} was recorded at {time}", "Fall {case} wurde am {time} aufgenommen", "",
        (
            "@case (was|is) (recorded|seen|taken) (at {clock} on {day}|on {day} at {clock}|at {time}|at {day} {clock}|"
            "on {day}|at {clock})",
        ),
    ),
    Frame(
        "note", "note", "equals", "note", "of the guarantee: {note}", "zur Garantie: {note}", "",
        ("{note}", "the rate is not promised : {note}"),
    ),
    Frame(
        "lapsed", "guarantee", "missing", "lapsed since", "the guarantee has lapsed since {lapsed_since}",
        "die Garantie gilt seit {lapsed_since} nicht mehr", "",
        ("the guarantee has lapsed since {lapsed_since} [: {reason_of_the_lapse}]",),
    ),
    Frame(
        "named normal", "named normal on", "at", "named normal on",
        "case {case} was named normal on {named_normal_on}; other cases are ranked with it since",
        "Fall {case} wurde am {named_normal_on} als normal benannt; andere werden seither mit ihm verglichen", "",
        (r"@case was named normal on {named_normal_on} [\; other cases are ranked with it since so it gets no verdict "
         "of its own]",),
    ),
    Frame(
        "replaced", "files", "missing", "verdict",
        "its files were replaced since, and cannot be used", "seine Dateien wurden seither ersetzt und sind unbrauchbar",
        "", ("@case has no verdict : its files were replaced since and cannot be used {reason}",),
    ),
    Frame(
        "judged before", "verdict before", "equals", "verdict before",
        "it was judged {verdict_before} before, with joint p-value {p-value}",
        "zuvor lautete das Urteil {verdict_before}, mit gemeinsamem p-Wert {p-value}", "",
        ("before it was judged {verdict_before} with joint p-value {p-value_before}",),
    ),
    Frame(
        "ranked among named", "level of", "at", "level of",
        "the case is ranked among cases that were named normal on {level_of}",
        "der Fall wird mit Fällen verglichen, die am {level_of} als normal benannt wurden",
    ),
)  # fmt: skip


_TOLD = {
    "group": "group", "time": "recorded", "missing readings": "readings missing", "note": "note",
    "lapsed since": "lapsed",
}  # fmt: skip
"""Facts in words that are told as they are, and their statements."""


def of_verdict(seen: View) -> Sequence[str]:
    """The verdict, what decides it, and what stands behind the guarantee."""
    seen.pair("interval", "interval low", "interval high")
    _clock(seen)
    own = "of its own group" in seen.caption
    seen.slots["whose"] = Words(
        ("of its own group",) if own else ("of this pattern",), ("seiner Gruppe",) if own else ("dieses Musters",)
    )
    if (reason := _LAPSE.search(seen.caption)) is not None:
        seen.slots["reason_of_the_lapse"] = Name(reason[1])
    verdict = seen.text("verdict")
    if "named normal on" in seen.facts:
        return ["named normal", "no verdict", "judged before"]
    if "verdict before" in seen.facts:
        return ["no verdict", "replaced", "judged before"]
    known = {"anomalous": "flagged", "normal": "not flagged", "no verdict": "no verdict"}
    told = [known[verdict]] if verdict in known else []
    rate, calibration = seen.number("declared false-alarm rate"), seen.number("calibration cases")
    if verdict != "no verdict":
        told += _sides(seen, verdict)
    elif rate and calibration is not None and (calibration + 1) * rate < 100:
        told.append("too few")
    told += ["p"] if "p-value" in seen.facts else []
    told += ["p among recordings"] if "p-value among recordings" in seen.facts else []
    told += ["rate"] if rate is not None else []
    told += ["calibration"] if calibration is not None else []
    told += ["interval"] if "interval" in seen.slots else []
    return told + [name for fact, name in _TOLD.items() if seen.text(fact)]


def _sides(seen: View, verdict: str) -> list[str]:
    """On which side of the declared rate each p-value lies; of one that is rounded onto it, only what is known."""
    rate, told = seen.number("declared false-alarm rate"), []
    for fact, name in (("p-value", ""), ("p-value among recordings", " among recordings")):
        p = seen.number(fact)
        if p is None or rate is None:
            continue
        if f"{p:.3g}" != f"{rate / 100:.3g}":
            told.append(f"p {'below' if p < rate / 100 else 'above'} rate{name}")
        elif "p-value among recordings" not in seen.facts:  # the one that decides
            told.append(f"p {'below' if verdict == 'anomalous' else 'above'} rate")
    return told


def _clock(seen: View) -> None:
    """The day and the clock of a time, which may be said apart; a clock without its seconds too."""
    when = re.match(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2})?", seen.text("time"))
    if when is not None:
        clock = (when[2] + (when[3] or ""), when[2])
        seen.slots["day"], seen.slots["clock"] = Name(when[1]), Words(clock, clock)
