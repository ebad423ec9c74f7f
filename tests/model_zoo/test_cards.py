"""Cards are read back as they were written, and what is wrong in one is a sentence with file and key."""
import pytest

from gluon_rnn.model_zoo.cards import read_about, read_card, write_card


def test_a_card_is_read_back_as_it_was_written(entry, tmp_path):
    write_card(tmp_path / "card.yaml", entry.card)
    assert read_card(tmp_path / "card.yaml") == entry.card
    assert read_about(tmp_path / "card.yaml") == entry.card.about
    assert entry.card.bytes == sum(path.stat().st_size for path in entry.folder.iterdir() if path.name != "card.yaml")


@pytest.mark.parametrize("old,new,message", [
    ("dtype: float16", "dtype: float8", "storage.dtype: input should be 'float16' or 'float32', got 'float8'"),
    ("dtype: float16", "dtpe: float16", r"card.yaml: storage.dtype: this key is required and missing; is 'dtpe' meant"),
    ("  metric: free_run_rmse\n  split", "  metrc: x\n  metric: free_run_rmse\n  split",
     r"figure.metrc: unknown key; did you mean 'metric'\?"),
    ("licence: none", "licence: ''", "about.data.licence: string should have at least 1 character"),
    ("better: lower", "better: smaller", "about.better: input should be 'lower' or 'higher'"),
    ("about:", "about: [", "not readable as YAML"),
])
def test_a_mistake_is_named(entry, old, new, message):
    path = entry.folder / "card.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        read_card(path)


def test_texts_alone_and_a_missing_file(about, tmp_path):
    assert read_about(about).limits == ["Knows nothing."]
    with pytest.raises(ValueError, match=r"about.yaml: limits: this key is required and missing"):
        about.write_text(about.read_text().replace("limits: [Knows nothing.]", ""))
        read_about(about)
    with pytest.raises(ValueError, match="no configuration file .*card.yaml"):
        read_about(tmp_path / "card.yaml")
