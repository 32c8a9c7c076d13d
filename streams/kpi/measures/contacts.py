"""Measures of contacts of all channels: repeats and resolution."""

from __future__ import annotations

from streams.kpi.measures.measure import Measure

CONTACTS = (
    Measure("contacts_handled", "n", "已完成的联络", "contacts of all channels handled to the end"),
    Measure("contacts_handled_known", "n", "已识别客户的联络", "handled contacts of known customers"),
    Measure(
        "fcr_unknown",
        "n",
        "未识别客户的联络",
        "handled contacts of unknown customers: nobody knows whether they return",
    ),
    Measure(
        "contacts_shared",
        "n",
        "多人共用客户号的联络",
        "handled contacts of customer ids that many callers share; they are among those of unknown customers",
    ),
    Measure(
        "fcr_missed",
        "n",
        "未首次解决的联络",
        "handled contacts of known customers, transferred, reopened or repeated in time",
    ),
    Measure("repeat_contacts", "n", "客户再次联系的联络", "handled contacts whose customer came back in time"),
    Measure("resolution_due", "n", "应解决的联络", "contacts due to be resolved"),
    Measure("resolved", "n", "已解决的联络", "contacts resolved"),
    Measure("contacts_followed_up", "n", "回访问过是否解决的联络", "contacts that a follow-up has asked about"),
    Measure(
        "resolutions_confirmed", "n", "回访确认已解决的联络", "of these, those that the customer says are resolved"
    ),
    Measure(
        "transfers",
        "n",
        "转出后已有结果的联络",
        "contacts handed on to somebody who then handled them or handed them on again",
    ),
    Measure(
        "transfers_accurate",
        "n",
        "转出后由接手者办结的联络",
        "of these, those that whoever got them handled to the end",
    ),
    Measure(
        "self_service_sessions",
        "n",
        "由自助服务开始的联络",
        "sessions that began in self-service and are over, or came to people",
    ),
    Measure("self_service_contained", "n", "在自助服务中结束的联络", "of these, those that ended without people"),
)
