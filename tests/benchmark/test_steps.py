"""The split of a training step into its parts: from events of the profiler to a line of the table."""
import pytest

from gluon_rnn.benchmark import steps
from gluon_rnn.cli import benchmark
from gluon_rnn.cli.main import main

#: one step as MXNet runs it: seconds, operator and its part; the norm begins before the last gradient is there
STEP = [(3, "RNN", "layers"), (1, "FullyConnected", "layers"), (2, "Dropout", "layers"),
        (4, "FullyConnected", "output layer"), (5, "log_softmax", "loss"), (1, "_backward_log_softmax", "loss"),
        (8, "_backward_FullyConnected", "output layer"), (1, "_backward_FullyConnected", "layers"),
        (2, "dot", "clipping"), (6, "_backward_RNN", "layers"), (1, "add_n", "layers"), (1, "multi_sum_sq", "clipping"),
        (1, "Concat", "clipping"), (7, "adam_update", "optimiser"), (2, "_mul_scalar", "optimiser"),
        (3, "adam_update", "optimiser")]


def events(step):
    """Return events of the profiler: operators one after another, on two threads in turns, and what is no operator."""
    found, now = [{"name": "process_name", "ph": "M"}, {"name": "MXInvoke", "cat": "MXNET_C_API", "ph": "B"}], 0
    for number, (seconds, name, _) in enumerate(step):
        common = {"name": name, "cat": "operator", "tid": number % 2}
        found += [dict(common, ph="B", ts=now), dict(common, ph="b", ts=now),
                  {"name": "WaitForVar", "cat": "operator", "tid": number % 2, "ph": "B", "ts": now}]
        now += seconds * 10**6
        found += [dict(common, ph="E", ts=now), dict(common, ph="e", ts=now),
                  {"name": "WaitForVar", "cat": "operator", "tid": number % 2, "ph": "E", "ts": now}]
    return found


def test_events_become_operators_in_the_order_they_began():
    assert steps.operators(events(STEP)) == [(name, seconds) for seconds, name, _ in STEP]
    first_end = next(number for number, event in enumerate(events(STEP)) if event["ph"] == "E")
    assert len(steps.operators(events(STEP)[first_end:])) == len(STEP) - 1, "an end without a beginning is left out"


def test_every_operator_is_in_its_part():
    found = [(name, seconds) for seconds, name, _ in STEP]
    expected = {part: sum(seconds for seconds, _, own in STEP if own == part) for part in steps.PARTS}
    shares = steps.shares(found + found, 200, 50)                         # two steps of 48 s each
    assert shares == {part: pytest.approx(2 * expected[part] / 200) for part in steps.PARTS[:5]} | {
        "data": 0.25, "host": pytest.approx((200 - 96 - 50) / 200)}


def test_a_model_without_products_has_layers_alone():
    found = [("RNN", 1.0), ("_backward_RNN", 2.0), ("dot", 1.0), ("sgd_update", 1.0)]
    assert steps.shares(found, 5, 0) == {"layers": 0.6, "output layer": 0, "loss": 0, "clipping": 0.2,
                                         "optimiser": 0.2, "data": 0, "host": 0}


def test_command_prints_a_line_for_each_recipe(capsys, monkeypatch):
    measured = {"seconds": 0.25, "shares": {part: (number + 1) / 28 for number, part in enumerate(steps.PARTS)}}
    monkeypatch.setattr(benchmark.steps, "run", lambda recipes, count: [(recipe, measured) for recipe in recipes])
    assert main(["benchmark", "steps", "--recipes", "quickstart,tag/ewt_upos_words"]) == 0
    heading, *lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    assert [line.split()[:3] for line in lines] == [["quickstart", "250.0", "3.6%"],
                                                    ["tag/ewt_upos_words", "250.0", "3.6%"]]
    assert len(heading) == len(lines[0]) == len(lines[1]) and lines[0].endswith("25.0%")
