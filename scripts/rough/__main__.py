"""Handle the package roughly and count what it says: a table of tried, passed, tracebacks and silent wrong answers."""
import argparse
import sys

from scripts.rough import PARTS
from scripts.rough.runner import run_part

_COLUMNS = ("part", "tried", "passed", "tracebacks", "silent wrong", "crashes", "seconds")


def main():
    """Run the parts, print the table and what failed; status 1 where anything did."""
    parser = argparse.ArgumentParser(prog="python -m scripts.rough", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=f"default: {' '.join(PARTS)}")
    parser.add_argument("--count", type=int, help="attempts of each part; default: as many as each wants")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("| " + " | ".join(_COLUMNS) + " |\n|---|" + "---:|" * (len(_COLUMNS) - 1), flush=True)
    results = []
    for name in options.parts or PARTS:
        result = run_part(name, options.count, options.seed)
        results.append(result)
        numbers = [sum(result.counts.values()),
                   *(result.counts[verdict] for verdict in ("passed", "traceback", "wrong", "crash"))]
        note = f" (skipped: {result.skipped})" if result.skipped else ""
        print(f"| {result.title}{note} | " + " | ".join(map(str, numbers)) + f" | {result.seconds:.0f} |",
              flush=True)
    failures = [line for result in results for line in result.failures]
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
