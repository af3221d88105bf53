# SPDX-License-Identifier: GPL-3.0-or-later
"""Statistics of samples, with intervals that hold the truth in 99.9 %.

Each function returns (estimate, low, high). The intervals: Student's t for a mean; for a variance
the large-sample one of s^2, whose variance is (m4 - s^4) / n, since the chi-square one is wrong
for laws that are not normal; Clopper and Pearson's exact one for a share.
"""
import math

Z = 3.2905267314919255  # two-sided 99.9 % of the normal law
TAIL = 0.0005  # on each side


def student(freedom):
    """The 0.9995 quantile, by the expansion of Fisher and Cornish: within 0.1 % from 29 on."""
    return (Z + (Z ** 3 + Z) / (4 * freedom)
            + (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * freedom ** 2))


def mean(values):
    n = len(values)
    middle = math.fsum(values) / n
    variance = math.fsum((v - middle) ** 2 for v in values) / (n - 1)
    half = student(n - 1) * math.sqrt(variance / n)
    return middle, middle - half, middle + half


def variance(values):
    n = len(values)
    middle = math.fsum(values) / n
    second = math.fsum((v - middle) ** 2 for v in values) / (n - 1)
    fourth = math.fsum((v - middle) ** 4 for v in values) / n
    half = student(n - 1) * math.sqrt((fourth - second ** 2) / n)
    return second, second - half, second + half


def sd(values):
    return tuple(math.sqrt(max(0.0, part)) for part in variance(values))


def binomial_tail(n, p, k):
    """P(X >= k) of a binomial law, by its terms from the largest on."""
    if k <= 0:
        return 1.0
    if p <= 0.0:
        return 0.0
    if p >= 1.0:
        return 1.0
    total = 0.0
    first = max(k, int(n * p))  # where terms only fall
    for start, step, end in ((first, 1, n), (first - 1, -1, k)):
        i = start
        log = (math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
               + i * math.log(p) + (n - i) * math.log1p(-p)) if k <= i <= n else -math.inf
        term = math.exp(log)
        while (i - end) * step <= 0 and term > 1e-18:
            total += term
            ratio = p / (1 - p) * (n - i) / (i + 1) if step > 0 else (1 - p) / p * i / (n - i + 1)
            term *= ratio
            i += step
    return min(total, 1.0)


def solve(function, level):
    """Where a rising function of [0, 1] reaches the level."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if function(middle) < level:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def share(hits, n):
    low = 0.0 if hits == 0 else solve(lambda p: binomial_tail(n, p, hits), TAIL)
    high = 1.0 if hits == n else solve(lambda p: binomial_tail(n, p, hits + 1), 1 - TAIL)
    return hits / n, low, high
