"""From a contact's events, in any order, to its state: sorted, corrected, folded one by one."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias, get_args

from msgspec import structs

from streams.contacts import calls, chats, credit, feedback, kinds, tickets, transfers
from streams.contacts.contact import GIVEN_BACK, MISSED_FCR, REFUND, RETURN, Contact
from streams.contacts.parts import ESCALATION, parts_of
from streams.contacts.rules import Rules, Timeline
from streams.contacts.story import in_turn, order
from streams.contracts.decode import Rejected, decode_contact, encode
from streams.contracts.events import AnyContactEvent, Corrected, Retracted
from streams.contracts.telling import Told, as_told

HANDLERS: dict[type, Callable[[Contact, Any, int, Rules], None]] = {
    **calls.HANDLERS,
    **chats.HANDLERS,
    **tickets.HANDLERS,
    **{
        type_: handler
        for type_ in get_args(AnyContactEvent)
        for part, handler in feedback.HANDLERS.items()
        if issubclass(type_, part)
    },
}
#: Events that change others; they are never folded themselves.
AMENDMENTS = frozenset(type_ for type_ in get_args(AnyContactEvent) if issubclass(type_, Corrected | Retracted))
_IDENTITY = frozenset({"id", "source", "time", "sequence", "contact_id", "customer_id", "corrects"})
_at = attrgetter("at")
#: What is said about another event.
Word: TypeAlias = Corrected | Retracted


def step(state: Contact, event: AnyContactEvent, at: int, rules: Rules) -> bool:  # noqa: C901 - a question for each part that may follow
    """Fold the next event in order of time into a contact's state; ``state.was`` remembers the slots that change.

    False: it said nothing of a contact that was not known, and no slot that its links hang on has changed since all was added up.
    """
    news = state.learn(event, at, rules)
    queue = state.queue
    if (handler := HANDLERS.get(type(event))) is not None:
        handler(state, event, at, rules)
    if state.due_at is not None:
        tickets.settle_due(state, at, rules)
    if state.kind in kinds.KINDS:
        kinds.settle(state, event.carrier, at, rules)
    if rules.policy.topics:
        kinds.settle_topic(state, rules)
    if state.reviewed or state.signals is not None:
        feedback.settle(state)
    feedback.settle_invited(state)
    if state.transferred or state.reopened:
        state.settle_fcr()
        transfers.settle(state, event.carrier)
    if rules.menu_serves and event.carrier == "calls":
        calls.settle_menu(state)
    if state.merged:
        state.settle_merged()
    if rules.credits_others:
        credit.settle(state, event, rules)
    moved = news or state.queue != queue
    if moved or rules.apart_by_place or ESCALATION in state.was:
        state.apart = parts_of(state, rules)
    was = state.was
    # The slots that decide, beside what the contact is, how it is linked to its customer's others.
    if moved or state.merged or "handled" in was:
        if state.kind == REFUND or RETURN in state.apart or GIVEN_BACK in state.slots:
            state.settle_given_back()
        return True
    return "complaint" in was or "complaint_closed" in was or MISSED_FCR in was


def fold(base: Contact, log: Iterable[AnyContactEvent], rules: Rules) -> Contact:
    """The state after all events of ``log`` (in order of time), begun from ``base``, which stays as it is.

    Raises NotCoveredError where no version of the policy is in force on the contact's day.
    """
    standing = effective(log)
    if rules.timeline is not None:
        return _judged(base, standing, rules, rules.timeline)
    return _folded(base, standing, rules)


def _folded(base: Contact, standing: Iterable[AnyContactEvent], rules: Rules) -> Contact:
    state = base.copy() if base.first_at is not None else _blank(base)
    for at, together in groupby(standing, key=_at):
        moment = list(together)
        for event in moment if len(moment) == 1 else in_turn(state, moment):
            step(state, event, at, rules)
    state.note_added_up()
    return state


def _blank(base: Contact) -> Contact:
    """A contact of which nothing has been told but whose it is."""
    return Contact(shared=base.shared, known=base.known)


def _judged(base: Contact, standing: Sequence[AnyContactEvent], rules: Rules, timeline: Timeline) -> Contact:
    """The same, by the version in force on the contact's day, which is known once everything has been told.

    What was folded for good was judged when it was, and stays.
    """
    if base.first_at is None and not standing:
        return _blank(base)
    guess = timeline.on(rules.days.day(base.day) if base.first_at is not None else rules.days.day_of(standing[0].at))
    state = _folded(base, standing, guess)
    right = timeline.on(rules.days.day(state.day))
    return state if right is guess else _folded(base, standing, right)


def effective(log: Iterable[AnyContactEvent]) -> Sequence[AnyContactEvent]:
    """The events that stand once corrections and retractions among them are applied: the last word about each."""
    events = list(log)
    words = [event for event in events if isinstance(event, Corrected | Retracted)]
    if not words:
        return events
    told: dict[str, AnyContactEvent] = {
        event.id: event for event in events if not isinstance(event, Corrected | Retracted)
    }
    standing = dict(told)
    for word in _last_words(_in_order(words), told.keys()):
        if isinstance(word, Retracted):
            standing.pop(word.corrects, None)
        elif (event := told.get(word.corrects)) is not None:
            standing[event.id] = told[event.id] = _corrected(event, word)
    return sorted(standing.values(), key=order)


def _in_order(words: Sequence[Word]) -> Sequence[Word]:
    """Words about events as they were said: in order of time, those of one moment as they were told, but none before what it is about."""
    by_id = {word.id: word for word in words}
    places: dict[str, tuple[int, Told, int]] = {}
    for word in words:
        chain = {word.id: word}  # a long one must not be one of calls
        while (earlier := by_id.get(word.corrects)) is not None and earlier.at == word.at:
            if earlier.id in places or earlier.id in chain:
                break
            chain[earlier.id] = word = earlier
        for each in reversed(chain.values()):
            place = each.at, as_told(each.sequence, each.id), 0
            if (above := places.get(each.corrects)) is not None and above[0] == each.at:
                place = max(place, (above[0], above[1], above[2] + 1))
            places[each.id] = place
    return sorted(words, key=lambda word: places[word.id])


def _last_words(words: Sequence[Word], events: Container[str]) -> Iterable[Word]:
    """Words about ``events`` (ids), in order, as they stand once words about them, and words about those, have been applied."""
    about: dict[str, list[Word]] = {}
    for word in words:
        about.setdefault(word.corrects, []).append(word)
    of_events = [word for word in words if word.corrects in events]
    all_of_them = list(of_events)
    for word in all_of_them:  # grows: what each is about comes before it
        all_of_them += about.get(word.id, ())
    standing: dict[str, Word] = {}
    for word in reversed(all_of_them):
        told, stands = word, True
        for each in about.get(word.id, ()):
            if (said := standing.get(each.id)) is not None:
                stands = isinstance(said, Corrected)
                told = _said(told, said) if isinstance(said, Corrected) else told
        if stands:
            standing[word.id] = told
    return (standing[word.id] for word in of_events if word.id in standing)


def _said(word: Word, correction: Corrected) -> Corrected:
    """A word as it is put right. A retraction says nothing of the event: corrected, it is a correction of what that states."""
    before = _stated(word) if isinstance(word, Corrected) else {}
    if correction.agent_id not in (None, before.get("agent_id")):
        before.pop("team_id", None)
    return structs.replace(correction, **{**before, **_stated(correction), "corrects": word.corrects})


def _corrected(event: AnyContactEvent, word: Corrected) -> AnyContactEvent:
    """The event with the fields that a correction states and it has; the event itself where it would not be sound."""
    own = {field.name for field in structs.fields(event)}
    given = {name: value for name, value in _stated(word).items() if name in own}
    if word.agent_id not in (None, event.agent_id) and word.team_id is None:
        given["team_id"] = None
    corrected = decode_contact(encode(structs.replace(event, **given)))
    return event if isinstance(corrected, Rejected) else corrected


def _stated(word: Corrected) -> dict[str, object]:
    """The fields that a correction states, other than those that say which event it is."""
    stated = {field.name: getattr(word, field.name) for field in structs.fields(word) if field.name not in _IDENTITY}
    return {name: value for name, value in stated.items() if value is not None}
