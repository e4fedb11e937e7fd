# ruff: noqa: E501  (a statement reads better on one line)
"""What evidence says of parts as such: how odd each is, which do not fit, what is missing, which normal cases are near."""

import re
from collections.abc import Sequence

from mmdmad.claims.frames import Frame, View, part_words
from mmdmad.claims.slots import Listing, Name, Words

FRAMES = (
    Frame(
        "part odd", "state", "equals", "state", "the {part} part {state} with p-value {p-value}",
        "der Teil {part} {state}, mit p-Wert {p-value}", "unusual",
        (
            "@part {state} [by itself] [with [a] p-value [of] {p-value}] [and carries {share} of the [joint] score]",
            "[by itself] @part (has|is unusual with) [a] p-value [of] {p-value}",
        ),
        ("@part {state} [mit p-Wert {p-value}]",),
    ),
    Frame(
        "part usual", "state", "equals", "state", "the {part} part {state} with p-value {p-value}",
        "der Teil {part} {state}, mit p-Wert {p-value}", "usual",
        (
            "@part {state} [by itself] [with [a] p-value [of] {p-value}] [and carries {share} of the [joint] score]",
            "[by itself] @part has [a] p-value [of] {p-value}",
            "nothing unusual (was|is) (found|seen) in @part", "@part shows nothing unusual",
        ),
        ("@part {state} [mit p-Wert {p-value}]", "im {part} wurde nichts Auffälliges gefunden"),
    ),
    Frame(
        "part p", "p-value", "equals", "p-value", "the p-value of the {part} part is {p-value}",
        "der p-Wert des Teils {part} ist {p-value}", "",
        (
            "[the] p-value of @part is {p-value}", "[by itself] @part has [a|the] p-value [of] {p-value}",
            "by itself @part has p-value {p-value} and share {share_of_the_joint_score} of the joint score",
        ),
    ),
    Frame(
        "part share", "share", "equals", "share", "the {part} part carries {share} of the joint score",
        "der Teil {part} trägt {share} des gemeinsamen Werts", "",
        (
            "@part (carries|accounts for|contributes) {share} of the [joint|total] score",
            "{share} of the [joint|total] score (comes|come) from @part",
            "carries {share} of the [joint] score",
        ),
        ("@part trägt {share} des (gemeinsamen Werts|Gesamtwerts)",),
    ),
    Frame(
        "contradiction", "fit", "unlike", "given", "the {part} part does not fit the {given} {parts}",
        "der Teil {part} passt nicht zu {given}", "unusual",
        (
            "@part (does not|doesn't) (fit|match|belong (with|to)) (the {given} [part|parts]|the other parts) "
            "[[contradiction] (p-value|p =) {p-value}] [{share} of the [joint] score]",
            "@part contradicts (the {given} [part|parts]|the other parts)",
        ),
        ("@part passt nicht zu ({given}|den anderen Teilen)",),
    ),
    Frame(
        "contradiction p", "contradiction p-value", "equals", "p-value", "the p-value of the contradiction is {p-value}",
        "der p-Wert des Widerspruchs ist {p-value}", "", ("contradiction p-value {p-value}",),
    ),
    Frame(
        "contradiction share", "share of the contradiction", "equals", "share",
        "the contradiction carries {share} of the joint score", "der Widerspruch trägt {share} des gemeinsamen Werts",
    ),
    Frame(
        "looks like", "group", "unlike", "group of the part",
        "the {part} part looks like normal cases of group {group_of_the_part}, while the {others} {looks} like group "
        "{group_of_the_others}",
        "der Teil {part} sieht aus wie normale Fälle der Gruppe {group_of_the_part}, {others} dagegen wie die Gruppe "
        "{group_of_the_others}", "unusual",
        (
            "it looks like [normal cases of] group {group_of_the_part} (while|but|and) the {others} {looks} like group "
            "{group_of_the_others}",
        ),
    ),
    Frame(
        "nearest", "nearest normal case", "equals", "nearest normal case",
        "by its {part} part the case is nearest to the normal case {nearest_normal_case}",
        "nach seinem Teil {part} liegt der Fall am nächsten beim normalen Fall {nearest_normal_case}", "",
        (
            "[by its {part} part] @case is (nearest|closest) to the normal cases {nearest_normal_cases}",
            "[by its {part} part] @case is (nearest|closest) to [the normal case] {nearest_normal_case}",
            "the (nearest|closest) (normal case|match|match among the normals|one) is {nearest_normal_case} "
            "[judged by @part]",
        ),
    ),
    Frame(
        "nearest group", "group", "count", "in this group",
        "{in_this_group} of the nearest {compared} are of group {group}",
        "{in_this_group} der nächsten {compared} gehören zur Gruppe {group}", "",
        ("{in_this_group} of the {compared} (nearest|closest) [normal cases] are of group {group}",),
    ),
    Frame(
        "nearest distance", "distance", "equals", "distance",
        "the nearest normal case is {distance} times as far away as normal cases are from each other",
        "der nächste normale Fall ist {distance}-mal so weit entfernt wie normale Fälle voneinander", "",
        (
            "[even] the (nearest|closest) [normal case|one] is {distance} times as far [away] as (normal cases are from "
            "each other|usual)",
        ),
    ),
    Frame(
        "alike and differs", "distance", "unlike", "", "normal cases are nearly all alike there, and this one differs "
        "from them", "normale Fälle sind dort fast alle gleich, und dieser weicht von ihnen ab", "unusual",
    ),
    Frame(
        "alike and like", "distance", "equals", "", "normal cases are nearly all alike there, and this one is like them",
        "normale Fälle sind dort fast alle gleich, und dieser gleicht ihnen", "usual",
    ),
    Frame(
        "part missing", "part", "missing", "part", "the case has no {part} part", "dem Fall fehlt der Teil {part}", "",
        ("@case (has no|lacks [the]) {part} [part]", "(there is|there was) no {part} [part]", "the {part} [part] is missing"),
        ("@case hat (kein|keinen|keine) {part}", "der Teil {part} fehlt"),
    ),
    Frame(
        "normals have it", "with this part", "count", "with this part",
        "{with_this_part} of {normal_cases} normal cases have a {part} part",
        "{with_this_part} von {normal_cases} normalen Fällen haben den Teil {part}", "",
        ("{with_this_part} of {normal_cases} normal cases have one",),
    ),
    Frame(
        "part refused", "part", "missing", "reason", "the {part} part could not be used: {reason}",
        "der Teil {part} war nicht zu verwenden: {reason}",
    ),
    Frame(
        "readings", "decisions", "count", "decisions", "reading the {part} part took {decisions} {decisions_word}: {notes}",
        "beim Lesen des Teils {part} wurde entschieden: {notes}",
    ),
    Frame("said", "statement", "equals", "", "{caption}", "{caption}"),
)  # fmt: skip

