"""An Asterisk of one run: its own configuration, ports and log inside the directory tree that all runs share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from deploy.local.server import LocalServer
from streams.addresses import HOST
from streams.die_with_parent import bound
from streams.sources.asterisk.ami.link import Link, connected

USER, SECRET = "deskpulse", "only-of-this-run"
#: For whoever drives the calls: may originate, transfer and pause.
DRIVER, DRIVER_SECRET = "driver", "only-of-this-run-too"
#: Agents of the calls' program: name → seconds they ring before they answer (None: they never do), talk at most, and hold.
SIP_AGENTS: dict[str, tuple[float | None, float, float]] = {
    "201": (0.6, 7, 0), "202": (0.9, 5, 2.2), "203": (None, 0, 0), "205": (0.5, 4, 0), "206": (1.1, 9, 0),
    "207": (0.4, 6, 1.6), "208": (0.7, 5, 0), "209": (0.5, 3, 0),
}  # fmt: skip
#: Queue → its members from the beginning, and its wrap-up (s). 209 comes and goes.
QUEUES: dict[str, tuple[tuple[str, ...], int]] = {
    "support": (("SIP/201", "SIP/202", "SIP/203", "Local/204@agents/n", "SIP/205", "SIP/206"), 2),
    "overflow": (("SIP/207", "SIP/208", "Local/204@agents/n"), 0),
    "lonely": ((), 0),
}
#: Queue → after so many seconds its dialplan takes a caller out of it.
LONGEST_WAIT = {"support": 9, "overflow": 8, "lonely": 5}
FLOATING = "SIP/209"
#: Rings for 4 s, then the next; whose time in support is up goes to overflow, and after that the call is over.
_QUEUE = "strategy=rrmemory\ntimeout=4\nretry=1\nringinuse=no\nautofill=yes\njoinempty=yes\n"
_EXTENSIONS = f"""\
[callers]
exten => support,1,Answer()
 same => n,Queue(support,tT,,,{LONGEST_WAIT["support"]})
 same => n,Queue(overflow,tT,,,{LONGEST_WAIT["overflow"]})
 same => n,Hangup()
exten => lonely,1,Answer()
 same => n,Queue(lonely,tT,,,{LONGEST_WAIT["lonely"]})
 same => n,Queue(overflow,tT,,,{LONGEST_WAIT["overflow"]})
 same => n,Hangup()
[transfers]
exten => overflow,1,Queue(overflow,tT,,,{LONGEST_WAIT["overflow"]})
 same => n,Hangup()
exten => 300,1,Answer()
 same => n,Wait(12)
 same => n,Hangup()
exten => 301,1,Answer()
 same => n,Wait(3)
 same => n,Hangup()
[agents]
exten => 204,1,Wait(1)
 same => n,Answer()
 same => n,Wait(6)
 same => n,Hangup()
