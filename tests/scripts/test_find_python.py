"""scripts/find_python.sh: the Python that make uses, and the one sentence where there is none."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture
def search(tmp_path):
    """Return a function that runs the script with the commands named, and no others, on the PATH."""
    def run(commands, *versions, **environment):
        for name, body in commands.items():
            (tmp_path / name).write_text(f"#!{shutil.which('bash')}\n{body}\n")
            (tmp_path / name).chmod(0o755)
        kept = {key: value for key, value in os.environ.items() if key != "CC"}
        command = [shutil.which("bash"), "scripts/find_python.sh", *versions]
        return subprocess.run(command, capture_output=True, text=True,
                              cwd=ROOT, env={**kept, "PATH": str(tmp_path), **environment})
    return run


REAL = f'exec "{sys.executable}" "$@"'
COMPILER = {"CC": sys.executable}  # any program that is there: it is looked for, not run


def test_the_one_that_works_is_printed(search):
    found = search({f"python{HERE}": REAL}, **COMPILER)
    assert (found.returncode, found.stdout.strip()) == (0, sys.executable)


def test_a_shim_that_fails_and_a_version_that_is_too_old_are_passed_over(search):
    commands = {"python3.11": "exit 127", "python3.12": "exit 127", "python3": "echo 3.6", "python": REAL}
    found = search(commands, **COMPILER)
    assert (found.returncode, found.stdout.strip()) == (0, sys.executable)


def test_a_version_asked_for_is_the_only_one_taken(search):
    asked = "3.9" if HERE != "3.9" else "3.10"
    found = search({"python3": REAL}, asked, **COMPILER)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == f"no Python {asked} was found\n"


@pytest.mark.parametrize("commands", [{}, {"python3": "echo 3.13"}, {"python3": "exit 1"}])
def test_without_any_one_sentence_says_what_to_install(search, commands):
    failed = search(commands)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.count("\n") == 1
    assert "no Python 3.9, 3.10, 3.11 or 3.12 was found" in failed.stderr
    assert "install Python 3.11" in failed.stderr


def test_without_a_compiler_one_sentence_says_so(search):
    failed = search({"python3": REAL}, CC="no-such-compiler -O2")
    assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (1, "", 1)
    assert "to install gluonnlp it lacks the C compiler 'no-such-compiler'" in failed.stderr
    assert "apt install build-essential" in failed.stderr


def test_without_venv_one_sentence_says_so(search, tmp_path):
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "ensurepip.py").write_text("raise ImportError\n")
    failed = search({"python3": REAL}, **COMPILER, PYTHONPATH=str(tmp_path / "stub"))
    assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (1, "", 1)
    assert "its module venv" in failed.stderr
