"""Pieces of HTML. Whoever makes one gives plain text; everything in it is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NewType

from tl_core.labels import plain_label, revealed

# What can be put into a page as it is.
Html = NewType("Html", str)

# A cell for which nothing was measured; cards leave it out.
NOTHING: Final = "–"

# Longer than any sentence of ours; a name within one is cut before.
_LONG: Final = 4000


def text(value: object, limit: int = _LONG) -> Html:
    """Return text that is shown literally, on one line, without invisible characters."""
    return Html(escape(plain_label(value, limit)))


def joined(parts: Iterable[Html]) -> Html:
    """Return parts one after the other."""
    return Html("\n".join(part for part in parts if part))


def paragraph(value: object, kind: str = "") -> Html:
    """Return a paragraph; `kind` is its class."""
    return Html(f"<p{_kind(kind)}>{text(value)}</p>")


def section(key: str, title: str, *parts: Html) -> Html:
    """Return a part of the page with its heading; `key` is its address."""
    return Html(
        f'<section id="{key}" aria-labelledby="{key}-title">\n'
        f'<h2 id="{key}-title">{text(title)}</h2>\n{joined(parts)}\n</section>'
    )


def heading(title: str) -> Html:
    """Return a heading within a section."""
    return Html(f"<h3>{text(title)}</h3>")


def listing(items: Sequence[tuple[str, str]], kind: str = "") -> Html:
    """Return a list of a word and what is said of it; nothing for no items."""
    lines = [
        f"<li>{f'<strong>{text(word)}.</strong> ' if word else ''}{text(said)}</li>"
        for word, said in items
    ]
    return Html(f"<ul{_kind(kind)}>{''.join(lines)}</ul>" if lines else "")


def facts(pairs: Sequence[tuple[str, str]]) -> Html:
    """Return names and what they stand for; nothing for no pairs."""
    lines = [f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in pairs]
    return Html(f"<dl>{''.join(lines)}</dl>" if lines else "")


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    """Return a table whose first column names its rows.

    Narrow screens show each row as a card: cells carry their header, roles keep it a table.
    """
    top = "".join(f'<th scope="col" role="columnheader">{text(name)}</th>' for name in head)
    lines = "\n".join(f'<tr role="row">{_cells(head, row)}</tr>' for row in rows)
    return Html(
        f'<table role="table"><caption>{text(caption)}</caption>\n'
        f'<thead role="rowgroup"><tr role="row">{top}</tr></thead>\n'
        f'<tbody role="rowgroup">\n{lines}\n</tbody></table>'
    )


def _cells(head: Sequence[str], row: Sequence[str]) -> str:
    first = f'<th scope="row" role="rowheader">{text(row[0])}</th>'
    others = (
        f'<td role="cell" data-label="{text(name)}"{_kind("none" if value == NOTHING else "")}>'
        f"{text(value)}</td>"
        for name, value in zip(head[1:], row[1:], strict=True)
    )
    return first + "".join(others)


def code(value: str) -> Html:
    """Return lines to copy, as they are but for invisible characters."""
    lines = "\n".join(map(revealed, value.strip().split("\n")))
    return Html(f"<pre><code>{escape(lines)}</code></pre>")


def _kind(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
