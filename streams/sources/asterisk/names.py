"""What an operation calls its agents and queues, by the names that Asterisk has for them; its file, read and refused with reasons."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from streams.contracts.events import SCALE_PATTERN, AgentState, scale_ends
from streams.contracts.events.base import Survey as Kind
from streams.secret_files import SecretName
from streams.sources.live.names import Named, NamedId, Region, SourceName, load_as

#: A verb that a dialplan may write, and digits of a score at most.
_VERB, _LONGEST_SCORE = r"^[A-Za-z0-9_-]{1,40}$", 3
#: Verbs that Asterisk writes.
ASTERISKS_OWN = frozenset(
    {
        "ABANDON", "ADDMEMBER", "AGENTCALLBACKLOGIN", "AGENTCALLBACKLOGOFF", "AGENTDUMP", "AGENTLOGIN", "AGENTLOGOFF",
        "ATTENDEDTRANSFER", "BLINDTRANSFER", "COMPLETEAGENT", "COMPLETECALLER", "CONFIGRELOAD", "CONNECT", "DID", "ENTERQUEUE",
        "EXITEMPTY", "EXITWITHKEY", "EXITWITHTIMEOUT", "INFO", "PAUSE", "PAUSEALL", "PENALTY", "QUEUESTART", "REMOVEMEMBER",
        "RINGCANCELED", "RINGNOANSWER", "SYSCOMPAT", "TRANSFER", "UNPAUSE", "UNPAUSEALL",
    }
)  # fmt: skip

EXAMPLE = """\
# Asterisk for Deskpulse. Try it without sending anything: deskpulse source check asterisk.yaml
source: asterisk                          # the `source` of every event; one of its own for each Asterisk
queue_log: /var/log/asterisk/queue_log    # as Asterisk writes it; what it was rotated to (queue_log.1, …) is found beside it
# region: CN                              # where callers' numbers are written: each then has one spelling, as in other tables
agents: {}                                # Asterisk's name of a member: your id of the agent
#  SIP/201: A001
#  Local/204@agents/n: A004
queues: {}                                # Asterisk's name of a queue: yours
pauses: {}                                # reason of a pause: the state that it is (training, wrap_up, …); all others are away
# surveys:                                # what callers press after the call, where the dialplan writes it:
#   SURVEY: {scale: 3-1}                  # QueueLog(support,${UNIQUEID},${MEMBERNAME},SURVEY,${DIGIT}); here 1 is the best
#   PRESSED: {scale: 1-5, scores: {1: 5, 2: 3, 3: 1}, invited: ASKED}   # keys with a meaning of their own; ASKED: they were asked
# ami:                                    # what the log does not tell: members from the start, wrap-up, hold, telephones that are away
#   host: 127.0.0.1
#   user: deskpulse                       # [deskpulse] in manager.conf, with read = system,call,agent
#   secret: $AMI_SECRET                   # from the environment, or from the file that AMI_SECRET_FILE names
#   wrap_up_seconds: {}                   # queue by Asterisk's name: its wrapuptime in queues.conf
"""


class Ami(BaseModel):
    """Asterisk's manager interface. ``wrap_up_seconds``: queue by Asterisk's name → its ``wrapuptime``, which AMI does not tell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 5038
    user: Annotated[str, Field(min_length=1, pattern=r"^[^\r\n]*$")]
    secret: SecretName
    tls: bool = False
    wrap_up_seconds: dict[str, Annotated[float, Field(ge=0, le=86_400)]] = {}


class Survey(BaseModel):
    """What callers press, written by the dialplan under a verb of its own. ``scores``: key → score, where it is not the score itself;
    ``invited``: the verb that says that they were asked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Annotated[str, Field(pattern=SCALE_PATTERN)]
    survey: Kind = "csat"
    scores: dict[Annotated[str, Field(min_length=1, max_length=64, coerce_numbers_to_str=True)], float] = {}
    invited: Annotated[str, Field(pattern=_VERB)] | None = None

    @model_validator(mode="after")
    def _on_the_scale(self) -> Survey:
        low, high = sorted(scale_ends(self.scale))
        for key, score in self.scores.items():
            if not low <= score <= high:
                raise ValueError(f"the key {key} stands for {score:g}, which is not on the scale {self.scale}")
        return self

    def score(self, key: str) -> float:
        """What a key stands for. Raises ValueError where it stands for nothing."""
        if self.scores:
            if (score := self.scores.get(key)) is not None:
                return score
            raise ValueError(f"{key!r} is none of the keys {', '.join(self.scores)}")
        low, high = sorted(scale_ends(self.scale))
        if not (key.isascii() and key.isdigit() and len(key) <= _LONGEST_SCORE and low <= int(key) <= high):
            raise ValueError(f"{key!r} is not on the scale {self.scale}")
        return int(key)


class Config(BaseModel):
    """The file of one Asterisk."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: SourceName = "asterisk"
    queue_log: Path
    region: Region | None = None
    agents: dict[str, NamedId] = {}
    queues: dict[str, NamedId] = {}
    pauses: dict[str, AgentState] = {}
    surveys: dict[Annotated[str, Field(pattern=_VERB)], Survey] = {}
    ami: Ami | None = None

    @model_validator(mode="after")
    def _verbs_are_one_each(self) -> Config:
        verbs = [*self.surveys, *(survey.invited for survey in self.surveys.values() if survey.invited)]
        for verb in verbs:
            if verb in ASTERISKS_OWN:
                raise ValueError(f"{verb} is a verb of Asterisk's own: have the dialplan write another one")
            if verbs.count(verb) > 1:
                raise ValueError(f"{verb} stands twice under surveys")
        return self


def load(path: Path) -> Config:
    """The file. A path in it that is not absolute is beside it. Raises ValueError that names the file and the key."""
    config = load_as(Config, path)
    return config.model_copy(update={"queue_log": path.parent / config.queue_log})


class Names(Named):
    """Asterisk's, with what its pauses mean and what its verbs ask."""

    def __init__(self, config: Config) -> None:
        super().__init__(config.agents, config.queues)
        self._pauses = config.pauses
        #: Verbs of the log that are not Asterisk's own.
        self.unread: Counter[str] = Counter()
        #: Verb → the survey whose answers it writes.
        self.surveys = config.surveys

    def paused(self, reason: str | None) -> AgentState:
        """The state of an agent who pauses."""
        return self._pauses.get(reason or "", "away")
