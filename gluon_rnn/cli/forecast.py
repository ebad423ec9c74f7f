"""Forecast a series with a trained model.

With ``--ensemble RUN RUN`` several runs of one recipe forecast as an ensemble: the median of their predictions.
"""
from pathlib import Path

from gluon_rnn.cli.options import add_checkpoint, add_ensemble, add_run, ensemble_of

EXAMPLE = """gluon-rnn train identify/gas_furnace_narx data.path=measured.csv training.epochs=20
gluon-rnn forecast runs/gas_furnace_narx-1 --data plant.csv --horizon 24"""


def run(options):
    """Print scores beside those of trivial methods, and the folder of predictions and pictures on the last line."""
    from gluon_rnn.runs import load_run
    from gluon_rnn.tasks.forecasting.file import forecast_file
    trained = load_run(options.run, options.checkpoint, ensemble=ensemble_of(options))
    found = forecast_file(trained, options.data, options.horizon, steps_ahead=options.steps_ahead,
                          level=options.level, split=options.columns_of, missing=options.missing)
    folder = Path(options.output or trained.path / "forecast")
    found.write(folder)
    print(found)
    print(folder, flush=True)
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("--data", metavar="FILE", required=True,
                        help="a file like those of the run; rows at its end may have inputs only")
    parser.add_argument("--horizon", type=int, default=0, metavar="ROWS",
                        help="rows to forecast behind the last measured one (default 0: only predict measured rows)")
    parser.add_argument("--output", metavar="DIR", help="where the results go (default: RUN/forecast)")
    parser.add_argument("--steps-ahead", type=int, metavar="N",
                        help="predict N steps at a time as well, beginning anew from measured rows each time")
    parser.add_argument("--level", type=float, help="share of the values that a band should hold (default 0.9; of a "
                                                    "quantile model what its outermost quantiles hold)")
    parser.add_argument("--missing", choices=("refuse", "interpolate", "forward"),
                        help="what to do about missing values (default: as in training)")
    parser.add_argument("--columns-of", choices=("train", "valid", "test"), default="train",
                        help="where a recipe has other columns for each split: whose columns to read (default: train)")
    add_ensemble(parser, "further runs of the recipe, an ensemble with RUN: the median of what they predict")
    add_checkpoint(parser)

