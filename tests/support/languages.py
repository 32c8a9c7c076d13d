"""What is said in two languages, held one against the other."""

from __future__ import annotations

import re

_FIGURE = re.compile(r"\d+(?:\.\d+)?")
_CJK = re.compile("[\u4e00-\u9fff]")


def said_in_both(zh: str, en: str) -> bool:
    """Do both say the same figures in the same order, and the Chinese one in Chinese?"""
    return _FIGURE.findall(zh) == _FIGURE.findall(en) and _CJK.search(zh) is not None and _CJK.search(en) is None
