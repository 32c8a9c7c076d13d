"""What a total sets off, as lines of the sheet: pay, stars, streaks, awards, the next post, actions, notes."""

from __future__ import annotations

from collections.abc import Iterator

from scoring.fields import joined
from scoring.outcomes.actions import Action
from scoring.outcomes.decide import PersonOutcome
from scoring.outcomes.pay import Pay
from scoring.period import day_zh
from scoring.reports.capitals import in_capitals
from scoring.rounding import cents
from streams.languages.text import Text
from streams.people.names import Names


def follows(outcome: PersonOutcome, names: Names) -> Iterator[Text]:
    """A line for each thing that was decided beyond the month's own standing, with its reason. ``names``: of those who do things."""
    for standing in outcome.standings[1:]:
        yield joined(standing.reasons)
    for pay in (outcome.pay, outcome.base_bonus):
        if pay is not None:
            yield _pay(pay)
    for given in outcome.given.values():
        yield _line(given.label, given.reason)
    for held in outcome.streaks:
        if held.granted or held.count:
            yield _line(Text("连续达成", "Streak"), held.reason)
    for award in outcome.awards:
        yield _line(award.name, award.reason)
    if outcome.next_post is not None:
        yield _line(Text("晋升", "Next post"), outcome.next_post.reason)
    for action in outcome.actions:
        yield _action(action, names)
    yield from outcome.notes


def _pay(pay: Pay) -> Text:
    amount = (
        Text("金额未定", "no amount yet")
        if pay.money is None
        else Text(f"{cents(pay.money)} 元（大写：{in_capitals(pay.money)}，税前）", f"{cents(pay.money)}, before tax")
    )
    return _line(Text(f"应发金额 {amount.zh}", f"Pay {amount.en}"), pay.reason)


def _action(action: Action, names: Names) -> Text:
    zh = en = ""
    if action.owner:
        zh, en = f"，负责人 {names.shown(action.owner, 'zh')}", f", owner {names.shown(action.owner, 'en')}"
    name = Text(f"{action.name.zh}（{day_zh(action.due)}前完成{zh}）", f"{action.name.en} (due {action.due}{en})")
    return _line(Text(name.zh, name.en[0].upper() + name.en[1:]), action.reason)


def _line(name: Text, reason: Text) -> Text:
    return Text(f"{name.zh}：{reason.zh}", f"{name.en}: {reason.en}")
