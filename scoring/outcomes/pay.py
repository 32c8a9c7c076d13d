"""What is paid by pay rules. At most one of them is active per person (AMB-65).

A rule that pays by quarter is active in the quarter's months too: two rules never share a person, whatever their terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from scoring.fields import joined
from scoring.outcomes.pay_rules import (
    AMOUNTS,
    BaseBonus,
    BonusPool,
    Coefficient,
    GradeBonus,
    PayRule,
    ScoreRatio,
    StarPay,
)
from scoring.outcomes.people import Person
from scoring.outcomes.pool import paid_out, shares
from scoring.outcomes.standing import Standing
from scoring.outcomes.stars import Stars
from scoring.outcomes.terms import Term
from scoring.rounding import cents, decimal, money, ratio_text, shown
from streams.languages.text import Text


class PayConflictError(ValueError):
    """Two pay rules take the same person."""


@dataclass(frozen=True, slots=True)
class Pay:
    """What a rule pays a person for a term.

    ``ratio``: what ``base`` is multiplied by, or the person's part of a pool. ``money``: cents, half up; None: the
    person is unscored or no amount was handed in, and ``reason`` says which.
    """

    person: str
    rule: str
    term: Term
    ratio: Decimal | None
    base: Decimal | None
    money: Decimal | None
    reason: Text
    source: str | None


def rule_of(rules: Iterable[PayRule], person: Person) -> PayRule | None:
    """The person's pay rule. Raises PayConflictError that names both where there are two."""
    mine = [rule for rule in rules if rule.who.takes(person)]
    if len(mine) > 1:
        names = " and ".join(f"{rule.id!r} ({rule.type})" for rule in mine)
        raise PayConflictError(
            f"{person.id} is under {len(mine)} pay rules: {names}; leave one, or narrow their `who` "
            f"(card {person.card}, role {person.role}, team {person.team})"
        )
    return mine[0] if mine else None


def pay(
    rule: Coefficient | ScoreRatio | GradeBonus | StarPay, person: Person, standing: Standing, stars: Stars | None
) -> Pay:
    """What a rule other than a pool pays one person for the standing's term."""
    base = getattr(person.amounts, rule.amount)
    if standing.total is None:
        said = joined([*standing.reasons, Text("不计算", "nothing is computed")])
        return Pay(person.id, rule.id, standing.term, None, base, None, said, rule.source)
    ratio, said = rule.ratio(person, standing, stars)
    return _paid(person, rule.id, standing.term, ratio, base, said, AMOUNTS[rule.amount], rule.source)


def base_bonus(rule: BaseBonus, person: Person, term: Term) -> Pay:
    """The base bonus of one person."""
    base = person.amounts.base_bonus
    if not person.targets:
        said = Text(
            "没有带目标值的已评考核指标，基础奖金未定", "no scored item has a target, so the base bonus is open"
        )
        return Pay(person.id, "base_bonus", term, None, base, None, said, rule.source)
    ratio = Fraction(person.targets_met, person.targets)
    said = Text(
        f"{person.targets} 项目标达成 {person.targets_met} 项", f"{person.targets_met} of {person.targets} targets met"
    )
    return _paid(person, "base_bonus", term, ratio, base, said, AMOUNTS["base_bonus"], rule.source)


def _paid(
    person: Person,
    rule: str,
    term: Term,
    ratio: Fraction | None,
    base: Decimal | None,
    said: Text,
    name: Text,
    source: str | None,
) -> Pay:
    if ratio is None:
        return Pay(person.id, rule, term, None, base, None, said, source)
    if base is None:
        lacking = joined([said, Text(f"尚未录入{name.zh}", f"no {name.en} was handed in")])
        return Pay(person.id, rule, term, decimal(ratio), None, None, lacking, source)
    amount = money(ratio * Fraction(base))
    said = joined(
        [
            said,
            Text(
                f"{name.zh} {cents(base)} × {ratio_text(ratio)} = {cents(amount)}",
                f"{name.en} {cents(base)} × {ratio_text(ratio)} = {cents(amount)}",
            ),
        ]
    )
    return Pay(person.id, rule, term, decimal(ratio), base, amount, said, source)


def pay_pool(rule: BonusPool, term: Term, members: Mapping[str, Standing], amount: Decimal | None) -> dict[str, Pay]:
    """What each member gets of the pool; ``amount`` None: nobody has set it, and the parts stand alone."""
    totals = {id: standing.total for id, standing in members.items() if standing.total is not None}
    parts, top, as_one = shares(totals, rule.top_percent, rule.top_share, rule.split)
    sums = {} if amount is None else paid_out(amount, parts, totals)
    percent, share = shown(rule.top_percent), shown(rule.top_share)
    how = Text("均分", "equally") if rule.split == "equal" else Text("按得分", "in proportion to their totals")
    made = {}
    for id, standing in members.items():
        if id not in parts:
            said = joined([*standing.reasons, Text("不参与奖金池", "no part in the pool")])
            made[id] = Pay(id, rule.id, term, None, amount, None, said, rule.source)
            continue
        if as_one:
            said = Text(
                f"{len(totals)} 人作为一组{how.zh}整个奖金池（无法区分前 {percent}% 与其余人员，或同分过多）",
                f"all {len(totals)} share the pool {how.en} as one group: no two groups, or too many tie at the top {percent} %",
            )
        elif id in top:
            said = Text(
                f"前 {percent}% 共 {len(top)} 人（进位，同分并入），{how.zh}奖金池的 {share}%",
                f"one of {len(top)} in the top {percent} %, rounded up with ties, who share {share} % of the pool {how.en}",
            )
        else:
            rest = shown(100 - rule.top_share)
            said = Text(
                f"前 {percent}% 以外共 {len(totals) - len(top)} 人，{how.zh}奖金池其余 {rest}%",
                f"one of {len(totals) - len(top)} below the top {percent} %, who share the other {rest} % {how.en}",
            )
        paid = sums.get(id)
        got = (
            Text("尚未录入奖金池金额", "nobody has handed in the pool's amount")
            if paid is None or amount is None
            else Text(f"{cents(amount)} 中得 {cents(paid)}", f"{cents(paid)} of {cents(amount)}")
        )
        made[id] = Pay(id, rule.id, term, decimal(parts[id]), amount, paid, joined([said, got]), rule.source)
    return made
