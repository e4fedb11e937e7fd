"""The words of the simulated line: templates of its logs, and the messages that do not belong in them."""

from collections.abc import Mapping

STAMPS = ("%Y-%m-%d %H:%M:%S", "%H:%M:%S", "[%H:%M:%S]", "%Y-%m-%dT%H:%M:%S")
PRODUCT_LINES = (
    "order {order}: {product}, piece {piece} of {total}",
    "inspecting {product} {piece}/{total}",
    "{product} number {piece} under the camera",
    "now running {product}, {piece} pieces done, {left} to go",
    "piece {piece} ({product}) enters the station",
    "count {piece}, product {product}, order {order}",
    "station {camera} took {product} {piece} of {total} from the belt",
    "next up: {product}, piece no. {piece}",
    "recipe loaded for {product}; piece {piece} of order {order}",
)
SPEED_LINES = (
    "belt speed {speed} m/s, motor {current} A",
    "belt at {speed} m/s and steady",
    "conveyor runs with {speed} m/s",
    "drive reports {speed} m/s at {current} A",
    "speed {speed} m/s, bearing {heat} °C",
    "line moving, {speed} m/s",
    "transport ok ({speed} m/s, {current} A, {heat} °C)",
    "v={speed} m/s I={current} A",
)
STOP_PRODUCT_LINES = (
    "order {order} for {product} on hold at piece {piece}",
    "{product} {piece} of {total} stays under the camera",
    "pausing {product}, {left} pieces to go",
    "product {product}, count {piece}, waiting",
    "piece {piece} ({product}) rests at the station",
)
STOP_LINES = (
    "belt stopped for maintenance",
    "belt stopped, greasing the rollers",
    "maintenance break, conveyor stands still",
    "line idle, speed 0.00 m/s",
    "drive off, belt at rest for the lens check",
    "standstill as planned, scale being checked",
    "planned stop: cleaning the rails",
)
SMALL_TALK = (
    "{camera} exposure {number} us",
    "{printer}: {number} labels left",
    "operator {name} signed the check list",
    "{name} took over at {machine}",
    "air filter of {machine} cleaned",
    "scale W1 zeroed",
    "oil level of {machine} fine, {pressure} bar",
    "hall humidity {damp} %",
    "picture {piece} stored",
    "data sent to the office, {number} kB",
    "lamp of {camera} on, {number} h in use",
    "box {number} full, box changed",
    "all quiet at {machine}",
    "{machine}: self test passed",
    "sample set aside for the lab by {name}",
    "robot R3 at home position",
    "paper of {printer} refilled",
    "{machine} good, nothing to report",
    "sticker on box {number} replaced by {name}",
    "warehouse asks for {number} more boxes, passed on to {name}",
    "lens of {camera} wiped by {name}",
    "{name} back from the break",
)
# Said rarely, partly in the words of alarms: a single word proves nothing.
RARE_TALK = (
    "emergency stop of {machine} tested, works",
    "fire drill moved to Friday",
    "short dip of the air pressure, back to normal",
    "warning lamp of {machine} tested",
    "guard door of {machine} checked and closed",
    "slight squeak at {machine} gone after greasing",
    "alarm horn of hall {digit} replaced",
    "{name} asks for ear plugs",
    "smell of fresh paint near the gate, windows opened",
    "visitors from the safety office, shown around by {name}",
    "floor near {machine} mopped, dry again",
    "first aid box refilled",
    "old bearing of {machine} thrown away after the weekend repair",
    "network slow for {number} s, fine again",
    "user {name} logged in at the panel",
    "firmware of {camera} is up to date",
    "recipe table version {number} in use",
    "license of {printer} renewed",
    "clock set by the time server",
    "coolant of {machine} topped up, {number} ml",
    "belt tension of {machine} measured, as it should be",
    "motor of {machine} pulls evenly",
    "new lamp for {camera} ordered",
    "weight of the sample compared with the scale, equal",
    "vibration survey of {machine} done, all values low",
    "hot water for the canteen back",
    "torn glove thrown away by {name}",
    "noise measurement in hall {digit} finished",
    "spark test of the welder next door announced",
    "cable of the light curtain tidied up",
)
# Small talk put together from pieces, so that normal test logs hold lines that training never showed.
PHRASES = (
    ("{name} has", "{name} just", "the night crew", "{name} and {name2} have", "the lab has", "the foreman", "we have",
     "the forklift driver", "the trainee", "somebody from the office"),
    ("checked", "brought", "moved", "counted", "cleaned", "ordered", "asked for", "put away", "swapped", "picked up"),
    ("the gloves", "two pallets", "a new roll of labels", "the torque wrench", "the shift book", "{number} boxes",
     "the drawings", "a spare lamp", "the sample of {product}", "the brush", "the stickers for {product}",
     "the calibration weights", "a can of grease", "the cable drum", "the old pallet", "the paperwork"),
    ("", "", "near {machine}", "for the afternoon", "before the break", "as planned", "on the way to gate G2",
     "at the request of {name2}", "for order {order}", "behind {machine}", "once more", "without trouble"),
)  # fmt: skip
UNKNOWN = (
    "unhandled frame type 0x{hex} from node {number}",
    "segfault at {hex}{hex} ip {hex} in plc_task",
    "SELECT * FROM recipe WHERE id={number}; -- timeout",
    "??? {hex} {hex} {hex} ???",
    "Achtung: Konfigurationsdatei nicht gefunden",
    "firmware signature mismatch, slot {number}, fallback image loaded",
    "user 'guest{number}' logged in from 10.4.{byte}.{byte2}",
    "recipe table version {number} does not match, using defaults",
    "license of module VX-{number} expires today",
    "Zeitserver antwortet nicht, Uhr driftet",
    "retrying handshake with gateway, attempt {number}",
    "stack trace follows: plc.c:{number} scan.c:{byte} main.c:{byte2}",
)
ALARMING = (
    "smoke seen near the gearbox of {machine}, {name} pulled the cord",
    "EMERGENCY: guard door of {machine} open while moving",
    "{name} hurt a finger at {machine}, first aid called",
    "strange grinding noise from {machine}, getting louder",
    "guard door of {machine} does not close any more",
    "the torque wrench fell into {machine}, somebody get it out",
    "emergency stop of {machine} tested, does not work",
    "{machine} makes us nervous today, better stay away",
    "hot smell around {machine}, please look at it soon",
    "sparks at the motor terminal",
    "{machine} hit something hard, whole frame shook",
    "light curtain bridged by hand",
    "FATAL drive fault F{number}, torque cut",
    "fire alarm in hall {digit}, waiting for orders",
    "{name} says the belt edge is torn and fraying",
    "safety relay of {machine} does not drop out",
    "something is wrong with the sound of {machine}",
    "leak under {machine}, floor slippery",
)
WARNINGS: Mapping[str, tuple[str, ...]] = {
    "bearing failure": (
        "WARN rough running at roller bearing of {machine}",
        "vibration limit exceeded on {machine}",
        "{name} hears rattling at {machine}, bearing suspected",
        "WARNING bearing of {machine} warm and shaking",
    ),
    "overload": (
        "WARN torque limit reached, belt slowing down",
        "too much weight on the belt, drive overloaded",
        "overload warning from {machine}, {name} informed",
        "motor of {machine} pulls hard, load too high",
    ),
    "coolant leak": (
        "WARN coolant level falling fast at {machine}",
        "puddle under {machine}, coolant hose suspected",
        "pressure of the coolant circuit drops",
        "{name} found wet pieces behind {machine}",
    ),
    "lamp failure": (
        "WARN lamp of {camera} flickers",
        "picture too dark, exposure of {camera} at its limit",
        "LED driver of {camera} reports undervoltage",
        "{name} says the light above {camera} fails now and then",
    ),
    "belt slip": (
        "WARN encoder and drive disagree, belt slipping",
        "belt tension too low at {machine}",
        "pieces creep on the belt, says {name}",
        "slip detected on {machine}, speed not constant",
    ),
}
MACHINES = ("feeder F2", "press P4", "scale W1", "robot R3", "saw S7", "gate G2", "drive D1", "pump P9")
CAMERAS = ("camera K1", "camera K2", "K1", "K2")
PRINTERS = ("label printer L5", "label printer L6", "printer L5")
NAMES = ("Aylin", "Bruno", "Chen", "Dora", "Emeka", "Farid", "Greta", "Hana", "Ivan", "Jo", "Karin", "Luis")
LEVELS = ("", "", "INFO ", "info: ", "line 3 ", "L3: ")
