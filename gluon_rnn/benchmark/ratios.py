"""What the tables of all benchmarks say in the end: how often ours is ahead, and by how much."""
import math
import statistics

__all__ = ["ahead", "geometric_mean", "medians", "ratio", "spread", "summary"]


def summary(rows, names):
    """Return a line for each peer but ours, the first of `names`, from the ``seconds`` {name: s} of each row."""
    return "\n".join(f"{name}: {ahead([ratio(row, name) for row in rows])}" for name in names[1:])


def ratio(row, name):
    """Return the time of the peer `name` over ours; of several passes the median of their ratios.

    Not the ratio of the medians, which may be those of passes under different conditions.
    """
    return statistics.median(one[name] / one["ours"] for one in row.get("passes", [row["seconds"]]))


def ahead(ratios):
    """Return in words how many `ratios` of a peer's time to ours are above 1, their mean and the least.

    >>> ahead([2.0, 0.5])
    'ours ahead in 1 of 2 rows, geometric mean 1.00, least 0.50'
    """
    return (f"ours ahead in {sum(ratio > 1 for ratio in ratios)} of {len(ratios)} rows, geometric mean "
            f"{geometric_mean(ratios):.2f}, least {min(ratios):.2f}")


def geometric_mean(values):
    """Return the geometric mean of positive `values`."""
    return math.exp(sum(map(math.log, values)) / len(values))


def medians(passes):
    """Return the rows of several `passes` over a table as one list.

    Each has the medians of ``seconds``, all ``forms``, and in ``passes`` the seconds of each pass.
    """
    rows = []
    for same in zip(*passes):
        seconds = [row["seconds"] for row in same]
        forms = {name: " or ".join(dict.fromkeys(row["forms"][name] for row in same)) for name in same[0]["forms"]}
        rows.append(dict(same[0], passes=seconds, forms=forms,
                         seconds={name: statistics.median(one[name] for one in seconds) for name in seconds[0]}))
    return rows


def spread(row, names):
    """Return in words the least and the largest ratio of each peer's time to ours among the passes of a `row`."""
    found = [[one[name] / one["ours"] for one in row["passes"]] for name in names[1:]]
    return "; ".join(f"{min(ratios):.2f} to {max(ratios):.2f}" for ratios in found)
