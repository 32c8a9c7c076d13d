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
    """What SQLite and PostgreSQL write differently.

    ``each``: a JSON object as rows; ``amount``: the value of such a row; ``quotient``: of whole numbers; ``root``: can the database take
    roots?
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
    for name, per in _PERIODS.items():
        yield f"kpis_by_{name}", _kpis(dialect, per, percentiles=False)
        yield f"percentiles_by_{name}", _kpis(dialect, per, percentiles=True)


@dataclass(frozen=True)
class _Per:
    """What a row is for, beside the entity. ``keys``: column → what it is of sums (a) or days (d); ``period``: in which versions of the
    policy are added up, of days; ``levels``: are there heights as of its end?
    """

    source: str
    keys: dict[str, str]
    period: str
    levels: bool = True


_DAY, _QUARTER = "history_sums_by_day", "history_sums_by_quarter_hour"
#: Name of what there are views by → what a row of them is for.
_PERIODS = {
    "day": _Per(_DAY, {"date": "a.date"}, "d.date"),
    "week": _Per(_DAY, {"week": "d.week"}, "d.week"),
    "month": _Per(_DAY, {"month": "d.month"}, "d.month"),
    "hour": _Per(_QUARTER, {"date": "a.date", "starts": "a.hour"}, "d.date", levels=False),
    "quarter_hour": _Per(_QUARTER, {"date": "a.date", "starts": "a.starts"}, "d.date", levels=False),
    "day_and_contacts": _Per(
        _QUARTER,
        {"date": "a.date", "channel": "a.channel", "topic": "a.topic", "contact_kind": "a.contact_kind"},
        "d.date",
    ),
}


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
    """Sums of quarter hours that have begun. Not of the view above: SQLite hands what is asked for down into one union only."""
    hour = "substr(f.starts, 1, 13) || ':00' || substr(f.starts, 17)"
    columns = f"f.day AS date, f.starts, {hour} AS hour, f.channel, f.topic, f.contact_kind, j.key AS measure"
    begun = "f.counts_from <= c.now AND f.starts_at <= c.now"
    grown = f"{dialect.amount} * {dialect.least}(c.now, f.ends_at)"
    return "\nUNION ALL\n".join(
        f"SELECT '{kind}' AS kind, {id} AS id, {columns}, {amount} AS amount FROM history_counts f CROSS JOIN history_clock c "
        f"CROSS JOIN {dialect.split(f'f.{side}{of}')} WHERE f.{there} IS NOT NULL AND {begun}"
        for kind, id, side, there in (
            ("agent", "f.agent", "staff", "agent"),
            ("team", "f.team", "staff", "team"),
            ("queue", "f.queue", "desk", "queue"),
            ("site", "f.site", "desk", "site"),
            ("all", "'all'", "desk", "desk"),
        )
        for of, amount in (("", dialect.amount), ("_grows", grown))
    )


#: What is added up of a KPI's terms.
_PARTS = ("top", "bottom", "squares")


def _kpis(dialect: Dialect, per: _Per, percentiles: bool) -> str:
    """Every KPI of every entity and period of which there are data: percentiles, or all others.

    They are apart as a place among buckets takes a window over all of them, past which SQLite does not look at whoever asks for one entity.
    """
    entity = f"kind, id, {', '.join(per.keys)}, kpi"
    # Subqueries in each other, no WITH: into those SQLite hands down whose entity and day are asked for.
    summed = _summed_by_place(per, entity) if percentiles else _summed(per)
    ripe = f"""
  SELECT {", ".join(f"s.{name}" for name in entity.split(", "))}, f.form, f.plain, f.up, f.down, f.per_n, f.spread, f.grain, f.least,
    f.most, s.base_top, s.base_bottom, s.held, s.reached,
    CASE WHEN s.young_bottom >= f.per_n THEN {dialect.quotient.format("s.young_bottom", "f.per_n")} ELSE 0 END AS pending,
    {", ".join(_ripe(part) for part in _PARTS)}
  FROM ({summed}) s JOIN history_formulas f ON f.policy = s.policy AND f.side = s.side AND f.kpi = s.kpi"""
    figured = (
        f"SELECT ripe.*, {_value(dialect)} AS value, {_n(dialect)} AS n, {_half(dialect)} AS half FROM ({ripe}) ripe"
    )
    return f"""
