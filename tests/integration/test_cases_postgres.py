"""Cases and digests on PostgreSQL: the acceptance tests of SQLite, word for word, on one database that is emptied for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from streams.cases.tables import metadata as of_cases
from streams.notifier.tables import metadata as of_notifier
from tests.acceptance import test_owned_cases as told
from tests.acceptance.test_owned_cases import MONDAY, OFFICE, Desk, Make
from tests.conftest import new_database

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def database_url(postgres_server: str) -> str:
    """One for all of these: to make one takes longer than most of them."""
    return new_database(postgres_server)


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Make]:
    """As over there, on PostgreSQL."""
    made: list[Desk] = []

    def make(change: Callable[[dict[str, Any]], None] = lambda _: None, day: date = MONDAY, **policy: Any) -> Desk:
        here = Desk(tmp_path, OFFICE | policy, day, change, database_url)
        with here.notifier.database.write() as connection:
            for table in (*of_cases.sorted_tables, *of_notifier.sorted_tables):
                connection.execute(table.delete())
        made.append(here)
        return here

    yield make
    for one in made:
        one.notifier.close()


#: Those in which the database does something of its own.
SAME = (
    told.test_a_bad_rating_opens_a_case_of_the_superiors_once_over_restarts,
    told.test_reminded_overdue_told_to_the_next_superior_each_once,
    told.test_closing_needs_root_cause_and_plan_and_moves_the_kpi,
    told.test_a_corrected_rating_withdraws_the_case_and_says_so_and_back_again,
    told.test_killed_between_the_robots_answer_and_the_journal_one_case_and_one_marked_copy,
    told.test_assigned_and_noted_and_the_new_owner_is_told,
    told.test_a_repeated_complaint_is_a_case_about_how_the_first_was_handled,
    told.test_the_third_contact_within_24_hours_and_who_gave_up_are_to_be_called_back,
    told.test_an_incident_whose_rule_has_the_label_case_opens_one,
    told.test_on_time_shares_by_owner,
    told.test_before_business_begins_the_complaints_since_the_last_working_day_once,
    told.test_once_a_week_on_its_first_working_day_against_the_week_before,
)


@pytest.mark.parametrize("scenario", SAME, ids=lambda one: one.__name__.removeprefix("test_"))
def test_the_same(desk: Make, scenario: Callable[[Make], None]) -> None:
    scenario(desk)


def test_what_is_long_over_is_forgotten(desk: Make) -> None:
    here = desk()
    here.at("09:06")
    here.happens(*told.RATED_ONE)
    keeper = here.notifier.records._keeper
    assert keeper is not None
    keeper.forget(here.notifier.now + 500 * 86_400_000)
    assert len(here.cases()) == 1  # it is open
    here.does(lambda case, now: told.life.closed(case, "S", now, root_cause="r", plan="p"))
    keeper.forget(here.notifier.now + 500 * 86_400_000)
    assert here.cases() == []
