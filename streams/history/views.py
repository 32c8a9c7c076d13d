"""The views: every KPI by SQL, of the sums in the tables and of the catalogue's formulas, which are rows there (``formulas``).

A KPI's parts are added up by day, each under the version of the policy that judges it, and divided once, at the end. Nothing of a KPI is
written here: only how a share, a mean, a percentile and their intervals are made of sums, once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from streams.history.formulas import LOOKED_UP
from streams.kpi.stats.confidence import Z95

_Z2 = Z95 * Z95
#: Cornish and Fisher's terms of Student's t, as ``student`` has them.
_T1, _T2 = (Z95**3 + Z95) / 4, (5 * Z95**5 + 16 * Z95**3 + 3 * Z95) / 96
_T3 = (3 * Z95**7 + 19 * Z95**5 + 17 * Z95**3 - 15 * Z95) / 384


@dataclass(frozen=True)
class Dialect:
    """What SQLite and PostgreSQL write differently. ``each``: a JSON object as rows; ``amount``: the value of such a row; ``quotient``: of whole numbers; ``root``: can
    the database take roots?
    """

    each: str
    amount: str
    least: str
    greatest: str
    real: str
    exact: str
    quotient: str
    root: bool = True

    def split(self, column: str) -> str:
        """Keys and values of a JSON object, as ``j``."""
        return self.each.format(column=column)


def sqlite(root: bool) -> Dialect:
    """SQLite's; some of its builds have no roots: then there are no intervals."""
    return Dialect("json_each({column}) AS j", "j.value", "MIN", "MAX", "REAL", "REAL", "({0} / {1})", root)


POSTGRESQL = Dialect(
    "jsonb_each_text({column}) AS j(key, value)",
    "j.value::bigint",
    "LEAST",
    "GREATEST",
    "double precision",
    "numeric",
    "div({0}, {1})",
)


