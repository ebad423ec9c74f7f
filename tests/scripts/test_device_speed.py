"""`device_speed.py`: a line an encoder, with the ratio of its times; the parts that `scripts/gpu_check.sh` runs."""
import pathlib
import re

import pytest

from scripts import device_speed
import mxnet as mx

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def test_a_line_has_both_times_and_their_ratio():
    line = device_speed.line("lru", mx.cpu(1), sizes=(2, 2, 4), repeats=1)
    here, there, ratio = map(float, re.fullmatch(r"lru +cpu\(0\) +(\S+) ms +cpu\(1\) +(\S+) ms +(\S+) times",
                                                 line).groups())
    assert here > 0 and there > 0
    assert ratio == pytest.approx(here / there, abs=0.05 * ratio + 0.1)   # times are rounded to 0.1 ms


def test_a_device_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 0)
    with pytest.raises(ValueError, match="needs gpu.0., but MXNet sees 0 GPU"):
        device_speed.main(["gpu(0)"])


def test_the_parts_of_the_check_are_tests_that_there_are():
    """Each `-k` of the script chooses functions of the file that it names."""
    text = (ROOT / "scripts" / "gpu_check.sh").read_text()
    parts = re.findall(r"^part .* (tests/\S+\.py)(?: -k (\w+))?$", text, re.MULTILINE)
    assert len(parts) >= 4
    for path, chosen in parts:
        assert re.search(rf"^def test_\w*{chosen}", (ROOT / path).read_text(), re.MULTILINE), (path, chosen)
