"""German questions in the English words that the grammar reads: a dictionary, phrases before words, no grammar.

What the dictionary does not hold stays as it stands and is told by the coverage rule.
"""
# ruff: noqa: E501  (a dictionary)

import re
from functools import lru_cache

from mmdmad.ask.understand.vocabulary import is_known

_PHRASES = """
wie viele=how many|wieviele=how many|wie viel=how many|wie oft=how often|wie sicher=how sure|in ordnung=ok|
gibt es=are there|gab es=were there|zeig mir=show me|zeige mir=show me|nenn mir=name|nenne mir=name|gib mir=give me|
sag mir=tell me|wie heißt=what is|was für=what|was ist los mit=what is wrong with|was ist mit=what about|
und was ist mit=and what about|stimmt etwas nicht mit=is something wrong with|nicht in ordnung=not ok|
am auffälligsten=most anomalous|am häufigsten=most often|am meisten=most|am wenigsten=least|am sichersten=surest|
am stärksten=most anomalous|am schlimmsten=worst|nicht auffällig=not flagged|nicht normal=anomalous|
zwischen=between|und wann=and when|um wie viel uhr=at what time|wie spät=when|viertel vor=quarter to|
viertel nach=quarter past|halb eins=half past twelve|halb zwei=half past one|halb drei=half past two|halb vier=half past three|halb fünf=half past four|
halb sechs=half past five|halb sieben=half past six|halb acht=half past seven|halb neun=half past eight|halb zehn=half past nine|
halb elf=half past ten|halb zwölf=half past eleven|für sich=by itself|für sich allein=by itself|für sich genommen=by itself|
von sich aus=by itself|sowohl=both|als auch=and|entweder=either|weder=neither|noch=nor|mehr als=more than|
weniger als=less than|größer als=greater than|kleiner als=less than|höchstens=at most|mindestens=at least|
kann man=can one|ist das=is that|letzte nacht=last night|heute morgen=this morning|heute früh=this morning|
heute nachmittag=this afternoon|am vormittag=in the morning|am morgen=in the morning|am nachmittag=in the afternoon|
am abend=in the evening|in der letzten stunde=in the last hour|letzten stunde=last hour|in der nacht=at night|
seit wann=since when|bis wann=until when|bei welchem=in which|bei welcher=in which|bei welchen=in which|
davor=before it|vorher=before it|danach=after it|nachher=after it|p wert=p-value|zuerst ansehen=check first|
alle teile=all parts|am wenigsten auffällig=least anomalous|nicht gemeldet=not flagged|nicht gemeldete=not flagged|nicht gemeldeten=not flagged|nicht auffällige=not flagged|
nicht auffälligen=not flagged|nicht beanstandet=not flagged|nicht gefunden=missed|nicht erkannt=missed|halbe stunde=half hour|halben stunde=half hour|von denen=of those|von diesen=of those|
im schnitt=on average|im mittel=on average|kleinste mögliche=smallest possible|kleinsten möglichen=smallest possible|kleinstmögliche=smallest possible|
niedrigste mögliche=lowest possible|nur nach dem=only by the|nur nach=only by|allein nach dem=only by the|allein nach=only by|
gemessen am=by the|warum genau=why exactly|wieso genau=why exactly|in welchem fall=in which case|in welchen fällen=in which cases|wie klein=how small|wie viele weniger=how many fewer|
alle vier teile=all four parts|das erste=the first|der erste=the first|die erste=the first
"""
_WORDS = """
welche=which|welcher=which|welches=which|welchen=which|welchem=which|warum=why|wieso=why|weshalb=why|wann=when|wo=where|
was=what|wer=who|wie=how|wem=whom|ist=is|sind=are|war=was|waren=were|wurde=was|wurden=were|wird=is|werden=are|hat=has|
haben=have|hatte=had|hatten=had|fall=case|fälle=cases|fällen=cases|falls=case|teil=part|teile=parts|teilen=parts|
stück=piece|stücke=pieces|auffällig=anomalous|auffällige=anomalous|auffälligen=anomalous|auffälliger=anomalous|
auffälliges=anomalous|auffälligste=most anomalous|auffälligsten=most anomalous|anomal=anomalous|anomale=anomalous|
anormal=anomalous|ungewöhnlich=unusual|ungewöhnliche=unusual|ungewöhnlichen=unusual|ungewöhnlichste=most unusual|
seltsam=strange|komisch=strange|gemeldet=flagged|gemeldete=flagged|gemeldeten=flagged|markiert=flagged|
beanstandet=flagged|beanstandete=flagged|beanstandeten=flagged|alarm=alarm|alarme=alarms|alarmen=alarms|fehlalarm=false alarm|
fehlalarme=false alarms|fehlalarmrate=false alarm rate|fehler=fault|fehlerhaft=faulty|fehlerhafte=faulty|
normale=normal|normalen=normal|normaler=normal|normales=normal|ordentlich=fine|gut=good|gute=good|guten=good|schlecht=bad|
schlechte=bad|schlechten=bad|kaputt=broken|schlimmste=worst|schlimmsten=worst|schlimmster=worst|sauberste=cleanest|
bild=image|bilder=images|bildes=image|foto=photo|fotos=photos|sensordaten=sensor|messwerte=readings|messung=measurement|
kanal=channel|kanäle=channels|kanals=channel|signale=signals|protokoll=log|meldung=message|meldungen=messages|texte=texts|
wörter=words|worte=words|filmchen=video|gruppe=group|gruppen=groups|produkt=product|produkte=products|
produktgruppe=group|fehlt=is missing|fehlen=are missing|fehlte=is missing|fehlende=missing|ohne=without|mit=with|
aus=of|von=of|vom=of the|für=for|bei=in|im=in the|in=in|am=on the|zum=to the|zur=to the|nach=after|vor=before|seit=since|bis=until|
um=at|uhr=o'clock|ab=from|zwischen=between|und=and|oder=or|aber=but|nicht=not|kein=no|keine=no|keinen=no|keiner=no|
keines=no|der=the|die=the|das=the|den=the|dem=the|des=of the|ein=a|eine=a|einen=a|einem=a|einer=a|eines=a|es=it|er=it|
sie=it|dieser=this|diese=these|diesem=this|dieses=this|diesen=this|davon=of them|denen=which|ihm=it|ihr=it|
ich=I|du=you|ihr=you|wir=we|mir=me|mich=me|uns=us|man=one|bitte=please|danke=thanks|hallo=hello|
zeige=show|zeig=show|liste=list|nenne=name|nenn=name|erkläre=explain|erklär=explain|vergleiche=compare|vergleich=compare|
beschreibe=describe|gib=give|sag=say|gibt=are there|gab=were there|anzahl=number|insgesamt=in total|gesamt=total|
zusammenfassung=summary|überblick=overview|übersicht=overview|anteil=share|prozent=percent|
wert=value|werte=values|p-wert=p-value|p-werte=p-values|p-werts=p-value|unter=below|über=above|kleiner=smaller|größer=greater|
sicher=sure|wahrscheinlich=likely|grund=reason|gründe=reasons|grenze=limit|rate=rate|
erste=first|ersten=first|erster=first|erstes=first|zweite=second|zweiten=second|dritte=third|dritten=third|letzte=last|
letzten=last|letzter=last|letztes=last|nächste=nearest|nächsten=nearest|ähnlichsten=most similar|ähnlich=similar|
ähnliche=similar|ein=a|zwei=two|drei=three|vier=four|fünf=five|sechs=six|sieben=seven|acht=eight|neun=nine|zehn=ten|
heute=today|gestern=yesterday|vormittag=morning|vormittags=in the morning|nachmittag=afternoon|nachmittags=in the afternoon|
abend=evening|abends=in the evening|nacht=night|nachts=at night|morgens=in the morning|montag=monday|dienstag=tuesday|
mittwoch=wednesday|donnerstag=thursday|freitag=friday|samstag=saturday|sonntag=sunday|stunde=hour|stunden=hours|
minute=minute|minuten=minutes|tag=day|tage=days|tagen=days|woche=week|schicht=shift|zeit=time|sekunden=seconds|
januar=january|februar=february|märz=march|mai=may|juni=june|juli=july|oktober=october|dezember=december|
beide=both|beiden=both|alle=all|allen=all|jede=each|jeder=each|jedes=each|nur=only|auch=also|noch=still|schon=already|
genau=exactly|etwa=about|ungefähr=about|etwas=something|alles=everything|nichts=nothing|mehr=more|weniger=fewer|
wenigsten=least|meisten=most|meiste=most|häufigsten=most often|höchste=highest|höchsten=highest|niedrigste=lowest|
widerspruch=contradiction|widersprüche=contradictions|widersprechen=contradict|passen=fit|passt=fits|
stelle=place|stellen=places|wo=where|ort=place|bereich=region|zusammen=together|dort=there|hier=here|dann=then|denn=then|
doch=|mal=|eigentlich=|so=so|als=than|wenn=if|dass=that|weil=because|obwohl=although|kannst=can|kann=can|können=can|soll=should|
sollte=should|muss=must|passiert=happened|war's=was it|los=wrong|gewesen=been|geworden=|worden=|
pro=per|je=per|viertelstunde=quarter of an hour|viertelstunden=quarters of an hour|halbe=half|halben=half|stündlich=per hour|minütlich=per minute|
wirklich=really|tatsächlich=really|tatsächlichen=really|echten=real|echte=real|echter=real|fehlerhaften=faulty|fehlerhafter=faulty|defekte=faulty|defekten=faulty|defekt=faulty|
gefunden=found|erkannt=detected|entdeckt=found|übersehen=missed|verpasst=missed|durchgerutscht=missed|kleinste=smallest|kleinster=smallest|kleinsten=smallest|mögliche=possible|möglichen=possible|möglich=possible|
durchschnittlich=average|durchschnittliche=average|durchschnittlicher=average|durchschnittlichen=average|durchschnitt=average|mittelwert=mean|mittlere=mean|mittlerer=mean|mittleren=mean|
höchster=highest|größte=largest|größter=largest|größten=largest|niedrigster=lowest|niedrigsten=lowest|scores=scores|punktzahl=score|unauffällig=normal|unauffällige=normal|unauffälligen=normal|unauffälligste=least anomalous|
unauffälligsten=least anomalous|auffälligster=most anomalous|auffälligstes=most anomalous|ungewöhnlichster=most unusual|seltsamste=strangest|seltsamsten=strangest|ruhigste=quietest|ruhigsten=quietest|
unterschied=difference|vergleicht=compare|statt=instead of|öfter=more often|häufiger=more often|schlechter=worse|besser=better|gehört=belongs|haben=have|genommen=taken|nach=after|
aufgenommen=recorded|geprüft=judged|beurteilt=judged|entschieden=decided|bedeutet=means|heißt=means|
wichtigsten=most anomalous|wichtigste=most anomalous|prüfen=check|ansehen=look at|anschauen=look at|kosten=cost|kostet=costs|
morgen=tomorrow|wetter=weather|lösche=delete|lösch=delete|ändere=change|setze=set|markiere=mark|markier=mark
"""
_COMMON = """
ist sind war waren wurde wurden warum wieso weshalb welche welcher welches welchen wie viele fall fälle nicht der die
das und oder mit ohne für auffällig gibt es zeige zeig bitte uhr wann wo einen eine kein keine gestern heute hat haben
bei im vom zum davor danach vergleiche nenne sicher
"""
_ENGLISH_TOO = frozenset(
    [
        "die",
        "war",
        "los",
        "mal",
        "an",
        "am",
        "pro",
        "je",
        "so",
        "in",
        "hat",
        "rate",
        "mai",
        "text",
        "sensor",
        "wo",
        "man",
    ]
)
_OWN = frozenset(_COMMON.split())
_OTHERS = """
por qué que cuál cuáles cuántos cuántas dónde cuándo está son fue los las del una pourquoi quel quelle quels combien où
quand est sont été les des une dans avec perché quale quali quanti dove quando sono nel della waarom welke hoeveel waar
wanneer zijn het een van dlaczego który które ile gdzie kiedy jest są quantos quais onde foi
"""
FOREIGN = frozenset(_OTHERS.split())


