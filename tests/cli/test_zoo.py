"""``gluon-rnn zoo`` from the command line."""
import pytest

from gluon_rnn.cli.main import main
from gluon_rnn.model_zoo import entries
from tests.model_zoo.conftest import NAME, about, entry, runs, zoo  # noqa: F401


def test_add_list_show_and_verify(zoo, about, runs, capsys):  # noqa: F811
    assert main(["zoo", "add", str(runs[0]), "--name", NAME, "--about", str(about), "--seeds", str(runs[1])]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[-1] == str(zoo / NAME) and "weights in float16" in shown[-2]
    assert main(["zoo", "list", "narx*"]) == 0
    line = capsys.readouterr().out
    assert line.startswith(NAME) and "over 2 seeds" in line and "Runs a system" in line
    assert main(["zoo", "show", NAME]) == 0
    assert capsys.readouterr().out == (zoo / NAME / "card.yaml").read_text()
    assert main(["zoo", "verify", NAME, "--quick"]) == main(["zoo", "verify"]) == 0
    assert capsys.readouterr().out.count(f"{NAME}: reproduced: ") == 2


def test_a_model_that_differs_is_status_1(entry, capsys):  # noqa: F811
    path = entry.folder / "card.yaml"
    path.write_text(path.read_text().replace(f"value: {entry.card.figure.value}", "value: 99.0"))
    assert main(["zoo", "verify"]) == 1 and f"{NAME}: differs: " in capsys.readouterr().out


def test_a_wrong_name_is_refused_before_anything_is_computed(entry, capsys):  # noqa: F811
    with pytest.raises(ValueError, match="there is no model 'narx_large' in the zoo; the nearest are narx_small"):
        main(["zoo", "verify", NAME, "narx_large"])
    assert capsys.readouterr().out == ""


def test_docs_of_the_repository_are_up_to_date(capsys):
    assert main(["zoo", "docs", "--check"]) == 0 and capsys.readouterr().out == ""


def test_docs_need_a_checkout(monkeypatch, tmp_path):
    from gluon_rnn.cli import zoo as command
    monkeypatch.setattr(command, "_ROOT", tmp_path)
    with pytest.raises(ValueError, match="in a checkout"):
        main(["zoo", "docs"])
    assert entries.FOLDER.is_dir()
