# ruff: noqa: E501  (a statement reads better on one line)
"""What evidence says of a sensor table: when it stands out, what happens on a channel, how its rows follow each other."""

from collections.abc import Sequence

from mmdmad.claims.frames import Frame, View
from mmdmad.claims.slots import Number, Words

_RANGE = "(normal levels lie|its normal range is|normal is|the normal range is) [between|from] {normal_range}"
_MODS = "by {shift};to [a mean of|an average of|a level of|a value of] {mean};{when}"
FRAMES = (
    Frame(
        "sensor span", "time", "at", "start", "the sensor data stand out most {when}",
        "die Sensordaten fallen {when} am meisten auf", "unusual",
        ("the sensor (data|part) (stand|stands) out [most] {when}", "most {when}", "something unusual is visible {when}"),
    ),
    Frame(
        "no channel", "channels", "equals", "", "no single channel stands out", "kein einzelner Kanal fällt auf", "usual",
    ),
    Frame(
        "least usual time", "time", "at", "start", "the least usual time is {when}", "am wenigsten üblich ist die Zeit {when}",
    ),
    Frame(
        "shift", "level", "changed", "direction", "channel {channel} shifts {direction} by {shift} to a mean of {mean} {when}",
        "Kanal {channel} springt {when} um {shift} {direction} auf im Mittel {mean}", "unusual",
        (
            f"@channel ((shifts|shifted|steps|moves|jumps) {{direction}}|{{changes}}) <{_MODS}>",
            "@channel is {side} [than usual] <by {shift};{when}>",
        ),
        ("@channel {changes} <um {shift};auf [im Mittel] {mean};{when}>",),
    ),
    Frame(
        "averages", "mean", "equals", "mean", "channel {channel} averages {mean} {when}",
        "Kanal {channel} liegt {when} im Mittel bei {mean}", "unusual",
        (
            "@channel (averages|has a mean of|draws|reads|measures|runs at) {mean} [on average] [{when}]",
            "{when} @channel (averages|has a mean of|draws|reads|measures|runs at) {mean} [on average]",
        ),
        ("@channel (liegt|ist) [{when}] im (Mittel|Durchschnitt) bei {mean}",),
    ),
    Frame(
        "averages all", "mean", "equals", "mean", "channel {channel} averages {mean}",
        "Kanal {channel} liegt im Mittel bei {mean}", "unusual",
        ("@channel (averages|has a mean of|draws|reads|measures) {mean} [on average]",),
    ),
    Frame(
        "outside", "mean", "above", "mean", "its mean of {mean} is {outside} the normal range of {normal_range}",
        "sein Mittel von {mean} liegt {outside} dem normalen Bereich von {normal_range}", "unusual",
        (
            "@channel averages {mean} {outside} [than] the normal range of {normal_range}",
            "@channel (lies|is) {outside} [than] [its|the] normal [range] [of] {normal_range}",
            "with {mean} @channel (lies|is) {outside} [than] its normal [range] [of] {normal_range}",
            "@channel is too {side} : {mean} against at (most {normal_high}|least {normal_low})",
            "@channel is too {side}",
        ),
    ),
    Frame(
        "normal range", "normal range", "within", "normal low", "normal levels lie between {normal_range}",
        "normal sind Werte von {normal_range}", "", (_RANGE,),
    ),
    Frame(
        "largest normal shift", "shift", "within", "largest normal shift",
        "normal cases shift by at most {largest_normal_shift}", "normale Fälle springen um höchstens {largest_normal_shift}",
    ),
    Frame(
        "times the normal", "change", "above", "times the normal",
        "that is {times_the_normal} times what normal cases show at most",
        "das ist das {times_the_normal}-Fache dessen, was normale Fälle höchstens zeigen", "unusual",
        (
            "@channel {changes} <by {amount};{when}> {times_the_normal} times what normal cases (show|reach) [at most]",
            "{times_the_normal} times what normal cases (show|reach) [at most]",
        ),
    ),
    Frame(
        "spike", "value", "changed", "direction", "channel {channel} spikes {direction} by {jump} to {value} {when}",
        "Kanal {channel} schlägt {when} um {jump} {direction} aus, auf {value}", "unusual",
        (
            "@channel ((spikes|jumps|jumped|spiked) {direction}|{changes}) <by {jump};[up|down] to {value};reaching {value};"
            "{when}>",
            "@channel {peaks} at {value} [{when}]", "{when} @channel ((spikes|jumps) {direction}|{changes}) <by {jump};to "
            "{value};reaching {value}>",
        ),
        ("@channel (schlägt|springt) {direction} [aus] <um {jump};auf {value};{when}>",),
    ),
    Frame(
        "largest normal jump", "jump", "within", "largest normal jump",
        "normal cases jump by at most {largest_normal_jump}", "normale Fälle springen um höchstens {largest_normal_jump}",
    ),
    Frame(
        "drift", "value", "changed", "direction", "channel {channel} drifts {direction} by {rise} {when}, to {last_value}",
        "Kanal {channel} driftet {when} um {rise} {direction}, auf {last_value}", "unusual",
        (
            "@channel [slowly] ((drifts|drifted|creeps) {direction}|{changes}) <by {rise};to {last_value};{when}>",
            "{when} @channel [slowly] (drifts {direction}|{changes}) <by {rise};to {last_value}>",
        ),
        ("@channel (driftet|steigt|fällt) {direction} <um {rise};auf {last_value};{when}>",),
    ),
    Frame(
        "largest normal rise", "rise", "within", "largest normal rise",
        "normal cases change by at most {largest_normal_rise}", "normale Fälle ändern sich um höchstens {largest_normal_rise}",
    ),
    Frame(
        "frozen", "value", "equals", "held value", "channel {channel} is frozen at {held_value} {when}",
        "Kanal {channel} steht {when} bei {held_value} still", "unusual",
        (
            "@channel (is|stays|remains) (frozen|stuck|constant) <at {held_value};{when}>",
            "@channel (holds|keeps) {held_value} [{when}]",
        ),
    ),
    Frame(
        "longest normal hold", "hold", "within", "longest normal hold",
        "normal cases hold one value for at most {longest_normal_hold}",
        "normale Fälle halten einen Wert höchstens {longest_normal_hold}",
    ),
    Frame(
        "no readings", "readings", "missing", "channel", "channel {channel} gives no readings {when} (dropout)",
        "Kanal {channel} liefert {when} keine Werte (Ausfall)", "unusual",
        ("@channel (gives no (readings|values)|drops out) [{when}]",),
    ),
    Frame(
        "drops out", "held value", "equals", "held value", "channel {channel} drops out: it reads {held_value} {when}",
        "Kanal {channel} fällt {when} aus: er zeigt {held_value}", "unusual",
        ("@channel drops out [{when}]", "@channel (reads|shows) {held_value} [{when}]"),
    ),
    Frame(
        "its normal range", "normal range", "within", "normal low", "its normal range is {normal_range}",
        "sein normaler Bereich ist {normal_range}", "", (_RANGE, "its normal range is {normal_low} to {normal_high}"),
    ),
    Frame(
        "noise", "roughness", "above", "roughness", "channel {channel} has a noise burst {when}: its steps spread by "
        "{roughness}", "Kanal {channel} rauscht {when}: seine Schritte streuen um {roughness}", "unusual",
        ("@channel (has a noise burst|is noisy|gets noisy) [{when}]", "its steps spread by {roughness}"),
    ),
    Frame(
        "noise ratio", "ratio", "equals", "ratio", "that is {ratio} times the usual", "das ist das {ratio}-Fache des Üblichen",
        "unusual", ("{ratio} times the usual",),
    ),
    Frame(
        "largest normal roughness", "roughness", "within", "largest normal roughness",
        "normal cases reach at most {largest_normal_roughness}", "normale Fälle erreichen höchstens {largest_normal_roughness}",
    ),
    Frame(
        "unknown channel", "channel", "unlike", "channel", "channel {channel} stands out {when}; no normal case has this "
        "channel", "Kanal {channel} fällt {when} auf; kein normaler Fall hat diesen Kanal", "unusual",
    ),
    Frame(
        "course", "course", "unlike", "channel", "channel {channel} has an unusual course {when}, though its values stay in "
        "the normal range of {normal_range}", "Kanal {channel} verläuft {when} ungewöhnlich, obwohl seine Werte im normalen "
        "Bereich von {normal_range} bleiben", "unusual", ("@channel has an unusual course [{when}]",),
    ),
    Frame(
        "runs between", "values", "within", "lowest value", "channel {channel} runs between {values} {when}",
        "Kanal {channel} läuft {when} zwischen {values}", "unusual",
    ),
    Frame(
        "channel unusual", "time", "at", "channel", "channel {channel} is unusual {when}", "Kanal {channel} ist {when} auffällig",
        "unusual",
        (
            "@channel (is unusual|stands out|deviates|leaves its usual course) [{when}]",
            "{when} @channel (is unusual|stands out|leaves its usual course)",
        ),
        ("@channel (ist|fällt) [{when}] (auffällig|auf)",),
    ),
    Frame(
        "from normals", "normal cases", "count", "normal cases", "the range is from {normal_cases} {cases}",
        "der Bereich stammt von {normal_cases} {cases}", "", ("from {normal_cases} {cases}",),
    ),
    Frame(
        "row rate", "time between rows", "unlike", "time between rows", "rows come every {time_between_rows}",
        "alle {time_between_rows} kommt eine Zeile", "unusual", ("rows come every {time_between_rows} [{when}]",),
    ),
    Frame(
        "normal row rate", "time between rows", "equals", "normal time between rows",
        "normal tables have one every {normal_time_between_rows}", "normale Tabellen haben alle {normal_time_between_rows} eine",
    ),
    Frame(
        "normal row rates", "time between rows", "within", "normal least time", "normal tables have one every {normal_rates}",
        "normale Tabellen haben alle {normal_rates} eine",
    ),
    Frame(
        "rows missing", "rows", "missing", "gap", "rows are missing {when}", "{when} fehlen Zeilen", "unusual",
        ("rows are missing {when} [and at {further_places} further places]",),
    ),
    Frame(
        "longest normal gap", "gap", "within", "longest normal gap", "normal tables have no gap above {longest_normal_gap}",
        "normale Tabellen haben keine Lücke über {longest_normal_gap}",
    ),
)  # fmt: skip