@lru_cache(maxsize=1)
def _dictionary() -> tuple[tuple[str, str], ...]:
    pairs = [tuple(pair.strip().partition("=")[::2]) for pair in (_PHRASES + "|" + _WORDS).split("|") if pair.strip()]
    return tuple(sorted(((de, en) for de, en in pairs), key=lambda pair: -pair[0].count(" ")))


@lru_cache(maxsize=1)
def _own_words() -> frozenset[str]:
    """Words of the dictionary that are no English ones."""
    return frozenset(de for de, _ in _dictionary() if " " not in de and not is_known(de) and de not in _ENGLISH_TOO)


def is_german(text: str) -> bool:
    """Whether two words of a text, or one of its first two, are of the commonest German ones and of no English ones.

    >>> is_german("Ist Fall 12 in Ordnung?"), is_german("Is case 12 ok?"), is_german("was test-00012 flagged?")
    (True, False, False)
    """
    words = re.findall(r"[a-zäöüß]+", text.lower())
    own = [word in _OWN and word not in ("die", "war", "was", "in", "hat") for word in words]
    table = _own_words()
    if len(words) > 1 and sum(word in table for word in words) > 1:  # "Alarme pro Viertelstunde"
        return True
    return sum(own) > 1 or any(own[:2]) or bool(re.search("[äöüß]", text.lower()))


