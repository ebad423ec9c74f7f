"""The command line: help, names of commands, versions, and the examples of the help, which run.

Tests `gluon_rnn/__main__.py`, `options.py` and `scripts/`: the commands under their names as modules.
"""
import contextlib
import importlib
import inspect
import pathlib
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import gluon_rnn
from gluon_rnn.cli import COMMANDS
from gluon_rnn.cli.main import main

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODULES = {name: importlib.import_module(f"gluon_rnn.cli.{name}") for name in COMMANDS}
#: What needs processes of its own, which the tests in tests/benchmark have running.
ELSEWHERE = {"benchmark"}


def ended(arguments):
    """Return the status with which a command line ends the process."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


def test_the_help_of_all_commands_loads_without_mxnet():
    code = ("import sys, contextlib, io\nfrom gluon_rnn.cli import COMMANDS\nfrom gluon_rnn.cli.main import main\n"
            "for words in [['--help'], ['--version'], *([name, '--help'] for name in COMMANDS)]:\n"
            "    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
            "        main(words)\n"
            "print([name for name in ('mxnet', 'pydantic', 'pandas', 'matplotlib') if name in sys.modules])")
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, timeout=120)
    assert found.stdout == "[]\n", found.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_form_of_a_command(name):
    module = MODULES[name]
    assert inspect.getdoc(module).splitlines()[0].endswith(".") and inspect.getdoc(module.add_arguments)
    assert f"gluon-rnn {name}" in module.EXAMPLE
    assert all(line.startswith("gluon-rnn ") for line in module.EXAMPLE.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_shows_the_example(name, capsys):
    assert ended([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: gluon-rnn {name} ") and inspect.getdoc(MODULES[name]).splitlines()[0] in text
    assert all(line in text for line in MODULES[name].EXAMPLE.splitlines())


def test_the_help_lists_every_command(capsys):
    assert ended(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n    {name}" in text for name in COMMANDS) and "--version" in text
    assert main([]) == 2 and capsys.readouterr().out == text


def test_version(capsys):
    assert ended(["--version"]) == 0
    assert capsys.readouterr().out == f"gluon_rnn {gluon_rnn.__version__}\n"


@pytest.mark.parametrize("wrong, near", [("trian", "train"), ("forcast", "forecast"), ("recipe", "recipes")])
def test_a_wrong_command_is_answered_with_the_nearest(wrong, near, capsys):
    assert ended([wrong, "--help"]) == 2
    assert capsys.readouterr().err.endswith(f"error: there is no command {wrong!r}; did you mean {near!r}?\n")


def test_messages_call_the_command_as_the_user_did(capsys):
    script = importlib.import_module("scripts.export")
    assert ended(["export"]) == 2
    assert "gluon-rnn export: error: the following arguments are required: RUN" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        script.main(["--wich", "best"])
    assert "python -m scripts.export: error: " in capsys.readouterr().err
    with pytest.raises(SystemExit):
        script.main(["--help"])
    assert "\n  python -m scripts.export runs/quickstart-1" in capsys.readouterr().out


def test_a_mistake_is_one_sentence_and_status_2_and_needs_no_mxnet(tmp_path):
    code = ("import sys\nfrom gluon_rnn.cli.main import start\n"
            "try:\n    start()\nfinally:\n    print('mxnet' in sys.modules)")
    found = subprocess.run([sys.executable, "-c", code, "train", "quikstart"], cwd=ROOT, text=True, timeout=120,
                           capture_output=True)
    assert (found.returncode, found.stdout) == (2, "False\n")
    assert found.stderr.startswith("error: there is no recipe and no file 'quikstart'; did you mean 'quickstart', ")
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["train", "evaluate", "diagnose", "report", "compare", "predict", "generate",
                                  "forecast", "export", "results", "benchmark", "classic"])
def test_a_script_is_the_command_of_its_name(name):
    text = (ROOT / "scripts" / f"{name}.py").read_text()
    assert name in COMMANDS and f'script("{name}")' in text and len(text.splitlines()) == 8


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Run the example of train; return the folder it ran in, which holds a measured plant and a model of torch, too."""
    folder = tmp_path_factory.mktemp("examples")
    random = np.random.default_rng(0)
    gas = random.normal(size=320)
    carbon = 53 - np.convolve(gas, [0.5, 0.3, 0.2])[:320] + 0.1 * random.normal(size=320)
    carbon[-24:] = np.nan                                                 # what is to be forecast
    pd.DataFrame({"GasRate(ft3/min)": gas, "CO2%": carbon}).to_csv(folder / "plant.csv", index=False)
    pd.read_csv(folder / "plant.csv")[:296].to_csv(folder / "measured.csv", index=False)
    shutil.copy(ROOT / "tests" / "convert" / "reference" / "torch_model.safetensors", folder / "model.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_example("train")
    return folder


def run_example(name):
    """Run the lines of an example as a shell would, each of which must end well."""
    for line in MODULES[name].EXAMPLE.splitlines():
        words, _, target = line.partition(" > ")
        with contextlib.ExitStack() as stack:
            if target:
                stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(target, "w"))))
            try:
                status = main(shlex.split(words)[1:])
            except SystemExit as end:
                status = end.code
        assert status == 0, line


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in {"train", *ELSEWHERE}])
def test_the_example_of_the_help_runs(trained, monkeypatch, name):
    monkeypatch.chdir(trained)
    run_example(name)
