"""Files to begin with, as ``deskpulse source example`` prints them."""

from __future__ import annotations

TOPIC = """\
# A Kafka topic of JSON for Deskpulse. Try it without sending anything: deskpulse source check calls.yaml
source: crm                        # the `source` of every event; one of its own for each system
topic: crm.calls                   # or several that are written alike: [crm.calls, crm.calls.eu]
# kafka:                           # where it is another cluster than Deskpulse's
#   broker: crm-kafka:9093
#   security_protocol: SASL_SSL
#   ssl_ca_file: crm-ca.pem
#   sasl_mechanism: SCRAM-SHA-512
#   sasl_username: deskpulse
#   sasl_password: $CRM_KAFKA      # from the environment, or from the file that CRM_KAFKA_FILE names
# start: latest                    # where the first start begins: earliest (all that the topic has) where absent
# each: calls                      # each entry of this list is a record; col("message.site") is the message's own field
# debezium: true                   # messages are Debezium's: a record is the row; col("debezium.source.lsn"), col("debezium.op") …
# retract: true                    # with it: rows that are deleted, and events that a row no longer tells, are taken back
region: CN                         # where telephone numbers are written
agents: {}                         # the system's names: your ids. `source check` lists those that lack here
queues: {}
mapping:                           # or the name of a mapping file; columns are fields, those within a part by their path
  time_zone: Asia/Shanghai         # of times without a zone
  contact_id: text(id)
  # Of a record that comes again, changed, the latest counts: its number, or when it was written.
  version: datetime(updated_at)
  fields:
    customer_id: pseudonym(phone(text(col("caller.number")), region))
    queue_id: text(queue)
    agent_id: text(col("agent.id"))
  events:
    # A moment: datetime("2026-03-02 09:00:00" or with +08:00, Z); unix(number(s)), unix(number(ms) / 1000), unix(number(us) / 1000000)
    - {type: call.queued, time: datetime(queued_at)}
    - {type: call.answered, when: answered_at is not none, time: datetime(answered_at)}
    - {type: call.abandoned, when: answered_at is none and ended_at is not none, time: datetime(ended_at)}
    - type: call.ended
      when: answered_at is not none and ended_at is not none
      time: datetime(ended_at)
      fields: {talk_seconds: number(talk_seconds)}
"""

DATABASE = """\
# A table of a database for Deskpulse. Try it without sending anything: deskpulse source check shop.yaml
source: shop                       # the `source` of every event; one of its own for each table
database: $SHOP_DATABASE           # in the environment: postgresql://READER:PASSWORD@HOST/NAME, sqlite:////var/lib/shop.db
table: calls                       # or schema.table; or query: SELECT … (no WHERE of the watermark: that is put behind it)
watermark: updated_at              # rises whenever a row is written or changed: a time, or a whole number. It has an index
key: id                            # names a row; several columns: [site, id]
# overlap_seconds: 300             # longer than the longest transaction that writes rows: those committed late are found within it
# overlap: 1000                    # the same where the watermark is a whole number
# every_seconds: 5                 # between two looks
# timeout_seconds: 30              # of a statement
region: CN                         # where telephone numbers are written
agents: {}                         # the table's names: your ids. `source check` lists those that lack here
queues: {}
mapping:                           # or the name of a mapping file; columns of JSON are read by their path: col("extra.language")
  time_zone: Asia/Shanghai         # of times without a zone
  contact_id: text(id)
  version: datetime(updated_at)    # a row that is changed later corrects what it told
  fields:
    customer_id: pseudonym(phone(text(caller), region))
    queue_id: text(queue)
    agent_id: text(agent)
  events:
    - {type: call.queued, time: datetime(queued_at)}
    - {type: call.answered, when: answered_at is not none, time: datetime(answered_at)}
    - {type: call.abandoned, when: answered_at is none and ended_at is not none, time: datetime(ended_at)}
    - type: call.ended
      when: answered_at is not none and ended_at is not none
      time: datetime(ended_at)
      fields: {talk_seconds: number(talk_seconds)}
"""
