"""Wordings by someone who had not seen the offline analyst, written when it stood.

Their first count was taken before anything was mended on them; since then they are no more unseen than the others,
and the next honest count needs a new set.
"""

UNSEEN: dict[str, tuple[str, ...]] = {
    "count_flagged": (
        "How many cases did the detector flag altogether?",
        "total number of anomalous cases in this run?",
        "Could you tell me how many of the inspected cases ended up with an anomalous verdict?",
    ),
    "count_group": (
        "How many of the {group} cases were flagged?",
        "number of anomalies in product group {group}",
        "Looking only at {group}, could you count the cases that were judged anomalous?",
    ),
    "count_missing": (
        "How many cases came without the {part} part?",
        "count of cases with no {part}",
        "In how many cases is the {part} absent, please?",
    ),
    "count_contradiction": (
        "flagged cases with a contradiction between their parts - how many?",
        "Please count the anomalous cases in which the parts disagree with one another.",
    ),
    "count_driver": (
        "For how many flagged cases does the {part} carry the largest share?",
        "number of anomalies driven mainly by the {part}",
        "Could you tell me in how many of the flagged cases the {part} was the biggest contributor?",
    ),
    "worst": (
        "Which single case is the most anomalous of the whole run?",
        "worst case overall?",
        "If I only have time to look at one case, which one stands out as the strongest anomaly?",
    ),
    "group_most": (
        "Which product group has the most flagged cases?",
        "product group with the highest number of anomalies?",
        "Could you say which kind of product got flagged most often?",
    ),
    "is_normal": (
        "Is {case} normal?",
        "{case} - everything ok with that one?",
        "Could you confirm whether case {case} was judged to be normal?",
    ),
    "is_flagged": (
        "did the detector raise an alarm on {case}?",
        "Please check whether case {case} got marked as an anomaly.",
    ),
    "why": (
        "what's the reason {case} was called anomalous?",
        "Could you explain to me what made the detector raise the alarm for {case}?",
    ),
    "what_part": (
        "Which part is the main reason for the verdict on {case}?",
        "{case}: image, text, sensor or video - which one contributes most?",
        "Could you tell me which of the four parts weighs heaviest in {case}?",
    ),
    "what_channel": (
        "Which sensor channel looks unusual in {case}?",
        "odd channel in {case}?",
        "Of the eight channels, could you name the one that behaves strangely in case {case}?",
    ),
    "where": (
        "Where in the image of {case} is the unusual place?",
        "location of the suspicious spot on the {case} photo?",
        "Could you point me to the area of the surface picture that looks wrong in {case}?",
    ),
    "when_in": (
        "At what time within the sensor recording does {case} become unusual?",
        "{case}: at which second does the signal go off?",
        "Could you tell me which moment of the four-second sensor trace is abnormal in {case}?",
    ),
    "when_case": (
        "recording time of {case}?",
        "Could you look up what time of day case {case} was captured on the line?",
    ),
    "words": (
        "strange terms in the machine log of {case}?",
        "Please show me the wording that stood out in the log entry for {case}.",
    ),
    "contradiction": (
        "Which part of {case} doesn't fit the others?",
        "{case}: which part contradicts the rest?",
        "Could you tell me which of the parts is inconsistent with the other ones in {case}?",
    ),
    "missing": (
        "Which part is missing from {case}?",
        "what does {case} lack - image, text, sensor or video?",
        "Is {case} incomplete, and if so, which part was not supplied?",
    ),
    "neighbour": (
        "Which normal cases are most similar to {case}?",
        "closest normal examples to {case}?",
        "I'd like to compare {case} with good ones; could you list the normal cases that resemble it most?",
    ),
    "p_value": (
        "p value for {case} pls",
        "Could you give me the p-value that the detector computed for case {case}?",
    ),
    "guarantee": (
        "What false-alarm rate is declared for these verdicts?",
        "guaranteed false positive rate?",
        "How often, at most, should I expect a good case to be flagged by mistake according to the stated guarantee?",
    ),
    "compare": (
        "Which one is more anomalous, {case} or {other}?",
        "{case} vs {other} - which is worse?",
        "Could you compare {case} with {other} and tell me which of the two deviates more strongly from normal?",
    ),
    "hour_count": (
        "How many flagged cases were recorded between {since} and {until}?",
        "anomalies from {since} to {until}, how many?",
        "Could you count the alarms that were raised on cases captured after {since} and before {until}?",
    ),
    "unanswerable": (
        "How much will it cost us to scrap {case}?",
        "who was the operator on duty when {case} came down the belt?",
        "Could you forecast how many defects we'll get tomorrow?",
    ),
    "follow_second": (
        "Which cases are the most anomalous?|And why was the second one flagged?",
        "list the top anomalies please|tell me more about the second of those",
        "Could you show me the worst five cases of this run?|What is the main reason for number two on that list?",
    ),
    "follow_about": (
        "Is {case} normal?|And {other}?",
        "was {case} judged to be fine?|what about {other}?",
        "Could you tell me whether case {case} counts as normal?|Thanks, and how about {other}, the same question?",
    ),
}
