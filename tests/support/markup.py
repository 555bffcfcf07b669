"""A page as a browser reads it: elements, attributes and texts."""

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

from werkzeug.test import TestResponse

VOID = {"br", "circle", "img", "input", "link", "meta", "path", "rect"}


class Page(HTMLParser):
    """What a browser makes of a page: its elements, and the text in each kind of them."""

    def __init__(self, answer: TestResponse) -> None:
        """Read the answer."""
        super().__init__()
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        assert answer.mimetype == "text/html", answer.mimetype
        self.feed(answer.text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag] = self.texts.get(tag, "") + data

    def values(self, attribute: str) -> Iterator[str]:
        return (attrs[attribute] or "" for _, attrs in self.elements if attribute in attrs)