_RISES = Words(
    ("rises", "rose", "increases", "increased", "grows", "grew", "goes up", "climbs", "jumps up", "jumped up"),
    ("steigt", "stieg", "wächst"),
)
_FALLS = Words(
    ("falls", "fell", "drops", "dropped", "decreases", "decreased", "goes down", "sinks", "declines", "jumps down"),
    ("fällt", "fiel", "sinkt", "sank"),
)
_HELD = {"frozen": ("frozen", "longest normal hold"), "dropout": ("drops out", "its normal range")}


def of_span(seen: View) -> Sequence[str]:
    """When a table stands out; or, where its caption says so, that nothing does and which time is the least usual."""
    if seen.caption.startswith("No single channel"):
        return ["no channel", "least usual time"]
    return ["sensor span"] if "when" in seen.slots else []


def of_channel(seen: View) -> Sequence[str]:
    """What happens on a channel, against what is normal there."""
    seen.pair("normal_range", "normal low", "normal high")
    seen.pair("values", "lowest value", "highest value")
    seen.slots["cases"] = (
        Words(("normal case",), ("normalen Fall",)) if seen.number("normal cases") == 1
        else Words(("normal cases",), ("normalen Fällen",))
    )  # fmt: skip
    event, way = seen.text("event"), seen.text("direction")
    if way in ("up", "down"):
        seen.slots["changes"] = _RISES if way == "up" else _FALLS
        seen.slots["peaks"] = Words(("peaks",) if way == "up" else ("dips",), ("gipfelt",))
    told = _event(seen, event) if event else _course(seen)
    told += ["channel unusual"] if "when" in seen.slots and told else []
    return told + (["from normals"] if "normal cases" in seen.facts else [])


