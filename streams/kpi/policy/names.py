"""One name for what sources write in many ways: kinds and topics of contacts, and their aliases.

Case, full or half width and white space never matter. Which words mean the same beyond that, the policy says; for the kinds that KPIs
know, usual Chinese and English words are built in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any
from unicodedata import category, normalize

from pydantic import BeforeValidator, Field, StringConstraints

#: Kinds that are known without a policy, each with other words for it. KPIs follow from them by themselves or by the subjects that the
#: policy puts them under; from `inquiry` only so.
BUILT_IN_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "complaint": ("complaints", "投诉", "投訴", "客诉", "客訴", "客户投诉", "投诉单"),
    "follow_up": ("follow up", "follow-up", "followup", "回访", "回訪", "客户回访"),
    "refund": ("refunds", "退款", "退款申请"),
    "refund_dispute": ("refund dispute", "refund-dispute", "退款纠纷", "退款糾紛", "退款争议"),
    "fault": ("faults", "fault report", "fault-report", "fault_report", "报修", "報修", "故障", "故障报修"),
    "info_relay": ("info relay", "info-relay", "information relay", "信息传递", "訊息傳遞", "信息转达", "转达"),
    "inquiry": ("inquiries", "enquiry", "enquiries", "咨询", "諮詢", "查询", "查詢"),
    "return": ("returns", "exchange", "exchanges", "退货", "退貨", "换货", "換貨", "退换货", "退換貨"),
    "opinion": ("opinions", "意见", "意見", "客户意见", "意见反馈"),
    "praise": ("praises", "compliment", "compliments", "表扬", "表揚", "客户表扬", "表扬单"),
    "order_placement": ("order placement", "order-placement", "下单"),
    "site_visit": ("site visit", "site-visit", "on-site visit", "上门", "上门服务", "派工"),
    "regular_post": ("regular post", "regular-post", "定期公布"),
    "dispute": ("disputes", "纠纷", "糾紛", "争议", "爭議"),
    "technical": ("technical question", "technical support", "技术", "技術", "技术问题", "技术支持", "技術支援"),
    "difficult": ("difficult ticket", "疑难", "疑難", "疑难工单", "疑難工單", "疑难问题"),
})  # fmt: skip
#: Items of review forms that KPIs know without a policy, each with other words for it.
BUILT_IN_REVIEW_ITEMS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "script": ("话术", "话术规范", "服务话术"),
    "process": ("process adherence", "流程", "流程规范", "服务流程", "标准流程"),
    "behaviour": ("behavior", "unified behaviour", "unified behavior", "统一行为", "行为规范", "统一行为模式"),
    "needs": ("need", "need identification", "需求识别", "需求", "客户需求识别"),
    "policy": ("policy compliance", "政策", "政策执行", "政策合规"),
})  # fmt: skip
#: No aliases.
NONE: Mapping[str, tuple[str, ...]] = MappingProxyType({})
#: So many spellings are remembered with what they mean; what comes beyond is looked at each time.
_REMEMBERED = 4096

#: A number is taken as well: many sources have codes.
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256), Field(coerce_numbers_to_str=True)
]


def _in_lists(value: Any) -> Any:
    # People write `praise:` for a name without other words, and one word without brackets.
    if not isinstance(value, dict):
        return value
    return {
        name: () if words is None else (words,) if isinstance(words, str | int) else words
        for name, words in value.items()
    }


#: Names with other words for each, as files write them.
Aliases = Annotated[dict[Word, Annotated[tuple[Word, ...], Field(max_length=200)]], BeforeValidator(_in_lists)]


@lru_cache(maxsize=_REMEMBERED)
def folded(said: str) -> str:
    """A word without what never matters: case, full or half width, white space around it and how much between, invisible characters."""
    plain = normalize("NFKC", said).casefold()
    return " ".join("".join(letter for letter in plain if category(letter) != "Cf").split())


def aliases(own: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Every word, folded → the name that it is listed under or is itself. Raises ValueError where a word is given to two."""
    meant: dict[str, str] = {}
    for name, words in own.items():
        for word in (name, *words):
            if meant.setdefault(folded(word), name) != name:
                raise ValueError(f"{word!r} is given to {meant[folded(word)]!r} and to {name!r}; keep one of the two")
    return meant


class Names(dict[str, str]):
    """What sources write → the name that stands for it; what no list has stands, folded, for itself, and nothing for nothing.

    It fills itself as it is asked: a word that comes again costs one look. ``known``: every name that a list gives,
    and nothing, which needs no list.
    """

    def __init__(self, own: Mapping[str, Iterable[str]], built_in: Mapping[str, Iterable[str]] = NONE) -> None:
        """``own``: names with their aliases; they stand above the built-in ones. Raises ValueError as ``aliases``."""
        super().__init__()
        usual = aliases(built_in)
        mine = {word: usual.get(folded(name), folded(name)) for word, name in aliases(own).items()}
        #: Every word that a list gives, folded → its name.
        self.words: Mapping[str, str] = usual | mine
        self.known = frozenset({*self.words.values(), ""})

    def __missing__(self, said: str) -> str:
        key = folded(said)
        name = self.words.get(key, key)
        if len(self) < _REMEMBERED:
            self[said] = name
        return name
