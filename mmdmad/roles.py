"""What people call folders, splits and labels: the one list of the usual words, and what each of them says.

Words are read in any case, in the plural, with marks or numbers beside them (Test_01, "n.i.O.", training-images).
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

TRAIN, TEST, VALIDATION, NORMAL, FAULTY, MASK = "train", "test", "validation", "normal", "faulty", "mask"
SPLITS = (TRAIN, TEST, VALIDATION)
LABEL, WORDS = "label", "words"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORDS = {
    TRAIN: _set(
        "train training trn learn learning lernen trainset trainingset traindata fit trainingsdaten trainingsbilder "
        "entrainement entraînement entrenamiento addestramento trainieren anlernen 训练 学習"
    ),
    TEST: _set(
        "test testing tst eval evaluation score scoring query holdout prüfung prüfen testset testdata inference "
        "testdaten testbilder prueba essai 测试 テスト"
    ),
    VALIDATION: _set("val valid validation validierung dev valset"),
    NORMAL: _set(
        "good ok okay okey normal nominal pass passed healthy intact clean negative inlier benign gut io iok "
        "inordnung fehlerfrei gutteil gutteile accepted undamaged defectless faultless golden bon bonne conforme "
        "bueno buena buono buona goed dobry 正常 良品 合格 合格品 良 bien correcto correcta aprobado aprobada "
        "aprovado approved accettato accettata hyvä dobra dobre sprawny jó iyi sağlam goedgekeurd ohnebefund "
        "unauffällig gutartig benigno benigna bénin godkänd godkendt годен норма исправен"
    ),
    FAULTY: _set(
        "bad ng nok ko def nio niok notok notgood nogood defect defective abnormal anomaly anomalous fault faulty "
        "fail failed failure reject rejected damage damaged broken outlier positive abnormality anomalie anormal "
        "schlecht fehler fehlerhaft defekt defekte ausschuss schlechtteil schlechtteile malfunction unhealthy "
        "error incorrect attack crack cracked scratch scratched scrap scrapped hole dent dented stain stained "
        "rust rusty corrosion chipped burr contamination contaminated bent deformation deformed misplaced "
        "blowhole fray porosity pore leak leaking torn riss kratzer delle fleck rost gebrochen verbogen mauvais "
        "mauvaise défaut défectueux malo mala defecto defectuoso difetto difettoso scarto fout afkeur 异常 異常 不良 "
        "不良品 不合格 缺陷 次品 瑕疵 欠陥 mal malos malas mau ruim rechazado rechazada reprovado rejeté rejetée "
        "refusé défectueuse defectuosa cattivo cattiva difettosa rifiutato slecht slechte afgekeurd dålig underkänd "
        "malignant malign maligne maligno maligna "
        "bösartig defekter kassert zły wadliwy wada vadný rossz hibás kötü arızalı брак дефект неисправен"
    ),
    MASK: _set(
        "groundtruth gt mask segmentation segmentationmask segmentationclass segmentationobject "
        "groundtruthmask annotation annotationmask "
        "maske masken maskierung label defectmask segmask"
    ),
}
_NEUTRAL = _set(
    "data dataset set image img picture pic photo rgb gray grey color colour sensor table csv text log video clip "
    "frame audio file sample part case raw input public private bild bilder daten png jpg jpeg bmp tif "
    "jpegimage dcim"
)
_NEGATION = _set("not no non un without w o ohne kein keine keinen nicht nothing none")
_FREE = _set("free frei less")
_BY_WORD = {word: role for role, words in _WORDS.items() for word in words}

_ONE, _ZERO = _set("1 1.0 true t wahr"), _set("0 0.0 false f falsch")
_YES, _NO = _set("yes y ja j oui si sí"), _set("no n nein non")
_NOTHING = _set("none - -- keine kein nil nothing n/a na")


_CAMERA = re.compile(r"[1-9]\d\d[A-Z0-9_]{5}")
"""A folder that a camera opens by itself (the design rule for camera file systems: 100CANON, 101MSDCF)."""


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).strip().casefold()


def _tokens(word: str) -> list[str]:
    """The words of a name in small letters; numbers say nothing of a role."""
    spaced = re.sub(r"(?<=[a-zß-ÿ])(?=[A-Z])", " ", unicodedata.normalize("NFKC", word))
    pieces = re.split(r"[\W_]+", spaced.casefold())
    return [stem for piece in pieces if (stem := piece.strip("0123456789"))]


def _singular(token: str) -> str:
    for end in ("ies", "es", "s"):
        stem = token.removesuffix(end) + ("y" if end == "ies" else "")
        if token.endswith(end) and len(stem) > 2 and (stem in _BY_WORD or stem in _NEUTRAL):
            return stem
    return token


def roles_of(name: str) -> frozenset[str] | None:
    """What the name of a folder or split says: roles, none at all for a neutral name (images, a date), None if unknown.

    >>> sorted(roles_of("Train_Good")), sorted(roles_of("defect-free")), roles_of("images"), roles_of("line 3")
    (['normal', 'train'], ['normal'], frozenset(), None)
    """
    tokens = [_singular(token) for token in _tokens(name)]
    if not tokens:  # a date says nothing, 0 and 1 may say much
        return frozenset() if sum(map(str.isdigit, name)) >= len("260501") else None
    for joined in ("".join(tokens), "".join(_tokens(name))):
        if joined in _BY_WORD:
            return frozenset((_BY_WORD[joined],))
    if _CAMERA.fullmatch(name) and not set(tokens) & _BY_WORD.keys():
        return frozenset()
    turned = any(t in _NEGATION for t in tokens[:-1]) or (tokens[-1] in _FREE and len(tokens) > 1)
    found: set[str] = set()
    for token in tokens:
        role = _BY_WORD.get(token)
        if role in (NORMAL, FAULTY) and turned:
            role = FAULTY if role == NORMAL else NORMAL
        if role is not None:
            found.add(role)
        elif token not in _NEUTRAL and not (turned and token in _NEGATION | _FREE):
            return None
    if {NORMAL, FAULTY} <= found or len(found & set(SPLITS)) > 1 or (turned and not found & {NORMAL, FAULTY}):
        return None
    return frozenset(found)


def leaning(name: str) -> str | None:
    """What words inside a name say that is unknown as a whole, normal or faulty; None where none or both do.

    >>> [leaning(name) for name in ("def_front", "top ok cam2", "left_not_ok", "line_3", "ok_and_bad_x")]
    ['faulty', 'normal', 'faulty', None, None]
    """
    if roles_of(name) is not None:
        return None
    tokens = [_singular(token) for token in _tokens(name)]
    turned = any(token in _NEGATION | _FREE for token in tokens)
    # Beside a "not" only the pair of words with it says something.
    pieces = [f"{a} {b}" for a, b in pairwise(tokens)] if turned else tokens
    told = {role for piece in pieces for role in roles_of(piece) or () if role in (NORMAL, FAULTY)}
    return next(iter(told)) if len(told) == 1 else None


def role_in_name(stem: str) -> str | None:
    """The role that the name of a file gives by its first or its last word: "ng_01", "007-not-ok"; None for none.

    >>> role_in_name("crack_12"), role_in_name("piece 7 ok"), role_in_name("not_ok-3"), role_in_name("pump")
    ('faulty', 'normal', 'faulty', None)
    """
    whole = roles_of(stem)
    if whole:
        return next(iter(whole)) if len(whole) == 1 else FAULTY if FAULTY in whole else None
    tokens = [_singular(token) for token in _tokens(stem)]
    for words in (tokens[:2], tokens[:1], tokens[-2:], tokens[-1:]):
        roles = roles_of(" ".join(words)) or frozenset()
        if len(roles & {NORMAL, FAULTY, TRAIN, TEST}) == 1:
            return next(iter(roles))
    return None


def split_of(word: str) -> str | None:
    """The split that a word of a split column means: train, test or validation; None where it means none of them.

    >>> split_of("Training"), split_of("TRN"), split_of("test_set"), split_of("fold 3")
    ('train', 'train', 'test', None)
    """
    if "/" in word:  # the way to a folder
        return None
    found = (roles_of(word) or frozenset()) & set(SPLITS)
    return next(iter(found)) if len(found) == 1 else None


def label_of(value: Any, asks: str = LABEL) -> int | None:
    """1 for faulty, 0 for normal, None where the value says neither.

    `asks` is what its column asks: "label" (1 and True = faulty), "faulty" and "normal" (is_good: 1 and yes = normal),
    or "words" where only words count. Yes and no need a column that asks for one of the two.

    >>> label_of("n.i.O."), label_of("OK"), label_of(1.0), label_of("yes", "normal"), label_of("yes"), label_of("blue")
    (1, 0, 1, 0, None, None)
    """
    word = _plain(str(value))
    affirmed = _ONE | (_YES if asks in (FAULTY, NORMAL) else frozenset())
    denied = _ZERO | (_NO | _NOTHING if asks == FAULTY else _NO if asks == NORMAL else frozenset())
    if asks != WORDS and word in affirmed | denied:
        return int((word in affirmed) == (asks != NORMAL))
    roles = (None if "?" in word else roles_of(word)) or frozenset()  # "bad?" is a doubt
    if len(roles & {NORMAL, FAULTY}) == 1 and not roles & {*SPLITS, MASK}:
        return int(FAULTY in roles)
    return None


_ASKS = {
    FAULTY: _set(
        "anomaly anomalous anomalies abnormal outlier attack defect defective defects fault faulty faults bad ng nok "
        "failed failure fehler fehlerhaft defekt changepoint change_point"
    ),
    NORMAL: _set("good ok normal healthy passed gut io i_o fehlerfrei"),
    WORDS: _set(
        "class klasse category target y gt ground_truth truth status result verdict judgement judgment quality "
        "condition urteil ergebnis bewertung qualität pass_fail ok_nok ok_ng good_bad normal_attack label_name "
        "benign_malignant "
        "diagnosis diagnose befund finding outcome assessment disposition grade decision evaluation estado stato état "
        "veredicto verdetto veredito verdikt dictamen resultado resultat résultat risultato prüfergebnis beurteilung "
        "zustand calidad qualité qualità kvalitet kwaliteit oordeel avis jugement décision decisión giudizio "
        "esito ocena wynik"
    ),
}
"""Names of columns that hold labels though they are not called "label", by what their values answer."""


def asks_of(column: str) -> str | None:
    """What a column of this name asks: "faulty", "normal", "words", or None where it is no usual column of labels.

    >>> asks_of("Is Good"), asks_of("anomaly"), asks_of("class"), asks_of("temperature")
    ('normal', 'faulty', 'words', None)
    """
    name = re.sub(r"^(is|has|was)_", "", re.sub(r"[\W_]+", "_", _plain(column)).strip("_"))
    return next((asks for asks, names in _ASKS.items() if name in names), None)


_VERDICTS = _set(
    "diagnosis diagnose befund finding findings outcome assessment verdict judgement judgment grade quality urteil "
    "ergebnis bewertung result dx pathology disease severity stage disease_name lesion_type prüfergebnis beurteilung "
    "qualität qualité calidad"
)


_FOUND = _set("grade diagnosis diagnose severity disease finding findings befund")
"""Last words of such names: retinopathy_grade."""


def is_verdict(column: str) -> bool:
    """Whether a column of this name holds what somebody found, whatever its words are: diagnoses, grades.

    >>> is_verdict("Diagnosis"), is_verdict("retinopathy grade"), is_verdict("machine")
    (True, True, False)
    """
    name = re.sub(r"[\W_]+", "_", _plain(column)).strip("_").removesuffix("_labels").removesuffix("_label")
    return name in _VERDICTS or name.rpartition("_")[2] in _FOUND


def sounds_like_labels(column: str) -> bool:
    """Whether a name that is no usual one of labels is made of words that say good or bad.

    >>> [sounds_like_labels(name) for name in ("accepted", "fault_code", "PassFail", "torque", "image_width")]
    [True, True, True, False, False]
    """
    roles = {_BY_WORD.get(token) or _BY_WORD.get(_singular(token)) for token in _tokens(column)}
    return bool(roles & {NORMAL, FAULTY}) and not roles & {*SPLITS, MASK}


def in_cell(cell: Any) -> str:
    """The value of a cell as people write it.

    >>> in_cell(3.0), in_cell(" nevus ")
    ('3', 'nevus')
    """
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell).strip()


def said(words: Iterable[str], most: int = 6) -> str:
    """Some names in quotes, and how many more there are.

    >>> said(["b", "a"], 1)
    "'a' and 1 more"
    """
    known = sorted(set(words))
    shown = ", ".join(repr(word[:60]) for word in known[:most])
    return shown + (f" and {len(known) - most} more" if len(known) > most else "")


def counted(count: int, noun: str) -> str:
    """A number of things in words.

    >>> counted(1, "case"), counted(2, "case")
    ('1 case', '2 cases')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"
