"""Questions about a scored run, in several wordings each, for the `investigate` suite.

`OPEN` wordings may be looked at while the offline analyst is being improved. `HELD_OUT` wordings were written before
it and are only for measuring: do not tune a planner on them. Braces are filled from the run and its ground truth.
"""

OPEN: dict[str, tuple[str, ...]] = {
    "count_flagged": (
        "How many cases were flagged?",
        "What is the number of anomalies in this run?",
        "Count the cases you consider anomalous.",
    ),
    "count_group": (
        "How many {group} pieces were flagged?",
        "For product {group}, how many anomalies are there?",
        "Of the {group} cases, how many did not pass?",
    ),
    "count_missing": (
        "How many cases have no {part}?",
        "In how many cases is the {part} missing?",
        "How often do we lack a {part}?",
    ),
    "count_contradiction": (
        "How many of the flagged cases have parts that contradict each other?",
        "In how many anomalies do the parts not belong together?",
        "Count the flagged cases with a contradiction.",
    ),
    "count_driver": (
        "How many flagged cases are driven mainly by the {part}?",
        "For how many anomalies does the {part} carry the largest share?",
        "In how many flagged cases is the {part} the main contributor?",
    ),
    "worst": (
        "Which case is the most anomalous?",
        "What is the worst case of all?",
        "Name the case that looks strangest.",
    ),
    "group_most": (
        "Which product has the most flagged cases?",
        "Which group has the most anomalies?",
        "What product is flagged most often?",
    ),
    "is_normal": (
        "Is case {case} normal?",
        "Is {case} fine?",
        "Did {case} pass?",
    ),
    "is_flagged": (
        "Was {case} flagged?",
        "Is case {case} anomalous?",
        "Is there something wrong with {case}?",
    ),
    "why": (
        "Why was {case} flagged?",
        "Explain case {case}.",
        "What is the reason that {case} stands out?",
    ),
    "what_part": (
        "Which part of {case} is off?",
        "What part of case {case} is the problem?",
        "Is it the picture, the text, the sensor or the video that makes {case} unusual?",
    ),
    "what_channel": (
        "Which channel is off in {case}?",
        "What sensor channel behaves strangely in case {case}?",
        "In {case}, which measurement leaves its normal range?",
    ),
    "where": (
        "Where in the picture of {case} is the problem?",
        "Whereabouts is the defect in case {case}?",
        "Which area of {case}'s image is unusual?",
    ),
    "when_in": (
        "When during {case} does the sensor go off?",
        "At what time within {case} does the sensor signal become unusual?",
        "Between which seconds is the sensor of {case} strange?",
    ),
    "when_case": (
        "When was {case} recorded?",
        "At what time was case {case} taken?",
        "What is the timestamp of {case}?",
    ),
    "words": (
        "Which words in the text of {case} are unusual?",
        "What is strange about the log message of {case}?",
        "Quote the suspicious words of {case}.",
    ),
    "contradiction": (
        "Which part of {case} does not fit the others?",
        "Do the parts of {case} agree, and if not, which is the odd one?",
        "What contradicts what in {case}?",
    ),
    "missing": (
        "Which part is missing in {case}?",
        "What data do we lack for case {case}?",
        "Is {case} complete?",
    ),
    "neighbour": (
        "Which normal cases is {case} closest to?",
        "Compare {case} with its nearest normal cases.",
        "What are the nearest normals of {case}?",
    ),
    "p_value": (
        "What is the p-value of {case}?",
        "How unlikely is {case}?",
        "Give me the joint p-value for case {case}.",
    ),
    "guarantee": (
        "What false-alarm rate is guaranteed?",
        "How many false alarms must I expect?",
        "At what false alarm rate are the verdicts given?",
    ),
    "compare": (
        "Which is more anomalous, {case} or {other}?",
        "Is {case} worse than {other}?",
        "Compare {case} and {other}: which one is stranger?",
    ),
    "refused": (
        "How many cases or parts were refused?",
        "Was anything unreadable?",
        "Were any inputs rejected?",
    ),
    "hour_count": (
        "How many cases were flagged between {since} and {until}?",
        "Count the anomalies from {since} to {until}.",
        "How many anomalies occurred after {since} and before {until}?",
    ),
    "list_group": (
        "Which {group} cases were flagged?",
        "List the anomalies of product {group}.",
        "Show me the flagged {group} pieces.",
    ),
    "unanswerable": (
        "Who built the machine?",
        "What will the weather be tomorrow?",
        "How much does the repair of {case} cost?",
        "Which machine will fail next week?",
    ),
    "follow_second": (
        "Show me the three worst cases.|And the second one: why?",
        "List the top three anomalies.|Explain the second.",
    ),
    "follow_about": (
        "Is {case} normal?|And what about {other}?",
        "Was {case} flagged?|And {other}?",
    ),
}

