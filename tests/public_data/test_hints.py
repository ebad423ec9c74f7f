"""Training without its data says the one command that fetches them; each kind of loader, each kind of path."""
import pytest

from gluon_rnn import recipe_files, recipes
from gluon_rnn.config import ConfigError
from gluon_rnn.public_data import hint, missing

OTHER = "check the path and the folder data_root (GLUON_RNN_DATA)"
SETS = {"identify/gas_furnace_narx": "gas_furnace", "identify/buck_rnn": "buck", "forecast/laser_narx": "laser",
        "language_model/shakespeare_lstm": "tinyshakespeare", "language_model/wikitext2_lstm_200": "wikitext-2",
        "language_model/names_gru": "names", "music/jsb_rnn": "poly_music", "music/irish_lstm": "irish_abc",
        "classify/spoken_digits_tdnn": "free_spoken_digits", "ctc/spoken_digit_strings_lstm": "free_spoken_digits",
        "classify/names_tdnn": "names", "classify/poems_tdnn": "poems", "classify/sst2_lstm": "sst2",
        "classify/pendigits_tdnn": "pendigits", "translate/eng_fra_none": "eng_fra",
        "tag/ewt_upos_words": "ud_english_ewt"}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GLUON_RNN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize("recipe", SETS)
def test_a_recipe_whose_data_are_missing(recipe):
    config = recipes.load(recipe_files.find(recipe))
    with pytest.raises(ConfigError) as caught:
        recipes.build_task(config)
    assert str(caught.value).endswith(f"; fetch it with: gluon-rnn data fetch {SETS[recipe]}")


def test_a_file_that_no_set_has(root, tmp_path):
    assert hint(root / "names" / "Latin.txt") == hint(tmp_path / "names" / "Czech.txt") == hint(root) == OTHER
    assert str(missing("mine.csv")) == f"mine.csv: no such file; {OTHER}"


def test_ways_to_write_a_path(root, monkeypatch):
    wanted = "fetch it with: gluon-rnn data fetch names"
    assert hint(f"{root}/names/*.txt") == hint(root / "names") == hint(f"{root}/poems/../names/Czech.txt") == wanted
    monkeypatch.chdir(root.parent)
    monkeypatch.setenv("GLUON_RNN_DATA", "data")
    assert hint("data/names/Czech.txt") == hint(root / "names/Czech.txt") == wanted
    monkeypatch.setenv("HOME", str(root.parent))
    monkeypatch.setenv("GLUON_RNN_DATA", "~/data")
    assert hint("~/data/names") == wanted
