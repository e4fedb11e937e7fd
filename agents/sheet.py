"""One evidence item, read for what it claims: its numbers with their roles, names, directions, quotations, verdict."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from mmdmad.agents import claims
from mmdmad.agents.claims import Number

from mmdmad.findings import Evidence, Fact

NAME_FACTS = ("channel", "case", "group", "product", "neighbour", "id", "encoder", "detector", "name")
QUOTES = ("quote", "never_seen", "reason", "words", "template", "new_value")
QUOTED = re.compile(r"[\"“«]([^\"“”«»]{2,}?)[\"”»]")
SEEN = ("value", "peak", "observed", "mean", "median", "held_value", "lowest_value", "highest_value")


@dataclass(frozen=True)
class Sheet:
    """One evidence item, read for its claims."""

    evidence: Evidence

    @cached_property
    def text(self) -> str:
        """Caption and facts as one text."""
        facts = (f"{f.name.replace('_', ' ')} {f.value} {f.unit}" for f in self.evidence.facts)
        return " . ".join((self.evidence.caption, *facts, *((self.evidence.part,) if self.evidence.part else ())))

    @cached_property
    def said(self) -> str:
        """Caption and values in words, without names of facts ("normal low" is no direction) and without quotations."""
        return " . ".join((self.caption, *(f.value for f in self.own if isinstance(f.value, str))))

    def about_parts(self, text: str) -> bool:
        """Whether it says more of the parts it names than that the case has them (or `text` asks no more than that)."""
        return self.evidence.kind != "verdict" or bool(re.search(r"\b(?:pattern|present|has|have)\b", text))

    @cached_property
    def caption(self) -> str:
        """The caption without what it quotes from the case: a quoted "upper left" is no place."""
        return QUOTED.sub("“”", self.evidence.caption)

    @cached_property
    def own(self) -> tuple[Fact, ...]:
        """The facts that are not quotations from the case."""
        return tuple(f for f in self.evidence.facts if key(f.name) not in QUOTES)

    @cached_property
    def names(self) -> set[str]:
        """Names it holds, in lower case with blanks for underscores: channels, cases, groups."""
        values = [
            str(f.value) for f in self.own
            if isinstance(f.value, str) and len(f.value) <= 80
            and (_names_something(f.name) or re.search(r"[\d_]", f.value))
            and not claims.clocks(f.value)
        ]  # fmt: skip
        ids = re.findall(r"\b(?=[\w-]*[A-Za-z])(?=[\w-]*[\d_])[A-Za-z0-9][\w-]*\b", self.caption)
        parts = [p.strip() for v in values for p in re.split(r",\s*|;\s*|\s+and\s+", v)]
        return {plain_name(v) for v in (*parts, *ids) if v and not re.fullmatch(r"E\d+|[\d.]+", v)} | {
            plain_name(v) for v in parts if re.fullmatch(r"0\d+|\d{3,}", v)
        }

    @cached_property
    def channels(self) -> set[str]:
        """The sensor channels it is about."""
        return {plain_name(str(f.value)) for f in self.evidence.facts if f.name.startswith("channel")}

    @cached_property
    def numbers(self) -> list[Number]:
        """Numbers of its facts and caption with their roles; differences of a start and a stop as durations."""
        found: list[Number] = []
        values = {key(f.name): f for f in self.evidence.facts}
        has_normal = any(claims.role_of(n.replace("_", " ")) == "normal" for n, f in values.items() if f.unit)
        for fact in self.own:
            role = claims.role_of(fact.name.replace("_", " "))
            if role == "normal" and isinstance(fact.value, int) and not fact.unit:
                role = "size"  # "normal cases 600" counts them, it bounds nothing
            role = role or ("observed" if has_normal else "")
            if isinstance(fact.value, str):
                if not claims.clocks(fact.value):
                    found += claims.numbers(blank_names(f"{fact.value} {fact.unit}", self.names), (fact.unit,))
            else:
                found.append(Number(float(fact.value), 0.0, fact.unit, str(fact.value), 0, role))
        caption = claims.without_clocks(blank_names(self.caption, self.names))
        units = tuple(f.unit for f in self.evidence.facts)
        read = claims.numbers(caption, units)
        told = {n.base() for n in found}  # what a fact says too has the fact's role
        extra = [n for n in read if not any(abs(n.base()[0] - v) < 1e-9 and n.base()[1] == u for v, u in told)]
        found += [replace(n, role=n.role or "observed") for n in extra] if has_normal else extra
        ends = [(f, values.get(name.replace("start", "stop"))) for name, f in values.items() if "start" in name]
        for start, stop in ends:
            if stop and not isinstance(start.value, str) and not isinstance(stop.value, str):
                found.append(Number(float(stop.value) - float(start.value), 0.0, start.unit, "", 0, "duration"))
        return found

    @cached_property
    def directions(self) -> set[str]:
        """Directions its words state or its numbers imply (value against normal range, p-value against rate)."""
        # a stated rise or fall is the only one: the name of an event ("spike") is none
        stated = {str(f.value) for f in self.evidence.facts if key(f.name) == "direction"} & {"up", "down"}
        found = stated or claims.directions(self.said)
        number = {key(f.name): float(f.value) for f in self.evidence.facts if not isinstance(f.value, str)}
        lows = [v for n, v in number.items() if "normal" in n and "low" in n]
        highs = [v for n, v in number.items() if "normal" in n and "high" in n]
        seen = [v for n, v in number.items() if n in SEEN]
        if lows and any(v < min(lows) for v in seen):
            found.add("down")
        if highs and any(v > max(highs) for v in seen):
            found.add("up")
        rate = next(
            (
                Number(float(f.value), 0, f.unit, "", 0).base()[0]
                for f in self.evidence.facts
                if key(f.name).endswith("rate")
            ),
            None,
        )
        if "p_value" in number and rate is not None:
            found.add("down" if number["p_value"] <= rate else "up")
        return found

    @cached_property
    def polarity(self) -> set[str]:
        """The verdicts its caption and each of its facts speak of."""
        values = (str(f.value) for f in self.own if isinstance(f.value, str))
        return set().union(claims.polarity(self.caption), *(claims.polarity(v) for v in values))

    @cached_property
    def verdict(self) -> str:
        """The verdict it states, or ""."""
        return next((str(f.value) for f in self.evidence.facts if f.name == "verdict"), "")


@lru_cache(maxsize=2048)
def sheet_of(evidence: Evidence) -> Sheet:
    """The sheet of an evidence item; kept, because an answer has many sentences about the same evidence."""
    return Sheet(evidence)


def _names_something(fact: str) -> bool:
    """Whether a fact of this name holds a name: channel, case, group, nearest neighbours, …"""
    name = key(fact)
    return any(name.removesuffix("s") == n or name.startswith(n) or name.endswith("_" + n) for n in NAME_FACTS)


def key(name: str) -> str:
    """A fact's name as compared: lower case, underscores for blanks and hyphens."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def plain_name(name: str) -> str:
    """A name as compared: lower case, blanks for underscores."""
    return name.lower().replace("_", " ").strip()


def blank_names(text: str, names: Iterable[str]) -> str:
    """`text` with the given names blanked, longest first, so that their digits are not read as numbers."""
    for name in sorted((n for n in names if re.search(r"[\d_]", n)), key=len, reverse=True):
        pattern = r"(?<![\w-])" + re.escape(name).replace(r"\ ", r"[ _]") + r"(?![\w-])"
        text = re.sub(pattern, lambda m: " " * len(m[0]), text, flags=re.I)
    return text


def says(text: str, name: str) -> bool:
    """Whether `text` says `name` as a whole, in either spelling (underscores or blanks)."""
    return bool(re.search(r"(?<![\w-])" + re.escape(name).replace(r"\ ", r"[ _]") + r"(?![\w-])", text, re.I))
