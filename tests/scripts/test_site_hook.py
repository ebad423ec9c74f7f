"""The site of docs/: what its pages may load and link to, and that each task and each page is in the navigation."""
import importlib
import pathlib

import pytest
import yaml

import gluon_rnn.tasks  # noqa: F401  registers them
from gluon_rnn import recipe_files
from gluon_rnn.registry import tasks

ROOT = pathlib.Path(__file__).resolve().parents[2]
TASKS, TUTORIALS = tasks.names(), sorted((ROOT / "docs" / "tutorials").glob("*.py"))


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, whose tags for Python objects are of no interest here."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


@pytest.fixture(scope="module")
def settings():
    return yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Loader)


@pytest.fixture
def hook():
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    return importlib.import_module("scripts.site_hook")


def pages_of(nav):
    """Yield the pages of a navigation, however deep."""
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else pages_of(value)


def test_every_page_is_in_the_navigation_once(settings):
    pages = list(pages_of(settings["nav"]))
    written = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    executed = {f"tutorials/{path.stem}.md" for path in (ROOT / "docs" / "tutorials").glob("*.py")}
    assert sorted(pages) == sorted(written | executed)


def test_every_task_has_a_tutorial_that_the_index_names():
    index = (ROOT / "docs" / "tutorials" / "index.md").read_text(encoding="utf-8")
    assert set(TASKS) <= {path.stem for path in TUTORIALS}
    assert all(f"({path.stem}.md)" in index for path in TUTORIALS)


@pytest.mark.parametrize("name", TASKS)
def test_the_tutorial_of_a_task_has_its_parts(name):
    """A problem, training, a figure beside others, what is remembered, a picture, what to try next."""
    text = (ROOT / "docs" / "tutorials" / f"{name}.py").read_text(encoding="utf-8")
    for heading in ("The problem", "Training", "What the figure means", "What the network remembers",
                    "What to try next"):
        assert f"# ## {heading}\n" in text
    assert "gluon_rnn.train(" in text and "plt.subplots(" in text


def test_nothing_is_fetched_from_elsewhere(settings):
    assert settings["theme"]["font"] is False
    assert not any("//" in str(address) for address in [*settings.get("extra_css", []),
                                                        *settings.get("extra_javascript", [])])


@pytest.mark.parametrize("page, found", [
    ('<script src="https://cdn.example/x.js"></script>', ["https://cdn.example/x.js"]),
    ('<link rel="stylesheet" href="//fonts.example/css">', ["//fonts.example/css"]),
    ('<img src="http://example.org/a.png"><img src="b.png">', ["http://example.org/a.png"]),
    ('<a href="https://example.org">a link</a><link rel="canonical" href="https://example.org/">', []),
    ('<script src="assets/x.js"></script><script>let a = "https://example.org"</script>', []),
])
def test_what_a_page_loads_from_elsewhere_is_found(hook, page, found):
    assert hook.loaded_from_elsewhere(page) == found


def test_the_tables_of_recipes_have_every_recipe_and_four_columns(hook):
    text = hook.recipe_tables()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] and {row.split("`")[1] for row in rows} == set(recipe_files.names())
    assert all(row.count("|") == 5 for row in rows)


def test_links_of_a_file_in_the_root_lead_to_pages(hook):
    text = hook.included("CONTRIBUTING.md")
    assert "](contract.md)" in text and "](docs/" not in text


class _Page:
    """As much of a page of MkDocs as the hook asks for."""

    class file:
        src_uri = "results.md"


class _Files(list):
    """As much of MkDocs' collection of files as the hook asks for."""

    def get_file_from_path(self, path):
        return next((file for file in self if file.src_uri == path), None)


def test_links_to_files_outside_docs_lead_to_copies(hook, monkeypatch):
    monkeypatch.setattr(hook.File, "generated", lambda config, path, content: type("Made", (), {"src_uri": path}))
    files = _Files()
    text = hook.on_page_markdown("[a](../configs/results.csv) [b](../configs/results.csv) [c](contract.md#shapes)",
                                 _Page, {}, files)
    assert text == "[a](files/configs/results.csv) [b](files/configs/results.csv) [c](contract.md#shapes)"
    assert [file.src_uri for file in files] == ["files/configs/results.csv"]


def test_a_link_to_no_file_warns_so_that_a_strict_build_fails(hook, caplog):
    hook.on_page_markdown("[a](../configs/no_such.csv)", _Page, {}, _Files())
    assert "results.md links to ../configs/no_such.csv, which is no file of the repository" in caplog.text