def views(dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Name and definition of every view, in the order in which they must be made."""
    yield "history_sums_by_day", _sums_by_day(dialect)
    yield "history_counts_by_entity", _counts_by_entity()
    yield "history_sums_by_quarter_hour", _sums_by_quarter_hour(dialect)
    day, contacts = "history_sums_by_day", "history_sums_by_quarter_hour"
    yield "kpis_by_day", _kpis(dialect, _Per(day, {"date": "a.date"}, "d.date"))
    yield "kpis_by_week", _kpis(dialect, _Per(day, {"week": "d.week"}, "d.week"))
    yield "kpis_by_month", _kpis(dialect, _Per(day, {"month": "d.month"}, "d.month"))
    hour = {"date": "a.date", "starts": "a.starts"}
    yield "kpis_by_quarter_hour", _kpis(dialect, _Per(contacts, hour, "d.date", levels=False))
    hour = {"date": "a.date", "starts": "a.hour"}
    yield "kpis_by_hour", _kpis(dialect, _Per(contacts, hour, "d.date", levels=False))
    about = {"date": "a.date", "channel": "a.channel", "topic": "a.topic", "contact_kind": "a.contact_kind"}
    yield "kpis_by_day_and_contacts", _kpis(dialect, _Per(contacts, about, "d.date"))


@dataclass(frozen=True)
class _Per:
    """What a row is for, beside the entity. ``keys``: column → what it is of sums (a) or days (d); ``period``: in which versions of the
    policy are added up, of days; ``levels``: are there heights as of its end?
    """

    source: str
    keys: dict[str, str]
    period: str
    levels: bool = True


def _sums_by_day(dialect: Dialect) -> str:
    """Daily facts as they are to be read now: what is planned counts from its moment on, and times grow until the day's end."""
    begun = "f.counts_from <= c.now"
    return f"""
SELECT f.kind, f.id, f.date, j.key AS measure, {dialect.amount} AS amount
FROM history_facts f CROSS JOIN history_clock c CROSS JOIN {dialect.split("f.sums")} WHERE {begun}
UNION ALL
SELECT f.kind, f.id, f.date, j.key, {dialect.amount} * {dialect.least}(c.now, f.ends_at)
FROM history_facts f CROSS JOIN history_clock c CROSS JOIN {dialect.split("f.grows")} WHERE {begun}"""


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


def _sums_by_quarter_hour(dialect: Dialect) -> str:
    columns = (
        "f.kind, f.id, f.date, f.starts, substr(f.starts, 1, 13) || ':00' || substr(f.starts, 17) AS hour, "
        "f.channel, f.topic, f.contact_kind"
    )
    begun = "f.counts_from <= c.now AND f.starts_at <= c.now"
    return f"""
SELECT {columns}, j.key AS measure, {dialect.amount} AS amount
FROM history_counts_by_entity f CROSS JOIN history_clock c CROSS JOIN {dialect.split("f.sums")} WHERE {begun}
UNION ALL
SELECT {columns}, j.key, {dialect.amount} * {dialect.least}(c.now, f.ends_at)
FROM history_counts_by_entity f CROSS JOIN history_clock c CROSS JOIN {dialect.split("f.grows")} WHERE {begun}"""


#: What is added up of a KPI's terms.
_PARTS = ("top", "bottom", "squares")


def _kpis(dialect: Dialect, per: _Per) -> str:
    """Every KPI of every entity and period of which there are data."""
    keys = ", ".join(per.keys)
    entity = f"kind, id, {keys}, kpi"
    period = next(iter(per.keys))
    written = ", ".join(f"{made} AS {name}" for name, made in per.keys.items())
    old = "(m.matures_at IS NULL OR m.matures_at <= c.now)"
    added = ",\n    ".join(
        f"COALESCE(SUM(CASE WHEN t.part = '{part}' AND {whether} THEN a.amount * t.times END), 0) AS {name}"
        for part in _PARTS
        for whether, name in ((old, part), (f"NOT {old}", f"young_{part}"))
    )
    bases = ",\n    ".join(
        f"COALESCE(SUM(CASE WHEN t.part = '{part}' THEN a.amount * t.times END), 0) AS {name}"
        for part, name in (("base_top", "base_top"), ("base_bottom", "base_bottom"), ("bucket", "held"))
    )
    names = [*_PARTS, *(f"young_{part}" for part in _PARTS), "base_top", "base_bottom"]
    sums = ", ".join(f"SUM({name}) AS {name}" for name in names)
    percentile = "MIN(CASE WHEN held > 0 AND passed >= (percent * whole + 99) / 100 THEN amount END)"
    levels = "" if per.levels else " AND f.form <> 'level'"
    # Whole numbers throughout: PostgreSQL adds bigints up as numeric, which a division must not leave.
    passed = f"CAST(SUM(held) OVER (PARTITION BY {entity} ORDER BY place) AS bigint)"
    whole = f"CAST(SUM(held) OVER (PARTITION BY {entity}) AS bigint)"
    of_days = per.period == "d.date"
    last = "d.policy"
    if not of_days:
        own = per.period.replace("d.", "l.")
        last = f"(SELECT l.policy FROM history_days l WHERE {own} = {per.period} ORDER BY l.date DESC LIMIT 1)"
    too_young = "f.only_mature AND s.young_bottom >= f.per_n"
    ripe = ", ".join(
        f"CASE WHEN {too_young} THEN s.{part} ELSE s.{part} + s.young_{part} END AS {part}" for part in _PARTS
    )
    of = ", ".join(f"s.{name}" for name in entity.split(", "))
    mixed = "" if of_days else _unmixed(per, period)
    return f"""
WITH judged AS (
  SELECT a.kind, a.id, {written}, t.kpi, t.bucket AS place, t.amount, MAX(f.percent) AS percent, MAX(f.policy) AS policy,
    MAX(f.side) AS side,
    {added},
    {bases}
  FROM {per.source} a
  CROSS JOIN history_clock c
  JOIN history_days d ON d.date = a.date
  JOIN history_terms t ON t.policy = d.policy AND t.measure = a.measure
    AND t.side = CASE WHEN a.kind IN ('agent', 'team') THEN 'staff' ELSE 'desk' END
  JOIN history_formulas f ON f.policy = {last} AND f.side = t.side AND f.kpi = t.kpi{levels}
  LEFT JOIN history_maturing m ON m.date = a.date AND m.field = t.matures{mixed}
  GROUP BY a.kind, a.id, {", ".join(per.keys.values())}, t.kpi, t.bucket, t.amount
), placed AS (
  SELECT judged.*, {passed} AS passed, {whole} AS whole FROM judged
), summed AS (
  SELECT {entity}, MAX(policy) AS policy, MAX(side) AS side, {sums}, MAX(whole) AS held,
    {percentile} AS reached
  FROM placed GROUP BY {entity}
), ripe AS (
  SELECT {of}, f.form, f.plain, f.up, f.down, f.per_n, f.spread, f.grain, f.least, f.most, s.held, s.reached, s.base_top, s.base_bottom,
    CASE WHEN s.young_bottom >= f.per_n THEN {dialect.quotient.format("s.young_bottom", "f.per_n")} ELSE 0 END AS pending, {ripe}
  FROM summed s JOIN history_formulas f ON f.policy = s.policy AND f.side = s.side AND f.kpi = s.kpi
), figured AS (
  SELECT ripe.*, {_value(dialect)} AS value, {_n(dialect)} AS n, {_half(dialect)} AS half FROM ripe
)
SELECT {entity}, value, n, {_low(dialect)} AS low, {_high(dialect)} AS high, CAST(pending AS bigint) AS pending
FROM figured WHERE value IS NOT NULL OR pending > 0"""


def _unmixed(per: _Per, period: str) -> str:
    """Only where all versions of the policy in the period may be added up."""
    column = per.period
    own = column.replace("d.", "v.")
    return f"""
  LEFT JOIN (
    SELECT p.period, f.side, f.kpi FROM (SELECT DISTINCT {own} AS period, v.policy FROM history_days v) p
    JOIN history_formulas f ON f.policy = p.policy GROUP BY p.period, f.side, f.kpi HAVING COUNT(DISTINCT f.mixing) > 1
  ) x ON x.period = {column} AND x.side = t.side AND x.kpi = t.kpi
  WHERE x.kpi IS NULL"""


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
    """Half of the interval: of a mean Student's, of a share the half of Wilson's before it is moved."""
    if not dialect.root:
        return f"CAST(NULL AS {dialect.real})"
    real, exact = dialect.real, dialect.exact
    # CAST to whole numbers and back: PostgreSQL's numeric would go on with fractions.
    scatter = f"(CAST(bottom AS {exact}) * squares - CAST(top AS {exact}) * top + CAST(bottom AS {exact}) * bottom * grain / 2)"
    student = f"""CASE WHEN bottom - 1 <= {LOOKED_UP} THEN (SELECT t FROM history_student WHERE freedom = bottom - 1)
      ELSE {Z95!r} + {_T1!r} / (bottom - 1) + {_T2!r} / CAST(bottom - 1 AS {real}) / (bottom - 1)
        + {_T3!r} / CAST(bottom - 1 AS {real}) / (bottom - 1) / (bottom - 1) END"""
    p = f"(CAST(top AS {real}) / bottom)"
    return f"""CASE
      WHEN form = 'rate' AND per_n = 1 AND bottom > 0 AND top BETWEEN 0 AND bottom
        THEN {Z95!r} / (1 + {_Z2!r} / bottom) * sqrt({p} * (1 - {p}) / bottom + {_Z2!r} / (4 * CAST(bottom AS {real}) * bottom))
      WHEN form = 'mean' AND spread AND bottom > 1 AND {scatter} >= 0
        THEN ({student}) * sqrt(CAST({scatter} AS {real}) / (bottom - 1)) / bottom * up / down END"""


def _wilson(sign: str, dialect: Dialect) -> str:
    middle = f"(CAST(top AS {dialect.real}) / bottom + {_Z2!r} / (2 * bottom)) / (1 + {_Z2!r} / bottom)"
    return f"({middle} {sign} half)"


def _low(dialect: Dialect) -> str:
    return f"""CASE WHEN half IS NULL THEN NULL WHEN form = 'rate'
    THEN CASE WHEN top = 0 THEN 0.0 ELSE {dialect.greatest}(0.0, {_wilson("-", dialect)}) * up END
    WHEN least IS NULL THEN value - half ELSE {dialect.greatest}(least, value - half) END"""


def _high(dialect: Dialect) -> str:
    return f"""CASE WHEN half IS NULL THEN NULL WHEN form = 'rate'
    THEN CASE WHEN top = bottom THEN 1.0 ELSE {dialect.least}(1.0, {_wilson("+", dialect)}) END * up
    WHEN most IS NULL THEN value + half ELSE {dialect.least}(most, value + half) END"""
