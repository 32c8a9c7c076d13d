"""What rules would have done, as a page that stands alone: one file, no script, nothing fetched."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined

from streams.back_test.trial import FEW, FLAP, Firing, OfRule, Trial
from streams.contracts.outputs import entity_id, entity_kind
from streams.kpi.labels import ENTITIES, NONE
from streams.languages import Language
from streams.languages.text import Text

#: Alerts and entities of a rule that are shown; the longest and the most frequent.
_MOST = 10

_TITLE = Text(zh="告警规则回测", en="Alert rules, tried on the past")
_PERIOD = Text(
    zh="{first} 至 {last}，{weeks:.1f} 周；{events:,} 个事件",
    en="{first} to {last}, {weeks:.1f} weeks; {events:,} events",
)
_TOTAL = Text(
    zh="共发 {messages:,} 条消息，每周 {a_week:.1f} 条；若每条告警的每一步都单独发送，则为 {steps:,} 条。",
    en="{messages:,} messages in all, {a_week:.1f} a week; if each step of each alert were sent by itself, {steps:,}.",
)
_HEADINGS = (
    Text(zh="规则", en="rule"),
    Text(zh="告警次数", en="fired"),
    Text(zh="每周", en="a week"),
    Text(zh="偶然误报/周", en="by chance a week"),
    Text(zh="涉及对象数", en="for how many"),
    Text(zh="持续时间中位数", en="typically for"),
    Text(zh="最长持续", en="longest"),
    Text(zh="{minutes} 分钟内再次触发", en="again within {minutes} min").format(minutes=FLAP.seconds // 60),
    Text(zh="样本量少于 {few}", en="on fewer than {few}").format(few=FEW),
    Text(zh="告警事件", en="incidents"),
    Text(zh="消息", en="messages"),
    Text(zh="单日最多消息", en="most in a day"),
)
_CHANNELS = Text(zh="各渠道的消息数：{}。", en="Messages by channel: {}.")
#: What chance does, in a sentence.
CHANCE = Text(
    zh="偶然误报/周：把每天的结果在当天随机打乱后（与等待有关的指标以15分钟为整块），该规则每周仍会触发的次数；若与实际次数相近，告警多属偶然。",
    en="By chance a week: how often the rule would still fire if each day's outcomes had come in another order (of what waits make: its "
    "quarters of an hour). Where that is near how often it fired, most of its alerts are chance.",
)
_HOURS = Text(zh="每小时内有告警的分钟数", en="Minutes of each hour in which it fired for anybody")
_LONGEST = Text(zh="持续最久的告警", en="The longest")
_OFTEN = Text(zh="触发最多的对象", en="For whom most often")
_ABOUT = Text(zh="对象", en="for")
_SINCE = Text(zh="开始", en="since")
_FOR = Text(zh="持续", en="lasted")
_VALUE = Text(zh="触发时的值", en="value then")
_OPEN = Text(zh="期末仍在告警", en="fires at the end")
_NEVER = Text(zh="从未触发", en="never fired")

_environment = Environment(
    loader=PackageLoader("streams.back_test", ""),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(trial: Trial, language: Language) -> str:
    """The page, in a language."""
    found = [trial.of(rule) for rule in trial.rules]
    return _environment.get_template("page.html").render(
        language=language,
        title=_TITLE[language],
        period=_PERIOD.format(first=trial.first_day, last=trial.last_day, weeks=trial.weeks, events=trial.run.admitted)[language],
        total=summary(trial, language),
        chance=CHANCE[language],
        budget="\n".join(line[language] for one in trial.spent for line in one.said()),
        channels=by_channel(trial, language),
        headings=[text[language] for text in _HEADINGS],
        rows=[cells(each, language) for each in found],
        rules=[_of_rule(trial, each, language) for each in found],
        words={
            name: text[language]
            for name, text in (
                ("hours", _HOURS), ("longest", _LONGEST), ("often", _OFTEN), ("about", _ABOUT), ("since", _SINCE), ("lasted", _FOR),
                ("value", _VALUE), ("never", _NEVER), ("times", _HEADINGS[1]),
            )
        },
    )  # fmt: skip


def summary(trial: Trial, language: Language) -> str:
    """How many messages people get in all, and how many it would be without incidents."""
    found = [trial.of(rule) for rule in trial.rules]
    messages, steps = sum(each.messages for each in found), sum(each.steps for each in found)
    return _TOTAL.format(messages=messages, a_week=messages / trial.weeks if trial.weeks else 0.0, steps=steps)[
        language
    ]


def by_channel(trial: Trial, language: Language) -> str:
    """How many messages each channel gets; empty where nobody said by which routes."""
    found: Counter[str] = Counter()
    for rule in trial.rules:
        found.update(trial.channels[rule.id])
    return _CHANNELS[language].format(", ".join(f"{name} {n:,}" for name, n in found.most_common())) if found else ""


def cells(of: OfRule, language: Language) -> tuple[str, ...]:
    """A rule's line of the table, under its headings."""
    return (
        Text(zh=of.rule.zh, en=of.rule.en)[language] or of.rule.id,
        f"{len(of.firings):,}",
        f"{of.a_week(len(of.firings)):.1f}",
        NONE if of.by_chance is None else f"{of.by_chance:.1f}",
        f"{len(of.entities):,}",
        _length(of.typical),
        _length(of.longest),
        f"{of.flaps:,}",
        f"{of.of_few:,}",
        f"{of.incidents:,}",
        f"{of.messages:,}",
        f"{of.most_in_a_day:,}",
    )


def headings(language: Language) -> tuple[str, ...]:
    """The headings of the table."""
    return tuple(text[language] for text in _HEADINGS)


def _of_rule(trial: Trial, of: OfRule, language: Language) -> dict[str, object]:
    minutes = trial.minutes(of.rule)
    longest = sorted(of.firings, key=lambda each: (-each.lasted(of.end).total_seconds(), each.began))[:_MOST]
    return {
        "name": cells(of, language)[0],
        "id": of.rule.id,
        "fired": bool(of.firings),
        "days": [(day, [minutes.get((day, hour), 0) for hour in range(24)]) for day in _days(trial)],
        "often": [(_name(entity, language), times) for entity, times in of.entities.most_common(_MOST)],
        "longest": [_line(trial, each, of, language) for each in longest],
    }


def _line(trial: Trial, each: Firing, of: OfRule, language: Language) -> tuple[str, ...]:
    value = "—" if each.value is None else f"{each.value:.3g}"
    return (
        _name(each.entity, language),
        f"{each.began.astimezone(trial.zone):%Y-%m-%d %H:%M}",
        _length(each.lasted(of.end)) + ("" if each.ended else f" ({_OPEN[language]})"),
        f"{value} (n={each.n})" if each.n else value,
    )


def _name(entity: str, language: Language) -> str:
    return ENTITIES[entity_kind(entity)].format(entity_id(entity))[language]


def _days(trial: Trial) -> list[date]:
    first, last = trial.first_day, trial.last_day
    return [] if first is None or last is None else [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _length(length: timedelta | None) -> str:
    """A duration as people say it: 45 s, 12 min, 3.5 h."""
    if length is None:
        return "—"
    seconds = length.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
