"""Language models of gluonnlp and ours: the same scores and states, from blocks and from files of their parameters."""
import mxnet as mx
import numpy as np
import pytest
from gluonnlp.model import language_model, train

from gluon_rnn import nn
from gluon_rnn.convert import from_gluonnlp
from gluon_rnn.models import LanguageModel
from tests.convert.cases import assert_unchanged, random_values, snapshot
from tests.reference import assert_rounded

WORDS, STEPS, ROWS = 9, 5, 2
MODELS = {
    "standard": lambda: language_model.StandardRNN("lstm", WORDS, 4, 4, 2, 0.2, True),
    "standard_untied": lambda: language_model.StandardRNN("gru", WORDS, 3, 4, 1, 0, False),
    "standard_rnn": lambda: language_model.StandardRNN("rnn_relu", WORDS, 3, 4, 2, 0.1, False),
    "awd": lambda: language_model.AWDRNN("lstm", WORDS, 4, 6, 3, True, 0.4, 0.5, 0.2, 0.6, 0.1),
    "awd_untied": lambda: language_model.AWDRNN("gru", WORDS, 4, 6, 2, False, 0.4, 0.5, 0.2, 0.6, 0.1),
    "awd_in_training": lambda: train.AWDRNN("lstm", WORDS, 4, 4, 2),
    "big": lambda: language_model.BigRNN(WORDS, 4, 6, 2, 3, 0.1, 0.1),
}


def tokens():
    return mx.nd.array(np.random.default_rng(0).integers(0, WORDS, (STEPS, ROWS)), dtype="int32")


def made(name):
    """Return a model of gluonnlp with random parameters, its scores and its states, flat."""
    model = MODELS[name]()
    model.initialize()
    begin = model.begin_state(batch_size=ROWS)
    model(tokens(), begin)
    if name.startswith("awd"):                                            # the parameters that are dropped from
        for parameter in model.collect_params().values():
            parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape))
    else:
        random_values(model)
    scores, states, *_ = model(tokens(), begin)
    return model, scores, states


def by_state(states, block):
    """Return states of gluonnlp, a list of lists for an AWDRNN, as `block` has them."""
    flat = [one for state in states for one in (state if isinstance(state, list) else [state])]
    count = sum(len(one.state_info()) for one in (block.blocks if isinstance(block, nn.Chain) else [block]))
    if count == len(flat):
        return flat
    if isinstance(block, nn.Chain):                                       # equal layers of it are one stack
        parts, taken = [], 0
        for one in block.blocks:
            layers = one.num_layers
            parts += by_state(flat[taken:taken + 2 * layers], one)
            taken += 2 * layers
        return parts
    kinds = len(block.state_info())
    stack = mx.nd.stack if flat[0].ndim == 2 else mx.nd.concat
    return [stack(*flat[kind::kinds], **({} if flat[0].ndim == 2 else {"dim": 0})) for kind in range(kinds)]


@pytest.mark.parametrize("form", ["block", "file"])
@pytest.mark.parametrize("name", MODELS)
def test_scores_and_states_are_those_of_gluonnlp(tmp_path, name, form):
    theirs, scores, states = made(name)
    theirs.save_parameters(str(tmp_path / "model.params"))
    ours = from_gluonnlp(theirs if form == "block" else tmp_path / "model.params",
                         mode="rnn_relu" if name == "standard_rnn" and form == "file" else None)
    got, finals = ours(tokens(), ours.begin_state(ROWS))
    # the longest path: steps, layers, sums over inputs and units; then the sum of the scores
    assert_rounded([got, *finals], [scores, *by_state(states, ours.encoder)], STEPS * 3 * (4 + 6 + 2) + 6)
    assert ours.output._tied is (name in ("standard", "awd", "awd_in_training"))
    assert float(mx.nd.abs(scores).max().asscalar()) > 0.05, "all scores near 0 would agree with anything"


def test_rates_of_a_block_are_taken_over():
    ours = from_gluonnlp(made("awd")[0])
    assert (ours._drop_e, ours._drop_i, ours._dropout) == (0.1, {"p": 0.6, "axes": (0,)}, {"p": 0.4, "axes": (0,)})
    assert isinstance(ours.encoder, nn.Chain) and ours.encoder._drop_h == 0.2
    assert all((one._drop_h, one._weight_drop, one._dropout) == (0.2, 0.5, 0) for one in ours.encoder.blocks)
    ours = from_gluonnlp(made("standard")[0])
    assert (ours._drop_i, ours._dropout) == ({"p": 0.2, "axes": ()}, {"p": 0.2, "axes": (0,)})
    assert ours.encoder._dropout == 0.2 and isinstance(ours.encoder, nn.LSTM)
    ours = from_gluonnlp(made("big")[0])
    assert (ours._drop_i["p"], ours._dropout["p"], ours.encoder._dropout) == (0.1, 0.1, 0.1)


