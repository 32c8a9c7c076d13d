"""The way to the next post: each dimension against what that post asks (S3-28)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from scoring.fields import Part, Percent
from scoring.outcomes.parts import Id
from scoring.outcomes.people import Person
from scoring.rounding import shown
from streams.languages.text import Text


class Post(Part):
    """A step of the ladder. ``requires``: dimension → percent of its maximum that the post asks."""

    id: Id
    name: Text
    requires: Annotated[dict[str, Percent], Field(min_length=1)]


@dataclass(frozen=True)
class Gap:
    """One dimension: percent asked, percent reached, what lacks (0 or less: nothing); None where it is unscored."""

    dimension: str
    name: Text
    required: Fraction
    attained: Fraction | None

    @property
    def lacks(self) -> Fraction | None:
        """Percentage points below what is asked."""
        return None if self.attained is None else self.required - self.attained


@dataclass(frozen=True)
class NextPost:
    """How far a person is from the post after their own. Eligible: every dimension is scored and none lacks anything."""

    person: str
    level: str
    next: Post
    gaps: tuple[Gap, ...]
    eligible: bool
    reason: Text


def next_post(ladder: Sequence[Post], person: Person) -> NextPost | None:
    """None without a ladder, without a level, and on its last step. Raises ValueError for a level it does not have."""
    if not ladder or person.level is None:
        return None
    ids = [post.id for post in ladder]
    if person.level not in ids:
        raise ValueError(f"{person.id}: no post of the ladder is called {person.level!r}; it has: {', '.join(ids)}")
    above = ids.index(person.level) + 1
    if above == len(ids):
        return None
    post = ladder[above]
    gaps = tuple(_gaps(post, person))
    short = [gap for gap in gaps if gap.lacks is None or gap.lacks > 0]
    said = _short_of(post, short) if short else _reaches(post, len(gaps))
    return NextPost(person.id, person.level, post, gaps, not short, said)


def _gaps(post: Post, person: Person) -> Iterator[Gap]:
    own = {dimension.id: dimension for dimension in person.dimensions}
    for id, required in post.requires.items():
        found = own.get(id)
        name = found.name if found else Text(id, id)
        yield Gap(id, name, Fraction(required), found.attained if found else None)


def _reaches(post: Post, dimensions: int) -> Text:
    return Text(
        f"{post.name.zh}要求的 {dimensions} 个维度全部达到：具备晋升资格",
        f"all {dimensions} dimensions that {post.name.en} asks are reached: eligible",
    )


def _short_of(post: Post, short: Sequence[Gap]) -> Text:
    zh = "、".join(f"{gap.name.zh} {_reached(gap.attained, '未评分')}/{shown(gap.required)}%" for gap in short)
    en = ", ".join(f"{gap.name.en} {_reached(gap.attained, 'unscored')} of {shown(gap.required)} %" for gap in short)
    return Text(f"距{post.name.zh}尚差：{zh}", f"short of {post.name.en}: {en}")


def _reached(attained: Fraction | None, unscored: str) -> str:
    return unscored if attained is None else shown(attained)
