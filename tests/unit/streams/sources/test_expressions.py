"""The language of mapping files: what an expression gives for a row, and what is refused, with what words."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streams.sources.expressions.compiler import Scope, compiled
from streams.sources.expressions.datetimes import Ambiguous, Moments
from streams.sources.expressions.functions import functions
from streams.sources.expressions.parser import ExpressionError, parse

ROW: dict[str, str | None] = {
    "date": "2021-03-28",
    "entry": "9:12:58",
    "late": "24:10:00",
    "night": "0:05:00",
    "talk": "00:02:23",
    "wait": "20",
    "answered": "N",
    "queue": "PS",
    "nothing": None,
    "Speed of answer": "109.0",
}
LOOKUPS = {"queue_names": {"PS": "private", "NW": "new"}}


def value(text: str, zone: str = "Asia/Shanghai", ambiguous: Ambiguous = "earlier", **formats: str) -> Any:
    """What an expression gives for ROW."""
    available = functions(Moments(ZoneInfo(zone), ambiguous=ambiguous, **formats), LOOKUPS, b"key")
    columns = {name: index for index, name in enumerate(ROW)}
    return compiled(parse(text), Scope({"limit": lambda row: 20}, columns, available))(list(ROW.values()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # cells, names and literals
        ("queue", "PS"),
        ('col("Speed of answer")', "109.0"),
        ("nothing", None),
        ("limit", 20),
        ("true", True),
        ("None", None),
        # numbers and texts
        ("number(wait) + 1", 21),
        ("number(col('Speed of answer'))", 109.0),
        ("-number(wait) * 2 - 1", -41),
        ("number(wait) / 8", 2.5),
        ("number(nothing)", None),
        ("text(number('3.0'))", "3"),
        ("lower(queue) + '-' + upper('a')", "ps-A"),
        ("replace('1,5', ',', '.')", "1.5"),
        ("starts_with(queue, 'P')", True),
        ("join('-', date, queue, 7)", "2021-03-28-PS-7"),
        # conditions
        ("answered == 'Y'", False),
        ("answered != 'Y' and queue == 'PS'", True),
        ("number(wait) <= limit", True),
        ("0 < number(wait) < 20", False),
        ("not blank(nothing)", False),
        ("queue in ('NW', 'PS')", True),
        ("queue not in ['NW', 'PS']", False),
        ("nothing == 'Y'", False),
        ("nothing is None", True),
        ("queue is not null", True),
        ("'short' if number(wait) <= limit else number(answered)", "short"),
        ("blank(nothing) or number(answered) > 3", True),
        # what is not there
        ("nullif(answered, 'N', '-')", None),
        ("nullif(answered, 'Y')", "N"),
        ("coalesce(nothing, queue, number(answered))", "PS"),
        ("coalesce(nothing, nothing)", None),
        # lookups
        ("queue_names(queue)", "private"),
        ("queue_names('IN', 'other')", "other"),
        ("queue_names(nothing)", None),
        # durations, in seconds
        ("seconds(talk)", 143),
        ("seconds('2:23')", 143),
        ("seconds('90.5')", 90.5),
        ("seconds('100:00:01')", 360_001),
        ("minutes(2) + hours(1) + days(1)", 90_120),
        ("time_of_day('24:10')", 87_000),
        ("datetime(date, '10:00') - datetime(date, '9:59:30')", 30.0),
        ("min(3, number(wait), 5)", 3),
        ("max(datetime(date, entry), datetime(date, night)) == datetime(date, entry)", True),
    ],
)
def test_an_expression_gives(text: str, expected: object) -> None:
    result = value(text)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("datetime(date, entry)", "2021-03-28T09:12:58+08:00"),
        ("datetime(date, '9:12')", "2021-03-28T09:12:00+08:00"),
        ("datetime(date, '9:12:58.25')", "2021-03-28T09:12:58.250000+08:00"),
        ("datetime('2021-03-28 09:12:58')", "2021-03-28T09:12:58+08:00"),
        ("datetime('2021-03-28T01:12:58Z')", "2021-03-28T01:12:58+00:00"),
        ("datetime(date)", "2021-03-28T00:00:00+08:00"),
        ("datetime(date, late)", "2021-03-29T00:10:00+08:00"),
        ("datetime(date, entry) + seconds(talk)", "2021-03-28T09:15:21+08:00"),
        ("unix(1616893978)", "2021-03-28T09:12:58+08:00"),
        # more than 12 hours before is past midnight, 12 hours is not
        ("time_after(datetime(date, '23:59:00'), night)", "2021-03-29T00:05:00+08:00"),
        ("time_after(datetime(date, '12:05:01'), night)", "2021-03-29T00:05:00+08:00"),
        ("time_after(datetime(date, '12:05:00'), night)", "2021-03-28T00:05:00+08:00"),
        ("time_after(datetime(date, entry), '9:12:00')", "2021-03-28T09:12:00+08:00"),
    ],
)
def test_a_moment_is(text: str, expected: str) -> None:
    assert value(text).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        "datetime(nothing, entry)",
        "datetime(date, nothing)",
        "time_after(nothing, entry)",
        "time_after(datetime(date, entry), nothing)",
        "date(nothing)",
        "seconds(nothing)",
        "lower(nothing)",
        "pseudonym(nothing)",
        "unix(nothing)",
        "text(nothing)",
    ],
)
def test_nothing_in_is_nothing_out(text: str) -> None:
    assert value(text) is None


def test_a_format_of_the_mapping_replaces_iso() -> None:
    assert value("datetime('28/03/2021', '9:12 PM')", date_format="%d/%m/%Y", time_format="%I:%M %p").isoformat() == (
        "2021-03-28T21:12:00+08:00"
    )
    assert value("datetime('28.03.21 09')", datetime_format="%d.%m.%y %H").isoformat() == "2021-03-28T09:00:00+08:00"


@pytest.mark.parametrize(
    ("ambiguous", "expected"), [("earlier", "2021-10-31T02:30:00+02:00"), ("later", "2021-10-31T02:30:00+01:00")]
)
def test_a_time_that_comes_twice_is_the_one_the_mapping_says(ambiguous: Ambiguous, expected: str) -> None:
    assert value("datetime('2021-10-31', '2:30')", "Europe/Berlin", ambiguous).isoformat() == expected


def test_times_around_a_change_of_the_clocks_are_plain() -> None:
    assert value("datetime('2021-10-31', '1:59')", "Europe/Berlin", "reject").isoformat().endswith("+02:00")
    assert value("datetime('2021-10-31', '3:00')", "Europe/Berlin", "reject").isoformat().endswith("+01:00")
    assert value("datetime('2021-10-31', '4:00') - datetime('2021-10-31', '1:00')", "Europe/Berlin") == 4 * 3600


@pytest.mark.parametrize(
    ("text", "zone", "reason"),
    [
        ("datetime('2021-10-31', '2:30')", "Europe/Berlin", "came twice in Europe/Berlin"),
        ("datetime('2021-03-28', '2:30')", "Europe/Berlin", "never was in Europe/Berlin"),
        ("datetime('2021-02-29', entry)", "UTC", "'2021-02-29' is no date"),
        ("datetime('28/03/2021', entry)", "UTC", "is no date (YYYY-MM-DD)"),
        ("datetime(date, '9:61')", "UTC", "is no time of day"),
        ("datetime(date, '48:00')", "UTC", "is no time of day"),
        ("datetime('soon')", "UTC", "'soon' is no moment"),
        ("number('1,234')", "UTC", "'1,234' is no number"),
        ("number('1_000')", "UTC", "is no number"),
        ("number('nan')", "UTC", "is no number"),
        ("number('1e999')", "UTC", "too large"),
        ("seconds('1:75:00')", "UTC", "is no duration"),
        ("join('-', date, nothing)", "UTC", "part 2 is empty"),
        ("queue_names('IN')", "UTC", "the lookup queue_names has no the text 'IN'"),
        # nothing is guessed
        ("wait > 3", "UTC", "the text '20' > the number 3"),
        ("number(nothing) > 3", "UTC", "nothing > the number 3"),
        ("wait == 20", "UTC", "the text '20' is compared with the number 20"),
        ("wait + 1", "UTC", "the text '20' + the number 1"),
        ("nothing + 1", "UTC", "nothing + the number 1"),
        ("'a' * 3", "UTC", "the text 'a' * the number 3"),
        ("answered and true", "UTC", "the text 'N' where true or false is needed"),
        ("1 if wait else 2", "UTC", "where true or false is needed"),
        ("not nothing", "UTC", "nothing where true or false is needed"),
        ("number(wait) / 0", "UTC", "division by zero"),
        ("lower(3)", "UTC", "the number 3 where a text is needed"),
        ("unix('3')", "UTC", "is no number of seconds"),
        ("time_after(date, entry)", "UTC", "is no moment"),
    ],
)
def test_a_row_that_does_not_fit_is_told_why(text: str, zone: str, reason: str) -> None:
    with pytest.raises((ValueError, TypeError, ArithmeticError)) as caught:
        value(text, zone, "reject")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no expression"),
        ("1 +", "is no expression"),
        ("x = 1", "is no expression"),
        ("queue.upper()", "call a function by its name"),
        ("queue.__class__", "is not allowed here"),
        ("queue[0]", "is not allowed here"),
        ("__import__('os').system('true')", "call a function by its name"),
        ("__import__('os')", "no function '__import__'"),
        ("eval('1')", "no function 'eval'"),
        ("open('x')", "no function 'open'"),
        ("(lambda: 1)()", "call a function by its name"),
        ("lambda: 1", "is not allowed here"),
        ("[x for x in queue]", "is not allowed here"),
        ("f'{queue}'", "is not allowed here"),
        ("(a := 1)", "is not allowed here"),
        ("{'a': 1}", "is not allowed here"),
        ("number(*queue)", "is not allowed here"),
        ("number(value=queue)", "with its values in order"),
        ("2 ** 9", "of arithmetic there is + - * /"),
        ("2 % 9", "of arithmetic there is + - * /"),
        ("~2", "of signs there is"),
        ("b'x'", "only texts, numbers"),
        ("queue is 'PS'", "`is` is for None only"),
        ("'P' in queue", "as a list"),
        ("queue == ('PS', 'NW')", "is not allowed here"),
        ("'x' " * 600, "longer than 2000 characters"),
        ("+".join("1" * 400), "nested too deeply"),
        ("(" * 300 + "1" + ")" * 300, "is no expression"),
        ("col(queue)", 'write col("name of the column")'),
        ('col("Queue")', "the table has no column 'Queue'; it has date, entry"),
        ("qeue", "nothing is called 'qeue': bound names: limit; columns: date, entry"),
        ("number", "number is a function: write number(…)"),
        ("number()", "number(…): missing a required argument: 'value'"),
        ("number(1, 2)", "too many positional arguments"),
    ],
)
def test_what_is_not_in_the_language_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(text)
    assert reason in str(caught.value)


def test_a_pseudonym_depends_on_the_key_alone() -> None:
    moments = Moments(ZoneInfo("UTC"))
    one, other = functions(moments, {}, b"one")["pseudonym"], functions(moments, {}, b"other")["pseudonym"]
    assert one("13800138000") == one("13800138000") != other("13800138000")
    assert one("13800138000") != one("13800138001")
    # HMAC-SHA256 of "customer" under "one", by `openssl dgst -sha256 -hmac one`
    assert one("customer") == "de6359cd528117618a36ba3d05fcbdfe"


def test_a_lookup_cannot_take_the_name_of_a_function() -> None:
    with pytest.raises(ValueError, match="number is the name of a function"):
        functions(Moments(ZoneInfo("UTC")), {"number": {}}, None)
