"""The forms in which dates and times of day are written, as patterns, and the zones that stand behind them."""

_CLOCK = (
    r"(?P<h>\d{1,4}):(?:(?P<min>\d{2})(?::(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9})|:(?P<f2>\d{3}|\d{6}))?)?"
    r"|(?P<min3>\d):(?P<s3>\d{1,2})(?:[.,](?P<f3>\d{1,9}))?)"
    r"(?:\s*(?P<half>[AaPp])(?:\.?[Mm]\.?)?)?"
)
ZONES = {
    **{"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3},
    **{"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "MSK": 3, "JST": 9},
}
"""Hours ahead of UTC of zones by their letters, where these have one meaning (those of America by RFC 2822, 3.3)."""
_LETTERS = "|".join(sorted(ZONES, key=len, reverse=True)[:-1])
_ZONE = (
    rf"(?:\s*(?P<zone>[Zz]|(?:UTC|GMT)?\s?[+-]\d{{2}}(?::?\d{{2}})?|(?:UTC|GMT)[+-]\d|{_LETTERS})"
    r"(?:\s?\[[A-Za-z_/+-]+\])?)?"
)
_REST = rf"(?:(?:[T_\s]|,\s)\s*{_CLOCK}{_ZONE})?"
_WEEKDAY, _DAY, _OF = r"(?:[A-Za-zÀ-ɏ]{2,12}\.?,?\s+)?", r"(?P<d>\d{1,2})(?:st|nd|rd|th|er|º)?", r"(?:de\s+|of\s+)?"
_COMPACT = r"(?P<h>\d{2})(?P<min>\d{2})(?:(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
_SIGNS = r"(?P<h2>\d{1,2})\s*[時时点](?P<min2>\d{1,2})\s*分(?:\s*(?P<s2>\d{1,2})\s*秒)?"
_MONTH = r"(?P<name>[A-Za-zÀ-ɏ]{3,12})"
FORMS = {
    "ymd": rf"^(?P<y>\d{{4}})(?:-(?P<m>\d{{1,2}})-|/(?P<m2>\d{{1,2}})/|\.(?P<m3>\d{{1,2}})\.)(?P<d>\d{{1,2}}){_REST}$",
    "dots": rf"^(?P<a>\d{{1,2}})\.(?P<b>\d{{1,2}})\.(?P<y>\d{{4}}|\d{{2}}){_REST}$",
    "slashes": rf"^(?P<a>\d{{1,2}})(?:/(?P<b>\d{{1,2}})/|-(?P<b2>\d{{1,2}})-)(?P<y>\d{{4}}|\d{{2}}){_REST}$",
    "compact": rf"^(?P<y>19\d\d|2[01]\d\d)(?P<m>\d{{2}})(?P<d>\d{{2}})(?:[T_\s]?{_COMPACT}{_ZONE})?$",
    "named": rf"^{_WEEKDAY}{_DAY}[-/.\s]+{_OF}{_MONTH}\.?[-/.,\s]+{_OF}(?P<y>\d{{4}}){_REST}$",
    "named short": rf"^{_DAY}[-/]{_MONTH}\.?[-/](?P<y>\d{{2}}){_REST}$",
    "name first": rf"^{_WEEKDAY}{_MONTH}\.?\s+{_DAY},?\s+(?P<y>\d{{4}}){_REST}$",
    "year last": rf"^{_WEEKDAY}{_MONTH}\.?\s+{_DAY}\s+{_CLOCK}{_ZONE}\s+(?P<y>\d{{4}})$",
    "signs": rf"^(?P<y>\d{{4}})\s*年\s*(?P<m>\d{{1,2}})\s*月\s*(?P<d>\d{{1,2}})\s*日(?:\s*(?:{_CLOCK}|{_SIGNS}))?$",
    "clock": rf"^(?:(?P<days>\d{{1,5}})(?:\s*(?:days?|d|Tage?|jours?)\s*,?\s*|\.))?{_CLOCK}$",
}
"""How a date may be written: year first, day or month first, all digits, a month's name, signs; or a clock alone, which
may count days before the hours."""
SPANS = {
    "week": r"^(?P<y>\d{4})[-_ ]?(?:W|KW|CW)[-_ ]?(?P<week>\d{1,2})(?:-(?P<weekday>[1-7]))?$",
    "day of year": rf"^(?P<y>\d{{4}})-(?P<doy>\d{{3}}){_REST}$",
    "month": r"^(?P<y>\d{4})[-/.](?P<m>\d{1,2})$",
    "month first": r"^(?P<m>\d{1,2})[-/.](?P<y>\d{4})$",
    "month named": rf"^{_MONTH}\.?[-/,\s]+(?P<y>\d{{4}})$",
    "quarter": r"^(?P<y>\d{4})[-_/ ]*Q(?P<quarter>[1-4])$",
    "quarter first": r"^Q(?P<quarter>[1-4])[-_/ ]+(?P<y>\d{4})$",
}
"""Weeks, days of the year, months and quarters, which other things are written like too: a name must speak for them."""
SPANNED = (
    *(
        "week",
        "calendar week",
        "year week",
        "yearweek",
        "iso week",
        "isoweek",
        "kw",
        "woche",
        "kalenderwoche",
        "semaine",
    ),
    *("month", "monat", "mois", "mes", "mese", "maand", "year month", "yearmonth", "month year", "period", "periode"),
    *(
        "quarter",
        "quartal",
        "trimestre",
        "year quarter",
        "day of year",
        "date of reading",
        "reporting period",
        "season",
    ),
)
"""Names of columns that hold these, beside the names of times."""