def test_models_of_gluonnlp_by_name():
    vocab = dict.fromkeys("abcdefg")                                      # only its length is read
    theirs, _ = language_model.standard_lstm_lm_200(vocab=vocab)
    theirs.initialize()
    theirs(tokens() % 7, theirs.begin_state(batch_size=ROWS))
    ours = from_gluonnlp(theirs)
    assert (ours.vocab_size, ours.embed_size, ours.encoder.hidden_size, ours.encoder.num_layers) == (7, 200, 200, 2)


def test_a_converted_model_learns():
    ours = from_gluonnlp(made("awd")[0])
    with mx.autograd.record():
        loss, _ = ours.loss(tokens(), tokens(), ours.begin_state(ROWS))
    loss.backward()
    assert all(float(mx.nd.abs(one.grad()).sum().asscalar()) > 0 for name, one in ours.collect_params().items()
               if name.endswith("weight"))


# ---- what does not fit -----------------------------------------------------------------------------------------------

@pytest.fixture
def arrays():
    """Names to arrays of the tied StandardRNN."""
    return {name: parameter.data() for name, parameter in made("standard")[0]._collect_params_with_prefix().items()}


def test_into_a_model_that_is_there(arrays):
    model = LanguageModel(WORDS, nn.LSTM(4, 2, dropout=0.5), embed_size=4, tie_weights=True, dropout=0.5)
    assert from_gluonnlp(arrays, model) is model and model.encoder._dropout == 0.5
    begin = [state + 0.1 for state in model.begin_state(ROWS)]
    scores, wanted = model(tokens(), begin)[0], from_gluonnlp(arrays)(tokens(), begin)[0]
    np.testing.assert_array_equal(scores.asnumpy(), wanted.asnumpy())


@pytest.mark.parametrize("model, match", [
    (lambda: LanguageModel(8, nn.LSTM(4, 2), tie_weights=True),
     r"embedding.0.weight .* has shape \(9, 4\), but .* needs \(8, 4\) for embedding_weight"),
    (lambda: LanguageModel(9, nn.LSTM(4, 2)),
     r"one weight for embedding and decoder, of shape \(9, 4\), but .* has two; tie_weights must be true"),
    (lambda: LanguageModel(9, nn.GRU(4, 2), tie_weights=True), r"0.i2h_weight .* \(16, 4\), but .* \(12, 4\)"),
    (lambda: LanguageModel(9, nn.LSTM(4), tie_weights=True), "1.i2h_weight .* has no layer 1")])
def test_nothing_is_written_where_anything_is_wrong(arrays, model, match):
    model = model()
    model.initialize()
    before = snapshot(model)
    with pytest.raises(ValueError, match=match):
        from_gluonnlp(arrays, model)
    assert_unchanged(model, before)


def test_two_weights_do_not_fit_a_tied_model(arrays):
    model = LanguageModel(9, nn.LSTM(4, 2), tie_weights=True)
    with pytest.raises(ValueError, match="two weights for .* has one; tie_weights must be false"):
        from_gluonnlp({**arrays, "decoder.0.weight": arrays["decoder.0.weight"] + 1}, model)


@pytest.mark.parametrize("change, match", [
    ({"decoder.0.bias": np.ones(8)}, r"decoder.0.bias of the mapping has shape \(8,\), but 9 words .* ask for \(9,\)"),
    ({"decoder.0.weight": np.ones((9, 5))}, r"decoder.0.weight .* has shape \(9, 5\), but .* ask for \(9, 4\)"),
    ({"embedding.0.weight": np.ones((9, 3))}, r"embedding.0.weight .* \(9, 3\), but 9 words .* ask for \(9, 4\)"),
    ({"encoder.rnn_cells.0.i2h_weight": np.ones((16, 4))}, "is a GNMT model, whose residual layers")])
def test_arrays_that_are_no_model(arrays, change, match):
    with pytest.raises(ValueError, match=match):
        from_gluonnlp({**arrays, **change})


def test_other_sources(arrays, tmp_path):
    with pytest.raises(ValueError, match="has no embedding.0.weight; expected the parameters of a StandardRNN, AWDRNN"):
        from_gluonnlp({name: array for name, array in arrays.items() if not name.startswith("embedding")})
    with pytest.raises(ValueError, match="has no recurrent layer in its encoder"):
        from_gluonnlp({name: array for name, array in arrays.items() if not name.startswith("encoder")})
    with pytest.raises(ValueError, match="has no parameters yet"):
        from_gluonnlp(MODELS["standard"]())
    with pytest.raises(TypeError, match="expected a LanguageModel with a full or sampled softmax, got LSTM"):
        from_gluonnlp(arrays, nn.LSTM(4))
    adaptive = LanguageModel(9, nn.LSTM(4), output=nn.AdaptiveSoftmax(cutoffs=[4]))
    with pytest.raises(TypeError, match="got LanguageModel with AdaptiveSoftmax"):
        from_gluonnlp(arrays, adaptive)
