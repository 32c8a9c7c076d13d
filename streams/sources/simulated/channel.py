"""What calls, chats and tickets have in common: the desk that they come to."""

from __future__ import annotations

from streams.sources.simulated.contacts import Contacts
from streams.sources.simulated.customers import Public
from streams.sources.simulated.demand import Demand
from streams.sources.simulated.floor import Floor
from streams.sources.simulated.loop import Loop


class Channel:
    """Takes contacts to agents. ``demand`` is set once it exists: it brings the contacts and takes back who comes again."""

    demand: Demand

    def __init__(self, loop: Loop, floor: Floor, contacts: Contacts, public: Public) -> None:
        self._loop = loop
        self._floor = floor
        self._contacts = contacts
        self._public = public
