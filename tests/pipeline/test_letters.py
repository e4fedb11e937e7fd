"""Letters of texts against scikit-learn's TF-IDF, and the view of a text part that they make."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from mmdmad.encoders.text_form import template
from mmdmad.errors import ConfigError, DataError
from mmdmad.pipeline import letters as letters_module
from mmdmad.pipeline.config import PipelineConfig
from mmdmad.pipeline.letters import NEIGHBOURS, Letters

WORDS = ["valve", "pump", "belt", "motor", "gate", "sensor", "tray", "plate", "roller", "lamp"]
TRAIN = [f"{WORDS[i % 10]} {i} opened by {WORDS[(3 * i + 1) % 10]} at {i}.5 s" for i in range(60)]
TEST = ["valve 3 opened by motor at 1.5 s", "kernel panic: not syncing", "valve opened", "§§§"]


def reference(train, test, own):
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    known = vectorizer.fit_transform([template(text) for text in train])
    far = 1 - (vectorizer.transform([template(text) for text in test]) @ known.T).toarray()
    if own:
        np.fill_diagonal(far, np.inf)
    return np.sort(far, axis=1)[:, :NEIGHBOURS].clip(0).mean(axis=1)


def test_distances_are_those_of_tf_idf():
    letters = Letters().fit(TRAIN)
    assert letters.scores(TEST) == pytest.approx(reference(TRAIN, TEST, own=False), abs=1e-5)
    assert letters.own_scores() == pytest.approx(reference(TRAIN, TRAIN, own=True), abs=1e-5)


def test_a_score_does_not_depend_on_its_company_and_survives_saving(tmp_path):
    letters = Letters().fit(TRAIN)
    letters.save(tmp_path)
    again = Letters.load(tmp_path)
    together = letters.scores(TEST)
    assert [again.scores([text])[0] for text in TEST] == together.tolist()
    assert again.own_scores().tolist() == letters.own_scores().tolist()
    assert letters.scores([]).shape == (0,)


@pytest.mark.parametrize("texts", [[], ["one"], ["  ", "\n"]])
def test_nothing_to_compare_is_refused(texts):
    with pytest.raises(DataError, match="texts"):
        Letters().fit(texts)


def test_only_text_has_letters():
    with pytest.raises(ConfigError, match="letters: true was given for image"):
        PipelineConfig.load({"parts": {"image": {"letters": True}}})
    assert PipelineConfig.load("pipelines/logs").parts["text"].letters


def test_folds_that_ask_for_one_text_in_turn_each_get_their_own_distance():
    folds = [Letters().fit([f"{word} {i} runs" for i in range(9)]) for word in ("belt", "pump")]
    text = ["belt zorblax qqq runs"]
    first = [letters.scores(text)[0] for letters in folds]
    letters_module._asked.cache_clear()
    again = [letters.scores(text)[0] for letters in reversed(folds)][::-1]
    assert first == again
    assert first[0] != first[1]
    assert folds[0].scores(text)[0] == first[0]