def _event(seen: View, event: str) -> list[str]:
    if event == "level shift":
        return _shift(seen)
    if event == "spike":
        return ["spike", "largest normal jump", *_times(seen, "jump", "largest normal jump")]
    if event == "drift":
        return ["drift", "largest normal rise", *_times(seen, "rise", "largest normal rise")]
    if event == "noise burst":
        return ["noise", *(["noise ratio"] if "ratio" in seen.facts else []), "largest normal roughness"]
    if event == "dropout" and "held value" not in seen.facts:
        return ["no readings"]
    return [*_HELD.get(event, ())]


def _shift(seen: View) -> list[str]:
    """A level that moved, or one that lies elsewhere from end to end; beyond which end of the normal levels."""
    low, high, mean = (seen.number(name) for name in ("normal low", "normal high", "mean"))
    told = ["shift", "averages"] if "shift" in seen.facts else ["averages" if "when" in seen.slots else "averages all"]
    if low is None or high is None or mean is None:
        return [*told, "largest normal shift", *_times(seen, "shift", "largest normal shift")]
    if not low <= mean <= high:
        up = mean > high
        seen.slots["outside"] = Words(("above", "higher", "over") if up else ("below", "lower", "under"),
                                      ("über",) if up else ("unter",))  # fmt: skip
        seen.slots["side"] = Words(("higher", "high") if up else ("lower", "low"), ("höher",) if up else ("tiefer",))
        told.append("outside")
    return [*told, "normal range"]


def _times(seen: View, of: str, normal: str) -> list[str]:
    """How many times the most of normal cases a change is, where that says something."""
    value, most = seen.number(of), seen.number(normal)
    if value is None or not most or value <= most:
        return []
    seen.slots["times_the_normal"] = Number(float(f"{value / most:.3g}"))
    seen.slots["amount"] = seen.slots[of]
    return ["times the normal"]


def _course(seen: View) -> list[str]:
    """A channel that is marked though no single measure of it is unusual."""
    low, high, least, most = (
        seen.number(name) for name in ("normal low", "normal high", "lowest value", "highest value")
    )
    if low is None or high is None or least is None or most is None:
        return ["unknown channel"] if "no normal case has this channel" in seen.caption else []
    return ["course"] if "though its values stay" in seen.caption else ["runs between", "its normal range"]


def of_form(seen: View) -> Sequence[str]:
    """Rows at another rate, and rows that are missing."""
    if "time between rows" in seen.facts:
        seen.pair("normal_rates", "normal least time", "normal most time")
        return ["row rate", "normal row rates" if "normal_rates" in seen.slots else "normal row rate"]
    return ["rows missing", "longest normal gap"] if "gap" in seen.facts else []