"""
_MODULES = """\
[modules]
autoload=yes
preload=res_sorcery_config.so
preload=res_pjproject.so
noload=chan_pjsip.so
noload=res_pjsip.so
noload=chan_dahdi.so
noload=pbx_dundi.so
noload=pbx_ael.so
noload=pbx_lua.so
"""


class Switch(LocalServer):
    """An Asterisk; ``address`` is that of its AMI, ``sip_port`` where callers call."""

    name: ClassVar[str] = "Asterisk"
    ready_within_seconds: ClassVar[float] = 120.0

    def __init__(self, root: Path, run: str) -> None:
        self._root, self._run = root, Path("/runs") / run
        self.place = root / "runs" / run
        super().__init__(self.place)
        self.sip_port = free_port()
        self.agents = {name: free_port() for name in SIP_AGENTS}
        self.queue_log = self.place / "log" / "queue_log"

    @property
    def port(self) -> int:
        """Of its AMI."""
        assert self._port is not None
        return self._port

    def remove(self) -> None:
        """Its files, when the run is over."""
        shutil.rmtree(self.place, ignore_errors=True)

    @contextmanager
    def driven(self) -> Iterator[Link]:
        """A link for whoever drives the calls."""
        with connected(HOST, self.port, DRIVER, DRIVER_SECRET) as link:
            yield link

    def _address(self, port: int) -> str:
        return f"{HOST}:{port}"

    def _begin(self, progress: Callable[[str], None]) -> ServerProcess:
        self._take_port()
        for folder in ("log", "db", "spool", "run"):
            (self.place / folder).mkdir(parents=True, exist_ok=True)
        shutil.copytree(self._root / "etc/asterisk", self.place / "etc", dirs_exist_ok=True)
        for demo in ("users.conf", "extensions.ael", "extensions.lua"):
            (self.place / "etc" / demo).unlink(missing_ok=True)
        for name, text in self._files().items():
            (self.place / "etc" / name).write_text(text)
        command = bound(
            ["chroot", str(self._root), "/usr/sbin/asterisk", "-f", "-C", str(self._run / "etc/asterisk.conf")]
        )
        server = ServerProcess(command, directory=self.place, log=self.log)
        server.start()
        return server

    def _answers(self) -> bool:
        try:
            with self.driven() as link:  # AMI answers before its queues are there
                return any(message.get("Event") == "FullyBooted" for message in link.receive(1.0))
        except OSError:
            return False

    def _files(self) -> dict[str, str]:
        run = self._run
        places = {
            "astetcdir": run / "etc", "astdbdir": run / "db", "astspooldir": run / "spool", "astrundir": run / "run", "astlogdir": run / "log",
            "astmoddir": "/usr/lib/asterisk/modules", "astvarlibdir": "/var/lib/asterisk",
            "astkeydir": "/var/lib/asterisk", "astdatadir": "/usr/share/asterisk", "astagidir": "/usr/share/asterisk/agi-bin",
        }  # fmt: skip
        peers = "".join(
            f"[{name}]\ntype=peer\nhost={HOST}\nport={port}\ncontext=callers\ncallcounter=yes\n"
            for name, port in self.agents.items()
        )
        queues = "".join(
            f"[{queue}]\n{_QUEUE}wrapuptime={wrap_up}\n"
            + ("" if members else "leavewhenempty=yes\n")
            + "".join(f"member => {member}\n" for member in members)
            for queue, (members, wrap_up) in QUEUES.items()
        )
        users = "".join(
            f"[{name}]\nsecret={secret}\ndeny=0.0.0.0/0.0.0.0\npermit=127.0.0.1/255.255.255.255\nread=system,call,agent\nwrite={write}\nwritetimeout=5000\n"
            for name, secret, write in (
                (USER, SECRET, "agent"),
                (DRIVER, DRIVER_SECRET, "system,call,agent,command,originate"),
            )
        )
        return {
            "asterisk.conf": "[directories]\n"
            + "".join(f"{name} => {place}\n" for name, place in places.items())
            + "[options]\nquiet=yes\n",
            "modules.conf": _MODULES,
            "logger.conf": "[general]\nqueue_log=yes\n[logfiles]\nmessages => notice,warning,error\n",
            "manager.conf": f"[general]\nenabled=yes\nport={self.port}\nbindaddr={HOST}\ntimestampevents=yes\n{users}",
            "sip.conf": f"[general]\nbindaddr={HOST}:{self.sip_port}\nudpbindaddr={HOST}:{self.sip_port}\ncontext=callers\nallowguest=yes\n"
            f"directmedia=no\ndisallow=all\nallow=ulaw\nsrvlookup=no\n{peers}",
            "rtp.conf": "[general]\nrtpstart=10000\nrtpend=14000\n",
            "queues.conf": f"[general]\npersistentmembers=no\nautofill=yes\n{queues}",
            "extensions.conf": _EXTENSIONS,
            "features.conf": "[general]\natxfernoanswertimeout=5\n[featuremap]\nblindxfer=#1\natxfer=*2\n",
            "indications.conf": "[general]\ncountry=us\n[us]\ndescription=US\nringcadence=2000,4000\ndial=350+440\nbusy=480+620/500,0/500\n"
            "ring=440+480/2000,0/4000\ncongestion=480+620/250,0/250\ncallwaiting=440/300,0/10000\ndialrecall=!350+440/100,!0/100,350+440\n"
            "record=1400/500,0/15000\ninfo=!950/330,!1400/330,!1800/330,0\nstutter=!350+440/100,!0/100,350+440\n",
        }
