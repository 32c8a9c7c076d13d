"""What the topics have told: contacts, presence, facts, alerts, incidents, scores; and the formulas of KPIs"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "history_alerts",
        sa.Column("rule", sa.Text(), nullable=False, comment="id of the rule"),
        sa.Column("entity", sa.Text(), nullable=False, comment="about whom: kind|id"),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when this step happened, ms since 1970"),
        sa.Column("status", sa.Text(), nullable=False, comment="firing, no_data or resolved"),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="since when the condition held, ms since 1970"),
        sa.Column("severity", sa.Text(), nullable=False, comment="info, warning or critical"),
        sa.Column("kpi", sa.Text(), nullable=False, comment="id of the KPI"),
        sa.Column("seen_in", sa.Text(), nullable=False, comment="the window that was watched"),
        sa.Column("threshold", sa.Float(), nullable=False, comment="the bound, in the KPI's unit"),
        sa.Column("value", sa.Float(), nullable=True, comment="the figure"),
        sa.Column("n", sa.BigInteger(), nullable=False, comment="what it rested on"),
        sa.Column("reason_zh", sa.Text(), nullable=False, comment="why, in Chinese"),
        sa.Column("reason_en", sa.Text(), nullable=False, comment="why, in English"),
        sa.PrimaryKeyConstraint("rule", "entity", "at", "status", name=op.f("pk_history_alerts")),
    )
    op.create_index(op.f("ix_history_alerts_at"), "history_alerts", ["at"], unique=False)
    op.create_table(
        "history_clock",
        sa.Column("now", sa.BigInteger(), nullable=False, comment="the operation's own clock, ms since 1970"),
        sa.PrimaryKeyConstraint("now", name=op.f("pk_history_clock")),
    )
    op.create_table(
        "history_contacts",
        sa.Column("date", sa.Date(), nullable=False, comment="the operation's local date on which the contact arrived"),
        sa.Column(
            "record",
            sa.Text(),
            nullable=False,
            comment="key of its record: channel|contact|date|digest of the customer",
        ),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="grows with every record of the contact"),
        sa.Column("channel", sa.Text(), nullable=False, comment="calls, chats or tickets"),
        sa.Column("contact_id", sa.Text(), nullable=False, comment="id of the contact in its source"),
        sa.Column(
            "customer_id",
            sa.Text(),
            nullable=True,
            comment="pseudonym of the customer; null: nobody told, or they have been forgotten",
        ),
        sa.Column("arrived_at", sa.BigInteger(), nullable=False, comment="when it arrived, ms since 1970"),
        sa.Column(
            "starts", sa.Text(), nullable=False, comment="the quarter hour in which it arrived, by the wall clock"
        ),
        sa.Column("policy", sa.Text(), nullable=False, comment="version of the policy that judges its day"),
        sa.Column("queue", sa.Text(), nullable=True, comment="where it is now"),
        sa.Column("agent", sa.Text(), nullable=True, comment="who has it now"),
        sa.Column("team", sa.Text(), nullable=True, comment="their team"),
        sa.Column("site", sa.Text(), nullable=True, comment="their site"),
        sa.Column("topic", sa.Text(), nullable=True, comment="what it is about, by the policy's name"),
        sa.Column("kind", sa.Text(), nullable=True, comment="what it is, by the policy's name"),
        sa.Column("vip", sa.Boolean(), nullable=True, comment="is its customer a VIP?"),
        sa.Column("urgent", sa.Boolean(), nullable=True, comment="is it urgent?"),
        sa.Column("state", sa.Text(), nullable=False, comment="open, waiting, pending or closed"),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=True,
            comment="answered, abandoned, flowed_out, self_served, handled or merged",
        ),
        sa.Column("resolved", sa.Boolean(), nullable=True, comment="the last word on whether it is resolved"),
        sa.Column("closed_at", sa.BigInteger(), nullable=True, comment="when it was closed, ms since 1970"),
        sa.Column(
            "first_response_ms",
            sa.BigInteger(),
            nullable=True,
            comment="how long its customer waited for the first response, ms",
        ),
        sa.Column(
            "csat_score", sa.BigInteger(), nullable=True, comment="last rating of satisfaction, thousandths of a point"
        ),
        sa.Column("csat_scale", sa.Text(), nullable=True, comment="the scale of that rating"),
        sa.Column("transferred", sa.Boolean(), nullable=False, comment="was it handed on?"),
        sa.Column("reopened", sa.Boolean(), nullable=False, comment="was it opened again?"),
        sa.Column(
            "repeated_by", sa.Text(), nullable=True, comment="the contact with which its customer came back, channel:id"
        ),
        sa.Column(
            "told",
            sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
            comment="all else that its record says, as on the topic, but for what it counts for",
        ),
        sa.PrimaryKeyConstraint("date", "record", name=op.f("pk_history_contacts")),
        postgresql_partition_by="RANGE (date)",
    )
    op.create_index(op.f("ix_history_contacts_agent_date"), "history_contacts", ["agent", "date"], unique=False)
    op.create_index(op.f("ix_history_contacts_contact_id"), "history_contacts", ["contact_id"], unique=False)
    op.create_index(op.f("ix_history_contacts_queue_date"), "history_contacts", ["queue", "date"], unique=False)
    op.create_table(
        "history_counts",
        sa.Column("date", sa.Date(), nullable=False, comment="date of the record"),
        sa.Column(
            "record", sa.Text(), nullable=False, comment="key of the record in history_contacts or history_presence"
        ),
        sa.Column("day", sa.Date(), nullable=False, comment="the operation's local date on which it counts"),
        sa.Column(
            "starts", sa.Text(), nullable=False, comment="the quarter hour in which it counts, by the wall clock"
        ),
        sa.Column("starts_at", sa.BigInteger(), nullable=False, comment="its beginning, ms since 1970"),
        sa.Column("ends_at", sa.BigInteger(), nullable=False, comment="its end, ms since 1970"),
        sa.Column(
            "counts_from",
            sa.BigInteger(),
            nullable=False,
            comment="the moment from which on it counts, ms since 1970; 0: it happened",
        ),
        sa.Column("channel", sa.Text(), nullable=True, comment="calls, chats or tickets; null: presence"),
        sa.Column("topic", sa.Text(), nullable=True, comment="topic of the contact"),
        sa.Column("contact_kind", sa.Text(), nullable=True, comment="kind of the contact"),
        sa.Column("agent", sa.Text(), nullable=True, comment="the agent to whom it is credited"),
        sa.Column("team", sa.Text(), nullable=True, comment="the team to which it is credited"),
        sa.Column("queue", sa.Text(), nullable=True, comment="the queue to which it is credited"),
        sa.Column("site", sa.Text(), nullable=True, comment="the site to which it is credited"),
        sa.Column(
            "staff",
            sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
            comment="sums that count for agent and team: measure → amount, as it is stored",
        ),
        sa.Column(
            "desk",
            sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
            comment="sums that count for queue, site and the whole operation",
        ),
        sa.Column(
            "staff_grows",
            sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
            comment="by how much sums of staff grow with each ms up to ends_at",
        ),
        sa.Column(
            "desk_grows",
            sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
            comment="the same of the desk's",
        ),
        postgresql_partition_by="RANGE (date)",
    )
    op.create_index(op.f("ix_history_counts_day_agent"), "history_counts", ["day", "agent"], unique=False)
    op.create_index(op.f("ix_history_counts_day_queue"), "history_counts", ["day", "queue"], unique=False)
    op.create_index(op.f("ix_history_counts_record"), "history_counts", ["record"], unique=False)
    op.create_table(
        "history_days",
        sa.Column("date", sa.Date(), nullable=False, comment="the operation's local date"),
        sa.Column("policy", sa.Text(), nullable=False, comment="version of the policy in force"),
        sa.Column("week", sa.Date(), nullable=False, comment="Monday of its week"),
        sa.Column("month", sa.Text(), nullable=False, comment="its month, like 2026-03"),
        sa.Column("ends_at", sa.BigInteger(), nullable=False, comment="its end, ms since 1970"),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_history_days")),
    )
    op.create_table(
        "history_facts",
        sa.Column(
            "record", sa.Text(), nullable=False, comment="key of the daily facts: entity|date or entity|date+part"
        ),
        sa.Column(
            "counts_from",
            sa.BigInteger(),
            nullable=False,
            comment="the moment from which on it counts, ms since 1970; 0: it does",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="agent, team, queue, site or all"),
        sa.Column("id", sa.Text(), nullable=False, comment="id of the entity"),
        sa.Column("date", sa.Date(), nullable=False, comment="the operation's local date"),
        sa.Column("ends_at", sa.BigInteger(), nullable=False, comment="the day's end, ms since 1970"),
        sa.Column(
            "sums",
            sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
            comment="measure → amount, as it is stored",
        ),
        sa.Column(
            "grows",
            sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
            comment="by how much sums grow with each ms up to the day's end",
        ),
        sa.PrimaryKeyConstraint("record", "counts_from", name=op.f("pk_history_facts")),
    )
    op.create_index(op.f("ix_history_facts_date"), "history_facts", ["date"], unique=False)
    op.create_index(op.f("ix_history_facts_kind_id_date"), "history_facts", ["kind", "id", "date"], unique=False)
    op.create_table(
        "history_formulas",
        sa.Column("policy", sa.Text(), nullable=False, comment="version of the policy"),
        sa.Column("side", sa.Text(), nullable=False, comment="desk (queue, site, all) or staff (agent, team)"),
        sa.Column("kpi", sa.Text(), nullable=False, comment="id of the KPI"),
        sa.Column("form", sa.Text(), nullable=False, comment="count, rate, mean, percentile, level or change"),
        sa.Column("plain", sa.Boolean(), nullable=False, comment="is it a plain sum, divided by nothing?"),
        sa.Column("up", sa.BigInteger(), nullable=False, comment="what the numerator is multiplied by"),
        sa.Column("down", sa.BigInteger(), nullable=False, comment="what the denominator is multiplied by"),
        sa.Column(
            "per_n", sa.BigInteger(), nullable=False, comment="stored units of the denominator that make one of n"
        ),
        sa.Column(
            "spread", sa.Boolean(), nullable=False, comment="are the squares known, so that a mean has an interval?"
        ),
        sa.Column("grain", sa.BigInteger(), nullable=False, comment="what squares are rounded to a multiple of"),
        sa.Column("least", sa.Float(), nullable=True, comment="the least value there can be"),
        sa.Column("most", sa.Float(), nullable=True, comment="the greatest value there can be"),
        sa.Column("percent", sa.Integer(), nullable=False, comment="which percentile"),
        sa.Column("only_mature", sa.Boolean(), nullable=False, comment="are days left out that have not matured?"),
        sa.Column(
            "mixing",
            sa.Text(),
            nullable=False,
            comment="versions of the policy are added up only where this is the same",
        ),
        sa.PrimaryKeyConstraint("policy", "side", "kpi", name=op.f("pk_history_formulas")),
    )
    op.create_table(
        "history_incidents",
        sa.Column("id", sa.Text(), nullable=False, comment="id of the incident"),
        sa.Column("rule", sa.Text(), nullable=False, comment="the rule that is its cause"),
        sa.Column("entity", sa.Text(), nullable=False, comment="the widest place of which it fires or fired"),
        sa.Column("kpi", sa.Text(), nullable=False, comment="id of the KPI"),
        sa.Column("severity", sa.Text(), nullable=False, comment="info, warning or critical"),
        sa.Column("status", sa.Text(), nullable=False, comment="firing, acknowledged, escalated, silenced or resolved"),
        sa.Column("opened", sa.BigInteger(), nullable=False, comment="when it began, ms since 1970"),
        sa.Column("changed", sa.BigInteger(), nullable=False, comment="when it last changed, ms since 1970"),
        sa.Column("resolved", sa.BigInteger(), nullable=True, comment="when it was over, ms since 1970"),
        sa.Column("acknowledged_by", sa.Text(), nullable=True, comment="who took care of it"),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True, comment="since when, ms since 1970"),
        sa.Column("merged_into", sa.Text(), nullable=True, comment="the incident that it turned out to be a part of"),
        sa.Column(
            "told",
            sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
            comment="the whole incident with its steps, as on the topic",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_incidents")),
    )
    op.create_index(op.f("ix_history_incidents_opened"), "history_incidents", ["opened"], unique=False)
    op.create_table(
        "history_kpis",
        sa.Column("kpi", sa.Text(), nullable=False, comment="id of the KPI, as in the catalogue"),
        sa.Column("en", sa.Text(), nullable=False, comment="its name in English"),
        sa.Column("zh", sa.Text(), nullable=False, comment="its name in Chinese"),
        sa.Column("unit", sa.Text(), nullable=False, comment="n, ratio, s, points, days, per_hour, per_mille or index"),
        sa.Column("better", sa.Text(), nullable=False, comment="higher, lower or range"),
        sa.Column("formula_en", sa.Text(), nullable=False, comment="how it is made, in words"),
        sa.Column("formula_zh", sa.Text(), nullable=False, comment="the same in Chinese"),
        sa.PrimaryKeyConstraint("kpi", name=op.f("pk_history_kpis")),
    )
    op.create_table(
        "history_maturing",
        sa.Column("date", sa.Date(), nullable=False, comment="the operation's local date"),
        sa.Column("field", sa.Text(), nullable=False, comment="the policy field by which KPIs of it mature"),
        sa.Column(
            "matures_at",
            sa.BigInteger(),
            nullable=False,
            comment="the moment from which on its figures are final, ms since 1970",
        ),
        sa.PrimaryKeyConstraint("date", "field", name=op.f("pk_history_maturing")),
    )
    op.create_table(
        "history_positions",
        sa.Column("topic", sa.Text(), nullable=False, comment="name of the topic"),
        sa.Column("partition", sa.Integer(), nullable=False, comment="number of the partition"),
        sa.Column("next", sa.BigInteger(), nullable=False, comment="the next offset"),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_history_positions")),
    )
    op.create_table(
        "history_presence",
        sa.Column(
            "record",
            sa.Text(),
            nullable=False,
            comment="key of the record: agent|state|since|event or agent|shift|since",
        ),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="grows with every record of the agent"),
        sa.Column("date", sa.Date(), nullable=False, comment="the operation's local date on which it began"),
        sa.Column("kind", sa.Text(), nullable=False, comment="state or shift"),
        sa.Column("agent", sa.Text(), nullable=False, comment="id of the agent"),
        sa.Column("team", sa.Text(), nullable=True, comment="their team"),
        sa.Column("site", sa.Text(), nullable=True, comment="their site"),
        sa.Column("state", sa.Text(), nullable=True, comment="the state they were in; null: it is a shift"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why they were away"),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="its beginning, ms since 1970"),
        sa.Column(
            "until",
            sa.BigInteger(),
            nullable=False,
            comment="its end, ms since 1970; until it is told, when it ends if nothing more is heard",
        ),
        sa.Column("attended", sa.Boolean(), nullable=True, comment="of a shift: was the agent at it?"),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_history_presence")),
    )
    op.create_index(op.f("ix_history_presence_agent_date"), "history_presence", ["agent", "date"], unique=False)
    op.create_index(op.f("ix_history_presence_date"), "history_presence", ["date"], unique=False)
    op.create_table(
        "history_scores",
        sa.Column("card", sa.Text(), nullable=False, comment="id of the score card"),
        sa.Column("period", sa.Text(), nullable=False, comment="the period"),
        sa.Column("person", sa.Text(), nullable=False, comment="id of the person"),
        sa.Column("card_version", sa.Text(), nullable=False, comment="version of the card"),
        sa.Column("total", sa.Text(), nullable=True, comment="points, exact; null: not one item could be scored"),
        sa.Column("max", sa.Text(), nullable=False, comment="what all items could give at most"),
        sa.Column("complete", sa.Boolean(), nullable=False, comment="could every item be scored?"),
        sa.Column("reviewed", sa.Boolean(), nullable=False, comment="has somebody reviewed and approved it?"),
        sa.Column(
            "items",
            sa.Text().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
            comment="each item's points and reasons, as on the topic",
        ),
        sa.PrimaryKeyConstraint("card", "period", "person", name=op.f("pk_history_scores")),
    )
    op.create_table(
        "history_student",
        sa.Column("freedom", sa.Integer(), nullable=False, comment="degrees of freedom, 1 to 30"),
        sa.Column("t", sa.Float(), nullable=False, comment="quantile 0.975 of Student's t"),
        sa.PrimaryKeyConstraint("freedom", name=op.f("pk_history_student")),
    )
    op.create_table(
        "history_terms",
        sa.Column("policy", sa.Text(), nullable=False, comment="version of the policy"),
        sa.Column("side", sa.Text(), nullable=False, comment="desk or staff"),
        sa.Column("measure", sa.Text(), nullable=False, comment="id of the measure"),
        sa.Column("kpi", sa.Text(), nullable=False, comment="id of the KPI"),
        sa.Column("part", sa.Text(), nullable=False, comment="top, bottom, squares, base_top, base_bottom or bucket"),
        sa.Column("times", sa.BigInteger(), nullable=False, comment="the coefficient"),
        sa.Column("matures", sa.Text(), nullable=True, comment="the policy field by which the KPI matures"),
        sa.Column("bucket", sa.Integer(), nullable=False, comment="of a distribution: its place among the buckets"),
        sa.Column(
            "amount", sa.BigInteger(), nullable=True, comment="of a distribution: the amount that stands for the bucket"
        ),
        sa.PrimaryKeyConstraint("policy", "side", "measure", "kpi", "part", name=op.f("pk_history_terms")),
    )


def downgrade() -> None:
    for table in (
        "history_terms",
        "history_student",
        "history_scores",
        "history_presence",
        "history_positions",
        "history_maturing",
        "history_kpis",
        "history_incidents",
        "history_formulas",
        "history_facts",
        "history_days",
        "history_counts",
        "history_contacts",
        "history_clock",
        "history_alerts",
    ):
        op.drop_table(table)
