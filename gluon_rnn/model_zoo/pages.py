"""What is made from the cards: the page of the zoo, and the table in the README; no figure is typed by hand."""
import re
from pathlib import Path

from gluon_rnn.files import write_text
from gluon_rnn.model_zoo import entries

__all__ = ["BEGIN", "END", "page", "table", "update", "with_table"]

#: what stands around the table in the README
BEGIN, END = "<!-- zoo: begin -->", "<!-- zoo: end -->"
_COLUMNS = ("model", "what it does", "family", "figure", "mean ± sd (seeds)", "size")
_HEAD = """# Model zoo

Made from the cards of the models by `gluon-rnn zoo docs`; do not edit.

```python
import gluon_rnn
model = gluon_rnn.get_model("{example}", pretrained=True)    # a Gluon block
predictor = gluon_rnn.load("{example}")                      # the same in units and words of the data
gluon_rnn.list_models("*lstm*", detail=True)                 # what the cards say, as a DataFrame
```

- **Figure** is the score of the weights that are here, on the split of the recipe that the card names; "mean ± sd" is
  over runs that differ in their seed. `gluon-rnn zoo verify NAME` computes it anew where the data are.
- **Storage.** Weights are stored as float16 where this changes the figure by less than a tenth of the standard
  deviation over seeds (with one seed: by less than 0.01 %), and computed with as float32. Each card has the
  figure with both.
- **Files.** Each model is a folder of the package with its recipe, weights in MXNet's own format (no pickle), the small
  files that it needs and its card. All are checked by their SHA-256 before use. Weights that are not in the package are
  fetched from the folder or address in `GLUON_RNN_REPO` into `models` of the cache folder.
- **Selection.** Checkpoints are selected on the validation split.
"""


def page(cards):
    """Return the page of the zoo as Markdown.

    Parameters
    ----------
    cards : dict of str to gluon_rnn.model_zoo.cards.Card
        By name of the model.
    """
    total = sum(card.bytes for card in cards.values())
    head = _HEAD.format(example=next(iter(cards), "NAME"))
    counted = f"{len(cards)} models, {_size(total)} together."
    return "\n".join([head, counted, "", table(cards), *(_section(name, card) for name, card in cards.items())])


def table(cards):
    """Return a Markdown table with a row for each of `cards`."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|---" * len(_COLUMNS) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(_row(name, card)) + " |" for name, card in cards.items()), ""])


def _row(name, card):
    figure, spread = card.figure, _spread(card.figure)
    return [f"`{name}`", card.about.summary, ", ".join(card.family), f"{figure.metric} {figure.value:.4g}", spread,
            _size(card.bytes)]


def _spread(figure):
    """Return e.g. ``"1.413 ± 0.013 (3)"``."""
    sd = "" if figure.sd is None else f" ± {figure.sd:.2g}"
    return f"{figure.mean:.4g}{sd} ({len(figure.seeds)})"


def _size(size):
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def _section(name, card):
    """Return what the page says about one model."""
    about, figure, storage = card.about, card.figure, card.storage
    others = ", ".join(f"{value:.4g} ({method})" for method, value in figure.baselines.items()) or "none"
    published = figure.published and f"{figure.published} ({figure.published_source})"
    half = "out of its range" if storage.float16 is None else f"{storage.float16:.6g}"
    lines = [
        f"**{about.summary}** {about.intended_use}", "",
        f"- {figure.metric} ({about.better} is better) on the {figure.split} split: {figure.value:.4g}; over seeds "
        f"{', '.join(map(str, figure.seeds))}: {_spread(figure)}",
        f"- trivial methods: {others}", *([f"- published: {published}"] if published else []),
        f"- {', '.join(card.family)}; {card.parameters:,} parameters; stored as {storage.dtype} (float32 "
        f"{storage.float32:.6g}, float16 {half}; allowed difference {storage.allowed:.2g}); {_size(card.bytes)}",
        f"- trained on {card.data.name}; licence: {card.data.licence}; source: {card.data.source}",
        *([f"- cite the data as: {card.data.citation}"] if card.data.citation else []),
        *(f"- limit: {limit}" for limit in about.limits),
        f"- {card.date}, seed {card.seed}: `{card.command}`"]
    return "\n".join([f"## {name}", "", *lines, ""])


def with_table(text, cards):
    """Return the text of a README with its table made anew; ValueError where the two marks are missing."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"the README needs one line {BEGIN!r} and one line {END!r}, between which the table of the "
                         "zoo stands")
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda found: f"{BEGIN}\n{table(cards)}{END}", text,
                  flags=re.DOTALL)


def update(docs, readme=None, check=False):
    """Write ``zoo.md`` into the folder `docs`, and the table into the file `readme` where it is given.

    With `check` nothing is written. Returns the list of the files that are, or were, out of date.
    """
    cards = {name: entries.get(name).card for name in entries.names()}
    wanted = {Path(docs) / "zoo.md": page(cards)}
    if readme is not None:
        wanted[Path(readme)] = with_table(Path(readme).read_text(encoding="utf-8"), cards)
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in [] if check else stale:
        write_text(path, wanted[path])
    return stale
