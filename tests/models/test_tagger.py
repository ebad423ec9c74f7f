"""The tagger: equations, the contract with letters and padding, graphs, CRF and decoding, gradients, errors."""
import warnings

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.data.spellings import grouped_spellings
from gluon_rnn.models import SequenceTagger
from gluon_rnn.nn import GRU, LSTM, RNN, TDNN, Bidirectional, BidirectionalStack, Chain
from tests.gradients import assert_central_differences
from tests.reference import EXACT, run_row

V, K, C, T, N, M = 11, 4, 7, 6, 3, 5


def build(spelled=True, *, encoder=LSTM, dtype="float64", bidirectional=True, **options):
    char_encoder = encoder(3, bidirectional=bidirectional, dtype=dtype) if spelled else None
    model = SequenceTagger(encoder(5, bidirectional=bidirectional, dtype=dtype), K, vocab_size=V, embed_size=4,
                           char_encoder=char_encoder, char_vocab_size=C, char_embed_size=2, **options)
    model.initialize()
    for parameter in model.collect_params().values():                     # biases and the CRF too: a lost one must show
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, parameter.shape, dtype=dtype))
    return model


def stack(hidden_size, bidirectional, dtype):
    """Two directions that are not a fused layer's own."""
    return BidirectionalStack(hidden_size, cell="gru", dtype=dtype)


def sentence(model, steps=T, rows=N, letters=M):
    """Return words and, for a model that spells, characters and their numbers, of random sentences."""
    arrays = [mx.nd.array(np.random.randint(0, V, (steps, rows)), dtype="int32")]
    if model.spelling is not None:
        arrays += [mx.nd.array(np.random.randint(0, C, (steps, rows, letters)), dtype="int32"),
                   mx.nd.array(np.random.randint(1, letters + 1, (steps, rows)))]
    if model.layout == "NTC":
        arrays = [array.swapaxes(0, 1) for array in arrays]
    return arrays


def call(model, arrays, states=None, valid_length=None):
    return model(arrays[0], states, valid_length, *arrays[1:])


def value(model, name):
    return model._collect_params_with_prefix()[name].data().asnumpy()


def parts_of(layer):
    return {name: array.asnumpy() for name, array in layer.parts().items()}


@pytest.mark.parametrize("bidirectional", [True, False])
def test_equations_against_numpy_loops(bidirectional):
    model = build(encoder=RNN, dtype="float64", bidirectional=bidirectional)
    words, chars, char_lengths = sentence(model)
    scores, directions = call(model, [words, chars, char_lengths]).asnumpy(), 2 if bidirectional else 1
    words, chars, char_lengths = (array.asnumpy().astype(int) for array in (words, chars, char_lengths))
    for row in range(N):
        features = []
        for step in range(T):
            letters = value(model, "spelling.embedding.weight")[chars[step, row, :char_lengths[step, row]]]
            outputs, _ = run_row("rnn", parts_of(model.spelling.encoder), letters, [np.zeros((directions, 3))], 1,
                                 directions)
            ends = [outputs[-1, :3], outputs[0, 3:]]                      # forwards after the last, backwards the first
            features.append(np.concatenate([value(model, "word_embedding.weight")[words[step, row]], *ends]))
        hidden, _ = run_row("rnn", parts_of(model.encoder), np.array(features), [np.zeros((directions, 5))], 1,
                            directions)
        expected = hidden @ value(model, "output_weight").T + value(model, "output_bias")
        np.testing.assert_allclose(scores[:, row], expected, **EXACT)


@pytest.mark.parametrize("encoder,forward", [
    (lambda: Bidirectional(GRU(2, dtype="float64"), GRU(3, dtype="float64")), 2),
    (lambda: Chain([GRU(2, dtype="float64"), LSTM(2, bidirectional=True, dtype="float64")]), 2)])
def test_a_spelling_is_what_each_direction_has_read_last(encoder, forward):
    model = SequenceTagger(LSTM(5, dtype="float64"), K, vocab_size=V, char_encoder=encoder(), char_vocab_size=C)
    model.initialize()
    _, chars, char_lengths = sentence(model)
    got = model.spelling(mx.nd.full((N,), T), chars, char_lengths).asnumpy()
    for step, row in ((0, 0), (T - 1, N - 1)):
        letters = chars[step, row, :int(char_lengths[step, row].asscalar())].reshape((-1, 1))
        outputs = model.spelling.encoder(model.spelling.embedding(letters))[:, 0].asnumpy()
        np.testing.assert_allclose(got[step, row], [*outputs[-1, :forward], *outputs[0, forward:]], **EXACT)


@pytest.mark.parametrize("options", [{}, {"crf": True}, {"layout": "NTC"}, {"spelled": False}, {"encoder": GRU},
                                     {"encoder": stack}])
