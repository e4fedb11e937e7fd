"""Claim against evidence: the numbers, names, times, places and verdict words of a sentence must be in what it cites.

Code, not a prompt, and strict on purpose: a true sentence that is refused costs a plainer sentence, a false one that
passes costs trust. Roles ("normal range", "p", "share") bind numbers, and a clause that names a channel or a part may
only use the evidence about it, so swapped numbers are caught too.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from mmdmad.agents import claims
from mmdmad.agents.claims import Number
from mmdmad.agents.plain_words import GRAMMAR, is_plain, stem
from mmdmad.agents.sheet import QUOTED, Sheet, blank_names, key, plain_name, says, sheet_of

from mmdmad.findings import Evidence

CAUSES = re.compile(
    r"\b(?:caused by|because of|due to|root cause|is the cause|results? from|resulted from|led to|leads to|owing to|"
    r"brought about|is broken|has failed|will fail|will break|guilty|responsible for)\b",
    re.I,
)
FUTURE = re.compile(r"\b(?:will (?!not be judged)\w+|going to|soon|tomorrow|next (?:week|day|month|shift))\b", re.I)
QUANTIFIERS = {"all", "every", "none", "only", "both", "always", "entire", "whole", "nothing", "everything"}
SUPERLATIVES = {
    "most", "largest", "biggest", "highest", "strongest", "greatest", "main", "mainly", "mostly", "smallest", "lowest",
    "least", "nearest", "closest", "worst", "best", "maximum", "minimum", "chiefly", "primarily",
}  # fmt: skip
EMPTY = frozenset(stem(w) for w in GRAMMAR)  # words whose negation says nothing by itself
_OWN_MEASURE = re.compile(
    r"\b(?:p-values?|scores?)(?: of)? "
    r"(?:above|below|under|at (?:most|least)|over|(?:higher|lower|more|less|larger|smaller) than)\b"
)
"""What is compared is said between the numbers: "5 cases with a p-value below 0.05"."""
_COUNTED = re.compile(
    r" (?:\w+ )?(?:parts|regions|channels|spans|places|items|sentences|contradictions|frames|neighbours)\b"
)
STRICT_ROLES = {"p", "share", "rate", "normal", "observed", "interval", "distance", "score"}


def check(
    sentence: str, cites: Sequence[str], evidence: Sequence[Evidence], known: Iterable[str] = (), denials: bool = True
) -> list[str]:
    """What is wrong with a sentence: one line a problem, empty when every claim is in the cited evidence.

    `known` are further words that may be used (never numbers or names with digits). `denials=False` leaves out the
    check of negated words, for a sentence that is held against a whole collection and not against what it cites.

    >>> from mmdmad.findings import Fact
    >>> e = Evidence(id="E2", kind="channel", part="sensor", caption="motor_current rises to 3.16 A at 1.2 s.",
    ...              facts=(Fact(name="channel", value="motor_current"), Fact(name="value", value=3.16, unit="A")))
    >>> check("The motor current rises to 3.2 A.", ["E2"], [e])
    []
    >>> check("The motor current falls to 3.2 A.", ["E2"], [e])
    ['direction "down" is not in the cited evidence (E2 says up)']
    """
    by_id = {e.id: sheet_of(e) for e in evidence}
    problems = [f"{cite} is no evidence of this case" for cite in cites if cite not in by_id]
    inline = set(re.findall(r"\bE\d+\b", QUOTED.sub("“”", sentence))) - set(cites)  # an address may end in E9
    problems += [f"{cite} is mentioned but not cited" for cite in sorted(inline)]
    if leads_out(sentence):
        problems.append("links and embedded pictures are not allowed")
    cited = [by_id[c] for c in dict.fromkeys(cites) if c in by_id]
    if not cited:
        return [*problems, "cites no evidence"]
    for quoted in QUOTED.findall(sentence):
        values = " ".join(f"{s.evidence.caption} {' '.join(str(f.value) for f in s.evidence.facts)}" for s in cited)
        if _squash(quoted) not in _squash(values):
            problems.append(f'quoted text "{quoted}" is not in the cited evidence')
    text = QUOTED.sub("“”", _without_numbers(sentence, cites))
    names = set().union(*(s.names for s in cited))
    problems += _check_names(text, names, cited, list(by_id.values()))
    problems += _check_clocks(text, cited)
    for clause in _clauses(text, cited):
        focus = _focus(clause, cited)
        problems += _check_numbers(clause, focus, cited, names)
        problems += _check_sense(clause, focus, denials)
        problems += _check_standing(clause, cited)
    problems += _check_verdict(text, cited, list(by_id.values()))
    problems += _check_words(text, cited, known)
    return list(dict.fromkeys(problems))


def _without_numbers(sentence: str, cites: Sequence[str]) -> str:
    """`sentence` without the numbers of evidence. T1 may be a sensor too: evidence only where it is in a bracket."""
    run_wide = "|".join(re.escape(c) for c in cites if re.fullmatch(r"T\d+", c)) or r"(?!)"
    return re.sub(rf"\s*\[(?:run: ?)?(?:{run_wide})(?:, ?(?:{run_wide}))*\]|\bE\d+\b", "", sentence)


def leads_out(sentence: str) -> bool:
    """Whether a sentence holds a link or an embedded picture of its own; in a quotation it is a word of the case.

    >>> leads_out("See http://x.example for it."), leads_out("The log says “see http://x.example now”.")
    (True, False)
    """
    return bool(re.search(r"\bdata:|\w://|\bwww\.|\bmailto:|!\[|\]\(|<[a-z!/]", QUOTED.sub("“”", sentence), re.I))


def _ids(sheets: Sequence[Sheet]) -> str:
    return ", ".join(s.evidence.id for s in sheets)


def _clauses(text: str, cited: Sequence[Sheet]) -> list[str]:
    channels = set().union(*(s.channels for s in cited))
    parts = re.split(r";|:(?!\d)|,? while |,? whereas |,? but |, and |\. ", text)
    out = []
    for part in parts:
        pieces = re.split(r" and |, ", part)
        several = sum(any(says(p, c) for c in channels) for p in pieces) > 1
        several |= sum(bool(claims.modalities(p)) and bool(re.search(r"\d", p)) for p in pieces) > 1
        out += pieces if several else [part]
    return [c for c in out if c.strip()]


def _focus(clause: str, cited: Sequence[Sheet]) -> list[Sheet]:
    """The cited evidence that the clause may be about, given the channels and the parts it names."""
    focus = list(cited)
    named = {c for s in cited for c in s.channels if says(clause, c)}
    if named:
        focus = [s for s in focus if not s.channels or s.channels & named]
    parts = claims.modalities(clause)
    if len(parts) == 1:
        kept = [s for s in focus if s.evidence.part in (None, *parts)]
        focus = kept or focus
    if not parts and any(s.evidence.kind == "context" and s.evidence.part is None for s in focus):
        focus = [s for s in focus if s.evidence.kind != "context" or s.evidence.part is None]
    return focus


def _check_names(text: str, names: set[str], cited: Sequence[Sheet], every: Sequence[Sheet]) -> list[str]:
    problems = []
    cited_text = " ".join(s.text for s in cited)
    for sheet in every:
        for name in sheet.names - names:
            if says(text, name) and not says(cited_text, name):
                problems.append(f'name "{name}" is in {sheet.evidence.id}, which is not cited')
    rest = blank_names(text, names)
    for token in re.findall(r"\b(?=[\w-]*[A-Za-z])(?=[\w-]*[\d_])[A-Za-z0-9][\w-]*\b", rest):
        number_with_unit = re.fullmatch(r"[\d.]+(?:[eE]-?\d+|[A-Za-z]{1,3})|\d+-\w+", token)
        if not number_with_unit and not says(cited_text, plain_name(token)) and not re.fullmatch(r"p_value", token):
            problems.append(f'name "{token}" is not in the cited evidence')
    for run in re.findall(r"[\w-]*\d[\w-]*(?:(?:, | and )[\w-]*\d[\w-]*)+", text):
        listed = [w for w in re.split(r", | and ", run) if re.search(r"[A-Za-z_]", w)]
        problems += [f'name "{w}" is listed twice' for w, n in Counter(listed).items() if n > 1]
    for name in claims.modalities(text):
        if not any(
            s.evidence.part == name or (name in claims.modalities(s.text) and s.about_parts(text)) for s in cited
        ):
            problems.append(f'part "{name}" is not in the cited evidence')
    return problems


def _squash(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def _check_clocks(text: str, cited: Sequence[Sheet]) -> list[str]:
    seen = [c for s in cited for c in claims.clocks(s.text)]
    problems = []
    for day, clock in claims.clocks(text):
        if not any(
            (not day or day == d) and (not clock or t.startswith(clock) or (clock.startswith(t) and t)) for d, t in seen
        ):
            problems.append(f'time "{" ".join((day, clock)).strip()}" is not in the cited evidence')
    return problems


def _check_numbers(clause: str, focus: Sequence[Sheet], cited: Sequence[Sheet], names: set[str]) -> list[str]:
    units = tuple(f.unit for s in cited for f in s.evidence.facts)
    stated = claims.numbers(claims.without_clocks(blank_names(clause, names)), units)
    kinds = Counter(s.evidence.kind for s in cited)
    counts = {float(v) for v in kinds.values()} | {
        float(len({s.evidence.part for s in cited} - {None})),
        float(len(cited)),
    }
    problems, homes = [], []
    for number in stated:
        hits = [(s, n) for s in focus for n in s.numbers if _same(number, n)]
        homes.append({s.evidence.id for s, _ in hits})
        counted = _COUNTED.match(clause, number.at + len(number.text)) and number.value in counts
        if not hits and not number.unit and not number.role and counted:
            continue
        shown = f"{number.text} {number.unit}".strip()
        if not hits:
            problems.append(f'number "{shown}" is not in the cited evidence ({_ids(focus)})')
            continue
        roles = {n.role for _, n in hits}
        if roles == {"normal"} and not number.role and all(s.evidence.kind != "context" for s, _ in hits):
            problems.append(f'number "{shown}" belongs to the normal range, which the sentence does not say')
        if number.role in STRICT_ROLES and "" not in roles and number.role not in roles and roles <= STRICT_ROLES:
            problems.append(
                f'number "{shown}" is given as {number.role}, but the evidence has it as {", ".join(sorted(roles))}'
            )
    for a, b, left, right in zip(stated, stated[1:], homes, homes[1:]):
        between = clause[a.at + len(a.text) : b.at]
        if re.fullmatch(r"\s*\S{0,5}\s*(?:to|–|until|and)\s*", between) and left and right and not left & right:
            problems.append(f'"{a.text} to {b.text}" mixes numbers of different evidence')
        first, second = a.base(), b.base()
        if first[1] != second[1] or re.search(r"[;]", between) or _OWN_MEASURE.search(between):
            continue
        if (
            re.search(r"\b(?:above|exceeds?|exceeding|higher than|more than|larger than|over)\b", between)
            and first[0] <= second[0]
        ):
            problems.append(f'"{a.text} … above … {b.text}" is false')
        if re.search(r"\b(?:below|under|lower than|less than|smaller than)\b", between) and first[0] >= second[0]:
            problems.append(f'"{a.text} … below … {b.text}" is false')
    return problems


def _same(stated: Number, held: Number) -> bool:
    """Whether a stated number is a held one, in one base unit, rounded to the decimals shown (at most 10 % off)."""
    (value, unit), (truth, truth_unit) = stated.base(), held.base()
    if unit != truth_unit or (stated.unit == "%" and held.unit != "%" and abs(held.value) > 1):
        return False
    if not stated.unit and stated.step == 1.0 and not stated.hedged:
        return value == truth  # a bare whole number is a count
    scale = claims.SCALES.get(stated.unit, ("", 1.0))[1]
    slack = max(0.5 * stated.step, 0.5 * held.step if held.step < stated.step else 0.0) * scale
    if stated.hedged:
        slack = max(slack, 0.05 * abs(truth))
    off = abs(value - truth)
    if stated.bound in ("<", "≤", "less than", "at most", "under") and stated.role == held.role == "p":
        return truth <= value
    return off <= slack * (1 + 1e-9) + 1e-12 and off <= 0.1 * abs(truth) + 1e-12


def _check_sense(clause: str, focus: Sequence[Sheet], denials: bool) -> list[str]:
    """Directions, places and negated words of a clause against the evidence it is about."""
    problems = []
    stated = claims.directions(clause)
    held = set().union(*(s.directions for s in focus)) if focus else set()
    for direction in sorted(stated - held):
        says_what = " and ".join(sorted(held)) or "neither"
        problems.append(f'direction "{direction}" is not in the cited evidence ({_ids(focus)} says {says_what})')
    places = set().union(*(claims.places(s.said) for s in focus)) if focus else set()
    problems += [f'place "{p}" is not in the cited evidence' for p in sorted(claims.places(clause) - places)]
    if not denials:
        return problems
    for word in sorted(_negated(clause) - EMPTY):
        plain = [s for s in focus if s.evidence.kind != "context" and word in {stem(w) for w in claims.words(s.text)}]
        if plain and not any(word in _negated(s.said) for s in focus):
            problems.append(f'"{word}" is denied here and stated in {_ids(plain)}')
    if re.search(r"\b(?:lack|lacks|lacking|missing|absent|without|no)\b", clause, re.I):
        return problems  # says itself that something is not there
    for sheet in focus:
        for word in sorted(_negated(sheet.caption) - EMPTY):
            if word in {stem(w) for w in claims.words(clause)} and word not in _negated(clause):
                problems.append(f'"{word}" is stated here and denied in {sheet.evidence.id}')
    return problems


def _check_standing(clause: str, cited: Sequence[Sheet]) -> list[str]:
    """A part that is said to stand out needs evidence of its own, not only evidence that mentions it."""
    if not re.search(r"\bstands? out\b", clause):
        return []
    own = {s.evidence.part for s in cited}
    return [
        f"no cited evidence is about the {m} part, which is said to stand out"
        for m in sorted(claims.modalities(clause) - own)
    ]


def _negated(text: str) -> set[str]:
    """Stems of the words right after "not", "no" or "without", looking through articles."""
    tokens = claims.words(text)
    found: set[str] = set()
    for i, token in enumerate(tokens):
        if token in claims.NEGATIONS or token in ("lacks", "lack", "lacking"):
            rest = [t for t in tokens[i + 1 : i + 4] if t not in ("a", "an", "the", "be", "any", "been", "to")]
            found.update(stem(t) for t in rest[:1])
    return found


def _check_verdict(text: str, cited: Sequence[Sheet], every: Sequence[Sheet]) -> list[str]:
    problems = []
    stated = claims.polarity(text)
    held = set().union(*(s.polarity | ({s.verdict} if s.verdict else set()) for s in cited))
    for s in cited:
        if s.evidence.kind in ("region", "span", "channel", "frames", "words", "whole", "contradiction"):
            held.add("anomalous")
    problems += [f'"{p}" is not what the cited evidence says' for p in sorted(stated - held)]
    verdict = next((s.verdict for s in every if s.verdict), "")
    claim = re.search(
        r"\b(?:case|piece|verdict)\b[^,;.]{0,60}?\b(?:is|was|are|:|as)\s+(?P<no>not |no )?(?:judged |called )?"
        r"(?P<word>anomalous|normal|flagged|fine|ok)\b",
        text, re.I,
    )  # fmt: skip
    if verdict and claim:
        positive = claim["word"].lower() in ("anomalous", "flagged")
        said = "anomalous" if positive != bool(claim["no"]) else "normal"
        if said != verdict and not (verdict == "no verdict" and claim["no"]):
            problems.append(f'the verdict is "{verdict}", not "{said}"')
    if CAUSES.search(text) and not any(CAUSES.search(s.text) for s in cited):
        problems.append(f'a cause is asserted: "{CAUSES.search(text)[0]}"')  # type: ignore[index]
    if FUTURE.search(text):
        problems.append(f'a forecast is made: "{FUTURE.search(text)[0]}"')  # type: ignore[index]
    return problems


def _check_words(text: str, cited: Sequence[Sheet], known: Iterable[str]) -> list[str]:
    held = {stem(w) for s in cited for w in claims.words(s.text)} | {stem(w) for k in known for w in claims.words(k)}
    problems = []
    tokens = claims.words(text)
    for word in tokens:
        if len(word) > 2 and not is_plain(stem(word)) and stem(word) not in held and word not in SUPERLATIVES:
            problems.append(f'word "{word}" is not in the cited evidence')
    cited_words = {w for s in cited for w in claims.words(s.text)}
    for word in tokens:
        if word in QUANTIFIERS and word not in cited_words:
            problems.append(f'"{word}" is more than the cited evidence says')
        if word in SUPERLATIVES and not _superlative_holds(text, word, cited, cited_words):
            problems.append(f'"{word}" is not in the cited evidence')
    return problems


def _superlative_holds(text: str, word: str, cited: Sequence[Sheet], cited_words: set[str]) -> bool:
    """Whether a superlative is in the evidence's words or, for shares, follows from the numbers of all cited parts."""
    of_share = re.search(rf"\b{word}\b.{{0,12}}\bshares?\b", text, re.I)
    if not of_share or any(s.evidence.kind == "context" for s in cited):
        return bool(cited_words & SUPERLATIVES) or _largest_share(text, word, cited)
    return _largest_share(text, word, cited)


def _largest_share(text: str, word: str, cited: Sequence[Sheet]) -> bool:
    """Whether the part that the text names has the largest share among two or more cited parts."""
    shares = {
        s.evidence.part: float(f.value)
        for s in cited
        for f in s.evidence.facts
        if key(f.name) == "share_of_the_joint_score" and s.evidence.kind == "part" and not isinstance(f.value, str)
    }
    if word in ("smallest", "lowest", "least") or len(shares) < 2:
        return False
    return max(shares, key=lambda m: shares[m]) in claims.modalities(text)
