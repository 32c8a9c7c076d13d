"""Chats of the simulated desk: the bot greets and hands over, bursts of messages, agents with several chats at once."""

from __future__ import annotations

from collections import deque
from functools import partial

from streams.contracts import events as e
from streams.sources.simulated.channel import Channel
from streams.sources.simulated.contacts import Contact, Contacts, chance
from streams.sources.simulated.customers import CROSS_AFTER, Matter, Public
from streams.sources.simulated.desk import QUEUES
from streams.sources.simulated.floor import Agent, Floor, Pool
from streams.sources.simulated.loop import Loop

_PATIENCE = 260.0
#: The bot that greets, and how soon it does, seconds.
_BOT, _GREETS_AFTER = "welcome", 1.2
#: Share of chats that the bot settles by itself; when it has answered and when the customer has left, seconds after its greeting.
_BOT_SETTLES, _BOT_ANSWERS_AFTER, _LEAVES_AFTER = 0.08, 6.0, 45.0
#: Mean seconds and sigma of an agent's replies; each further chat in hand slows them by a share.
_FIRST_REPLY, _REPLY = (8.5, 0.35), (20.0, 0.5)
_SLOWED_BY = 0.12
_THINKING = 28.0
_WRAP_UP = (12.0, 0.5)
#: Chance that another round of question and answer follows.
_GOES_ON = 0.78
#: Share of chats that a colleague finishes, and of those that go to somebody first who passes them on.
_HANDED_ON, _WRONGLY = 0.03, 0.1


class _Chat:
    """A chat on its way."""

    __slots__ = ("agent", "contact", "over", "pool", "started_at", "waited")

    def __init__(self, contact: Contact, pool: Pool, started_at: float) -> None:
        self.contact = contact
        self.pool = pool
        self.started_at = started_at
        self.waited = 0.0
        self.agent: Agent | None = None
        self.over = False


