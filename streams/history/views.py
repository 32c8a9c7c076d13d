"""The views: every KPI by SQL, of the sums in the tables and of the catalogue's formulas, which are rows there (``formulas``).

A KPI's parts are added up by day, each under the version of the policy that judges it, and divided once, at the end. Nothing of a KPI is
written here: only how a share, a mean, a percentile and their intervals are made of sums, once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streams.history.formulas import LOOKED_UP
from streams.kpi.stats.confidence import WIDEST, Z95

_Z2 = Z95 * Z95
#: As of when.
_NOW = "(SELECT now FROM history_clock)"
#: Cornish and Fisher's terms of Student's t, as ``student`` has them.
_T1, _T2 = (Z95**3 + Z95) / 4, (5 * Z95**5 + 16 * Z95**3 + 3 * Z95) / 96
_T3 = (3 * Z95**7 + 19 * Z95**5 + 17 * Z95**3 - 15 * Z95) / 384


@dataclass(frozen=True)
class Dialect:
    """What SQLite and PostgreSQL write differently.

    ``each``: a JSON object as rows ``j``; ``amount``: the value of such a row; ``grows``: by how much it grows with each ms; ``gathered``:
    an array of three whole numbers, of each row; ``elements``: its elements as rows ``b``; ``element``: a number of such an element;
    ``quotient``: of whole numbers; ``lateral``: can a row be worked on in steps?; ``root``: can the database take roots?
    """

    each: str
    amount: str
    grows: str
    gathered: str
    elements: str
    element: str
    least: str
    greatest: str
    real: str
    exact: str
    quotient: str
    lateral: bool
    root: bool = True


def sqlite(root: bool) -> Dialect:
    """SQLite's; some of its builds have no roots: then there are no intervals."""
    return Dialect(
        each="json_each(f.sums) j",
        amount="j.value",
        grows="(SELECT g.value FROM json_each(f.grows) g WHERE g.key = j.key)",
        gathered="json_group_array(json_array({0}, {1}, {2}))",
        elements="json_each({0}) b",
        element="json_extract(b.value, '$[{0}]')",
        least="MIN",
        greatest="MAX",
        real="REAL",
        exact="REAL",
        quotient="({0} / {1})",
        lateral=False,
        root=root,
    )


POSTGRESQL = Dialect(
    each="jsonb_each_text(f.sums) j(key, value)",
    amount="j.value::bigint",
    grows="(f.grows ->> j.key)::bigint",
    gathered="jsonb_agg(jsonb_build_array({0}, {1}, {2}))",
    elements="jsonb_array_elements({0}) b(value)",
    element="(b.value ->> {0})::bigint",
    least="LEAST",
    greatest="GREATEST",
    real="double precision",
    exact="numeric",
    quotient="div({0}, {1})",
    lateral=True,
)


