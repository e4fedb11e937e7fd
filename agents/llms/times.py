"""Words of time in a question, as an interval: days, parts of a day, hours, and what lies before or since them.

Relative words (today, last night, since Monday) count from the newest case, not from the clock of whoever asks: a run
is often read later. What is a word of time and cannot be read is told, never dropped.

morning 06:00 to 12:00, afternoon 12:00 to 18:00, evening 18:00 to 22:00, night 22:00 to 06:00; weeks begin on Monday.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from mmdmad.agents.claims import CARDINALS

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS = {"morning": (6, 12), "forenoon": (6, 12), "afternoon": (12, 18), "evening": (18, 22)}
_MONTH = r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|" \
         r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"  # fmt: skip
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (?P<year>\d{4})\b)?"
_COUNT = r"(?P<count>\d{1,3}|" + "|".join(CARDINALS) + r")"
_LEAD = r"(?:\b(?P<lead>since|after|from|until|till|before|on|in|during|of|for|by)(?: the)? )?"


def _rx(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)


_DATES = (
    _rx(_LEAD + rf"\b{_DAY} (?:of )?{_MONTH}{_YEAR}"),
    _rx(_LEAD + rf"\b{_MONTH} {_DAY}(?![\d:]){_YEAR}"),
    _rx(r"\b(?P<lead>since|after|from|until|till|before|in|during|of|for|by)(?: the month of)? " + _MONTH + _YEAR),
    _rx(r"(?P<lead>)\b(?!may\b|march\b|mar\b)" + _MONTH + _YEAR),
    _rx(_LEAD + r"\b(?P<iso>\d{4}-\d{2}-\d{2})(?![T\d]| \d{1,2}:)"),
    _rx(_LEAD + r"\b(?P<word>today|yesterday|the day before yesterday|last night|tonight|this (?:morning|forenoon|"
                r"afternoon|evening)|(?:this|last) (?:week|month))\b"),
    _rx(_LEAD + rf"\b(?:(?:last|this) )?(?P<weekday>{'|'.join(DAYS)})s?\b"),
    _rx(_LEAD + rf"\b(?:the )?(?:last|past) (?:{_COUNT} )?(?P<unit>minutes?|hours?|days?|weeks?)\b"),
)  # fmt: skip
_HOUR = (
    r"(?:(?P<h{0}>\d{{1,2}}):(?P<m{0}>\d{{2}})|(?P<o{0}>\d{{1,2}}) ?(?P<s{0}>am|pm|o'clock)|(?P<n{0}>noon|midnight))"
)
_BETWEEN = _rx(r"\b(?:between|from) " + _HOUR.format(1) + r"(?: and | to | until |-| - )" + _HOUR.format(2) + r"(?!\w)")
_ONE = _rx(r"\b(?P<lead>since|after|from|until|till|before|by|at) " + _HOUR.format(1) + r"(?!\w)")
_PART = _rx(rf"(?:\b(?P<lead>in|during|of|on) (?:the )?)?\b(?P<part>{'|'.join(PARTS)})s?\b")
_UNREAD = _rx(
    r"\b(?:(?:at|over|by) ?night|nights?|(?:day|early|late|this|last|first|second|third|next) shifts?|weekends?|"
    r"(?:in|this|last) (?:the )?(?:spring|summer|autumn|winter)|(?:this|last) quarter|fortnight|years?|months?|"
    r"christmas|easter|holidays?|noon|midnight|recently|lately|just now|(?:an?|\d+|two|three|few) "
    r"(?:minutes?|hours?|days?|weeks?) ago)\b"
)
_OF_MONTH = _rx(
    r"\b(?:(?:first|second|third|fourth|last|1st|2nd|3rd|4th) (?:weeks?|half|part|days?|decade) (?:of |in )?|"
    rf"(?:early|late|mid|middle of|end of|beginning of|begin of|start of)[ -](?:in )?){_MONTH}"
)
_CLOSED, _OPEN = ("until", "till", "before", "by"), ("since", "after", "from")


@dataclass(frozen=True)
class When:
    """What a question says of time: `where` as filters, `unread` words that cannot be told, `rest` without them."""

    where: dict[str, str] = field(default_factory=dict)
    unread: str = ""
    rest: str = ""


@dataclass(frozen=True)
class _Span:
    """Days from `start` to before `stop`, or hours of them, and the word that led them in."""

    start: datetime
    stop: datetime
    lead: str = ""


def when(text: str, newest: datetime | None) -> When:
    """The interval that the words of time in `text` speak of; no `where` where only ISO times and clocks may be there.

    >>> when("flagged yesterday?", datetime(2026, 3, 3, 18, 30)).where
    {'since': '2026-03-02T00:00', 'until': '2026-03-03T00:00'}
    >>> when("in the morning of 3 March", datetime(2026, 3, 5, 8)).where
    {'since': '2026-03-03T06:00', 'until': '2026-03-03T12:00'}
    >>> when("in the morning", None).where
    {'since': '06:00', 'until': '12:00'}
    """
    if odd := _OF_MONTH.search(text):
        return When(unread=odd[0], rest=text)
    rest, spans = text, []
    for pattern in _DATES:
        while m := pattern.search(rest):
            if newest is None and m.groupdict().get("iso") is None:
                return When(unread=m[0].strip(), rest=rest)
            span = _days(m, newest or datetime.min)
            if span is None:
                return When(unread=m[0].strip(), rest=rest)
            spans.append(span)
            rest = rest[: m.start()] + " " + rest[m.end() :]
    hours, rest = _hours(rest)
    worded = (bool(spans) and (hours is not None or not re.search(r"\d{4}-\d{2}-\d{2}", text))) or rest != text
    if odd := _UNREAD.search(rest):
        return When(unread=odd[0], rest=rest)
    if not worded:
        return When(rest=text)
    if not spans:
        return When(_clocks(hours), rest=rest) if hours else When(rest=rest)
    found = _joined(spans, hours)
    return When(unread=text) if found is None else When(found, rest=rest)


def _joined(spans: list[_Span], hours: tuple[str, time | None, time | None] | None) -> dict[str, str] | None:
    """Days and hours together; None where no one interval is both."""
    start, stop = max(s.start for s in spans), min(s.stop for s in spans)
    if len(spans) == 2 and {spans[0].lead, spans[1].lead} & {*_OPEN}:  # from Monday until Wednesday
        start, stop = spans[0].start, spans[1].stop
        return _texts(start, stop) if hours is None and start < stop else None
    if len(spans) > 1:
        return None
    lead = spans[0].lead
    if hours is not None:
        _, low, high = hours
        if stop - start != timedelta(days=1) or (low and high and high <= low):
            return None
        day = start.date()
        begin = datetime.combine(day, low) if low else start
        end = datetime.combine(day, high) if high else stop
        if lead in _OPEN and low and not high:
            return {"since": _text(begin)}
        return _texts(begin, end)
    if lead in ("since", "from"):
        return {"since": _text(start)}
    if lead == "after":
        return {"since": _text(stop)}
    if lead in ("before", "by"):
        return {"until": _text(start if lead == "before" else stop)}
    if lead in ("until", "till"):
        return {"until": _text(stop)}
    return _texts(start, stop)


def _days(m: re.Match[str], newest: datetime) -> _Span | None:
    """The days that a match speaks of, seen from the newest case."""
    got, today = m.groupdict(), newest.replace(hour=0, minute=0, second=0, microsecond=0)
    lead, one = (got.get("lead") or "").lower(), timedelta(days=1)
    try:
        if iso := got.get("iso"):
            day = datetime.combine(date.fromisoformat(iso), time())
            return _Span(day, day + one, lead)
        if month := got.get("month"):
            number = 1 + next(i for i, name in enumerate(MONTHS) if name.startswith(month.lower().rstrip(".")[:3]))
            day = datetime(int(got["year"] or newest.year), number, int(got.get("day") or 1))
            if not got["year"] and day > newest:
                day = day.replace(year=day.year - 1)
            whole = (day + 32 * one).replace(day=1) if got.get("day") is None else day + one
            return _Span(day, whole, lead)
    except ValueError:
        return None  # the 31st of February
    if weekday := got.get("weekday"):
        back = (today.weekday() - DAYS.index(weekday.lower())) % 7
        day = today - (back or (7 if re.search(r"\blast ", m[0], re.I) else 0)) * one
        return _Span(day, day + one, lead)
    if unit := got.get("unit"):
        count = (got.get("count") or "1").lower()
        number = int(count) if count.isdigit() else CARDINALS[count]
        size = timedelta(**{unit.lower().rstrip("s") + "s": number})
        if not got.get("count") and unit.lower().startswith("week"):
            monday = today - today.weekday() * one
            return _Span(monday - 7 * one, monday, lead)
        return _Span(newest - size, newest + timedelta(minutes=1), lead)
    return _words(str(got["word"]).lower(), today, lead)


def _words(word: str, today: datetime, lead: str) -> _Span | None:
    one, hour = timedelta(days=1), timedelta(hours=1)
    what = word.partition(" ")[2]
    if what in PARTS:
        low, high = PARTS[what]
        return _Span(today + low * hour, today + high * hour, lead)
    monday, first = today - today.weekday() * one, today.replace(day=1)
    spans = {
        "today": (today, today + one),
        "tonight": (today + 22 * hour, today + 30 * hour),
        "yesterday": (today - one, today),
        "the day before yesterday": (today - 2 * one, today - one),
        "last night": (today - 2 * hour, today + 6 * hour),
        "this week": (monday, monday + 7 * one),
        "last week": (monday - 7 * one, monday),
        "this month": (first, (first + 32 * one).replace(day=1)),
        "last month": ((first - one).replace(day=1), first),
    }
    return _Span(*spans[word], lead) if word in spans else None


def _hours(text: str) -> tuple[tuple[str, time | None, time | None] | None, str]:
    """Hours of a day that the text speaks of (lead, from, to), and the text without them."""
    if m := _BETWEEN.search(text):
        low, high = _clock(m, 1), _clock(m, 2)
        return (None, text) if low is None or high is None else (("between", low, high), _cut(text, m))
    if (m := _ONE.search(text)) and (at := _clock(m, 1)) is not None:
        lead = m["lead"].lower()
        if lead == "at":
            return (None, text) if m["m1"] not in (None, "00") else ((lead, at, _next(at)), _cut(text, m))
        return ((lead, None, at) if lead in _CLOSED else (lead, at, None)), _cut(text, m)
    if m := _PART.search(text):
        low_hour, high_hour = PARTS[m["part"].lower()]
        return ("in", time(low_hour), time(high_hour)), _cut(text, m)
    return None, text


def _clock(m: re.Match[str], at: int) -> time | None:
    try:
        if m[f"n{at}"]:
            return time(12) if m[f"n{at}"].lower() == "noon" else time(0)
        if m[f"h{at}"]:
            return time(int(m[f"h{at}"]), int(m[f"m{at}"]))
        hour, half = int(m[f"o{at}"]), m[f"s{at}"].lower()
        return time(hour if half == "o'clock" else hour % 12 + (12 if half == "pm" else 0))
    except ValueError:
        return None


def _next(at: time) -> time:
    return at.replace(hour=at.hour + 1) if at.hour < 23 else time(23, 59, 59)


def _cut(text: str, m: re.Match[str]) -> str:
    return text[: m.start()] + " " + text[m.end() :]


def _clocks(hours: tuple[str, time | None, time | None]) -> dict[str, str]:
    """Hours of any day."""
    _, low, high = hours
    ends = {"since": low, "until": high}
    return {name: at.isoformat("minutes" if not at.second else "seconds") for name, at in ends.items() if at}


def _texts(start: datetime, stop: datetime) -> dict[str, str]:
    return {"since": _text(start), "until": _text(stop)}


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds" if at.second else "minutes")
