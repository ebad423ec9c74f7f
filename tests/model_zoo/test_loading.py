"""Getting models by name, `entries.py`: as a block, as a predictor, from the package, a folder or an address."""
import mxnet as mx
import numpy as np
import pandas as pd
import pytest

import gluon_rnn
from gluon_rnn.model_zoo import entries
from gluon_rnn.model_zoo.add import add
from tests.local_server import serving
from tests.model_zoo.conftest import NAME


def outputs_of(model, seed=3):
    inputs = np.random.default_rng(seed).uniform(0, 0.5, (20, 2, 2))
    return model(mx.nd.array(inputs)).asnumpy()


def test_block_predictor_and_run_give_the_same_bits(entry, runs):
    block, predictor = gluon_rnn.get_model(NAME, pretrained=True), gluon_rnn.load(NAME)
    assert (outputs_of(block) == outputs_of(predictor.model)).all()
    assert np.abs(outputs_of(block) - outputs_of(gluon_rnn.load(runs[0]).model)).max() < 1e-3     # float16


def test_a_predictor_answers_as_that_of_a_run(entry, runs):
    x, y = np.random.default_rng(0).uniform(0, 0.5, (2, 40, 1))
    of_zoo, of_run = gluon_rnn.load(NAME), gluon_rnn.load(runs[0])
    assert type(of_zoo) is type(of_run)
    for steps_ahead in (1, 5, None):
        found, expected = (each.predict(x, y, steps_ahead) for each in (of_zoo, of_run))
        assert np.abs(found - expected).max() < 1e-2 * np.abs(expected).max()          # weights of float16


def test_without_weights_the_block_is_new_and_not_initialised(entry):
    model = gluon_rnn.get_model(NAME)
    with pytest.raises(RuntimeError, match="has not been initialized"):
        next(iter(model.collect_params().values())).data()
    model.initialize()
    assert outputs_of(model).shape == outputs_of(gluon_rnn.get_model(NAME, pretrained=True)).shape
    assert (outputs_of(model) != outputs_of(gluon_rnn.get_model(NAME, pretrained=True))).any()


def test_something_of_this_name_in_the_working_folder_wins(entry, runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert gluon_rnn.load(NAME).path.as_posix() == f"runs/{NAME}"
    (tmp_path / NAME).symlink_to(runs[1])
    assert gluon_rnn.load(NAME).config.seed == 1


def test_a_wrong_name_is_answered_with_the_nearest_three(zoo, entry):
    for name in ("narx_tiny", "gru_small", "lstm_other", "tdnn_else"):
        (zoo / name).symlink_to(entry.folder)
    with pytest.raises(ValueError, match="there is no model 'narx_smal' in the zoo; the nearest are narx_small") as one:
        gluon_rnn.get_model("narx_smal")
    assert str(one.value).count(",") == 2
    with pytest.raises(ValueError, match="no run in 'narx_smal', and no model of the zoo has this name; the nearest"):
        gluon_rnn.load("narx_smal")
    with pytest.raises(ValueError, match="has no 'last' checkpoint"):
        gluon_rnn.load(NAME, which="last")


def test_a_path_is_answered_as_ever(entry, tmp_path):
    with pytest.raises(ValueError, match="there is no run in .*pass the folder"):
        gluon_rnn.load(tmp_path / "nothing")


def test_a_wrong_hash_names_both_and_deletes_nothing(entry):
    path = entry.folder / "weights.params"
    damaged = path.read_bytes()[:-1] + b"?"
    path.write_bytes(damaged)
    expected = entry.card.files["weights.params"].sha256
    with pytest.raises(ValueError, match=f"has the SHA-256 [0-9a-f]{{64}}, and the card says {expected}"):
        gluon_rnn.get_model(NAME, pretrained=True)
    assert path.read_bytes() == damaged
    gluon_rnn.get_model(NAME)                                            # which reads no weights


def test_list_models(zoo, entry):
    (zoo / "lstm_draft").mkdir()
    (zoo / "lstm_draft" / "card.yaml").write_text("about: {}\n")
    assert gluon_rnn.list_models() == gluon_rnn.list_models("narx*", pretrained=True) == [NAME]
    assert gluon_rnn.list_models("*lstm*") == []
    table = gluon_rnn.list_models(detail=True)
    assert isinstance(table, pd.DataFrame) and list(table.index) == [NAME]
    row = table.loc[NAME]
    assert row.family == "NARX" and row.value == entry.card.figure.value and row.bytes == entry.card.bytes
    assert list(gluon_rnn.list_models("*lstm*", detail=True).columns) == list(table.columns)


# ---- weights that are not in the package ----------------------------------------------------------------------------


@pytest.fixture
def stored(zoo, about, runs, tmp_path):
    """Return the model whose weights are in a folder of their own, and that folder."""
    entry = add(runs[0], NAME, about=about, seeds=runs[1:], store=tmp_path / "store")
    assert not (entry.folder / "weights.params").exists()
    return entry, tmp_path / "store"


def test_weights_in_a_folder(stored, monkeypatch, tmp_path):
    entry, folder = stored
    assert gluon_rnn.list_models(pretrained=True) == [] and gluon_rnn.list_models() == [NAME]
    with pytest.raises(ValueError, match=f"set GLUON_RNN_REPO to the folder or address that holds {entry.remote_name}"):
        gluon_rnn.get_model(NAME, pretrained=True)
    monkeypatch.setenv(entries.REPOSITORY, str(folder))
    assert gluon_rnn.list_models(pretrained=True) == [NAME]
    gluon_rnn.get_model(NAME, pretrained=True, root=tmp_path / "mine")
    assert (tmp_path / "mine" / entry.remote_name).is_file()
    monkeypatch.delenv(entries.REPOSITORY)
    gluon_rnn.get_model(NAME, pretrained=True, root=tmp_path / "mine")     # from there, without an address
    assert gluon_rnn.list_models(pretrained=True) == []


def test_weights_from_a_server(stored, monkeypatch, tmp_path):
    entry, folder = stored
    body = (folder / entry.remote_name).read_bytes()
    with serving() as server:
        monkeypatch.setenv(entries.REPOSITORY, f"{server.address}/models/")
        server.files[f"/models/{entry.remote_name}"] = body
        server.breaks_after = 300
        with pytest.raises(ValueError, match="the connection broke off after 300"):
            gluon_rnn.get_model(NAME, pretrained=True)
        server.breaks_after = None
        model = gluon_rnn.load(NAME).model
        assert [wanted for _, wanted in server.requests] == [None, "bytes=300-"]
        gluon_rnn.get_model(NAME, pretrained=True)
        assert len(server.requests) == 2                                   # from the cache
    assert (tmp_path / "cache" / "models" / entry.remote_name).read_bytes() == body
    assert np.isfinite(outputs_of(model)).all()


def test_wrong_bytes_from_a_server(stored, monkeypatch, tmp_path):
    entry, folder = stored
    body = (folder / entry.remote_name).read_bytes()
    with serving() as server:
        monkeypatch.setenv(entries.REPOSITORY, server.address)
        server.files[f"/{entry.remote_name}"] = body[:-1] + b"?"
        with pytest.raises(ValueError, match=f"SHA-256 [0-9a-f]{{64}}.*{entry.card.files['weights.params'].sha256}"):
            gluon_rnn.get_model(NAME, pretrained=True)
    assert not (tmp_path / "cache" / "models" / entry.remote_name).exists()
