"""How time stamps are written in logs, as regular expressions for Arrow (RE2), and the letters of `strptime`.

ISO 8601 (log4j, JSON lines), syslog (RFC 3164 and 5424), nginx and Apache (common log format, error log), C's ctime,
Blue Gene, counts from 1970, seconds since boot and clocks alone. Anything else has a pattern.
"""

import re

WITHIN = 300
"""Characters of a line in which its stamp must begin."""
_CLOCK = r"[012]\d:[0-5]\d:[0-6]\d"
_HOURS = r"[012]?\d:[0-5]\d:[0-6]\d"
_DIGITS = r"[012]\d[0-5]\d[0-6]\d"
_GAP = r"[ \t]{1,4}"
"""Between a date and a clock: in a table the next column."""
_BETWEEN = rf"(?:[,;]|,?{_GAP})"
_OPENS = r"[\[(\"\x{200e}\x{feff}]{0,3}"
_SPACES = r"[ \t\x{a0}\x{202f}]{1,4}"
_MINUTES = r"[012]?\d:[0-5]\d\b(?:[ \x{a0}\x{202f}]?[AaPp]\.?[ \x{a0}]?[Mm]\b\.?)?(?:[^:\d.\pL]|$)"
"""A clock without seconds, as chats and telephones export it: counted at the begin of a line alone."""
_PART = r"(?:[.,]\d{1,9}|:\d{3}\b)?"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|[+-][01]\d:?[0-5]\d)\b)?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
FORMS = {
    "iso": rf"\b\d{{4}}-[01]\d-[0-3]\d(?:T|{_GAP})[012]\d:[0-5]\d(?::[0-6]\d{_PART})?{_ZONE}",
    "slashes, year first": rf"\b\d{{4}}/[01]\d/[0-3]\d{_GAP}{_CLOCK}{_PART}{_ZONE}",
    "blue gene": r"\b\d{4}-[01]\d-[0-3]\d-[012]\d\.[0-5]\d\.[0-6]\d\.\d{1,9}",
    "common log": rf"\b{_DAY}/{_MONTH}/\d{{4}}:{_CLOCK}{_PART}{_ZONE}",
    "day and name": rf"\b{_DAY}[ -](?i:{_MONTH})[ -]\d{{4}}{_GAP}{_CLOCK}{_PART}{_ZONE}",
    "day, name, short year": rf"\b{_DAY}-(?i:{_MONTH})-\d\d{_GAP}{_CLOCK}{_PART}",
    "name first": rf"\b{_MONTH}[a-z]{{0,6}} {{1,2}}{_DAY},? \d{{4}},? {_HOURS}{_PART}(?: ?[AP]M\b)?{_ZONE}",
    "run together": rf"\b{_DAY}{_MONTH}\d{{4}} {{1,2}}{_HOURS}{_PART}",
    "digits": rf"\b(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[T _-]?[012]\d:?[0-5]\d:?[0-6]\d{_PART}{_ZONE}",
    "day and word": rf"\b{_DAY}\.? \pL{{3,10}}\.? \d{{4}},?{_GAP}{_CLOCK}{_PART}{_ZONE}",
    "ctime": rf"\b{_MONTH} +{_DAY} {_CLOCK}{_PART} \d{{4}}\b",
    "syslog": rf"\b{_MONTH} +{_DAY} {_CLOCK}{_PART}",
    "klog": rf"^[IWEFD][01]\d[0-3]\d +{_CLOCK}{_PART}",
    "snort": rf"^[01]\d/[0-3]\d-{_CLOCK}\.\d{{6}}",
    "logcat": rf"^[01]\d-[0-3]\d {_CLOCK}{_PART}(?: +\d+ +\d+)? [VDIWEFAS][ /]",
    "dots": rf"\b{_DAY}\.[01]?\d\.(?:\d{{4}}|\d\d),?{_GAP}{_CLOCK}{_PART}{_ZONE}",
    "compact": rf"^\d{{6}} {_DIGITS}\b",
    "slashes": rf"\b\d{{1,2}}/[0-3]?\d/(?:\d{{4}}|\d\d){_BETWEEN}[012]?\d:[0-5]\d:[0-6]\d{_PART}(?: ?[AaPp][Mm]\b)?",
    "dots, minutes": rf"^{_OPENS}{_DAY}\.[01]?\d\.(?:\d{{4}}|\d\d),?{_SPACES}{_MINUTES}",
    "slashes, minutes": rf"^{_OPENS}\d{{1,2}}/[0-3]?\d/(?:\d{{4}}|\d\d),?{_SPACES}{_MINUTES}",
    "epoch": r"\b1\d{9}(?:[.,]\d{1,9}|\d{3}|\d{6}|\d{9})?\b",
    "since boot": r"^(?:<\d{1,3}>)?\[ *\d{1,9}\.\d{3,9}\]",
    "clock": rf"^\[?{_CLOCK}{_PART}\b",
}
TIDY = {
    "blue gene": (r"^(.{10})-(\d\d)\.(\d\d)\.(\d\d)", r"\1 \2:\3:\4"),
    "common log": (r"^([^:]*):", r"\1 "),
    "ctime": (r"^([A-Z][a-z]{2}) +(\d+) (\S+) (\d{4})$", r"\1 \2 \4 \3"),
    "syslog": (r"^([A-Z][a-z]{2}) +(\d+) ", r"\1 \2 2000 "),
    "clock": (r"^\[", ""),
    "since boot": (r"^<\d+>|[\[\] ]", ""),
    "klog": (r"^[A-Z](\d\d)(\d\d) +", r"2000-\1-\2 "),
    "snort": (r"^(\d\d)/(\d\d)-", r"2000-\1-\2 "),
    "run together": (r"^(\d{1,2})([A-Z][a-z]{2})(\d{4}) +", r"\1 \2 \3 "),
    "digits": (r"^(\d{4})(\d\d)(\d\d)[T _-]?(\d\d):?(\d\d):?(\d\d)", r"\1-\2-\3 \4:\5:\6"),
    "dots, minutes": (r"^[^\d]+|[^\d\pL.]+$", ""),
    "slashes, minutes": (r"^[^\d]+|[^\d\pL.]+$", ""),
    "logcat": (r"^(\d\d)-(\d\d) (\S+).*", r"2000-\1-\2 \3"),
}
"""How a stamp becomes what `read_dates` knows; dates of syslog get their own year later (2000 has a 29 February)."""
YEARLESS = ("syslog", "klog", "snort", "logcat")
"""Forms of dates without a year."""
MINUTES = ("dots, minutes", "slashes, minutes")
"""Forms of clocks without seconds."""
_DIRECTIVES = {
    **{"%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"[01]?\d", "%d": r"[0-3]?\d", "%e": r"[ 0-3]?\d", "%H": r"[012]?\d"},
    **{"%I": r"[01]?\d", "%M": r"[0-5]\d", "%S": r"[0-6]\d", "%f": r"\d{1,9}", "%p": r"[AaPp][Mm]", "%j": r"\d{3}"},
    **{"%b": r"[A-Za-z]{3}", "%B": r"[A-Za-z]{3,9}", "%a": r"[A-Za-z]{3}", "%A": r"[A-Za-z]{6,9}", "%%": "%"},
    **{"%z": r"(?:Z|[+-]\d\d:?\d\d)", "%s": r"\d{9,10}"},
}


def stamped(regex: str) -> str:
    """The regular expression of a line that holds such a stamp, and what stands `before` it."""
    if regex.startswith("^"):
        return rf"^(?P<before>)(?P<stamp>{regex[1:]})"
    return rf"^(?P<before>.{{0,{WITHIN}}}?)(?P<stamp>{regex})"


def from_strptime(pattern: str) -> str:
    r"""The regular expression of a `strptime` pattern, blanks in it for any number of blanks and tabs.

    ValueError names a letter that is not known.

    >>> from_strptime("%H %M")
    '[012]?\\d[ \\t]+[0-5]\\d'
    """
    pieces = re.split(r"(%.|\s+)", pattern)
    unknown = [p for p in pieces if p.startswith("%") and p not in _DIRECTIVES]
    if unknown or not any(p in _DIRECTIVES for p in pieces):
        known = " ".join(_DIRECTIVES)
        raise ValueError(f"--log-time {pattern!r} has {unknown[0] if unknown else 'no letter'}; there are {known}")
    return "".join(_DIRECTIVES.get(p) or (r"[ \t]+" if p.isspace() else re.escape(p)) for p in pieces)
