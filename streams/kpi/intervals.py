"""How sure a figure is."""

from __future__ import annotations

from math import sqrt

#: Standard normal quantile of a two-sided 95 % interval.
Z95 = 1.959963984540054
_Z2 = Z95 * Z95


def wilson(hits: int, n: int) -> tuple[float, float] | None:
    """Wilson score interval at 95 % of the rate ``hits / n``: None without data or where it is no share (hits > n).

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209-212.
    """
    if n <= 0 or not 0 <= hits <= n:
        return None
    p, widened = hits / n, 1 + _Z2 / n
    middle = (p + _Z2 / (2 * n)) / widened
    half = Z95 / widened * sqrt(p * (1 - p) / n + _Z2 / (4 * n * n))
    return max(0.0, middle - half) if hits else 0.0, min(1.0, middle + half) if hits < n else 1.0
