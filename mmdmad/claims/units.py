"""Units and number words as sentences spell them: which are known, and what each is in the unit it is measured in.

The one place that says so, for whatever reads numbers in words.
"""

UNITS = (
    "mm/s", "m/s2", "m/s²", "m/s", "l/min", "1/min", "px/s", "frames/s", "kPa", "MPa", "Pa", "bar", "kHz", "Hz", "rpm",
    "°C", "mA", "kA", "A", "mV", "kV", "V", "kW", "W", "ms", "s", "min", "h", "d", "µm", "mm", "cm", "m", "px", "dB",
    "kg", "g", "N·m", "Nm", "kN", "N", "K", "%",
)  # fmt: skip
ALIASES = {
    "percent": "%", "per cent": "%", "seconds": "s", "second": "s", "sec": "s", "milliseconds": "ms",
    "minutes": "min", "minute": "min", "hours": "h", "hour": "h", "days": "d", "day": "d",
    "pixels": "px", "pixel": "px", "hertz": "Hz",
    "amperes": "A", "volts": "V", "degrees": "°C",
    "Prozent": "%", "Sekunden": "s", "Sekunde": "s", "Millisekunden": "ms", "Minuten": "min", "Minute": "min",
    "Stunden": "h", "Stunde": "h", "Tage": "d", "Tag": "d",
}  # fmt: skip
SCALES = {
    "ms": ("s", 0.001), "min": ("s", 60.0), "h": ("s", 3600.0), "d": ("s", 86400.0),
    "kHz": ("Hz", 1000.0), "mA": ("A", 0.001),
    "mV": ("V", 0.001), "kV": ("V", 1000.0), "kA": ("A", 1000.0), "kW": ("W", 1000.0), "cm": ("mm", 10.0),
    "µm": ("mm", 0.001), "kPa": ("Pa", 1000.0), "MPa": ("Pa", 1000000.0), "bar": ("Pa", 100000.0), "%": ("", 0.01),
}  # fmt: skip
CARDINALS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10,
}  # fmt: skip
ZAHLEN = {
    "null": 0, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10,
    "elf": 11, "zwölf": 12,
}  # fmt: skip
"""German number words; "ein" is an article first of all, and no number."""


def in_base(value: float, unit: str) -> tuple[float, str]:
    """Value and unit in base units: ms to s, % to a fraction.

    >>> in_base(50, "%"), in_base(2, "min"), in_base(3, "A")
    ((0.5, ''), (120.0, 's'), (3.0, 'A'))
    """
    base, scale = SCALES.get(unit, (unit, 1.0))
    return value * scale, base
