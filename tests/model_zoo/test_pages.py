"""The pages made from the cards say what the cards say; those of the repository are in step with them."""
import pathlib

import pytest

from gluon_rnn.model_zoo import entries, pages

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_page_of_the_repository_is_up_to_date():
    readme = ROOT / "README.md"
    has_table = pages.BEGIN in readme.read_text(encoding="utf-8")
    assert pages.update(ROOT / "docs", readme if has_table else None, check=True) == [], "run: gluon-rnn zoo docs"


def test_every_text_of_a_card_is_on_the_page(entry):
    card = entry.card
    card.figure.published, card.figure.published_source, card.data.citation = "0.3 (theirs)", "a paper", "Cite me"
    page = pages.page({entry.name: card})
    about, figure = card.about, card.figure
    for text in (about.summary, about.intended_use, *about.limits, card.data.name, card.data.licence, card.data.source,
                 "Cite me", "published: 0.3 (theirs) (a paper)", card.command, card.date, card.storage.dtype,
                 f"{figure.value:.4g}", f"{figure.mean:.4g} ± {figure.sd:.2g} (2)", *figure.baselines):
        assert text in page, text
    assert f"| `{entry.name}` | {about.summary} | NARX | free_run_rmse {figure.value:.4g} |" in page


def test_the_table_of_a_readme_is_renewed_and_nothing_else(entry, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{pages.BEGIN}\nold\n{pages.END}\nafter\n")
    assert pages.update(tmp_path, readme, check=True) == [tmp_path / "zoo.md", readme] and "old" in readme.read_text()
    pages.update(tmp_path, readme)
    text = readme.read_text()
    assert text.startswith(f"before\n{pages.BEGIN}\n| model |") and text.endswith(f"{pages.END}\nafter\n")
    assert f"`{entry.name}`" in text and "old" not in text
    assert pages.update(tmp_path, readme) == []
    with pytest.raises(ValueError, match="needs one line"):
        pages.with_table("no marks", {})


def test_a_draft_is_on_no_page(zoo, tmp_path):
    (zoo / "gru_draft").mkdir()
    (zoo / "gru_draft" / "card.yaml").write_text("about: {}\n")
    assert entries.names() == [] and "gru_draft" not in pages.page({})
