"""A roster of 205 people in Chinese and Latin letters: two namesakes, one who changed team twice, one who left."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from streams.people.person import Person

_FAMILIES = {
    "王": "Wang",
    "李": "Li",
    "张": "Zhang",
    "刘": "Liu",
    "陈": "Chen",
    "杨": "Yang",
    "赵": "Zhao",
    "黄": "Huang",
}
_GIVEN = {"秀英": "Xiuying", "建国": "Jianguo", "丽华": "Lihua", "志强": "Zhiqiang", "晓明": "Xiaoming", "雪梅": "Xuemei"}  # fmt: skip
_LATIN = ("Zoë Müller", "Anna Kowalczyk", "José Núñez", "Fatima al-Sayed", "O'Brien Siobhán")
#: Who bears the same name, who changed team twice, who left.
NAMESAKES, MOVED, LEFT = ("P001", "P002"), "P003", "P004"
PEOPLE, TEAMS = 205, 10


@dataclass(frozen=True)
class Staff:
    """Everybody, and the files that tell of them."""

    people: dict[str, Person]
    people_csv: Path
    roster_csv: Path

    def written(self) -> list[str]:
        """Every name as it is written, and the address."""
        texts = {text for one in self.people.values() for text in (one.name_zh, one.name_latin, one.email, one.chat_id)}
        return sorted(filter(None, texts))


def team_of(number: int) -> str:
    """The team that somebody is in at first."""
    return f"team-{number % TEAMS}"


def staff(folder: Path) -> Staff:
    """Write the people's file and the roster into the folder."""
    people = {person.agent_id: person for person in map(_person, range(1, PEOPLE + 1))}
    people_csv, roster_csv = folder / "people.csv", folder / "roster.csv"
    with people_csv.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            ("坐席工号 agent_id", "员工编号", "name_zh", "name_latin", "email", "chat_id", "superior", "joined", "left")
        )
        for id, one in people.items():
            superior = "" if id == "P205" else "P205"
            out.writerow((id, one.hr_number, one.name_zh, one.name_latin, one.email, one.chat_id, superior, one.joined, one.left or ""))  # fmt: skip
    with roster_csv.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("agent_id", "valid_from", "hr_number", "team_id", "site_id"))
        for number, (id, one) in enumerate(people.items(), 1):
            out.writerow((id, "", one.hr_number, team_of(number), "north"))
            if id == MOVED:
                out.writerow((id, "2026-03-10", one.hr_number, "team-8", "north"))
                out.writerow((id, "2026-03-20", one.hr_number, "team-9", "north"))
    return Staff(people, people_csv, roster_csv)


def _person(number: int) -> Person:
    id = f"P{number:03}"
    told = {"hr_number": f"HR{number:05}", "email": f"{id.lower()}@desk.example", "chat_id": f"chat-{id}"}
    joined, left = date(2020, 1, 1), date(2026, 3, 15) if id == LEFT else None
    if number % 10 == 5:
        return Person(
            id, name_latin=f"{_LATIN[number // 10 % len(_LATIN)]} {_numeral(number)}", joined=joined, left=left, **told
        )
    if id in NAMESAKES:
        return Person(id, name_zh="李娜", name_latin="Li Na", joined=joined, left=left, **told)
    family = list(_FAMILIES)[number % len(_FAMILIES)]
    given, more = list(_GIVEN)[number % len(_GIVEN)], chr(0x5B89 + number)  # a character of their own each
    latin = f"{_FAMILIES[family]} {_GIVEN[given]} {_numeral(number)}" if number % 3 else None
    return Person(id, name_zh=f"{family}{given[0]}{more}", name_latin=latin, joined=joined, left=left, **told)


def _numeral(number: int) -> str:
    """Letters of their own each, so that a search finds this name and no other."""
    return "".join("Qwxyzvkjpb"[int(figure)] for figure in f"{number:03}").capitalize()