SELECT {entity}, value, n, {_low(dialect)} AS low, {_high(dialect)} AS high, CAST(pending AS bigint) AS pending
FROM ({figured}) figured WHERE value IS NOT NULL OR pending > 0"""


def _ripe(part: str) -> str:
    """What of a part the value is made from."""
    return f"CASE WHEN f.only_mature AND s.young_bottom >= f.per_n THEN s.{part} ELSE s.{part} + s.young_{part} END AS {part}"


def _summed(per: _Per) -> str:
    return f"""
  SELECT a.kind, a.id, {_written(per)}, t.kpi, MAX(f.policy) AS policy, MAX(f.side) AS side, CAST(NULL AS bigint) AS held,
    CAST(NULL AS bigint) AS reached,
    {_added()}
  {_judged(per, "f.form <> 'percentile'")}"""


def _summed_by_place(per: _Per, entity: str) -> str:
    """The same of percentiles: of the buckets in order, the first up to which there are as many as the percentile asks for."""
    # Whole numbers throughout: PostgreSQL adds bigints up as numeric, whose quotients have fractions.
    passed = f"CAST(SUM(here) OVER (PARTITION BY {entity} ORDER BY place) AS bigint)"
    held = f"CAST(SUM(here) OVER (PARTITION BY {entity}) AS bigint)"
    names = [*_PARTS, *(f"young_{part}" for part in _PARTS), "base_top", "base_bottom"]
    judged = f"""
  SELECT a.kind, a.id, {_written(per)}, t.kpi, t.bucket AS place, t.amount, MAX(f.percent) AS percent, MAX(f.policy) AS policy,
    MAX(f.side) AS side, {_sum("bucket", "here")},
    {_added()}
  {_judged(per, "f.form = 'percentile'")}, t.bucket, t.amount"""
    return f"""
  SELECT {entity}, MAX(policy) AS policy, MAX(side) AS side, MAX(held) AS held,
    MIN(CASE WHEN here > 0 AND passed >= (percent * held + 99) / 100 THEN amount END) AS reached,
    {", ".join(f"SUM({name}) AS {name}" for name in names)}
  FROM (SELECT judged.*, {passed} AS passed, {held} AS held FROM ({judged}) judged) placed GROUP BY {entity}"""


def _written(per: _Per) -> str:
    return ", ".join(f"{made} AS {name}" for name, made in per.keys.items())


def _sum(part: str, name: str, whether: str = "") -> str:
    return f"COALESCE(SUM(CASE WHEN t.part = '{part}'{whether} THEN a.amount * t.times END), 0) AS {name}"


def _added() -> str:
    """The parts of a formula, added up: of days that have matured, and of the others."""
    old = "(m.matures_at IS NULL OR m.matures_at <= c.now)"
    parts = [(part, name, f" AND {old}") for part, name in zip(_PARTS, _PARTS, strict=True)]
    parts += [(part, f"young_{part}", f" AND NOT {old}") for part in _PARTS]
    parts += [(part, part, "") for part in ("base_top", "base_bottom")]
    return ",\n    ".join(_sum(*each) for each in parts)


def _judged(per: _Per, which: str) -> str:
    """Sums beside the terms that ask for them, by the version of the policy of their day, and the formula of the last one."""
    last = "d.policy"
    if per.period != "d.date":
        own = per.period.replace("d.", "l.")
        last = f"(SELECT l.policy FROM history_days l WHERE {own} = {per.period} ORDER BY l.date DESC LIMIT 1)"
    levels = "" if per.levels else " AND f.form <> 'level'"
    return f"""FROM {per.source} a
  CROSS JOIN history_clock c
  JOIN history_days d ON d.date = a.date
  JOIN history_terms t ON t.policy = d.policy AND t.measure = a.measure
    AND t.side = CASE WHEN a.kind IN ('agent', 'team') THEN 'staff' ELSE 'desk' END
  JOIN history_formulas f ON f.policy = {last} AND f.side = t.side AND f.kpi = t.kpi AND {which}{levels}
  LEFT JOIN history_maturing m ON m.date = a.date AND m.field = t.matures{"" if per.period == "d.date" else _unmixed(per)}
  GROUP BY a.kind, a.id, {", ".join(per.keys.values())}, t.kpi"""


def _unmixed(per: _Per) -> str:
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
