"""Since when a chat's customer waits for people, session by session.

Where no bot is, they wait from their first message. Where a bot had the session before people (``first_response_from: hand_over``), they
wait from its being handed over. Where nobody tells that, it is known only once people take it up, by being given it or by writing:
then they have waited from their first message after the bot's last or, where the bot had the last word, from its being given to somebody;
somebody who writes without having been given it answers what the customer wrote last. Who never got to people was never due: what
they wrote last after a bot, and got nobody, is counted beside.

A message soon after an end may be a word of thanks: nobody waits until people take it up. A bot that asks for a rating after the end
begins nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from streams.contacts.contact import CONTAINED, SELF_SERVICE, SERVED, Contact, Session
from streams.contacts.rules import Rules
from streams.contacts.slots import HAPPENED, PLANNED
from streams.contracts.outputs import Sums

_RESPONSE_DUE: Sums = {"first_responses_due": 1}
_UNANSWERED: Sums = {"bot_unanswered_chats": 1}


def session(chat: Contact) -> Session:
    """The session that goes on. What a release before has stored knows of none: it is read off the contact."""
    if chat.session is None:
        known, over = chat.asked_at is not None, chat.closed_at is not None
        chat.session = Session(
            asked=known, first_asked=known, over=over, again=over, left_at=chat.closed_at, people=chat.agent is not None
        )
    return chat.session


def due(chat: Contact) -> str:
    """The slot that says a first response is due in this session."""
    return _named("first_response_due", chat)


def of_now(chat: Contact) -> tuple[str, ...]:
    """The slots of this session that later events may still change."""
    return () if chat.session is None else (due(chat), _alone(chat), _named(SELF_SERVICE, chat))


def _alone(chat: Contact) -> str:
    """The slot that says the customer wrote last, after a bot, and nobody came."""
    return _named("bot_unanswered", chat)


def _named(name: str, chat: Contact) -> str:
    number = 1 if chat.session is None else chat.session.number
    return name if number == 1 else f"{name}{number}"


def _up(chat: Contact, since: int, rules: Rules) -> int:
    """When a first response is late where the customer waits since then (ms), by the threshold of the queue in which they wait."""
    return rules.after(since, rules.policy.first_response_ms(chat.queue) / 1000)


def opened(chat: Contact, at: int, rules: Rules) -> None:
    """Started: nothing more where the session goes on. One that a message after an end had begun is no word of thanks."""
    now = _goes_on(chat, at, rules)
    now.said_at = at
    if now.after_end:
        now.after_end = False
        if not now.bot and chat.unanswered_at is not None:
            _asks(chat, chat.unanswered_at, rules)
    _serve(chat, at, rules)


def customer_wrote(chat: Contact, at: int, rules: Rules) -> None:
    """A message of the customer: they wait for people, unless a bot has it or it follows an end."""
    now = chat.session
    if now is None or now.over or now.said_at is None or at - now.said_at > rules.policy.chat_session_ms:
        now = _goes_on(chat, at, rules, may_thank=True)
    now.said_at = at
    since = chat.unanswered_at
    if since is None or (now.bot_last and not now.people):
        since = chat.unanswered_at = at
        now.bot_last = False
        if now.bot and not now.people:
            chat.put(_alone(chat), _up(chat, at, rules), desk=_UNANSWERED, form=PLANNED)
    if not now.asked and (now.people or not (now.bot or now.after_end)):
        _asks(chat, since, rules, after_bot=now.bot)
    if now.served:
        _serve(chat, at, rules)


def bot_wrote(chat: Contact, at: int, rules: Rules) -> None:
    """A message of a bot: it has the session where people have not. An end is not undone by it."""
    now = session(chat)
    if now.over and not _silent(chat, now, at, rules):
        return
    now = _goes_on(chat, at, rules)
    now.said_at = at
    if now.people:
        return
    now.served = True
    _serve(chat, at, rules)
    if rules.policy.first_response_from == "first_message":
        return
    now.bot = now.bot_last = True
    chat.drop(_alone(chat))
    if now.asked:  # of the bot, as it turns out
        now.asked = False
        chat.drop(due(chat))
        if now.first_asked:
            chat.asked_at, now.first_asked = None, False


def handed_over(chat: Contact, at: int, rules: Rules) -> None:
    """People are to have it from now on, whoever had it so far; told again before somebody has answered it changes nothing."""
    now = _goes_on(chat, at, rules)
    now.said_at = at
    if now.handed or rules.policy.first_response_from == "first_message":
        taken(chat, at, rules)
        return
    now.people = now.handed = True
    _serve(chat, at, rules)
    chat.drop(_alone(chat))
    chat.unanswered_at = at
    if not chat.responded:
        _asks(chat, at, rules, after_bot=True)


def taken(chat: Contact, at: int, rules: Rules, *, writes: bool = False) -> None:
    """People have it: it was given to somebody, or somebody ``writes``."""
    now = session(chat)
    if now.people:
        return
    now.people = True
    _serve(chat, at, rules)
    chat.drop(_alone(chat))
    if now.asked or chat.unanswered_at is None:
        return
    if now.bot_last and not writes:
        chat.unanswered_at = at
    _asks(chat, chat.unanswered_at, rules, after_bot=now.bot)


def agent_wrote(chat: Contact, at: int, rules: Rules) -> None:
    """A message of an agent, before it is looked at as an answer. It begins nothing anew: the customer may have waited for days."""
    now = chat.session or session(chat)
    now.said_at = at
    if not now.people:
        taken(chat, at, rules, writes=True)
    now.handed = False


def ended(chat: Contact, at: int, rules: Rules) -> None:
    """Who left unanswered before the threshold was up was not kept waiting past it; who wrote last after a bot has got nobody."""
    now = session(chat)
    now.said_at, now.over, now.again = at, True, True
    if now.left_at is None:
        now.left_at = at
    _serve(chat, at, rules)
    waits = chat.slots.get(due(chat))
    if waits is not None and not chat.responded and at <= waits.at:
        chat.drop(due(chat))
    alone = chat.slots.get(_alone(chat))
    if alone is not None and at < alone.at:
        chat.fill(_alone(chat), replace(alone, at=at, form=HAPPENED))


def _serve(chat: Contact, at: int, rules: Rules) -> None:
    """A session that began in self-service ends there, told or by silence, unless people get it; a word of thanks begins none."""
    now = session(chat)
    if not now.served or now.after_end or "chat" not in rules.policy.self_service_channels:
        return
    name = _named(SELF_SERVICE, chat)
    told = chat.slots.get(name)
    if now.people:
        if told is None or told.desk != SERVED:
            chat.put(name, at, desk=SERVED)
    elif not now.over:
        chat.put(name, (now.said_at or at) + rules.policy.chat_session_ms + 1, desk=CONTAINED, form=PLANNED)
    elif told is None or told.form == PLANNED:
        chat.put(name, at, desk=CONTAINED)


def _asks(chat: Contact, since: int, rules: Rules, *, after_bot: bool = False) -> None:
    """The customer waits for people since then (ms): a first response is due within the threshold."""
    now = session(chat)
    now.asked, now.asked_in = True, chat.queue
    if chat.asked_at is None or now.first_asked:
        chat.asked_at, now.first_asked, now.after_bot = since, True, after_bot
    chat.put(due(chat), _up(chat, since, rules), both=_RESPONSE_DUE, form=PLANNED)


def _silent(chat: Contact, now: Session, at: int, rules: Rules) -> bool:
    """Has nobody written for too long? While the customer waits for people, their closed hours are no silence."""
    since, most = now.said_at, rules.policy.chat_session_ms
    if since is None or at - since <= most:
        return False
    waits = now.asked and not now.over and chat.unanswered_at is not None
    return not waits or rules.elapsed(since, at) > most


def _goes_on(chat: Contact, at: int, rules: Rules, *, may_thank: bool = False) -> Session:
    """The session that an event of the time ``at`` (ms) is of: a new one where the one before is over, or was silent for too long."""
    now = session(chat)
    silent = _silent(chat, now, at, rules)
    if not (now.over or silent):
        return now
    chat.responded, chat.unanswered_at = False, None
    if chat.agent is None:  # nobody has handled it yet
        chat.closed_at = None
        chat.drop("complaint_closed")
    first = chat.asked_at is not None
    chat.session = Session(
        number=now.number + 1,
        again=now.again,
        after_end=may_thank and not silent,
        after_bot=now.after_bot,
        left_at=now.left_at if first else None,
    )
    return chat.session
