"""A customer is taken out of archived files, and months are computed from them as before."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest

from streams.archive.files import rows, whole
from streams.archive.forgetting import forget
from streams.archive.recomputing import plain_bytes, recompute
from streams.archive.store import Store
from streams.archive.verifying import verify
from streams.contracts import events as e
from streams.erasure import Mentions
from tests.support.archives import NAMES, Topics, archived
from tests.support.desk import Script
from tests.unit.streams.archive.test_recomputing import a_month, task

TODAY, SAID = date(2026, 4, 1), "Erika from Market Street"
WHO = ["k1", "13900000001"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A month of events, refused ones among them; a number in what is no event, in a header, in a contact's id, in a reason."""
    topics, script = Topics(), Script()
    script.at("+29 21:00:00", e.TicketPending, "t0", customer_id="k1", reason=SAID)
    script.at("+29 21:00:01", e.TicketPending, "t0", reason=SAID)
    script.at("+29 21:00:02", e.TicketPending, "t9", customer_id="k3", reason="waits for parts")
    topics.send([*a_month(), *script.events])
    topics.put(("calls", 0), 0, b"13900000001", b"call 13900000001 back", headers=(("h", b"13900000001"),))
    topics.put(("calls", 1), 0, None, None)
    return archived(topics, tmp_path, file_bytes=20_000)


def values(store: Store) -> list[bytes]:
    """Everything that the archive has of messages."""
    every = [span for own in store.spans(NAMES).values() for span in own]
    return [
        repr(row).encode() for span in every for row in rows(whole(store, span), "offset", "key", "value", "headers")
    ]


def test_nothing_names_them_and_the_month_is_the_same(store: Store, tmp_path: Path) -> None:
    before, many = recompute(task(tmp_path), 1), verify(store, NAMES)
    mentions = Mentions(WHO)
    assert sum(map(mentions, values(store))) > 40
    assert sum(SAID.encode() in value for value in values(store)) == 2
    found = forget(store, NAMES, WHO, mentions.record, TODAY)
    assert (found.left, found.files > 1, found.messages > 40) == ([], True, True)
    after = values(store)
    assert not any(mentions(value) or b"'k1'" in value or SAID.encode() in value for value in after)
    assert any(b"waits for parts" in value for value in after), "what others have said stays"
    verified = verify(store, NAMES)
    assert (verified.faults, verified.files, verified.messages) == ([], many.files, many.messages)
    assert len(verified.notes) == found.files
    assert all("was written anew on 2026-04-01: a customer was forgotten, " in note for note in verified.notes)
    again = recompute(task(tmp_path), 1)
    assert plain_bytes(again.facts) == plain_bytes(before.facts)
    assert again.refused.keys() <= {"not_json", "empty"}
    assert (again.read, again.admitted) == (before.read, before.admitted)
    assert forget(store, NAMES, WHO, mentions.record, TODAY).files == 0, "once is enough"


def test_who_comes_back_still_does_and_is_one_customer(store: Store) -> None:
    forget(store, NAMES, ["k1"], Mentions(["k1"]).record, TODAY)
    others = {f"k{number}" for number in range(10)}
    named = {
        msgspec.json.decode(value).get("customer_id")
        for own in store.spans(["calls", "tickets"]).values()
        for span in own
        for (value,) in rows(whole(store, span), "value")
        if value and value.startswith(b"{")
    }
    assert len(named - others - {None}) == 1


def test_an_id_of_a_contact_that_names_them_is_told(tmp_path: Path) -> None:
    topics = Topics()
    topics.send(Script().at("09:00:00", e.CallQueued, "13900000001-17", customer_id="13900000001").events)
    store = archived(topics, tmp_path)
    found = forget(store, NAMES, WHO, Mentions(WHO).record, TODAY)
    ((span,),) = store.spans(NAMES).values()
    assert (found.messages, found.left) == (1, [span.name])


def test_broken_off_between_writing_and_removing_it_goes_on(store: Store) -> None:
    mentions = Mentions(WHO)
    place = ("calls", 0)
    own = store.spans(NAMES)[place]
    kept = [(span, whole(store, span)) for span in own]
    forget(store, NAMES, WHO, mentions.record, TODAY)
    for span, body in kept:
        store.put(span, body)
    assert verify(store, NAMES).faults, "two files of the same messages"
    forget(store, NAMES, WHO, mentions.record, TODAY)
    assert verify(store, NAMES).faults == []
    assert len(store.spans(NAMES)[place]) == len(own)
    assert not any(map(mentions, values(store)))
