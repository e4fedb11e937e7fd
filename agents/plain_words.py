"""Words an explanation may use without evidence: grammar, and the plain vocabulary of describing a measurement.

Everything else (machine parts, causes, materials, people, product names) must occur in the cited evidence. Words of
number, direction, place, modality and verdict are not listed: `grounding` checks them by their meaning.
"""

from functools import lru_cache

from mmdmad.agents.claims import (
    ABNORMAL,
    CARDINALS,
    DOWN,
    NEGATIONS,
    NORMAL,
    ORDINALS,
    PLACES,
    UP,
)  # fmt: skip

from mmdmad.modalities.base import modalities

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
absence absent account add adds afterwards agree agreement agrees alarm alarms alone already also although amount
amounts anomaly another anything apart appear appearing appears approximately area around assess assessed attention
atypical available average averages band barely based basis because began begin beginning begins behave behaves
behaviour belong belongs beyond bigger bound bounds box bright brighter calibrate calibrated calibration
call called caption care carries carry caution cautious certain change changed changes channel channels character
characters check checked checking clear clearly close closer closest color colour combined common commonly
comparable compare compared comparing comparison complete conclusion condition conditional confidence confirm
conformal consistent conspicuous contain contains contradict contradiction contradictory
contradicts contribute contributed contributes contribution corresponding counterpart counts course cover coverage
covers currently customary dark darker data decided decision declare declared description details detector deviate
deviates deviating deviation differ difference different differs disagree disagreement disagrees displayed displays
distance distribution disturbance drive driven drives duration e earlier early encoder
end ends engineer entire error especially estimate even evidence exact exactly examine examined example exceed
exclude expect expectation expected explain explained explanation explicitly extend extends extent
extreme extremely fact factor fair fairly false feature features figure figures find finding findings first fit fits
flag flags follow following follows found fraction frequently give good grey grounds group guarantee
guaranteed guess habitual hardly height hence hint hints hold holds hovers however human id identify
independently indicate indicates individually information inside inspect inspecting inspection instance instead
insufficient interval invalid investigate item joint jointly judge judged judgement just keep
lack lacking lacks lapsed last lasting lasts late later learned leave leaves length less level lie lies light
lighter limit limits line lines list listed locate located location look looking looks main marked markedly match
matched matches matching matter maximum mean means meanwhile measure measured measurement measuring mention
mentioned mentions middle minimum mismatch miss missing moment most motion motionless move movement moves moving
near nearest need neighbour neighbours nevertheless next no noise none notable notably note notice noticeable
noticed number observe observed occur occurred occurs only onset ordinary original outcome outside overall p p-value
pair part particular parts patch pattern peak peaks percent period person phase phrase picture piece place please
point pointing points position possible precisely present previous probability probably product prominent provide
quantity question quote quoted range ranges rank rare rarely rate reach reached reaches read reading
readings reads reason recommend recommended record recorded refer reference refused region regular
regularly relative relatively reliability reliable remain remains report resemble resembles respectively
rest rests result results review rises roughly run same sample say saying says scale score
scored scores second seconds section seems seen separate separately set several shape share shares sharply
show showed showing shown shows side signal significant similar similarity simulated since single
sits situation size slightly slowly small something somewhat source span spans specific speed spot spots spread
stage stand standard stands start started starts state stated statistical statistically statistics
stay stays step still stop stops striking strong strongest strongly suggest suggesting
suggests sum summary support supported supports sure surface surroundings take taken tell tells test
than therefore thing things think threshold thus time times together token tokens tone too total touches toward
train training true trust turn type typical typically unable uncertain unit unknown unlike unlikely unreadable
until usual usually valid value values various verdict verdicts verify versus view visible warrant weigh
width window windows word wording words worst worth written yet zone
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
        ["quarter", "half", "third", "percent", "seconds", "hour", "minute", "pixels", "corner", "edge", "area"],
    )
    for word in group
)  # fmt: skip


def is_plain(word: str) -> bool:
    """Whether a stem may be used without evidence: a plain word, or what a modality is called."""
    return word in PLAIN or word in _called(tuple(modalities()))


@lru_cache
def _called(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(stem(word) for name in names for word in modalities()[name].words)