@pytest.mark.parametrize("hybrid", [False, True])
def test_row_alone_is_row_of_the_padded_batch(options, hybrid):
    model, lengths = build(**options), [6, 3, 1]
    arrays = sentence(model)
    if hybrid:
        model.hybridize()
    scores = call(model, arrays, None, mx.nd.array(lengths))
    labels = model.decode(scores, mx.nd.array(lengths))
    for row, length in enumerate(lengths):
        if model.layout == "TNC":
            alone, of_row, tags = [a[:length, row:row + 1] for a in arrays], scores[:, row:row + 1], labels[:, row]
        else:
            alone, of_row, tags = [a[row:row + 1, :length] for a in arrays], scores[row:row + 1], labels[row]
        axis = model.layout.index("T")
        expected = call(model, alone)
        np.testing.assert_allclose(of_row.slice_axis(axis, 0, length).asnumpy(), expected.asnumpy(), **EXACT)
        np.testing.assert_array_equal(tags[:length].asnumpy(), model.decode(expected).asnumpy().ravel())
        assert not np.moveaxis(of_row.asnumpy(), axis, 0)[length:].any() and not tags.asnumpy()[length:].any()


@pytest.mark.parametrize("filler", [99, float("nan")])
@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("hybrid", [False, True])
def test_padding_changes_nothing(filler, crf, hybrid):
    model, lengths = build(crf=crf, dtype="float32"), mx.nd.array([6, 3, 0])
    if hybrid:
        model.hybridize()
    arrays = [array.astype("float32") for array in sentence(model)]       # NaN needs floats, and ids may be floats
    arrays[2][0, 0], arrays[2][2, 1] = 2, 1
    filled = [array.copy() for array in arrays]
    for array in filled:
        array[3:, 1], array[:, 2] = filler, filler
    filled[1][0, 0, 2:], filled[1][2, 1, 1:] = filler, filler             # behind a word's last letter
    results = []
    for values in (arrays, filled):
        with mx.autograd.record():
            scores = call(model, values, None, lengths)
            loss = (scores ** 2).sum() if not crf else model.crf(scores, mx.nd.zeros((T, N)), lengths).sum()
        loss.backward()
        gradients = [parameter.grad().copy() for parameter in model.collect_params().values()]
        results.append([scores, model.decode(scores, lengths), *gradients])
    for plain, with_filler in zip(*results):
        np.testing.assert_array_equal(plain.asnumpy(), with_filler.asnumpy())
    assert all(gradient.asnumpy().any() for gradient in results[1][2:])   # every parameter takes part


@pytest.mark.parametrize("options", [{}, {"crf": True}, {"layout": "NTC"}, {"spelled": False}])
def test_hybridized_is_imperative_in_every_call_form(options):
    model = build(**options)
    arrays, lengths = sentence(model), mx.nd.array([6, 4, 1])
    forms = [(None, None), (model.begin_state(N), None), (None, lengths), (model.begin_state(N), lengths)]
    imperative = [call(model, arrays, *form) for form in forms]
    with warnings.catch_warnings():
        warnings.simplefilter("error")                                    # not even about a CRF that has no part in it
        model.hybridize(static_alloc=True)
        for form, want in list(zip(forms, imperative)) * 2:
            got = call(model, arrays, *form)
            got, want = ([pair[0], *pair[1]] if isinstance(pair, tuple) else [pair] for pair in (got, want))
            for a, b in zip(got, want):
                np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), **EXACT)


@pytest.mark.parametrize("spelled", [True, False])
def test_exported_graph_is_the_live_model_at_other_sizes(spelled, tmp_path):
    model = build(spelled)
    names = ["words", "valid_length", *(["chars", "char_lengths"] if spelled else [])]
    words, valid_length, *spelling = map(mx.sym.var, names)
    model(words, None, valid_length, *spelling).save(str(tmp_path / "graph.json"))
    graph = mx.sym.load(str(tmp_path / "graph.json"))
    used = set(graph.list_arguments())
    parameters = {p.name: p.data() for p in model.collect_params().values() if p.name in used}
    for steps, rows, letters in ((6, 3, 5), (4, 2, 7), (1, 1, 1)):
        arrays, lengths = sentence(model, steps, rows, letters), mx.nd.array([steps, 2, 1][:rows])
        bound = dict(zip(names, [arrays[0], lengths, *arrays[1:]]), **parameters)
        result, = graph.bind(mx.cpu(), bound).forward()
        np.testing.assert_allclose(result.asnumpy(), call(model, arrays, None, lengths).asnumpy(), **EXACT)


def test_gradients_against_central_differences():
    model = SequenceTagger(GRU(1, bidirectional=True, dtype="float64"), 2, vocab_size=V, embed_size=1,
                           char_encoder=GRU(1, bidirectional=True, dtype="float64"), char_vocab_size=C,
                           char_embed_size=1)                             # small: each entry costs two forward passes
    model.initialize(mx.init.Normal(0.5))
    arrays, lengths = sentence(model, 3, 2, 3), mx.nd.array([3, 2], dtype="float64")
    arrays[2] = arrays[2].astype("float64")
    assert_central_differences(lambda: [call(model, arrays, None, lengths)], model, [])


