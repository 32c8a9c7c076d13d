"""What names a customer, and until when Kafka has it; tests/integration/test_forgetting.py has the rest."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from streams.contracts import topics
from streams.database import Database
from streams.erasure import Mentions, _by_age, _compacted, files, left_in_history, spellings
from streams.history.store import Part, Told, open_history
from streams.people.store import people_database
from streams.settings import Settings
from streams.sources.expressions.people import pseudonyms
from tests.support.archives import Topics, archived
from tests.support.desk import POLICY, Script
from tests.support.histories import messages, take

LONG = "13900000001"


def test_what_is_typed_and_its_pseudonym_are_the_same_person() -> None:
    plain, keyed = Settings(), Settings(pseudonym_key="secret")
    pseudonym = pseudonyms(b"secret")(LONG)
    assert pseudonym is not None
    assert spellings(plain, LONG) == [LONG]
    assert spellings(keyed, LONG) == [LONG, pseudonym]
    assert spellings(keyed, pseudonym) == [pseudonym]
    for wrong in ("", "anonymous", "1.39E+10", "a\0b"):
        with pytest.raises(ValueError, match=r"no customer id|nobody|rounded"):
            spellings(keyed, wrong)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b'{"customer_id": "13900000001"}', True),
        (b'{"customer_id": 13900000001}', True),
        (b"13900000001", True),
        (b'{"customer_id": "113900000001"}', False),
        (b'{"customer_id": "13900000001a"}', False),
        (b'{"wait_seconds": 12}', False),
        (b'{"customer_id": "12"}', True),
    ],
)
def test_an_id_is_a_word_of_its_own_and_a_short_one_no_number(text: bytes, named: bool) -> None:
    assert Mentions([LONG, "12"])(text) is named


def test_a_record_names_somebody_however_their_id_is_written() -> None:
    def record(key: bytes | None = None, value: bytes | None = None, header: bytes = b"") -> SimpleNamespace:
        return SimpleNamespace(key=key, value=value, headers=[("h", header)])

    named = Mentions(["张三-001", "7"]).record
    assert named(record(value=b'{"customer_id": "\\u5f20\\u4e09-001"}'))
    assert named(record(key=b"7"))
    assert named(record(header="张三-001".encode()))
    assert not named(record(key=b"77", value=b"{7"))
    assert not named(record())


def test_files_are_looked_into_whatever_they_are_packed_in(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text(f"a,b\n1,{LONG}\n")
    (tmp_path / "long.bin").write_bytes(b"x" * ((1 << 20) - 5) + b" " + LONG.encode() + b" ")
    with gzip.open(tmp_path / "events.jsonl.gz", "wb") as packed:
        packed.write(LONG.encode())
    with zipfile.ZipFile(tmp_path / "sheet.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<t>{LONG}</t>")
    (tmp_path / "broken.gz").write_bytes(b"no gzip")
    (tmp_path / "other.csv").write_text("139000000012")
    kafkas = tmp_path / "kafka" / "data"
    (kafkas / "calls-0").mkdir(parents=True)
    (kafkas / "meta.properties").touch()
    (kafkas / "calls-0" / "0.log").write_text(LONG)
    archive = Topics()
    for place, key, value in (
        (("calls", 0), None, f'{{"customer_id":"{LONG}"}}'.encode()),
        (("calls", 1), b"x", b"{}"),
    ):
        archive.put(place, 0, key, value)
    spans = archived(archive, tmp_path / "archive").spans(["calls"])
    (tmp_path / "other.parquet").write_bytes(b"PAR1")
    found = {path.name for path in files(tmp_path, Mentions([LONG]))}
    named = Path(spans["calls", 0][0].name).name
    assert found == {"plain.csv", "long.bin", "events.jsonl.gz", "sheet.xlsx", named}


def test_the_database_is_looked_into_too(tmp_path: Path) -> None:
    with people_database(None, tmp_path) as database:
        assert not list(database.places(Mentions([LONG])))
        database.upgrade()
        with database.write() as connection:
            connection.exec_driver_sql("CREATE TABLE notes (id INTEGER, said TEXT, body BLOB)")
            connection.exec_driver_sql("INSERT INTO notes VALUES (1, 'call 13900000001 back', NULL)")
            connection.exec_driver_sql("INSERT INTO notes VALUES (2, 'nothing', ?)", (zlib.compress(LONG.encode()),))
        assert isinstance(database, Database)
        assert sorted(database.places(Mentions([LONG]))) == [("notes", "body", 1), ("notes", "said", 1)]


def test_the_history_has_forgotten_once_it_has_read_so(tmp_path: Path) -> None:
    with open_history(None, tmp_path, POLICY) as history:
        assert left_in_history(history, [LONG], 0) is None, "there is none"
        history.begin()
        result = Script().call("09:00:00", "c", agent="a", customer_id=LONG).run(records=True)
        at: dict[Part, int] = {}
        take(history, messages(result), result.now, at)
        assert left_in_history(history, [LONG], 0) == 1
        assert left_in_history(history, ["another"], 0) == 0
        assert not list(history.database.places(Mentions([LONG]), but="history_")), "it has its own word"
        (key,) = result.records
        take(history, {topics.CONTACT_RECORDS: [Told(key, None)]}, None, at)
        assert left_in_history(history, [LONG], 0) == 0
        assert not any(LONG.encode() in path.read_bytes() for path in tmp_path.glob("history.db*"))


def test_until_when_kafka_has_it() -> None:
    day, hour = timedelta(days=1), timedelta(hours=1)
    week = {"segment.ms": "604800000"}
    assert _by_age({**week, **topics.CALLS.config}) == 97 * day
    assert _by_age({**week, **topics.DEAD_LETTERS.config}) == 31 * day
    assert _by_age({**week, "cleanup.policy": "delete", "retention.ms": "-1"}) == "its retention.ms keeps it for ever"
    assert _by_age({**topics.CALLS.config, "cleanup.policy": "compact"}) == "its cleanup.policy is not `delete`"
    assert _compacted(topics.CUSTOMERS.config) == 2 * day + 2 * hour
    assert "max.compaction.lag.ms" in str(
        _compacted({**topics.CUSTOMERS.config, "max.compaction.lag.ms": str(2**63 - 1)})
    )
