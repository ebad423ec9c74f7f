"""Shells complete commands, options, recipes and folders: bash, and zsh and fish where they are installed."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from gluon_rnn import recipe_files
from gluon_rnn.cli import COMMANDS
from gluon_rnn.cli.main import main

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

PENDIGITS = [f"classify/{path.stem}" for path in (ROOT / "configs" / "classify").glob("pendigits_*.yaml")]


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Return a folder with the command ``gluon-rnn``, as an installation puts it on the path, and with a run."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "gluon-rnn").write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m gluon_rnn "$@"\n')
    (folder / "gluon-rnn").chmod(0o755)
    (folder / "runs" / "quickstart-1").mkdir(parents=True)
    (folder / "mine.yaml").write_text("")
    (folder / "mine.txt").write_text("")
    return folder


def ask(folder, shell, script):
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    found = subprocess.run([shell, "-c", script], cwd=folder, text=True, capture_output=True, timeout=60,
                           env=environment)
    assert found.returncode == 0, found.stderr
    return found.stdout.split("\n")[:-1]


def completed(folder, line):
    """Return what bash completes the last word of `line` to, by the function that the command's code defines."""
    return ask(folder, "bash", f"""
        eval "$(gluon-rnn completion bash)"
        registered=$(complete -p gluon-rnn); function=${{registered#*-F }}; function=${{function%% *}}
        COMP_LINE='{line}' COMP_POINT={len(line)} COMP_TYPE=9 COMP_KEY=9
        $function gluon-rnn
        printf '%s\\n' "${{COMPREPLY[@]}}\"""")


@pytest.mark.parametrize("line, words", [
    ("gluon-rnn tr", ["train "]),
    ("gluon-rnn train names_", ["names_tdnn", "names_gru"]),
    ("gluon-rnn recipes classify/pend", PENDIGITS),
    ("gluon-rnn train mi", ["mine.yaml "]),
    ("gluon-rnn evaluate runs/", ["runs/quickstart-1/"]),
    ("gluon-rnn export --wh", ["--which "]),
    ("gluon-rnn generate --checkpoint b", ["best "])])
def test_bash_completes(command, line, words):
    assert sorted(word.rstrip() for word in completed(command, line)) == sorted(word.rstrip() for word in words)


def test_bash_completes_every_command_and_every_recipe(command):
    assert set(COMMANDS) <= {word.strip() for word in completed(command, "gluon-rnn ")}
    assert {word.strip() for word in completed(command, "gluon-rnn recipes ")} >= set(recipe_files.names())


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(command):
    found = ask(command, "fish", "gluon-rnn completion fish | source; complete -C 'gluon-rnn tra'")
    assert [line.split("\t")[0] for line in found] == ["train"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_the_code(command):
    found = ask(command, "zsh", 'autoload -U compinit; compinit -D; eval "$(gluon-rnn completion zsh)"; '
                                "print $_comps[gluon-rnn]")
    assert found == ["_python_argcomplete"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_words_come_in_the_form_that_a_shell_asks_for(command, tmp_path, shell):
    """What the shell's own code does: the line in variables, answers in a file; zsh gets a description behind each."""
    line = "gluon-rnn e"
    environment = {**os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": shell, "COMP_LINE": line,
                   "COMP_TYPE": "9", "COMP_POINT": str(len(line)),
                   "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "words")}
    if shell == "fish":
        environment["_ARGCOMPLETE_DFS"] = "\t"
    subprocess.run([command / "gluon-rnn"], env=environment, check=True, timeout=60)
    separator = {"zsh": ":", "fish": "\t"}[shell]
    words = (tmp_path / "words").read_text().split("\v")
    assert [word.split(separator)[0].strip() for word in words] == ["evaluate", "export"]
    assert "Evaluate a trained model" in words[0] and "Write a trained model" in words[1]


@pytest.mark.parametrize("shell, sign", [("bash", "complete -o"), ("zsh", "compdef "), ("fish", "complete --command")])
def test_the_code_is_that_of_the_shell(shell, sign, capsys):
    assert main(["completion", shell]) == 0
    code = capsys.readouterr().out
    assert sign in code and "gluon-rnn" in code
