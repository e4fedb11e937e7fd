"""Words an explanation may use without evidence: grammar, and the plain vocabulary of describing a measurement.

Everything else (machine parts, causes, materials, people, product names) must occur in the cited evidence. Words of
number, direction, place, modality and verdict are not listed: `grounding` checks them by their meaning.
"""

from mmdmad.agents.claims import (
    ABNORMAL,
    CARDINALS,
    DOWN,
    MODALITY_WORDS,
    NEGATIONS,
    NORMAL,
    ORDINALS,
    PLACES,
    UP,
)  # fmt: skip

GRAMMAR = """
a about above across after again against all almost along already also although among an and another any are around
as at away be became because become been before behind being below beside besides between both but by came can case
cases come comes could did do does done down during each either else enough even ever every few for from further
gave get gets give given gives go goes had has have having he her here his how however i if in inside instead into
is it its itself just kept later least less like little made mainly make makes many may maybe me might more most
mostly much must my near nearby need needs neither never next no nor not now of off often on once one ones only onto
or other others otherwise our out outside over own per perhaps quite rather same see seem seems seen several shall
she should since so some still such than that the their them then there therefore these they this those though
through throughout thus to together too toward towards under until up upon us very was way we well went were what
when where whereas whether which while who whole whose why will with within without would yes yet you your
""".split()  # noqa: SIM905

DESCRIBING = """
absence absent account add adds agree agreement agrees alarm alarms alone amount anomaly apart appear appears assess
assessed available average based basis began begin begins behave behaves behaviour beyond bigger box calibrate
calibrated calibration call called caption carries carry caution cautious change changed changes channel channels
check checked clear clearly close closer closest common compare compared comparison complete condition conditional
confidence confirm conformal consistent contain contains contradict contradiction contradictory contradicts
contribute contributed contributes contribution counterpart cover covers currently data decision declare declared
details detector deviate deviates deviating deviation differ difference different differs disagree disagreement
disagrees distance distribution disturbance drive driven drives duration e early encoder end ends engineer entire
error especially estimate evidence exact example exceed exclude expect expectation expected explain explained
explanation explicitly extend extends extent extreme extremely fact factor fair false feature features figure
figures find finding findings first fit fits flag flags follow following follows found fraction frequently give good
grey group guarantee guaranteed guess hint hold holds human id identify indicate indicates information inside
inspect inspection instance insufficient interval invalid investigate item joint judge judged judgement keep lack
lacking lacks lapsed last lasting lasts late later learned leave leaves length less level lie lies line list listed
locate located location look looks main marked match matches matching matter maximum mean means measure measured
measurement mention minimum miss missing moment most near nearest need neighbour neighbours noise notable notably
note number observe observed occur occurred occurs only original outside p p-value pair part particular parts
pattern peak peaks percent person picture piece place please point points position possible present probability
probably product provide quantity question range ranges rank rate reach reached reaches read reads reason recommend
recommended record recorded refer reference refused region relative remain remains report resemble resembles rest
rests result review rises run same sample say says scale score scored scores second seconds section seems seen
separate set share shares show showed shown shows side signal significant similar similarity simulated single
situation size slightly small source span spans spread stage stand standard stands start started starts state stated
statistical statistically statistics stay stays step stop stops strong strongest strongly sum support supported
supports sure surface surroundings take taken tell tells test than therefore thing things think threshold time times
token tokens tone total train training true turn type typical typically unable uncertain unit unknown unlike
unlikely unreadable until usual usually valid value values verdict verdicts versus view visible warrant weigh window
windows word words worst worth zone
""".split()  # noqa: SIM905


def stem(word: str) -> str:
    """A crude stem, enough to let "rises" stand for "rise".

    >>> stem("scratches"), stem("scratched")
    ('scratch', 'scratch')
    """
    for ending in ("ingly", "edly", "ing", "ied", "ies", "ed", "es", "ly", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending in ("ied", "ies") else "")
    return word


PLAIN: frozenset[str] = frozenset(
    stem(word)
    for group in (
        GRAMMAR, DESCRIBING, ABNORMAL, NORMAL, NEGATIONS, UP, DOWN, CARDINALS, ORDINALS, PLACES,
        *MODALITY_WORDS.values(),
        ["quarter", "half", "third", "percent", "second", "seconds", "hour", "minute", "pixel", "pixels", "corner", "edge", "area"],
    )
    for word in group
)  # fmt: skip
