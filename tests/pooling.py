"""What liblpips pools, by the definitions."""

import math
import statistics

PERCENTILES = (1, 5, 10, 25, 75, 90, 95, 99)


def percentile(values, p):
    """Linear between closest ranks."""
    values = sorted(values)
    at = (len(values) - 1) * p / 100
    i = min(int(at), len(values) - 2) if len(values) > 1 else 0
    after = values[min(i + 1, len(values) - 1)]
    return values[i] + (at - i) * (after - values[i])


def pooled(values):
    """Every number that is pooled."""
    some_zero = any(v == 0 for v in values)
    numbers = {
        "mean": math.fsum(values) / len(values),
        "harmonic_mean": 0 if some_zero else len(values) / math.fsum(1 / v for v in values),
        "median": statistics.median(values),
        "deviation": statistics.stdev(values) if len(values) > 1 else 0,
        "min": min(values),
        "max": max(values),
    }
    numbers.update((f"p{p}", percentile(values, p)) for p in PERCENTILES)
    return numbers
