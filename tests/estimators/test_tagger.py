"""SequenceTagger: tags of lists of words, in cross-validation; what scikit-learn can check of it."""
import pickle

import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import estimator_checks_generator

from gluon_rnn.estimators import SequenceTagger

X = [["the", "cat", "runs"], ["a", "dog"], ["runs", "the", "dog"]] * 8
Y = [["D", "N", "V"], ["D", "N"], ["V", "D", "N"]] * 8


def small(**arguments):
    return SequenceTagger(**{"hidden_size": 8, "embed_size": 8, "epochs": 8, "learning_rate": 0.05, "batch_size": 4,
                             "overrides": {"training__eval_interval": 4}, **arguments})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", [check for _, check in estimator_checks_generator(SequenceTagger())],
                         ids=lambda check: check.func.__name__)
def test_checks_of_scikit_learn_that_need_no_table(check):
    """Its input is no table of numbers, as its tags say, so that the checks are those of its arguments."""
    check(SequenceTagger())


@pytest.fixture(scope="module")
def fitted():
    return small().fit(X, Y)


def test_tags(fitted):
    assert fitted.classes_.tolist() == ["D", "N", "V"]
    assert fitted.predict([["the", "dog", "runs"], ["a", "cat"]]) == [["D", "N", "V"], ["D", "N"]]
    assert fitted.score(X, Y) == 1 and fitted.score([["a", "cat"]], [["D", "X"]]) == 0.5
    again = pickle.loads(pickle.dumps(fitted))
    assert again.predict(X[:3]) == Y[:3]


def test_arguments_reach_the_model():
    model = small(encoder="gru", char_encoder={"name": "lstm", "hidden_size": 3}, crf=True, epochs=1)
    model.fit(X, Y, valid=(X[:3], Y[:3]))
    assert model.predictor_.model.crf is not None and model.predictor_.model.spelling is not None
    assert model.predictor_.config.model.arguments["encoder"] == {"name": "gru", "hidden_size": 8}


def test_a_search():
    model = small(epochs=2, overrides={"training__eval_interval": 2})
    search = GridSearchCV(model, {"learning_rate": [1e-6, 0.05]}, cv=2, error_score="raise").fit(X, Y)
    assert search.best_params_ == {"learning_rate": 0.05}


@pytest.mark.parametrize("arguments, words", [
    ((X, Y[:-1]), "24 lists of words and 23 lists of tags"), ((["the cat"], [["D"]]), "expected a list of texts"),
    ((X[:2], Y[:2]), "validation_fraction 0.1 of 2 sentences leaves nothing")])
def test_mistakes_are_one_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        small().fit(*arguments)


def test_a_sentence_to_be_tagged_is_a_list_of_words(fitted):
    with pytest.raises(ValueError, match="sentence 1 must be a list of words without white space, got 'a dog'"):
        fitted.predict([["a"], "a dog"])