def views(dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Name and definition of every view, in the order in which they must be made."""
    yield "history_sums_by_day", _sums_by_day(dialect)
    yield "history_counts_by_entity", _counts_by_entity()
    yield "history_sums_by_quarter_hour", _sums_by_quarter_hour(dialect)
    yield "history_sums_by_topic", _sums_by_topic(dialect)
    for name, per in _PERIODS.items():
        yield f"kpis_by_{name}", _kpis(dialect, per, percentiles=False)
        yield f"percentiles_by_{name}", _kpis(dialect, per, percentiles=True)


@dataclass(frozen=True)
class _Per:
    """What a row is for, beside the entity. ``keys``: column → what it is of sums (a) or days (d); ``period``: the column of days in which
    versions of the policy are added up; ``levels``: are there heights as of its end?
    """

    source: str
    keys: dict[str, str]
    period: str = "date"
    levels: bool = True

    @property
    def of_days(self) -> bool:
        """Is there one version of the policy only?"""
        return self.period == "date"


_DAY, _QUARTER, _TOPIC = "history_sums_by_day", "history_sums_by_quarter_hour", "history_sums_by_topic"
#: Name of what there are views by → what a row of them is for.
_PERIODS = {
    "day": _Per(_DAY, {"date": "a.date"}),
    "week": _Per(_DAY, {"week": "d.week"}, "week"),
    "month": _Per(_DAY, {"month": "d.month"}, "month"),
    "hour": _Per(_QUARTER, {"date": "a.date", "starts": "a.hour"}, levels=False),
    "quarter_hour": _Per(_QUARTER, {"date": "a.date", "starts": "a.starts"}, levels=False),
    "day_and_contacts": _Per(
        _TOPIC,
        {"date": "a.date", "channel": "a.channel", "topic": "a.topic", "contact_kind": "a.contact_kind"},
    ),
}


def _sums(dialect: Dialect, table: str, columns: str, begun: str = "") -> str:
    """Sums as they are to be read now: what is planned counts from its moment on, and times grow until the end of their row's time.

    No union: SQLite does not hand down into one whose entity and day are asked for.
    """
    grown = f"{dialect.grows} * {dialect.least}({_NOW}, f.ends_at)"
    return f"""
SELECT f.kind, f.id, f.date, {columns}j.key AS measure,
  {dialect.amount} + CASE WHEN f.grows IS NULL THEN 0 ELSE COALESCE({grown}, 0) END AS amount
FROM {table} f CROSS JOIN {dialect.each} WHERE f.counts_from <= {_NOW}{begun}"""


def _sums_by_day(dialect: Dialect) -> str:
    """Those of daily facts."""
    return _sums(dialect, "history_facts", "")


def _sums_by_quarter_hour(dialect: Dialect) -> str:
    """Those of quarter hours that have begun."""
    return _sums(dialect, "history_quarter_hours", "f.starts, f.hour, ", f" AND f.starts_at <= {_NOW}")


def _sums_by_topic(dialect: Dialect) -> str:
    """Those of contacts by what they are about."""
    return _sums(dialect, "history_topic_days", "f.channel, f.topic, f.contact_kind, ")


def _counts_by_entity() -> str:
    """What contacts and presence count for, once for each entity to which it is credited."""
    columns = "day AS date, starts, starts_at, ends_at, counts_from, record, channel, topic, contact_kind"
    staff, desk = "staff AS sums, staff_grows AS grows", "desk AS sums, desk_grows AS grows"
    return "\nUNION ALL\n".join(
        f"SELECT '{kind}' AS kind, {id} AS id, {columns}, {side} FROM history_counts WHERE {there} IS NOT NULL"
        for kind, id, side, there in (
            ("agent", "agent", staff, "agent"),
            ("team", "team", staff, "team"),
            ("queue", "queue", desk, "queue"),
            ("site", "site", desk, "site"),
            ("all", "'all'", desk, "desk"),
        )
    )


#: What is added up of a KPI's terms.
_PARTS = ("top", "bottom", "squares")
#: What is added up without a question of maturity: no change matures.
_PLAIN_PARTS = ("base_top", "base_bottom", "base_squares", "untold")


def _kpis(dialect: Dialect, per: _Per, percentiles: bool) -> str:
    """Every KPI of every entity and period of which there are data: percentiles, or all others.

    Percentiles are apart as they need the buckets of their distributions, which cost others time.
    """
    source = f"""({_summed(dialect, per, percentiles)}) s
JOIN history_formulas f ON f.policy = {_last_policy(per)} AND f.side = s.side AND f.kpi = s.kpi
  AND f.form {"=" if percentiles else "<>"} 'percentile'{"" if per.of_days else _unmixed(per)}"""
    held, reached = ("s.filled", _reached(dialect)) if percentiles else ("CAST(NULL AS bigint)",) * 2
    ripe = {
        "held": held,
        "reached": reached,
        "pending": f"CASE WHEN s.young_bottom >= f.per_n THEN {dialect.quotient.format('s.young_bottom', 'f.per_n')} ELSE 0 END",
        **{part: _ripe(part) for part in _PARTS},
    }
    figures = {"value": _value(dialect), "n": _n(dialect), "half": _half(dialect)}
    columns = ", ".join(("kind", "id", *per.keys, "kpi"))
    if dialect.lateral:
        # What is worked out stays so: else each column that names another one has all of it again, which takes long to plan.
        columns = ", ".join(f"s.{name}" for name in columns.split(", "))
        for name, made in (("ripe", ripe), ("figures", figures)):
            source += f"\nCROSS JOIN LATERAL (SELECT {_named(made)} OFFSET 0) {name}"
    else:
        # Subqueries in each other, no WITH, and no grouping or window beside the one: past those SQLite does not hand down whose entity
        # and day are asked for.
        source = f"(SELECT s.*, {_OF_FORMULAS}, {_named(ripe)}\nFROM {source}) ripe"
        source = f"(SELECT ripe.*, {_named(figures)}\nFROM {source}) figures"
    return f"""
SELECT {columns}, value, n, {_low(dialect)} AS low, {_high(dialect)} AS high, CAST(pending AS bigint) AS pending
FROM {source}
WHERE value IS NOT NULL OR pending > 0"""


_OF_FORMULAS = "f.form, f.plain, f.up, f.down, f.per_n, f.spread, f.grain, f.least, f.most"


def _named(made: Mapping[str, str]) -> str:
    return ",\n  ".join(f"{value} AS {name}" for name, value in made.items())


def _ripe(part: str) -> str:
    """What of a part the value is made from."""
    return f"CASE WHEN f.only_mature AND s.young_bottom >= f.per_n THEN s.old_{part} ELSE s.old_{part} + s.young_{part} END"


def _last_policy(per: _Per) -> str:
    """The version of the policy by whose formula a period is told: of its last day."""
    if per.of_days:
        return "s.policy"
    return f"(SELECT l.policy FROM history_days l WHERE l.{per.period} = s.{per.period} ORDER BY l.date DESC LIMIT 1)"


def _unmixed(per: _Per) -> str:
    """Only where all versions of the policy in the period may be added up."""
    return f"""
  AND (SELECT COUNT(DISTINCT v.mixing) FROM history_days p
    JOIN history_formulas v ON v.policy = p.policy AND v.side = s.side AND v.kpi = s.kpi WHERE p.{per.period} = s.{per.period}) = 1"""


def _summed(dialect: Dialect, per: _Per, percentiles: bool) -> str:
    """The parts of each KPI, added up, each day's by the version of the policy that judges it; of a percentile, what is in each bucket,
    too.
    """
    which, buckets = "t.form <> 'percentile'", ""
    if percentiles:
        each = dialect.gathered.format("t.bucket", "t.amount", "a.amount * t.times")
        which = "t.form = 'percentile'"
        buckets = f"{_sum('bucket', 'filled')},\n    {each} FILTER (WHERE t.part = 'bucket') AS buckets,\n    "
    levels = "" if per.levels else " AND t.form <> 'level'"
    asks = f"""t.policy = d.policy AND t.measure = a.measure
    AND t.side = CASE WHEN a.kind IN ('agent', 'team') THEN 'staff' ELSE 'desk' END AND {which}{levels}"""
    # After the sums in any case (SQLite: CROSS): else each row's are taken apart once for each term, as few rows are expected.
    terms = f"CROSS JOIN history_terms t ON {asks}"
    if dialect.lateral:
        terms = f"CROSS JOIN LATERAL (SELECT t.* FROM history_terms t WHERE {asks} OFFSET 0) t"
    return f"""
  SELECT a.kind, a.id, {_written(per)}, t.kpi, MAX(t.policy) AS policy, MAX(t.side) AS side,
    {buckets}{_added()}
  FROM {per.source} a
  JOIN history_days d ON d.date = a.date
  {terms}
  LEFT JOIN history_maturing m ON m.date = a.date AND m.field = t.matures
  GROUP BY a.kind, a.id, {", ".join(per.keys.values())}, t.kpi"""


def _reached(dialect: Dialect) -> str:
    """Of the buckets in order, the first up to which there are as many as the percentile asks for: the amount that stands for it."""
    place, amount, here = (dialect.element.format(number) for number in range(3))
    # Whole numbers throughout: PostgreSQL adds bigints up as numeric, whose quotients have fractions.
    return f"""(
      SELECT MIN(p.amount) FROM (
        SELECT {amount} AS amount, SUM({here}) AS here, SUM(SUM({here})) OVER (ORDER BY {place}) AS passed
        FROM {dialect.elements.format("s.buckets")} GROUP BY {place}, {amount}
      ) p WHERE p.here > 0 AND p.passed >= (f.percent * CAST(s.filled AS bigint) + 99) / 100
    )"""


def _written(per: _Per) -> str:
    return ", ".join(f"{made} AS {name}" for name, made in per.keys.items())


def _sum(part: str, name: str, whether: str = "") -> str:
    return f"COALESCE(SUM(CASE WHEN t.part = '{part}'{whether} THEN a.amount * t.times END), 0) AS {name}"


def _added() -> str:
    """The parts of a formula, added up: of days that have matured, and of the others."""
    old = f"(m.matures_at IS NULL OR m.matures_at <= {_NOW})"
    parts = [(part, f"old_{part}", f" AND {old}") for part in _PARTS]
    parts += [(part, f"young_{part}", f" AND NOT {old}") for part in _PARTS]
    parts += [(part, part, "") for part in _PLAIN_PARTS]
    return ",\n    ".join(_sum(*each) for each in parts)


def _value(dialect: Dialect) -> str:
    real = dialect.real
    return f"""CASE
      WHEN plain THEN CAST(top * up AS {real}) / down
      WHEN bottom <= 0 THEN NULL
      WHEN form = 'percentile' THEN CAST(reached * up AS {real}) / down
      WHEN form = 'count' THEN CAST(top AS {real})
      WHEN form = 'change' THEN CASE WHEN base_top > 0 AND base_bottom > 0
        THEN CAST(CAST(top AS {dialect.exact}) * base_bottom - CAST(base_top AS {dialect.exact}) * bottom AS {real})
          / CAST(CAST(base_top AS {dialect.exact}) * bottom AS {real}) END
      ELSE CAST(top * up AS {real}) / CAST(bottom * down AS {real}) END"""


def _n(dialect: Dialect) -> str:
    plain, other = dialect.quotient.format("top", "down"), dialect.quotient.format("bottom", "per_n")
    return (
        f"CAST(CASE WHEN plain THEN {plain} WHEN bottom <= 0 THEN 0 WHEN form = 'percentile' THEN held "
        f"ELSE {other} END AS bigint)"
    )


def _half(dialect: Dialect) -> str:
    """Half of the interval: of a mean Student's, of a share the half of Wilson's before it is moved, of a change that of the logarithm."""
    if not dialect.root:
        return f"CAST(NULL AS {dialect.real})"
    real = dialect.real
    scatter, student = _scatter(dialect, "top", "bottom", "squares"), _student("bottom - 1", real)
    p = f"(CAST(top AS {real}) / bottom)"
    return f"""CASE
      WHEN form = 'rate' AND per_n = 1 AND bottom > 0 AND top BETWEEN 0 AND bottom
        THEN {Z95!r} / (1 + {_Z2!r} / bottom) * sqrt({p} * (1 - {p}) / bottom + {_Z2!r} / (4 * CAST(bottom AS {real}) * bottom))
      WHEN form = 'mean' AND spread AND bottom > 1 AND {scatter} >= 0
        THEN ({student}) * sqrt(CAST({scatter} AS {real}) / (bottom - 1)) / bottom * up / down
      WHEN form = 'change' AND spread AND untold = 0 AND bottom > 1 AND base_bottom > 1 AND top > 0 AND base_top > 0
        THEN {_half_of_ratio(dialect)} END"""


def _half_of_ratio(dialect: Dialect) -> str:
    """As ``ratio_half_width``; none where the interval would say nothing."""
    real = dialect.real
    above = _scatter(dialect, "top", "bottom", "squares")
    below = _scatter(dialect, "base_top", "base_bottom", "base_squares")

    def error(scatter: str, amount: str, n: str) -> str:
        return f"CAST({scatter} AS {real}) / ({n} - 1) / CAST({amount} AS {real}) / {amount}"

    errors = f"({error(above, 'top', 'bottom')} + {error(below, 'base_top', 'base_bottom')})"
    half = f"({_student(f'{dialect.least}(bottom, base_bottom) - 1', real)}) * sqrt({errors})"
    return f"CASE WHEN {above} >= 0 AND {below} >= 0 THEN CASE WHEN {half} < {WIDEST!r} THEN {half} END END"


def _scatter(dialect: Dialect, top: str, bottom: str, squares: str) -> str:
    """bottom * squares - top * top, told apart by the mean's whole part: in SQLite the products are too large for whole numbers, and their
    difference would be nothing but rounding.
    """
    exact = dialect.exact
    mean = dialect.quotient.format(top, bottom)
    rest = f"({top} - {mean} * {bottom})"
    within = f"({squares} - {mean} * {mean} * {bottom} - 2 * {mean} * {rest})"
    return (
        f"(CAST({bottom} AS {exact}) * {within} - CAST({rest} AS {exact}) * {rest} "
        f"+ CAST({bottom} AS {exact}) * {bottom} * grain / 2)"
    )


def _student(freedom: str, real: str) -> str:
    """Student's t of so many degrees of freedom."""
    return f"""CASE WHEN {freedom} <= {LOOKED_UP} THEN (SELECT t FROM history_student WHERE freedom = {freedom})
      ELSE {Z95!r} + {_T1!r} / ({freedom}) + {_T2!r} / CAST({freedom} AS {real}) / ({freedom})
        + {_T3!r} / CAST({freedom} AS {real}) / ({freedom}) / ({freedom}) END"""


def _wilson(sign: str, dialect: Dialect) -> str:
    middle = f"(CAST(top AS {dialect.real}) / bottom + {_Z2!r} / (2 * bottom)) / (1 + {_Z2!r} / bottom)"
    return f"({middle} {sign} half)"


def _low(dialect: Dialect) -> str:
    return f"""CASE WHEN half IS NULL THEN NULL WHEN form = 'rate'
    THEN CASE WHEN top = 0 THEN 0.0 ELSE {dialect.greatest}(0.0, {_wilson("-", dialect)}) * up END
    WHEN form = 'change' THEN (value + 1) * exp(-half) - 1
    WHEN least IS NULL THEN value - half ELSE {dialect.greatest}(least, value - half) END"""


def _high(dialect: Dialect) -> str:
    return f"""CASE WHEN half IS NULL THEN NULL WHEN form = 'rate'
    THEN CASE WHEN top = bottom THEN 1.0 ELSE {dialect.least}(1.0, {_wilson("+", dialect)}) END * up
    WHEN form = 'change' THEN (value + 1) * exp(half) - 1
    WHEN most IS NULL THEN value + half ELSE {dialect.least}(most, value + half) END"""
