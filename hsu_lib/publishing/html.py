"""What a page is written in: HTML from templates, and text from data made safe for HTML and Markdown.

Whatever comes from data (claims, names of chapters and scenes, materials) is escaped: in ``templates/`` by
jinja2, in Markdown by `verbatim`, `prose` and `code`. HTML of our own making is `Markup`, which no template
escapes again.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hsu_lib.publishing import scores
from hsu_lib.publishing.outcomes import LOOKS

#: Column to a format such as ``"{:.4f}"`` or a function of the value, which may give `Markup`.
Formats = Mapping[str, str | Callable[[Any], str]]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("hsu_lib.publishing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fill(template: str, **values: Any) -> Markup:
    """A template of ``templates/``; values are escaped unless they are `Markup`."""
    return Markup(_environment().get_template(f"{template}.html").render(values))


# --------------------------------------------------------------------------- blocks of a page


def figure(name: str, picture: bytes, *, alt: str, caption: str, notes: Sequence[str] = ()) -> Markup:
    """A picture (WebP) with its caption, `NOTES` behind it, and its text alternative."""
    told = [note(text) for text in notes]
    return fill("figure", name=name, source=_source("webp", picture), alt=alt, caption=caption, notes=told)


def movie(name: str, moving: bytes, still: bytes, *, alt: str, caption: str) -> Markup:
    """A moving picture (WebP); where motion is not wanted, and in print, the still one (PNG)."""
    return fill(
        "movie",
        name=name,
        moving=_source("webp", moving),
        still=_source("png", still),
        alt=alt,
        caption=caption,
    )


def missing(caption: str, command: str) -> Markup:
    """What stands in for a picture whose data is not here, with the command that fetches it."""
    return fill("missing", caption=caption, command=command)


def provenance(told: str, command: str) -> Markup:
    """Where the numbers of a page come from, and the command that makes them again."""
    return fill("provenance", told=told, command=command)


def heading(name: str) -> Markup:
    """A computed heading within a page, which ``#NAME`` leads to."""
    return Markup('<h3 id="{0}">{0}</h3>').format(name)


def table(
    table: pd.DataFrame, *, caption: str, formats: Formats | None = None, folded: bool = False
) -> Markup:
    """A table in its own box, or folded behind its caption; its index is shown only if it has a name."""
    shown = table.reset_index() if table.index.name else table
    rows = [
        [
            (_text(value, (formats or {}).get(column)), _is_number(value))
            for column, value in zip(shown.columns, values, strict=True)
        ]
        for values in shown.itertuples(index=False)
    ]
    head = [str(column) for column in shown.columns]
    return fill("table", caption=caption, head=head, rows=rows, folded=folded)


def why(claim: str, markdown: str) -> str:
    """CommonMark in a box that tells why a claim comes out otherwise, which ``#why-CLAIM`` leads to."""
    return f"{fill('why', claim=claim)}\n\n{markdown}\n\n</div>"


def lead(markdown: str) -> str:
    """The answer of a chapter, in CommonMark."""
    return f'<div class="hsu-lead">\n\n{markdown}\n\n</div>'


def bars(
    counts: Mapping[str, Mapping[str, int]],
    *,
    caption: str,
    what: str = "document",
    links: Mapping[str, str] | None = None,
) -> Markup:
    """A bar per document: how many of its claims came to what.

    Parameters
    ----------
    counts
        Document to outcome to number.
    caption, what
        What the bars show, and what each is of.
    links
        Document to the page it leads to.
    """
    rows = [
        (
            name,
            (links or {}).get(name, ""),
            sum(by.values()),
            [(LOOKS[w], by[w]) for w in LOOKS if by.get(w)],
        )
        for name, by in counts.items()
    ]
    total = {word: sum(by.get(word, 0) for by in counts.values()) for word in LOOKS}
    looks = [(LOOKS[word], number) for word, number in total.items() if number]
    return fill("bars", rows=rows, looks=looks, caption=caption, what=what)


def heat(table: pd.DataFrame, score: str, *, caption: str, corner: str = "method") -> Markup:
    """A table of one score whose cells are shaded by their rank in the column; the best one is in bold.

    Parameters
    ----------
    table
        A row per method, a column per scene; what is not a number was not run.
    score
        Its name, which says how it is printed and whether more is better.
    caption
        What the table shows; how its cells are shaded is added.
    corner
        What the rows are.
    """
    sign = -1 if scores.better(score) == "higher" else 1
    ranks = (sign * table).rank(method="min")
    shades = 1 - (ranks - 1) / (ranks.max() - 1).clip(lower=1)
    rows = [
        (
            str(name),
            [
                ("–", None, False)
                if pd.isna(value)
                else (
                    scores.value(score, float(value)),
                    round(float(shades.loc[name, k]), 2),
                    ranks.loc[name, k] == 1,
                )
                for k, value in row.items()
            ],
        )
        for name, row in table.iterrows()
    ]
    told = f"{caption} The darker, the better in its column; the best one is in bold."
    return fill("heat", caption=told, corner=corner, head=list(map(str, table.columns)), rows=rows)


