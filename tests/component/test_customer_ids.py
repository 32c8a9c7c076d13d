"""Plain customer ids on live topics: where the operation takes none, they are in nothing that it writes."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from streams.contracts import events as e
from streams.contracts import topics
from streams.contracts.decode import encode
from streams.contracts.events import AnyEvent
from streams.roster import Roster
from streams.settings import Settings
from streams.sources.expressions.functions import pseudonyms
from streams.worker.customer_ids import CustomerIds, is_pseudonym
from streams.worker.partitioner import Partitioner
from streams.worker.processor import StreamProcessor
from streams.worker.screen_writer import Screens
from tests.component.test_misplaced import NINE, PARTITIONS, Operation, month

PLAIN = "1380013"
hashed = pseudonyms(b"a secret")
SENT = {topic.name for topic in topics.CONTACT_TOPICS}


def plain(event: AnyEvent) -> AnyEvent:
    """The event of a customer who is called by their telephone number."""
    assert isinstance(event, e.ContactEvent)
    return replace(event, customer_id=f"{PLAIN}{int((event.customer_id or 'k0')[1:]):04}")


def told(event: AnyEvent) -> AnyEvent:
    """The same event with the customer's pseudonym."""
    assert isinstance(event, e.ContactEvent)
    return replace(event, customer_id=hashed(event.customer_id))


def figures(operation: Operation) -> dict[str, object]:
    """Day of each entity, whoever wrote it and when."""
    return {key: (day.sums, day.planned) for key, day in operation.days().items()}


class Careful(Operation):
    """An operation with a rule for customer ids."""

    def __init__(self, directory: Path, ids: CustomerIds | None) -> None:
        self.ids = ids
        super().__init__(directory)

    def take_up(self) -> None:
        super().take_up()
        self.processor = StreamProcessor(
            self.settings, (), Roster(), self.stores, {}, Partitioner(PARTITIONS), Screens(self.settings), {}, range(PARTITIONS),
            ids=self.ids,
        )  # fmt: skip

    def sent(self, events: list[AnyEvent]) -> None:
        """Put them where their senders do: by the id that they know."""
        for event in events:
            assert isinstance(event, e.ContactEvent)
            self.put(event.carrier, self.home(event.key), event.key.encode(), encode(event), [])

    def written(self) -> bytes:
        """All that it has written: keys, values and headers of everything but what was sent."""
        found = bytearray()
        for (topic, _), records in self.records.items():
            for record in records if topic not in SENT else ():
                found += b"\n".join(
                    [
                        record.key or b"",
                        record.value or b"",
                        *(name.encode() + content for name, content in record.headers),
                    ]
                )
        return bytes(found)


def test_they_are_made_pseudonyms_before_anything_sees_them(tmp_path: Path) -> None:
    """The figures are those of the same events from a sender who knows the pseudonyms only."""
    events = [plain(event) for event in month(random.Random(4), people=20)]
    # Whoever hides their number is nobody; what is refused later is carried without it.
    events.insert(
        0, e.CallQueued(id="1", time=NINE, source="s", contact_id="h1", customer_id="anonymous", queue_id="q")
    )
    late = replace(events[1], id="late", time=NINE - timedelta(days=300))
    careful, sound = Careful(tmp_path, CustomerIds(hashed)), Careful(tmp_path, None)
    careful.sent([*events, late])
    sound.sent([*map(told, events), told(late)])
    for operation in (careful, sound):
        operation.work(random.Random(1))
    assert figures(careful) == figures(sound) != {}
    assert PLAIN.encode() not in careful.written()
    assert b"anonymous" not in careful.written()
    assert [letter["reason"] for letter in careful.letters()] == [b"too_late"]
    assert hashed(f"{PLAIN}0000").encode() in careful.written()  # type: ignore[union-attr]


def test_they_are_refused_and_told_of_without_them(tmp_path: Path) -> None:
    events = [plain(event) for event in month(random.Random(4), people=5)]
    good = [told(event) for event in events[:20]]
    careful = Careful(tmp_path, CustomerIds(None))
    careful.sent([*events, *good])
    careful.put("calls", 0, PLAIN.encode(), b"{" + PLAIN.encode(), [])
    careful.put("calls", 0, None, b'{"customer_id": ' + PLAIN.encode() + b"}", [])
    careful.work(random.Random(1))
    assert PLAIN.encode() not in careful.written()
    reasons = [letter["reason"] for letter in careful.letters()]
    assert reasons.count(b"plain_customer") == len(events)
    assert len(reasons) == len(events) + 2
    assert careful.days()
    for number in range(PARTITIONS):
        for letter in careful.records[topics.DEAD_LETTERS.name, number]:
            assert (letter.key, letter.value) == (None, b"")
            assert int(dict(letter.headers)["size"]) > 0  # it is found whole where it stands


@pytest.mark.parametrize(
    ("id", "looks"),
    [
        (hashed("13800138000"), True),
        ("0F" * 32, True),
        ("6f9619ff-8b86-d011-b42d-00c04fc964ff", True),
        ("13800138000", False),
        ("110101199003077758", False),
        ("anna@example.org", False),
        ("0123456789abcdef", False),
        ("王小明", False),
        ("g" * 32, False),
        ("", False),
    ],
)
def test_what_looks_like_a_pseudonym(id: str, looks: bool) -> None:
    assert is_pseudonym(id) is looks


def test_it_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.commands.shared.customer_ids import customer_ids

    assert customer_ids(Settings()) is None
    monkeypatch.setenv("DESKPULSE_CUSTOMER_IDS", "pseudonymise")
    with pytest.raises(ValueError, match="needs DESKPULSE_PSEUDONYM_KEY"):
        customer_ids(Settings())
    monkeypatch.setenv("DESKPULSE_PSEUDONYM_KEY", "long")
    assert customer_ids(Settings()) is not None