def test_chunks_with_states_are_the_whole_where_the_encoder_is_causal():
    model = build(bidirectional=False)
    arrays = sentence(model)
    whole, (states, pieces) = call(model, arrays), (model.begin_state(N), [])
    for begin, end in ((0, 2), (2, 6)):
        scores, states = call(model, [array[begin:end] for array in arrays], states)
        pieces.append(scores)
    np.testing.assert_allclose(mx.nd.concat(*pieces, dim=0).asnumpy(), whole.asnumpy(), **EXACT)
    assert model.causal and not build().causal


@pytest.mark.parametrize("place", ["drop_e", "drop_i", "dropout"])
def test_dropout_acts_in_training_and_is_the_identity_in_prediction(place):
    model = build(**{place: 0.5})
    arrays, results = sentence(model), []
    for seed in (1, 1, 2):
        mx.random.seed(seed)
        with mx.autograd.train_mode():
            results.append(call(model, arrays).asnumpy())
    assert (results[0] == results[1]).all() and np.abs(results[0] - results[2]).max() > 1e-3
    assert (call(model, arrays).asnumpy() == call(model, arrays).asnumpy()).all()


def test_save_and_load_with_crf(tmp_path):
    model, other = build(crf=True), build(crf=True)
    arrays = sentence(model)
    model.save_parameters(str(tmp_path / "parameters"))
    other.hybridize()
    other.decode(call(other, arrays))                                     # graphs that are cached must see new values
    other.load_parameters(str(tmp_path / "parameters"))
    scores = call(model, arrays)
    np.testing.assert_array_equal(call(other, arrays).asnumpy(), scores.asnumpy())
    np.testing.assert_array_equal(other.decode(3 * scores).asnumpy(), model.decode(3 * scores).asnumpy())
    assert {"crf.begin_weight", "crf.transition_weight", "crf.end_weight"} <= set(mx.nd.load(str(tmp_path /
                                                                                                 "parameters")))


@pytest.mark.parametrize("hybrid", [False, True])
def test_words_in_groups_are_the_words_in_their_places(hybrid):
    """Scores and gradients of both forms of a call."""
    model = build()
    words, chars, char_lengths = sentence(model)
    lengths = [6, 4, 1]
    spellings = [[chars[step, row, :int(char_lengths[step, row].asscalar())].asnumpy().astype("int32")
                  for step in range(length)] for row, length in enumerate(lengths)]
    groups = [mx.nd.array(array, dtype=array.dtype) for array in grouped_spellings(spellings, T)]
    if hybrid:
        model.hybridize(static_alloc=True)
    results = []
    for signals in ([chars, char_lengths], groups):
        with mx.autograd.record():
            scores = model(words, None, mx.nd.array(lengths), *signals)
            loss = (scores * mx.nd.arange(scores.size, dtype="float64").reshape(scores.shape)).sum()
        loss.backward()
        parameters = sorted(model._collect_params_with_prefix().items())
        results.append([scores.asnumpy(), *(parameter.grad().asnumpy().copy() for _, parameter in parameters)])
    for dense, grouped in zip(*results):
        np.testing.assert_allclose(grouped, dense, rtol=1e-10, atol=1e-10)   # gradients of up to 100
    with pytest.raises(ValueError, match="got 4 more arrays"):
        model(words, None, mx.nd.array(lengths), *groups[:4])


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("crf", [False, True])
def test_decoding_takes_numpy_arrays_and_lists(crf, layout):
    model = build(False, crf=crf, dtype="float32", layout=layout)
    model.cast("float64")
    scores = np.random.normal(size=(N, T, K) if layout == "NTC" else (T, N, K))       # float32 would round them
    want = model.decode(mx.nd.array(scores, dtype="float64"), mx.nd.array([6, 3, 1]))
    for given in (scores, scores.tolist()):
        got = model.decode(given, [6, 3, 1])
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got.asnumpy(), want.asnumpy())


def test_errors():
    model = build()
    words, chars, char_lengths = sentence(model)
    with pytest.raises(ValueError, match=r"expects chars \(T, N, M\) and char_lengths .* got 0 more arrays"):
        model(words)
    with pytest.raises(ValueError, match="expects no characters after valid_length"):
        build(spelled=False)(words, None, None, chars, char_lengths)
    _, states = model(words, [mx.nd.ones_like(state) for state in model.begin_state(N)], None, chars, char_lengths)
    with pytest.raises(ValueError, match="not causal: it reads each sequence from its end too"):
        model(words, states, None, chars, char_lengths)
    with pytest.raises(ValueError, match="encoder of a tagger must have layout 'TNC', got 'NTC'"):
        SequenceTagger(LSTM(3, layout="NTC"), 2, vocab_size=3)
    with pytest.raises(ValueError, match="TDNN looks ahead in another way"):
        SequenceTagger(LSTM(3), 2, vocab_size=3, char_encoder=TDNN(3, contexts=[[-1, 1]]), char_vocab_size=3)
    with pytest.raises(ValueError, match="char_vocab_size must be a whole number of at least 1, got None"):
        SequenceTagger(LSTM(3), 2, vocab_size=3, char_encoder=LSTM(3))
    with pytest.raises(ValueError, match="dropout must be a rate"):
        build(dropout=1)