class Chats(Channel):
    """Takes chats to agents."""

    def __init__(self, loop: Loop, floor: Floor, contacts: Contacts, public: Public) -> None:
        super().__init__(loop, floor, contacts, public)
        self._waiting: dict[Pool, deque[_Chat]] = {}
        for pool in floor.pools:
            if pool.role == "chat":
                self._waiting[pool] = deque()
                pool.serve = lambda pool=pool: self._serve(pool)  # type: ignore[misc]

    def arrive(self, matter: Matter, pool: Pool) -> None:
        """A customer opens a chat and writes; the bot greets them and settles it, or hands over to people."""
        random = self._loop.random
        contact = self._contacts.open("chat", matter, random.choice(QUEUES["chat"]), pool.site)
        chat = _Chat(contact, pool, self._loop.now)
        self._contacts.tell(contact, e.ChatStarted)
        self._customer_writes(chat, random.choice((1, 1, 2)))
        self._loop.after(_GREETS_AFTER, self._bot_greets, chat)
        self._loop.after(20 + random.expovariate(1 / _PATIENCE), self._give_up, chat)

    def _bot_greets(self, chat: _Chat) -> None:
        self._contacts.tell(chat.contact, e.ChatMessage, sender="bot")
        if chance(chat.contact, "bot settles") < _BOT_SETTLES:
            chat.over = True
            self._loop.after(
                _BOT_ANSWERS_AFTER, partial(self._contacts.tell, chat.contact, e.ChatMessage, sender="bot")
            )
            self._loop.after(_LEAVES_AFTER, self._close, chat)
            return
        self._contacts.tell(chat.contact, e.ChatHandedOver, bot=_BOT)
        self._waiting[chat.pool].append(chat)
        self._serve(chat.pool)

    def _customer_writes(self, chat: _Chat, messages: int) -> None:
        if not chat.over:
            self._contacts.tell(chat.contact, e.ChatMessage, sender="customer")
            if messages > 1:
                self._loop.after(self._loop.random.uniform(2, 6), self._customer_writes, chat, messages - 1)

    def _serve(self, pool: Pool) -> None:
        waiting = self._waiting[pool]
        while waiting:
            if waiting[0].over:
                waiting.popleft()
            elif (agent := pool.free_agent()) is not None:
                self._assign(waiting.popleft(), agent)
            elif not pool.is_staffed:  # after hours nobody comes
                self._close(waiting.popleft())
            else:
                return

    def _assign(self, chat: _Chat, agent: Agent) -> None:
        chat.agent = agent
        self._floor.reserve(agent)
        self._floor.begin(agent)
        self._contacts.tell(chat.contact, e.ChatAssigned, agent.member)
        self._loop.after(self._delay(agent, _FIRST_REPLY), self._first_reply, chat, agent)

    def _first_reply(self, chat: _Chat, agent: Agent) -> None:
        chat.waited = self._loop.now - chat.started_at
        self._reply(chat, agent)

    def _reply(self, chat: _Chat, agent: Agent) -> None:
        random = self._loop.random
        self._contacts.tell(chat.contact, e.ChatMessage, agent.member, sender="agent")
        thinking = random.expovariate(1 / _THINKING)
        if random.random() < _GOES_ON:
            self._loop.after(thinking, self._customer_writes, chat, random.choice((1, 1, 2, 3)))
            self._loop.after(thinking + self._delay(agent, _REPLY), self._reply, chat, agent)
        else:
            self._loop.after(thinking, self._end, chat, agent, self._hand_on(chat, agent))

    def _hand_on(self, chat: _Chat, agent: Agent) -> Agent:
        """Who finishes the chat: a colleague who is there, now and then; the agent listens till its end."""
        contact = chat.contact
        if chance(contact, "handed on") >= _HANDED_ON:
            return agent
        there = [
            other for other in agent.pool.agents if other is not agent and other.state in ("available", "on_contact")
        ]
        has = agent
        for step in ("first", "second") if chance(contact, "wrongly") < _WRONGLY else ("first",):
            if others := [other for other in there if other is not has]:
                to = others[int(chance(contact, f"{step} colleague") * len(others))]
                self._contacts.tell(contact, e.ChatTransferred, has.member, to_agent_id=to.member.id)
                has = to
        return has

    def _delay(self, agent: Agent, reply: tuple[float, float]) -> float:
        return self._public.lognormal(*reply) * (1 + _SLOWED_BY * (agent.load - 1))

    def _end(self, chat: _Chat, agent: Agent, finisher: Agent) -> None:
        chat.over = True
        if finisher is not agent:
            self._contacts.tell(chat.contact, e.ChatMessage, finisher.member, sender="agent")
        resolved = self._public.is_resolved(chat.contact.matter, chat.waited)
        wrap_up = round(self._public.lognormal(*_WRAP_UP), 1)
        self._contacts.tell(chat.contact, e.ChatEnded, finisher.member, resolved=resolved, wrap_up_seconds=wrap_up)
        asked, rates = self._public.rates()
        if asked:
            self._contacts.tell(chat.contact, e.ChatInvited, finisher.member)
        if rates:
            self._loop.after(self._loop.random.uniform(5, 60), self._rate, chat, finisher, resolved)
        pleased = resolved and chat.waited <= CROSS_AFTER
        self._contacts.ask_to_recommend(chat.contact, e.ChatInvited, e.ChatRated, finisher.member, pleased)
        if not resolved:
            self.demand.unsettled(chat.contact.matter, cross=chat.waited > CROSS_AFTER)
        self._loop.after(wrap_up, self._floor.done, agent)

    def _rate(self, chat: _Chat, agent: Agent, resolved: bool) -> None:
        score = self._public.rating(chat.waited, resolved)
        self._contacts.rate(chat.contact, e.ChatRated, e.ChatRatingExplained, agent.member, score)

    def _give_up(self, chat: _Chat) -> None:
        if chat.agent is None and not chat.over:
            self._close(chat)
            self.demand.hung_up(chat.contact.matter)

    def _close(self, chat: _Chat) -> None:
        """It ends without an agent."""
        chat.over = True
        self._contacts.tell(chat.contact, e.ChatEnded)
