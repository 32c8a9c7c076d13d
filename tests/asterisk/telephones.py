"""Callers and agents: SIPp's, who speak SIP to Asterisk."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.process import ServerProcess
from streams.addresses import HOST
from streams.die_with_parent import bound
from tests.asterisk.switch import SIP_AGENTS, Switch

_SDP = (
    "v=0\no=sipp 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 6000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\n"
)
_OF_AGENT = (
    "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\nFrom: [$called];tag=[call_number]\nTo: [$caller]\n"
    "[last_Call-ID:]\nCSeq: {cseq} {method}\nContact: <sip:agent@[local_ip]:[local_port]>\n"
)


def _send(text: str, attributes: str = "") -> str:
    return f"<send{attributes}><![CDATA[\n{text}\n]]></send>\n"


def _answer(code: str, body: str = "") -> str:
    kind = "Content-Type: application/sdp\n" if body else ""
    return (
        f"SIP/2.0 {code}\n[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n"
        f"Contact: <sip:agent@[local_ip]:[local_port]>\n{kind}Content-Length: [len]\n\n{body}"
    )


def _plain(code: str) -> str:
    """An answer within a dialogue, whose To has its tag already."""
    return (
        f"SIP/2.0 {code}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n"
    )


def _of_agent(method: str, cseq: int, body: str = "") -> str:
    kind = "Content-Type: application/sdp\n" if body else ""
    return (
        f"{method} [$where] SIP/2.0\n{_OF_AGENT.format(cseq=cseq, method=method)}{kind}Content-Length: [len]\n\n{body}"
    )


def _asks(cseq: int, way: str) -> str:
    """The agent puts the caller on hold, or takes them back."""
    return (
        _send(_of_agent("INVITE", cseq, f"{_SDP}a={way}\n"), ' retrans="500"')
        + '<recv response="100" optional="true"/>\n<recv response="200"/>\n'
        + _send(_of_agent("ACK", cseq))
    )


def _agent(ring: float | None, talk: float, hold: float) -> str:
    """An agent's telephone: rings, answers or does not, holds, hangs up after ``talk`` seconds unless the caller did. Seconds."""
    rings = 120.0 if ring is None else ring
    held = (
        f'<pause milliseconds="900"/>\n{_asks(11, "sendonly")}<pause milliseconds="{hold * 1000:.0f}"/>\n{_asks(12, "sendrecv")}'
        if hold
        else ""
    )
    read = "".join(
        f'<ereg regexp="{pattern}" search_in="hdr" header="{header}:" assign_to="{name}"/>'
        for pattern, header, name in (
            (".*", "From", "caller"),
            (".*", "To", "called"),
            ("sip:[^>;]*", "Contact", "where"),
            (".*", "CSeq", "invited"),
        )
    )
    return (
        '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="agent">\n'
        f'<recv request="INVITE"><action>{read}</action></recv>\n'
        + _send(_answer("180 Ringing"))
        + f'<recv request="CANCEL" timeout="{rings * 1000:.0f}" ontimeout="answer"/>\n'
        # CANCEL is answered, and the INVITE that it ends.
        + _send(_plain("200 OK"))
        + _send(_of_cancelled())
        + '<recv request="ACK" timeout="4000" ontimeout="over" next="over"/>\n<label id="answer"/>\n'
        + _send(_answer("200 OK", f"{_SDP}a=sendrecv\n"), ' retrans="500"')
        + '<recv request="ACK"/>\n'
        + held
        + f'<recv request="BYE" timeout="{max(talk, 1) * 1000:.0f}" ontimeout="hangup"/>\n'
        + _send(_plain("200 OK"), ' next="over"')
        + '<label id="hangup"/>\n'
        + _send(_of_agent("BYE", 21), ' retrans="500"')
        + '<recv response="200"/>\n<label id="over"/>\n<Reference variables="caller,called,where,invited"/>\n</scenario>\n'
    )


def _of_cancelled() -> str:
    return _plain("487 Request Terminated").replace("[last_CSeq:]", "CSeq: [$invited]")


_CALLER = (
    '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="caller">\n'
    + _send(
        "INVITE sip:[field1]@[remote_ip]:[remote_port] SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n"
        'From: "[field0]" <sip:[field0]@[local_ip]:[local_port]>;tag=c[call_number]\nTo: <sip:[field1]@[remote_ip]:[remote_port]>\n'
        "Call-ID: [call_id]\nCSeq: 1 INVITE\nContact: <sip:[field0]@[local_ip]:[local_port]>\nContent-Type: application/sdp\n"
        f"Content-Length: [len]\n\n{_SDP}",
        ' retrans="500"',
    )
    + '<recv response="100" optional="true"/>\n<recv response="180" optional="true"/>\n<recv response="200"/>\n'
    + _send(
        "ACK sip:[field1]@[remote_ip]:[remote_port] SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n"
        "[last_From:]\n[last_To:]\n[last_Call-ID:]\nCSeq: 1 ACK\nContent-Length: 0\n\n"
    )
    + '<pause distribution="uniform" min="1500" max="24000"/>\n'
    + _send(
        "BYE sip:[field1]@[remote_ip]:[remote_port] SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n"
        "[last_From:]\n[last_To:]\n[last_Call-ID:]\nCSeq: 2 BYE\nContent-Length: 0\n\n",
        ' retrans="500"',
    )
    + '<recv response="200" timeout="8000" ontimeout="over"/>\n<label id="over"/>\n</scenario>\n'
)


def _sipp(directory: Path, name: str, scenario: str, *arguments: str) -> ServerProcess:
    path = directory / f"{name}.xml"
    path.write_text(scenario)
    command = [shutil.which("sipp") or "sipp", "-sf", str(path), "-i", HOST, "-nostdin", "-timeout_error", *arguments]
    process = ServerProcess(bound(command), directory=directory, log=directory / f"{name}.log")
    process.start()
    return process


def agents(switch: Switch, directory: Path) -> list[ServerProcess]:
    """The agents' telephones, one process each."""
    return [
        _sipp(directory, f"agent-{name}", _agent(*SIP_AGENTS[name]), "-p", str(port), "-mp", str(free_port()))
        for name, port in switch.agents.items()
    ]


def callers(switch: Switch, directory: Path, calls: int, rate: float, seed: int) -> ServerProcess:
    """So many callers at a rate a second; some 4 % call the queue that nobody works in. They stay up to 24 s, unless they are hung up on."""
    chance = random.Random(seed)
    (directory / "callers.csv").write_text("SEQUENTIAL\n" + "".join(_lines(chance, calls)))
    return _sipp(
        directory, "callers", _CALLER, f"{HOST}:{switch.sip_port}", "-p", str(free_port()), "-mp", str(free_port()),
        "-inf", str(directory / "callers.csv"), "-m", str(calls), "-r", f"{rate:g}", "-l", "400",
    )  # fmt: skip


def _lines(chance: random.Random, calls: int) -> Iterable[str]:
    for _ in range(calls):
        yield f"139{chance.randrange(100, 160):08};{'lonely' if chance.random() < 0.04 else 'support'}\n"