def english(text: str) -> str:
    """A German question in English words, in the German order; other text as it is.

    >>> english("Ist Fall 12 in Ordnung?")
    'is case 12 ok?'
    >>> english("Wie viele Fälle ohne Bild sind auffällig?")
    'how many cases without image are anomalous?'
    """
    if not is_german(text):
        return text
    text = re.sub(r"(\b[A-ZÄÖÜ]\w+|\bp-Werte?s?) (?:der|des) (?=\w)", r"\1 von ", text)  # "p-Werte der Platten"
    table = dict(_dictionary())
    phrases = sorted((de for de in table if " " in de), key=len, reverse=True)
    for de in phrases:
        text = re.sub(rf"(?<!\w){re.escape(de)}(?!\w)", table[de], text, flags=re.I)
    done = {word for de in phrases for word in table[de].split()}
    text = re.sub(r"(?<=\d),(?=\d)", ".", text)

    def said(m: re.Match[str]) -> str:
        word = m[0].lower()
        return m[0] if word in done and word in ("in", "was", "is") else table.get(word, m[0])

    return re.sub(r" +", " ", re.sub(r"(?<![\w-])[^\W\d_]+(?:-[^\W\d_]+)?(?:'s)?(?![\w-])", said, text)).strip()


def is_foreign(text: str) -> bool:
    """Whether a question is in a language that is neither English nor German.

    >>> is_foreign("¿Por qué se marcó test-00032?"), is_foreign("Why was test-00032 flagged?")
    (True, False)
    """
    words = re.findall(r"[^\W\d_]+", text.lower())
    if re.search("[¿¡\\u0370-\\u1fff\\u3040-\\u9fff\\uac00-\\ud7af]", text):
        return True
    return sum(word in FOREIGN for word in words) > 1 and not is_german(text)
