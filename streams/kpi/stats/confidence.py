"""How sure a figure is."""

from __future__ import annotations

from functools import lru_cache
from math import exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist

#: Standard normal quantile of a two-sided 95 % interval.
Z95 = 1.959963984540054
_Z2 = Z95 * Z95
#: Quantile 0.975 of Student's t for 1 to 30 degrees of freedom.
_T = (
    *(12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139),
    *(2.200985, 2.178813, 2.160369, 2.144787, 2.131450, 2.119905, 2.109816, 2.100922, 2.093024, 2.085963),
    *(2.079614, 2.073873, 2.068658, 2.063899, 2.059539, 2.055529, 2.051831, 2.048407, 2.045230, 2.042272),
)

#: An interval of a ratio that ends beyond e to this, either way, says nothing.
WIDEST = 20.0


def wilson(hits: float, n: float) -> tuple[float, float] | None:
    """Wilson score interval at 95 % of the rate ``hits / n``: None without data or where it is no share (hits > n). Counts may be
    effective ones: what so many cases that vary together are worth.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209-212.
    """
    if n <= 0 or not 0 <= hits <= n:
        return None
    p, widened = hits / n, 1 + _Z2 / n
    middle = (p + _Z2 / (2 * n)) / widened
    half = Z95 / widened * sqrt(p * (1 - p) / n + _Z2 / (4 * n * n))
    return max(0.0, middle - half) if hits else 0.0, min(1.0, middle + half) if hits < n else 1.0


@lru_cache(maxsize=4096)
def student(freedom: int) -> float:
    """Quantile 0.975 of Student's t (two-sided 95 %) for ``freedom`` ≥ 1 degrees of freedom, right to 4 decimals.

    From the table up to 30, beyond it by the first terms of Cornish and Fisher's expansion (Abramowitz and Stegun, Handbook of
    Mathematical Functions, 26.7.5).
    """
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = Z95
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def half_width(amount: int, squares: int, n: int, grain: int = 0) -> float | None:
    """Half of the 95 % interval of a mean: Student's t times the standard error, of ``n`` amounts that add up to ``amount`` and
    their squares to ``squares``; in the unit of the amounts.

    Exact but for the root, where squares are; where each was rounded, to a multiple of ``grain``, as wide as it can be with what the
    rounding may hide: amounts that differ never have an interval of no width. None with fewer than two, and where there are no
    amounts with such squares: some of them were never told.
    """
    if n < 2:
        return None
    most = n * squares - amount * amount + n * n * grain // 2
    return student(n - 1) * sqrt(most / (n - 1)) / n if most >= 0 else None


def ratio_half_width(above: tuple[int, int, int], below: tuple[int, int, int], grain: int = 0) -> float | None:
    """Half of the 95 % interval of the logarithm of a ratio of two means of independent amounts, each told by what its amounts add up to,
    their squares and how many there are; ``grain`` as ``half_width`` has it. The ratio's own interval is the ratio by and times e to this.

    The delta method on the logarithm: what each mean's standard error is of that mean, squared and added (L. V. Hedges, J. Gurevitch,
    P. S. Curtis, The meta-analysis of response ratios in experimental ecology, Ecology 80 (1999) 1150-1156). Times Student's t of the
    fewer of the two's degrees of freedom instead of the normal quantile, as a first hour has few contacts: that is never too narrow
    by its degrees (B. L. Welch's lie between those and their sum). By logarithms, as amounts like these are skewed: a low mean comes with
    a low deviation, and the plain difference over its error would call it sure.

    None with fewer than two amounts of either, with a mean of none, and where squares were not told, as ``half_width``.
    """
    error, fewest = 0.0, min(above[2], below[2])
    if fewest < 2:
        return None
    for amount, squares, n in (above, below):
        most = n * squares - amount * amount + n * n * grain // 2
        if amount <= 0 or most < 0:
            return None
        error += most / ((n - 1) * amount * amount)
    half = student(fewest - 1) * sqrt(error)
    return half if half < WIDEST else None


def beyond(t: float, freedom: float = inf) -> float:
    """How likely Student's t of so many degrees of freedom (the normal deviate: of infinitely many) lies as far from 0 as ``t``, on
    either side.

    By the incomplete beta function's continued fraction (Abramowitz and Stegun, 26.7.1 and 26.5.8).
    """
    if freedom == inf or not t:
        return 2 * NormalDist().cdf(-abs(t))
    x, a = freedom / (freedom + t * t), freedom / 2
    if x <= 0:
        return 0.0
    front = exp(lgamma(a + 0.5) - lgamma(a) - lgamma(0.5) + a * log(x) + 0.5 * log1p(-x)) if x < 1 else 0.0
    if x < (a + 1) / (a + 2.5):
        return min(1.0, front * _fraction(x, a, 0.5) / a)
    return max(0.0, 1 - front * _fraction(1 - x, 0.5, a) / 0.5)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, 300):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + step * d)
            c = 1 + step / c
            found *= c * d
        if abs(c * d - 1) < 1e-13:
            break
    return found
