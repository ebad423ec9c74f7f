"""The commands as a user meets them: exit status, streams, kill -9 and signals.

The first training is a process as a user starts it; the others are forked, see `tests.processes`.

Tests `evaluate.py`, `generate.py` and `process.py` too.
"""
import os
import pathlib
import signal
import subprocess
import sys
import time

import mxnet as mx
import pytest

from tests.processes import Command

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECIPE = """
data: {name: elman_grammar, sentences: 1200, batch_size: 8, bptt: 10}
model: {embed_size: 8, dropout: 0.2, encoder: {name: lstm, hidden_size: 16}}
training: {epochs: 4, optimizer: {name: adam, learning_rate: 0.01}, average: 0.9}
task: {name: language_model, samples: 1, sample_length: 5}
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "small.yaml"
    path.write_text(RECIPE + f"output_dir: {path.parent / 'runs'}\n")
    return path


def run(module, *arguments, **environment):
    process = Command(f"scripts.{module}", *arguments, **environment)
    output, errors = process.communicate()
    return process.returncode, output, errors


@pytest.fixture(scope="module")
def whole(recipe):
    """Return the folder of an uninterrupted run and what it printed."""
    # One thread: this is about behaviour, and threads that wait for each other make a busy machine crawl.
    done = subprocess.run([sys.executable, "-m", "scripts.train", str(recipe)], cwd=ROOT, text=True, timeout=120,
                          capture_output=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return pathlib.Path(done.stdout.splitlines()[-1]), done.stdout, done.stderr


def arrays(path):
    loaded = mx.nd.load(str(path / "last" / "training.params"))
    return {name: array.asnumpy().tobytes() for name, array in loaded.items()}


def wait_for(process, text):
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"{text!r} was not printed: {process.stderr.read()}")


def test_train_prints_epochs_and_the_folder_last(whole):
    path, output, errors = whole
    lines = output.splitlines()
    assert path.name == "small-1" and (path / "samples.txt").exists()
    assert sum(line.startswith("epoch ") and ", valid perplexity" in line for line in lines) == 4
    assert "tokens/s" in output and "the best possible is perplexity 7.02" in lines[-2]
    assert "\r" not in output + errors, "a bar belongs into a terminal"


@pytest.mark.slow
def test_killed_and_resumed_equals_uninterrupted(recipe, whole):
    process = Command("scripts.train", recipe)
    wait_for(process, "epoch 2/4 step")
    time.sleep(0.05)                       # into the saving of epoch 2, or into epoch 3: any moment must do
    process.send_signal(signal.SIGKILL)
    process.communicate()
    killed = recipe.parent / "runs" / "small-2"
    assert process.returncode == -signal.SIGKILL and not (killed / "samples.txt").exists()
    status, output, errors = run("train", "--resume", killed)
    assert status == 0, errors
    assert output.splitlines()[-1] == str(killed)
    assert arrays(killed) == arrays(whole[0])


@pytest.mark.slow
@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130),
                                            (signal.SIGHUP, 129)])
def test_signal_evaluates_saves_and_says_so(recipe, number, status):
    process = Command("scripts.train", recipe, "training.epochs=500")
    wait_for(process, "epoch 1/500 step")
    process.send_signal(number)
    output, errors = process.communicate()
    path = pathlib.Path(output.splitlines()[-1])
    assert process.returncode == status, errors
    assert "Traceback" not in errors and f"--resume {path} goes on" in errors
    rows = (path / "metrics.csv").read_text().splitlines()[1:]
    assert rows and (path / "last" / "position.json").exists()


@pytest.mark.slow
def test_evaluate_and_generate(whole):
    status, evaluated, errors = run("evaluate", whole[0])
    assert status == 0, errors
    assert evaluated.strip() in whole[1]
    texts = [run("generate", whole[0], "--prefix", "woman eat", "--length", "5", "--seed", "3")[1] for _ in range(2)]
    assert texts[0] == texts[1] and texts[0].startswith("woman eat ") and len(texts[0].split()) == 7


@pytest.mark.slow
def test_dry_run_leaves_output_dir_alone(recipe, tmp_path):
    before = set((recipe.parent / "runs").iterdir())
    status, output, errors = run("train", recipe, "--dry-run", TMPDIR=str(tmp_path))
    assert status == 0, errors
    last = output.splitlines()[-1]
    assert last.startswith("dry run: ") and "samples.txt" in last and "loss.png" in last and "step 2:" in output
    assert not list(tmp_path.iterdir()) and set((recipe.parent / "runs").iterdir()) == before


@pytest.mark.slow
@pytest.mark.parametrize("words, status, sentence", [
    (["train", "RECIPE", "training.optimzer.name=adam"], 2, "training.optimzer: unknown key; did you mean"),
    (["train", "RECIPE", "training.optimizer={name: sgd, learning_rate: 1e38}"], 1, "diverged at epoch 1"),
    (["generate", "RECIPE"], 2, "there is no run in"),
], ids=["key", "rate", "run"])
def test_mistakes_cost_one_sentence(recipe, words, status, sentence):
    found, _, errors = run(*(recipe if word == "RECIPE" else word for word in words))
    assert found == status
    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and sentence in lines[0] and "Traceback" not in errors
