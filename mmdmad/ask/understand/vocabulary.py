"""The closed list of words that a question may hold and that stand for nothing in it beyond what the grammar reads.

What is not here, no name of the run and no number that was read, is unknown: it is told, or the question is declined.
"""

import re
from functools import lru_cache

from mmdmad.modalities.base import modalities

_GRAMMAR = """
a an the this that these those it its it's he she they them their there here i me my we us our you your yours one ones
who whom whose what which when where whereabouts why how whether if then than as so such and or but nor not no none
nothing never yes any anything anyone anybody some something somewhere someone every everything each all both either
neither other others another same only just even also too very quite rather really actually maybe perhaps exactly
about around approximately roughly nearly almost again still yet ever already now just once at in on of off for from
to into onto by with without within during between among amongst through over under above below behind beside besides
up down out inside outside across along against per via since until till before after is are was were be been being
am isn't aren't wasn't weren't do does did don't doesn't didn't done doing has have had having haven't hasn't can
could can't couldn't cannot may might must shall should shouldn't would wouldn't will won't let let's ok okay please
pls thanks thank hello hi hey dear sorry well oh hm hmm um so like more most less least fewer fewest much many few lot
lots bit little own self itself themselves myself yourself vs versus e.g eg i.e ie etc else instead together apart
alone ourselves because although though while given despite however therefore thus hence far long often soon
"""
_ASKING = """
tell show give list name find get see look looked looking looks check checked checking count counts counted number
numbers total tally sum amount altogether overall say says said explain explained explanation describe description
detail details display print pick point quote compare compared comparing comparison break breakdown rank ranking sort
sorted order ordered know knows think mean means meaning call called consider considered want wants need needs wish
help ask asked asking answer question questions quick quickly brief briefly short shortly first last second third
fourth fifth sixth seventh eighth ninth tenth zero two three four five six seven eight nine ten eleven twelve half
hundred dozen top bottom next previous latest earliest newest oldest recent main mainly mostly primarily chiefly
largely biggest largest smallest highest lowest strongest weakest best worst better worse strange stranger strangest
odd odder oddest weird funny unusual unusually usual suspicious suspicion striking extreme serious severe bad good fine
normal normals normally ordinary alright right wrong off amiss clean cleanest clear trouble troubles problem problems
issue issues matter fault faults faulty defect defects defective flaw flaws error errors fail fails failed failing
failure failures hole scratch anomaly anomalies anomalous abnormal abnormality outlier outliers alarm alarms alarmed
alert alerts warning flag flags flagged flagging mark marked raise raised raising caught catch detect detected detection
detector verdict verdicts judge judged judging judgement decide decided decision result results finding findings
evidence reason reasons cause grounds pass passed passes passing worry worried worrying ship safe sure certain certainly
confident confidence trust reliable reliably real really true false probability likely unlikely likelihood chance
possible possibly probably statistic statistics statistical statistically significant guarantee guarantees guaranteed
interval calibration calibrated rate rates percent percentage share shares fraction proportion ratio score scores
value values p-value p-values pvalue p anomaly-score joint declared expected expect explains behave behaves behaved
"""
_THINGS = """
case cases piece pieces item items part parts product products group groups type types kind kinds sort sorts unit units
batch sample samples example examples thing things record records recording recordings recorded entry entries row rows
modality modalities channel channels sensor sensors signal signals measurement measurements measure reading readings
quantity trace data file files input inputs machine line run runs model stream set reference learned normality
picture pictures image images photo photos camera area areas region regions corner corners place places spot spots side
sides position location located locate frame frames clip clips video videos film text texts word words wording message
messages log logs note notes report phrase phrases term terms protocol sentence letter character time times timestamp
date dates day days hour hours minute minutes seconds moment moments quarter shift shifts week weeks month months
morning forenoon afternoon evening night noon midnight today yesterday tonight monday tuesday wednesday thursday friday
saturday sunday january february march april june july august september october november december clock o'clock am pm
begin begins began beginning start starts started starting end ends ended ending stop happen happens happened happening
occur occurs occurred come comes came coming go goes going gone went make makes made making take taken takes took keep
see seen saw seem seems seemed appear appears appeared stand stands stood deviate deviates deviated deviation behind
contain contains contained include includes included involve involved concern concerns concerned affect affected
affects belong belongs fit fits match matches agree agrees agreeing disagree disagrees contradict contradicts
contradicting contradiction contradictions contradictory inconsistent inconsistency mismatch differ differs different
difference similar similarity resemble resembles closest nearest near nearby neighbour neighbours neighbor neighbors
lookalike miss missing misses lack lacks lacking lacked absent complete incomplete present available existing exist
exists there's recorded captured inspected produced supplied carry carries carried carrying drive drives driven driver
drove due responsible contribute contributes contributed contributor contribution weigh weighs weight dominate dominated
dominates dominant rest based basis give gives gave given giving away attention attract attracted summary summarise
summarize overview status situation picture story general impression glance refused refuse rejected skip skipped read
unreadable unread corrupt broken used unused use using misbehave misbehaves strangely odd-looking label labels labelled
labeled list listed mentioned inspection case's judged line's end-of-shift precede preceded preceding follow followed
following earlier later prior change changed changes changing above-mentioned up-to-date far-off distribution spread
single whole entire got get gets become becomes became leave leaves left range ranges new mistake mistaken mistakes
lead leads leading sit sits heavy heaviest surface trace confirm confirmed compute computed positive positives stated
false-alarm according terms strongly strong weak weakly i'd i'm i've you've we've they're i'll way ways
today's whats interesting interested attention important urgent severity bother care focus inspect investigate concern
people person colleague anyway basically currently afternoon's hour's yet thing's hasn hadn guess suppose assume believe
think thought thoughts idea ideas opinion possible useful sense making figure figures report reports reported told
inside next similar same like alike typical typically average mean median maximum minimum size sizes long short
rescore rescored rejudge judge score set raise lower increase decrease delete remove erase send save export mark label
accept dismiss confirm reclassify declare treat retrain refit train fit recalibrate ran runs running noise quality
except excepting excluding besides unless
flagging unflagged non-flagged nonflagged named mentioned possible attainable
chart table plot pattern patterns evident visible visibly hidden obvious fully partly
"""
_LOOSE = re.compile(r"(?:ly|'s|s|ed|ing)$")


@lru_cache
def _closed(names: tuple[str, ...]) -> frozenset[str]:
    spoken = {word for name in names for word in modalities()[name].words}
    return frozenset({*(_GRAMMAR + _ASKING + _THINGS).split(), *spoken, *(f"{word}s" for word in spoken)})


def is_known(word: str) -> bool:
    """Whether a word is of the closed list; a possessive or a plural of one is.

    >>> is_known("Which"), is_known("cases'"), is_known("turquoise")
    (True, True, False)
    """
    bare = word.lower().strip("'’").removesuffix("'s").removesuffix("’s")
    known = _closed(tuple(modalities()))
    return bare in known or bare.removesuffix("s") in known or bare.replace("-", "") in known
