"""A small file of every format, and for each data set the smallest recipe and an example of each key without a default.

``<name>`` stands for the path of a file that `write_files` makes; `LEFT_OUT` takes a required key away again.
"""
import numpy as np
import scipy.io
from scipy.io import wavfile

LEFT_OUT = object()
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight")
TUNE = "X:{n}\nM:{metre}\nL:1/8\nK:G\nGAB|ABc|\n"
CONLLU = "1\tthe\t_\tDET\tDT" + 5 * "\t_" + "\n2\tcat{n}\t_\tNOUN\tNN" + 5 * "\t_" + "\n"

_FILES = {"train": "<{0}>", "valid": "<{0}>"}
_ONE_FILE = {"path": "<{0}>", "split": [0.5, 0.25, 0.25], "train": LEFT_OUT, "valid": LEFT_OUT}


def _text(name, **more):
    """Return the recipe of a data set that reads files of train, valid and test, or one that it divides."""
    of = {key: value.format(name) for key, value in _FILES.items()}
    one = {key: value.format(name) if isinstance(value, str) else value for key, value in _ONE_FILE.items()}
    examples = {"path": one, "split": one, "test": {"test": f"<{name}>"}, "max_length": {"max_length": 50}, **more}
    return of, examples


DATA_SETS = {
    "characters": _text("prose", max_size={"max_size": 5, "unknown_token": "<unk>"},
                        unknown_token={"unknown_token": "<unk>"}),
    "words": _text("prose", max_size={"max_size": 5}),
    "phrases": _text("prose", max_size={"max_size": 5}),
    "elman_grammar": ({}, {"end_of_sentence": {"end_of_sentence": "."}, "sentences": {"sentences": 100}}),
    "labelled_text": _text("labels", label_names={"label_names": {"a": "A", "b": "B"}},
                           header={"header": True, "train": "<headed>", "valid": "<headed>"}),
    "abc_tunes": _text("tunes"),
    "parallel_text": _text("pairs", columns={"columns": ["source", "target"]},
                           subword_alpha={"subword_alpha": 0.1, "unit": "subword", "num_subwords": 25}),
    "conllu": ({"train": "<conllu>", "valid": "<conllu>"}, {"test": {"test": "<conllu>"}}),
    "piano_roll": ({"path": "<rolls>"}, {}),
    "audio_folder": ({"path": "<sounds>", "pattern": r"(?P<label>\d)_(?P<index>\d+)\.wav", "valid": 0.5,
                      "num_mels": 8},
                     {"test": {"test": {"index": [0]}}, "sample_rate": {"sample_rate": 8000},
                      "augment": {"augment": {"speeds": [1.0, 1.1]}}}),
    "trajectories": ({"train": "<rows>", "valid": 0.5}, {"test": {"test": "<rows>"}}),
    "sequences": ({"train": "<ts>", "valid": 0.5}, {
        "test": {"test": "<ts>"}, "label": {"label": "first", "format": "frames", "train": "<frames>"},
        "labels": {"labels": {"train": [4, 4]}, "format": "frames", "train": "<frames>"},
        "marker": {"marker": "#", "format": "frames", "train": "<frames>", "label": "first"},
        "delimiter": {"delimiter": ","}, "time": {"time": "t", "format": "long", "train": "<long>"},
        "format": {"format": "ts"}}),
    "joined_audio": ({"path": "<sounds>", "pattern": r"(?P<label>\d)_(?P<index>\d+)\.wav", "valid": 0.5, "num_mels": 8,
                      "train_strings": 8, "valid_strings": 4, "test_strings": 4},
                     {"test": {"test": {"index": [0]}}, "sample_rate": {"sample_rate": 8000},
                      "augment": {"augment": {"speeds": [1.0, 1.1]}}, "same": {"same": "index"}}),
    "trajectory_values": ({"train": "<rows>", "valid": 0.5}, {"test": {"test": "<rows>"}}),
    "counting": ({"train": 8}, {}), "elman_letters": ({"train": 4, "valid": 2, "test": 2}, {}),
    "parity": ({"train": 8}, {}), "reber": ({"train": 8, "test": 4}, {}), "xor_stream": ({"train": 8}, {}),
    "temporal_order": ({"train": 40, "valid": 4, "test": 4}, {}),
    "adding_problem": ({"length": 4, "train": 8, "valid": 4, "test": 4}, {}),
    "copy_memory": ({"delay": 2, "copied": 2, "train": 8, "valid": 4, "test": 4}, {}), "pixel_digits": ({}, {}),
    "gait_series": ({"walkers": 2, "frames": 20}, {}), "gait_walkers": ({"walkers": 2, "train": 4, "test": 4}, {}),
    "latching": ({"length": 5, "noise": 0.1, "train": 8, "valid": 4, "test": 4}, {}),
    "logic_trees": ({"train": 9, "valid": 3, "test": 3, "depth": [1, 2], "test_depth": [3, 3]}, {}),
    "listops": ({"train": 9, "valid": 3, "test": 3, "depth": [1, 2], "test_depth": [3, 3]}, {}),
    "graph_reachability": ({"train": 8, "valid": 4, "test": 4}, {"steps": {"steps": 3}}),
    "graph_shortest_path": ({"train": 8, "valid": 4, "test": 4}, {"steps": {"steps": 3}}),
    "treebank": ({"train": "<trees>", "valid": "<trees>"},
                 {"test": {"test": "<trees>"}, "label_names": {"label_names": {"2": "good", "0": "bad"}}}),
    "narma": ({"steps": 40}, {}), "plant": ({"steps": 40}, {}), "mackey_glass": ({"steps": 40}, {}),
    "time_series": ({"train": ["<series>"], "valid": ["<series>"], "targets": ["y"]},
                    {"path": {"path": "<series>", "split": [0.5, 0.25, 0.25], "train": LEFT_OUT, "valid": LEFT_OUT},
                     "split": {"path": "<series>", "split": [0.5, 0.25, 0.25], "train": LEFT_OUT, "valid": LEFT_OUT},
                     "test": {"test": ["<series>"]}, "inputs": {"inputs": ["u"]}, "season": {"season": 4},
                     "valid_fraction": {"valid_fraction": 0.5, "valid": LEFT_OUT}, "date": {"date": "day"},
                     "date_format": {"date": "day", "date_format": "%Y-%m-%d"},
                     "timezone": {"date": "day", "timezone": "Asia/Tokyo"}, "thousands": {"thousands": "'"},
                     "comment": {"comment": "#"}, "date_unit": {"date": "u", "date_unit": "D", "gaps": "ignore",
                                                                "train": ["<days>"], "valid": ["<days>"]}}),
}