HELD_OUT: dict[str, tuple[str, ...]] = {
    "count_flagged": (
        "What's the total of flagged parts runs, I mean cases?",
        "So how many alarms did we get overall?",
    ),
    "count_group": ("How many alarms concern {group}?", "Tell me the number of bad {group} items."),
    "count_missing": ("How many cases came without {part}?", "What number of cases lack the {part}?"),
    "count_contradiction": (
        "How many alarms come with parts that disagree?",
        "Number of anomalies where one part does not match the rest?",
    ),
    "count_driver": (
        "How many alarms are mostly due to the {part}?",
        "In how many alarms does the {part} weigh the most?",
    ),
    "worst": ("If I could look at only one case, which should it be?", "Point me to the top anomaly."),
    "group_most": ("Which product gives us the most trouble?", "Where do most alarms come from, by product?"),
    "is_normal": ("Can I ship {case}?", "Does {case} look alright to you?"),
    "is_flagged": ("Did {case} raise an alarm?", "Should I worry about {case}?"),
    "why": ("What makes you say that {case} is abnormal?", "What went wrong in {case}?"),
    "what_part": ("Which modality gives {case} away?", "What contributed most to the alarm on {case}?"),
    "what_channel": (
        "Which of the signals is out of line in {case}?",
        "Tell me the sensor channel to check for {case}.",
    ),
    "where": ("In which corner or region of the photo of {case} should I look?", "Locate the flaw on {case}."),
    "when_in": (
        "At which moment of {case} do the readings deviate?",
        "How far into {case} does the sensor trouble start?",
    ),
    "when_case": ("What date and time does {case} carry?", "When did {case} come down the line?"),
    "words": ("What in the wording of {case} raised suspicion?", "Which part of the message in {case} is odd?"),
    "contradiction": (
        "Which piece of {case} disagrees with the rest?",
        "Is there a mismatch between the parts of {case}?",
    ),
    "missing": ("Does {case} have all its parts?", "What is absent from {case}?"),
    "neighbour": ("What good cases resemble {case} the most?", "Show similar normal cases for {case}."),
    "p_value": ("How extreme is {case} statistically?", "p of {case}?"),
    "guarantee": ("How often would a good case be flagged by mistake?", "How much can I trust these verdicts?"),
    "compare": (
        "Between {case} and {other}, which one would you check first?",
        "{case} or {other}: which deviates more?",
    ),
    "refused": ("Did you have to skip anything?", "Which files could not be read?"),
    "hour_count": (
        "Between {since} and {until}, how many alarms were there?",
        "How many bad cases from {since} until {until}?",
    ),
    "list_group": ("Give me all bad {group} cases.", "Which pieces of {group} raised an alarm?"),
    "unanswerable": (
        "Who was the operator on duty when {case} was recorded?",
        "Can you predict how many anomalies we will see on Friday?",
        "What is the serial number of the camera?",
        "Which supplier delivered the bearing?",
    ),
    "follow_second": ("Which three cases deviate most?|What happened in the second one?",),
    "follow_about": ("Should I worry about {case}?|Okay. And {other}?",),
}

# Written after the offline analyst was finished and measured as they stand.
FRESH: dict[str, tuple[str, ...]] = {
    "count_flagged": ("What is the overall tally of abnormal cases?",),
    "count_group": ("With {group}, how often did something look off?", "How many faulty {group} units have you seen?"),
    "count_missing": ("For how many cases is there no {part} at all?",),
    "count_contradiction": ("How many alarms show an inconsistency between parts?",),
    "count_driver": (
        "How many of the alarms rest primarily on the {part}?",
        "The {part} dominates in how many flagged cases?",
    ),
    "worst": ("Show me the single most suspicious case.",),
    "group_most": ("Break down the alarms per product: which one leads?",),
    "is_normal": ("Would you call {case} normal?", "{case}: good or bad?"),
    "is_flagged": ("Is {case} on the list of anomalies?",),
    "why": ("What is unusual about {case}?", "Give me the details of {case}.", "How come {case} was flagged?"),
    "what_part": (
        "Which of the parts of {case} stands out?",
        "Where does the trouble in {case} sit: image, text, sensor or video?",
        "Name the part responsible for the verdict on {case}.",
    ),
    "what_channel": (
        "For {case}, which sensor channel misbehaves?",
        "Which signal should I look at in {case}?",
        "What channel caught your attention in {case}?",
    ),
    "where": (
        "Show me the place in the image of {case} that looks wrong.",
        "Which side of the picture is affected in {case}?",
    ),
    "when_in": (
        "Since when does the sensor of {case} look strange?",
        "During which seconds of {case} is the sensor unusual?",
    ),
    "when_case": ("What time was {case} inspected?",),
    "words": ("What does the log of {case} say that is unusual?", "Which phrase in the text of {case} is new?"),
    "contradiction": ("Which part of {case} contradicts the rest?", "Does everything in {case} match?"),
    "missing": ("Is any part of {case} missing?",),
    "neighbour": ("Which normal cases look most like {case}?",),
    "p_value": ("How likely is a case like {case} among normal ones, as a probability?",),
    "guarantee": ("How reliable is a verdict, in terms of false positives?",),
    "compare": ("Is {case} or {other} the more extreme one?",),
    "refused": ("Were there corrupt files?",),
    "hour_count": ("How many cases raised an alarm from {since} to {until}?",),
    "list_group": ("Name the anomalous {group} cases.",),
    "unanswerable": ("When will the belt break?", "Who should I call about {case}?"),
    "follow_second": ("Give me the top three cases.|Tell me more about number 2.",),
    "follow_about": ("Would you call {case} normal?|What about {other}?",),
}
