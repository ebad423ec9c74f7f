"""The commands as a user meets them: exit status, streams, kill -9 and signals.

A process takes seconds to load its libraries, so commands that neither are killed nor print as they go share one.

Tests `evaluate.py`, `generate.py` and `process.py` too.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import mxnet as mx
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECIPE = """
data: {name: elman_grammar, sentences: 3000, batch_size: 8, bptt: 10}
model: {embed_size: 8, dropout: 0.2, encoder: {name: lstm, hidden_size: 16}}
training: {epochs: 6, optimizer: {name: adam, learning_rate: 0.01}, average: 0.9}
task: {name: language_model, samples: 1, sample_length: 5}
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "small.yaml"
    path.write_text(RECIPE + f"output_dir: {path.parent / 'runs'}\n")
    return path


def start(module, *arguments):
    # One thread: this is about behaviour, and threads that wait for each other make a busy machine crawl.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen([sys.executable, "-m", f"scripts.{module}", *map(str, arguments)], cwd=ROOT, text=True,
                            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(module, *arguments):
    process = start(module, *arguments)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


@pytest.fixture(scope="module")
def whole(recipe):
    """Return the folder of an uninterrupted run and what it printed."""
    status, output, errors = run("train", recipe)
    assert status == 0, errors
    return pathlib.Path(output.splitlines()[-1]), output, errors


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
    assert sum(line.startswith("epoch ") and ", valid perplexity" in line for line in lines) == 6
    assert "tokens/s" in output and "the best possible is perplexity 7.02" in lines[-2]
    assert "\r" not in output + errors, "a bar belongs into a terminal"


@pytest.mark.slow
def test_killed_and_resumed_equals_uninterrupted(recipe, whole):
    process = start("train", recipe)
    wait_for(process, "epoch 2/6 step")
    time.sleep(0.05)                       # into the saving of epoch 2, or into epoch 3: any moment must do
    process.kill()
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
    process = start("train", recipe, "training.epochs=500")
    wait_for(process, "epoch 1/500 step")
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    path = pathlib.Path(output.splitlines()[-1])
    assert process.returncode == status, errors
    assert "Traceback" not in errors and f"--resume {path} goes on" in errors
    rows = (path / "metrics.csv").read_text().splitlines()[1:]
    assert rows and (path / "last" / "position.json").exists()


TOGETHER = """
import contextlib, io, json, logging, runpy, sys
found = []
for module, *arguments in json.loads(sys.argv[1]):
    output, errors, sys.argv[1:] = io.StringIO(), io.StringIO(), arguments
    logging.getLogger("gluon_rnn").handlers.clear()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            runpy.run_module(f"scripts.{module}", run_name="__main__")
        except SystemExit as ended:
            found.append([ended.code, output.getvalue(), errors.getvalue()])
print(json.dumps(found))
"""
MISTAKES = [(["train", "RECIPE", "training.optimzer.name=adam"], 2, "training.optimzer: unknown key; did you mean"),
            (["train", "RECIPE", "training.optimizer={name: sgd, learning_rate: 1e38}"], 1, "diverged at epoch 1"),
            (["generate", "RECIPE"], 2, "there is no run in")]


@pytest.fixture(scope="module")
def together(recipe, whole):
    """Return status, output and errors of each command: evaluate, generate twice, a dry run, and then the mistakes."""
    generate = ["generate", str(whole[0]), "--prefix", "woman eat", "--length", "5", "--seed", "3"]
    commands = [["evaluate", str(whole[0])], generate, generate, ["train", str(recipe), "--dry-run"],
                *([word.replace("RECIPE", str(recipe)) for word in words] for words, _, _ in MISTAKES)]
    before = set((recipe.parent / "runs").iterdir())
    temporary = recipe.parent / "tmp"
    temporary.mkdir()
    done = subprocess.run([sys.executable, "-c", TOGETHER, json.dumps(commands)], cwd=ROOT, text=True, timeout=300,
                          capture_output=True, check=False, env={**os.environ, "TMPDIR": str(temporary)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), set((recipe.parent / "runs").iterdir()) - before


@pytest.mark.slow
def test_evaluate_and_generate(whole, together):
    (status, evaluated, errors), *texts = together[0][:3]
    assert status == 0, errors
    assert evaluated.strip() in whole[1]
    texts = [text for _, text, _ in texts]
    assert texts[0] == texts[1] and texts[0].startswith("woman eat ") and len(texts[0].split()) == 7


@pytest.mark.slow
def test_dry_run_leaves_output_dir_alone(recipe, together):
    status, output, errors = together[0][3]
    assert status == 0, errors
    last = output.splitlines()[-1]
    assert last.startswith("dry run: ") and "samples.txt" in last and "loss.png" in last and "step 2:" in output
    assert not list((recipe.parent / "tmp").iterdir())
    assert len(together[1]) == 1                                          # of the run that diverged, behind this one


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_cost_one_sentence(together, number):
    (found, _, errors), (_, status, sentence) = together[0][4 + number], MISTAKES[number]
    assert found == status
    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and sentence in lines[0] and "Traceback" not in errors