def write_files(folder):
    """Write all files into `folder`; return {"<name>": path}."""
    texts = {
        "prose": "a rose is a rose . the sun also rises .\n" * 20,
        "labels": "".join(f"{word} {n}\t{label}\n" for n in range(12) for word, label in (("good", "a"), ("bad", "b"))),
        "headed": "text\tlabel\n" + "good\ta\nbad\tb\n" * 6,
        "tunes": "\n".join(TUNE.format(n=n, metre="3/8" if n % 2 else "6/8") for n in range(1, 17)),
        "pairs": "".join(f"go {word} .\tva {word} !\n" for word in WORDS),
        "conllu": "\n".join(CONLLU.format(n=n) for n in range(3)),
        "rows": "".join(f"{n},{n + 1},{n + 2},{n + 4},{n % 2}\n" for n in range(8)),
        "similarity": "rose\tsun\t1\nrose\tis\t2\n",
        "ts": "@classLabel true a b\n@data\n" + "".join(f"{n},{n + 1}:{n},3:{'ab'[n % 2]}\n" for n in range(8)),
        "frames": "\n".join(f"{n % 2} {n} 1\n{n % 2} 2 {n}\n" for n in range(8)),
        "long": "id,t,x,label\n" + "".join(f"{n},{t},{n + t},{'ab'[n % 2]}\n" for n in range(8) for t in (1, 0)),
        "days": "u,y\n" + "".join(f"{18262 + n},{n}\n" for n in range(24)),
        "trees": "(2 (2 good) (1 film))\n(0 (0 bad) (2 (1 (1 a) (2 good)) (1 film)))\n" * 2,
        "series": "day,u,y\n" + "".join(f"2020-01-{n + 1:02d},{n % 3},{n}\n" for n in range(24)),
    }
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    scipy.io.savemat(folder / "rolls.mat", {f"{split}data": _rolls() for split in ("train", "valid", "test")})
    (folder / "sounds").mkdir()
    for label in (0, 1):
        for index in range(4):
            samples = 8000 * np.sin(np.arange(1600) * (0.1 + 0.1 * label + 0.01 * index))
            wavfile.write(folder / "sounds" / f"{label}_{index}.wav", 8000, samples.astype(np.int16))
    paths = {f"<{name}>": str(folder / f"{name}.txt") for name in texts}
    return {**paths, "<rolls>": str(folder / "rolls.mat"), "<sounds>": str(folder / "sounds")}


def _rolls():
    rolls = np.empty((1, 2), dtype=object)
    for index in range(2):
        rolls[0, index] = np.random.default_rng(index).integers(0, 2, (5, 88)).astype(np.uint8)
    return rolls