STATES: dict[str, Words] = {
    "stands out": Words(
        ("stands out", "is unusual", "is anomalous", "is conspicuous"), ("fällt auf", "ist auffällig", "sticht heraus")
    ),
    "is unusual": Words(("is unusual",), ("ist ungewöhnlich",)),
    "is borderline": Words(("is borderline",), ("ist grenzwertig",)),
    "looks normal": Words(
        ("looks normal", "is normal", "is unremarkable", "is inconspicuous", "looks usual"),
        ("sieht normal aus", "ist unauffällig", "ist normal"),
    ),
}


def of_part(seen: View) -> Sequence[str]:
    """How unusual a part is by itself, and what it carries."""
    state = seen.text("state")
    seen.slots["state"] = STATES.get(state, Name(state))
    told = ["part usual" if state == "looks normal" else "part odd"] if state in STATES else []
    return told + (["part share"] if "share" in seen.facts else []) + (["part p"] if "p-value" in seen.facts else [])


def of_contradiction(seen: View) -> Sequence[str]:
    """Which parts do not belong together, and the groups that they look like."""
    given = _listed(seen.text("given"))
    seen.slots["given"] = Listing(tuple(part_words(g) for g in given))
    seen.slots["parts"] = Words(("parts",) if len(given) > 1 else ("part",), ("Teilen",))
    others = _listed(seen.text("others"))
    seen.slots["others"] = Listing(tuple(part_words(g) for g in others))
    seen.slots["looks"] = Words(("parts look",) if len(others) > 1 else ("part looks",), ("sehen aus",))
    told = ["contradiction", *(["contradiction p"] if "p-value" in seen.facts else [])]
    told += ["looks like"] if "group of the part" in seen.facts else []
    return told + (["contradiction share"] if "share" in seen.facts else [])


def of_neighbour(seen: View) -> Sequence[str]:
    """The nearest normal cases, their group and how far they are."""
    if names := seen.text("nearest normal cases"):
        seen.slots["nearest_normal_cases"] = Name(names)
    told = ["nearest"] if "nearest normal case" in seen.facts else []
    told += ["nearest group"] if "in this group" in seen.facts else []
    if "distance" in seen.facts:
        return [*told, "nearest distance"]
    alike = "nearly all alike there" in seen.caption
    differs = seen.caption.rstrip(".").endswith("differs from them")
    return [*told, *(["alike and differs" if differs else "alike and like"] if alike else [])]


def of_missing(seen: View) -> Sequence[str]:
    """A part that is not there, or could not be used."""
    if "reason" in seen.facts:
        return ["part refused"]
    return ["part missing"] + (["normals have it"] if "with this part" in seen.facts else [])


def of_context(seen: View) -> Sequence[str]:
    """What was decided while reading, what a case is ranked among, and whatever a query says of a run in its words."""
    if "decisions" in seen.facts:
        some = ("decision", "Entscheidung") if seen.number("decisions") == 1 else ("decisions", "Entscheidungen")
        seen.slots["decisions_word"] = Words(some[:1], some[1:])
        return ["readings"]
    if "level of" in seen.facts:
        return ["ranked among named"] + (["judged before"] if "verdict before" in seen.facts else [])
    return said(seen)


def said(seen: View) -> Sequence[str]:
    """The caption as it stands, of evidence that no reader knows: it was written by code, and is said whole or not."""
    seen.slots["caption"] = Name(seen.caption.rstrip("."))
    return ["said"]


def _listed(text: str) -> list[str]:
    return [name for name in re.split(r", | and ", text) if name]
