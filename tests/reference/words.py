"""What words for kinds and topics mean: written down from the documentation of the policy, word for word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

#: Kinds that the product knows by itself.
KINDS: dict[str, str] = {
    "complaint": "complaint/complaints/投诉/投訴/客诉/客訴/客户投诉/投诉单",
    "follow_up": "follow_up/follow up/follow-up/followup/回访/回訪/客户回访",
    "refund": "refund/refunds/退款/退款申请",
    "refund_dispute": "refund_dispute/refund dispute/refund-dispute/退款纠纷/退款糾紛/退款争议",
    "fault": "fault/faults/fault report/fault-report/fault_report/报修/報修/故障/故障报修",
    "info_relay": "info_relay/info relay/info-relay/information relay/信息传递/訊息傳遞/信息转达/转达",
    "inquiry": "inquiry/inquiries/enquiry/enquiries/咨询/諮詢/查询/查詢",
    "return": "return/returns/exchange/exchanges/退货/退貨/换货/換貨/退换货/退換貨",
    "opinion": "opinion/opinions/意见/意見/客户意见/意见反馈",
    "praise": "praise/praises/compliment/compliments/表扬/表揚/客户表扬/表扬单",
    "order_placement": "order_placement/order placement/order-placement/下单",
    "site_visit": "site_visit/site visit/site-visit/on-site visit/上门/上门服务/派工",
    "regular_post": "regular_post/regular post/regular-post/定期公布",
    "dispute": "dispute/disputes/纠纷/糾紛/争议/爭議",
    "technical": "technical/technical question/technical support/技术/技術/技术问题/技术支持/技術支援",
    "difficult": "difficult/difficult ticket/疑难/疑難/疑难工单/疑難工單/疑难问题",
}
#: Items of review forms that it knows.
REVIEW_ITEMS: dict[str, str] = {
    "script": "script/话术/话术规范/服务话术",
    "process": "process/process adherence/流程/流程规范/服务流程/标准流程",
    "behaviour": "behaviour/behavior/unified behaviour/unified behavior/统一行为/行为规范/统一行为模式",
    "needs": "needs/need/need identification/需求识别/需求/客户需求识别",
    "policy": "policy/policy compliance/政策/政策执行/政策合规",
}


def same(word: str, other: str) -> bool:
    """Are two words one but for case, width, white space and what nobody sees?"""
    return plain(word) == plain(other)


def plain(word: str) -> str:
    """A word as it is compared."""
    wide = unicodedata.normalize("NFKC", word).casefold()
    seen = "".join(letter for letter in wide if unicodedata.category(letter) != "Cf")
    return re.sub(r"\s+", " ", seen).strip()


def kind(word: str | None, own: Mapping[str, Sequence[str]]) -> str | None:
    """What kind a word names; none where it says nothing."""
    return known(word, own, KINDS)


def review_item(word: str, own: Mapping[str, Sequence[str]]) -> str | None:
    """What item of a review's form a word names."""
    return known(word, own, REVIEW_ITEMS)


def known(word: str | None, own: Mapping[str, Sequence[str]], usual: Mapping[str, str]) -> str | None:
    """What a word names by one's own list and then the usual one; none where it says nothing."""

    def built_in(said: str) -> str:
        return next(
            (name for name, words in usual.items() if any(same(said, each) for each in words.split("/"))), plain(said)
        )

    if word is None or not plain(word):
        return None
    for name, words in own.items():
        if any(same(word, each) for each in (name, *words)):
            return built_in(name)
    return built_in(word)


def topic(word: str | None, own: Mapping[str, Sequence[str]]) -> str | None:
    """What topic a word names, as it is compared; none where it says nothing."""
    if word is None or not plain(word):
        return None
    return plain(next((name for name, words in own.items() if any(same(word, each) for each in (name, *words))), word))
