"""What stands on paper for people to sign: who signs, that it was read, and until when an appeal may be made."""

from __future__ import annotations

from datetime import date, timedelta

from scoring.period import day_zh
from streams.languages.text import Text

#: Who signs a list of results for the operation.
OFFICE = (Text("制表", "Prepared by"), Text("审核", "Checked by"), Text("批准", "Approved by"))
DATE = Text("日期", "Date")
SEAL = Text("（单位盖章）", "(seal)")
READ = Text("本人已阅知本表内容", "I have read and understood this sheet")
SIGNED = Text("本人签字", "Signature")


def appeal_until(days: int | None, published: date | None) -> Text | None:
    """Until when an appeal may be made; None where the rules of outcomes say no time.

    ``days``: calendar days from the day of publication, which is not counted. ``published``: that day, where it has come.
    """
    if days is None:
        return None
    if published is None:
        return Text(
            f"如对结果有异议，请于公布之日起 {days} 日内提出申诉",
            f"Appeals are made within {days} days from publication",
        )
    last = published + timedelta(days=days)
    return Text(f"如对结果有异议，请于{day_zh(last)}（含当日）前提出申诉", f"The last day for an appeal is {last}")


def to_sign(names: tuple[Text, ...]) -> Text:
    """A line with room for each signature, the date and the seal."""
    blank = "________________"
    zh = "    ".join(f"{name.zh}：{blank}" for name in (*names, DATE))
    en = "    ".join(f"{name.en}: {blank}" for name in (*names, DATE))
    return Text(f"{zh}    {SEAL.zh}", f"{en}    {SEAL.en}")
