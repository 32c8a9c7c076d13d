"""What is open in queues, as the records of contacts say: who waits in chats since when, and tickets with their due times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streams.contracts import events as e
from streams.history.board_pages import Courses, OpenContacts
from streams.history.questions import Questions
from streams.history.store import history_database, open_history
from streams.web.board_view import Now
from tests.support.desk import DAY, Script, moment, run_events
from tests.support.histories import messages, take
from tests.support.morning import NOW, POLICY, morning_file


def ms(when: str) -> int:
    return round(moment(f"{when}:00").timestamp() * 1000)


def open_at(folder: Path, when: str, told: Callable[[Script], None]) -> dict[str, Now]:
    script = Script()
    told(script)
    with open_history(None, folder, POLICY) as history:
        history.begin()
        take(history, messages(run_events(script.events, POLICY, records=True)), ms(when), {})
    database = history_database(None, folder)
    found = OpenContacts(database, POLICY)(ms(when))
    database.close()
    return dict(found)


def chat(script: Script, id: str, when: str, queue: str = "chat-web") -> None:
    script.at(f"{when}:00", e.ChatStarted, id, queue_id=queue, customer_id=f"k-{id}")
    script.at(f"{when}:01", e.ChatMessage, id, sender="customer")


def test_chats_wait_from_their_first_message_until_somebody_answers(tmp_path: Path) -> None:
    def told(script: Script) -> None:
        chat(script, "answered", "09:00")
        script.at("09:00:10", e.ChatMessage, "answered", sender="agent", agent_id="A1", team_id="T1")
        chat(script, "first", "09:04")
        chat(script, "second", "09:05")
        chat(script, "elsewhere", "09:05", "chat-app")

    found = open_at(tmp_path, "09:06", told)
    assert found == {
        "chat-web": Now(chats_waiting=2, chats_since=ms("09:04") + 1000),
        "chat-app": Now(chats_waiting=1, chats_since=ms("09:05") + 1000),
    }


def test_who_a_bot_has_waits_from_being_handed_over(tmp_path: Path) -> None:
    def told(script: Script) -> None:
        chat(script, "c", "09:00")
        script.at("09:00:05", e.ChatMessage, "c", sender="bot")
        script.at("09:02:00", e.ChatHandedOver, "c", queue_id="chat-web")

    assert open_at(tmp_path, "09:03", told) == {"chat-web": Now(chats_waiting=1, chats_since=ms("09:02"))}


def test_tickets_are_open_overdue_or_due_next(tmp_path: Path) -> None:
    def told(script: Script) -> None:
        for id, due in (("late", "09:30"), ("next", "11:00"), ("then", "12:00"), ("done", "09:10"), ("none", None)):
            due_at = None if due is None else moment(f"{due}:00")
            script.at("09:00:00", e.TicketCreated, id, queue_id="paper", customer_id=f"k-{id}", due=due_at)
        script.at("09:05:00", e.TicketClosed, "done")

    assert open_at(tmp_path, "10:00", told) == {
        "paper": Now(tickets_open=4, tickets_overdue=1, tickets_due=ms("11:00")),
    }


def test_without_a_history_nothing_is_told(tmp_path: Path) -> None:
    database = history_database(None, tmp_path)
    assert OpenContacts(database, POLICY)(NOW) == {}
    database.close()


def test_a_course_is_worked_out_once_a_minute(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(morning_file())
    database = history_database(None, tmp_path)
    courses = Courses(Questions(database, POLICY), POLICY)
    assert courses.today() == DAY
    told = courses.of("average_speed_of_answer", "queue|orders", DAY)
    assert [quarter[0] for quarter in told] == ["09:00", "09:15", "09:30", "09:45"]
    assert courses.of("average_speed_of_answer", "queue|orders", DAY) is told
    database.close()
