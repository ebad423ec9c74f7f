"""Python code of the guides in docs/ runs as it stands there."""
import pathlib
import re
import shutil

import mxnet as mx
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    """Return the Python blocks of a page of docs/, each with the number of its first line."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in BLOCK.finditer(text)]


def run(page, found, names):
    """Run blocks one after the other in one namespace, so that a traceback names page and line."""
    for line, code in found:
        exec(compile("\n" * (line - 1) + code, page, "exec"), names)
    return names


def test_the_contract():
    names = run("contract.md", blocks("contract.md"), {})
    assert names["outputs"].shape == (5, 2, 3)


def test_trees_and_graphs():
    names = run("trees-and-graphs.md", blocks("trees-and-graphs.md"), {})
    assert names["logits"].shape == (2, 2)


def test_weights_of_other_libraries(tmp_path, monkeypatch):
    """With a small file of PyTorch's; the block that writes such a file needs PyTorch and a pickle."""
    pytest.importorskip("safetensors")
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "tests" / "convert" / "reference" / "torch_model.safetensors", "model.safetensors")
    reading, writing = blocks("convert.md")
    assert "torch.load" in writing[1]
    names = run("convert.md", [reading], {"inputs": mx.nd.ones((5, 8, 3))})
    assert names["outputs"].shape == (5, 8, 4) and names["state_dict"]["weight_hh_l0"].shape == (16, 4)


def test_onnx(tmp_path, monkeypatch):
    from gluon_rnn.export.onnx import translators
    assert translators.supported()                                        # reads the operators before they are copied
    monkeypatch.setattr(translators, "_TRANSLATORS", dict(translators._TRANSLATORS))  # the page adds one of its own
    monkeypatch.chdir(tmp_path)
    names = run("onnx.md", blocks("onnx.md"), {})
    assert names["difference"] < 1e-5 and (tmp_path / "network.onnx").is_file()


def test_diagnostics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run("diagnostics.md", blocks("diagnostics.md"), {})
    assert 2 < names["steps"] < 10 and names["enough"] <= 35 and (tmp_path / "elman" / "jacobian.csv").is_file()
    assert names["lags"].norms["layer 1 c"].shape == (50, 16) and (tmp_path / "gradient.png").is_file()


def test_learning_algorithms():
    """The mean over draws of a noisy gradient is within six standard errors of the exact one."""
    names = run("algorithms.md", blocks("algorithms.md"), {})
    assert names["difference"] < 1e-9 and names["off"] < 6


@pytest.mark.slow
def test_five_minutes_and_export(tmp_path, monkeypatch):
    """With the first recipe made small, where the pages train it; the export page uses the run of the other."""
    monkeypatch.chdir(tmp_path)
    small = [(line, code.replace('"quickstart", training__epochs=3',
                                 '"quickstart", training__epochs=1, data__sentences=16000'))
             for line, code in blocks("start.md")]
    assert any("data__sentences=16000" in code for _, code in small)
    names = run("start.md", small, {})
    assert names["outputs"].shape == (35, 20, 200) and (tmp_path / "runs" / "quickstart-1").is_dir()
    from gluon_rnn.cli.main import main
    main(["export", "runs/quickstart-1"])
    main(["export", "tdnn_names", "--format", "onnx", "--output", "names"])
    names = run("export.md", blocks("export.md"), {})
    assert names["logits"].shape == (1, 2, 29)


def test_word_vectors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run("word-vectors.md", blocks("word-vectors.md"), {})
    assert names["table"].nearest("river", 1)[0][0] == "canal" and (tmp_path / "lstm.txt").is_file()


def test_serving(capsys):
    run("serving.md", blocks("serving.md"), {})
    assert 0 < float(capsys.readouterr().out) < 1


def test_pages_of_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run("reports.md", blocks("reports.md"), {})
    assert names["found"].names == ["elman_grammar", "jordan_grammar"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elman.html", "grammars.html"]