class Listed(NamedTuple):
    """A claim in a list that can be filtered by all but its statement and what is told of it."""

    claim: str
    statement: str
    outcome: str
    chapter: str
    document: str = ""
    scenes: str = ""
    coverage: str = ""
    told: str = ""


def claim_list(found: Iterable[Listed]) -> Markup:
    """Claims with their outcomes; each leads to its card. With scripts, selects above filter them.

    Parameters
    ----------
    found
        Their scenes are names with blanks between them.
    """
    claims = [
        c._asdict() | {"look": LOOKS[c.outcome], "address": _address(c.chapter, c.claim)} for c in found
    ]
    return fill("claims", claims=claims)


class Finding(NamedTuple):
    """A question that the book answers: its outcome, in plain words too, how it was asked, the figures."""

    question: str
    outcome: str
    plain: str
    detail: str
    says: str
    told: str
    chapter: str
    claim: str


def findings(found: Iterable[Finding]) -> Markup:
    """Questions with their answers, a few lines each; the figures lead to the card."""
    rows = [f._asdict() | {"look": LOOKS[f.outcome], "address": _address(f.chapter, f.claim)} for f in found]
    return fill("findings", findings=rows)


def legend() -> Markup:
    """All outcomes with what they say."""
    return fill("legend", looks=LOOKS.values())


# --------------------------------------------------------------------------- parts of a line


def badge(verdict: str) -> Markup:
    """An outcome as its symbol and its word; other words in the same form."""
    if verdict in LOOKS:
        return fill("badge", look=LOOKS[verdict])
    return Markup('<span class="verdict verdict-{}">{}</span>').format(verdict.replace(" ", "-"), verdict)


class Note(NamedTuple):
    """A short remark that leads to its explanation on *How to read*: its word, what it says, its place."""

    word: str
    says: str
    place: str

    @property
    def address(self) -> str:
        """Where it is explained."""
        return f"how-to-read.html#{self.place}"


#: Remarks that would else be a sentence on many cards and captions.
NOTES: Mapping[str, Note] = {
    note.word: note
    for note in (
        Note("scaled down", "Trained less than in the document.", "scaled-down"),
        Note(
            "published picture",
            "The scene's data is not on the machine that built the page.",
            "published-picture",
        ),
        Note("another scene", "Judged on another scene than the document's.", "another-scene"),
        Note("first look", "Judged by ten seeds; what is open may be run with ten more.", "first-look"),
    )
}


def note(text: str) -> Note:
    """One of `NOTES` by its word, with a text of its own before it if there is one.

    Examples
    --------
    >>> note("33 % of the training: scaled down").word
    '33 % of the training'
    """
    shown, _, word = text.rpartition(": ")
    found = NOTES[word]
    return found._replace(word=shown) if shown else found


def link(chapter: str, place: str, text: str) -> Markup:
    """Link to a place on the page of a chapter, such as the verdict on a claim; no chapter: on this page."""
    return Markup('<a href="{}">{}</a>').format(_address(chapter, place), text)


def _address(chapter: str, place: str) -> str:
    return f"{quote(chapter, safe='')}.html" * bool(chapter) + f"#{quote(place, safe='')}"


def named(text: str, name: str) -> Markup:
    """A text with the name it goes by under it."""
    return Markup("{}<br><code>{}</code>").format(text, name)


# --------------------------------------------------------------------------- text in Markdown


def verbatim(text: object) -> str:
    r"""Text from data as Markdown that shows exactly it, on one line.

    Examples
    --------
    >>> print(verbatim("<b> a*b*c {role}`x` costs $5"))
    \<b\> a\*b\*c \{role\}\`x\` costs \$5
    >>> print(verbatim("1. no list"))
    1\. no list
    """
    line = re.sub(r"[ \t\r\n\f\v]+", " ", str(text))
    line = re.sub(r"[\\`*_{}\[\]<>&$|~]", r"\\\g<0>", line)
    return re.sub(r"^( ?\d*)([-+=#%:.()])", r"\1\\\2", line)  # what means something at the start of a line


def prose(text: str) -> str:
    """As `verbatim`, but names between backticks stay code: for descriptions in the catalogue of scenes."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(code(part) if k % 2 else verbatim(part) for k, part in enumerate(parts))


def code(text: object) -> str:
    """Text from data as code in Markdown, whatever backticks it holds."""
    line = re.sub(r"[ \t\r\n\f\v]+", " ", str(text))
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    inner = f" {line} " if line.startswith("`") or line.endswith("`") else line
    return f"{fence}{inner}{fence}"


# --------------------------------------------------------------------------- cells


def _source(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value: Any, style: str | Callable[[Any], str] | None) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    if callable(style):
        return style(value)
    if style:
        return style.format(value)
    if isinstance(value, Markup):
        return value
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def sentence(text: str) -> str:
    """With a capital letter before it and a full stop behind it."""
    return text and f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
