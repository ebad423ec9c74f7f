"""Reading a page as a browser would: its tags closed, its texts, its addresses."""
import html.parser

_EMPTY = {"meta", "link", "img"}


class Page(html.parser.HTMLParser):
    """The elements of a page in order, as (tag, attributes, text of its own); ValueError where tags do not match."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self._open = [], []
        self.feed(text)
        self.close()
        if self._open:
            raise ValueError(f"not closed: {self._open}")

    def handle_starttag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])
        if tag not in _EMPTY:
            self._open.append((tag, len(self.elements) - 1))

    def handle_startendtag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        found = self._open.pop()
        if found[0] != tag:
            raise ValueError(f"</{tag}> closes <{found[0]}> at line {self.getpos()[0]}")

    def handle_data(self, data):
        if self._open:
            self.elements[self._open[-1][1]][2] += data

    def texts(self, tag):
        """Return the own texts of all elements of a kind."""
        return [text.strip() for name, _, text in self.elements if name == tag]

    def attributes(self, tag):
        """Return the attributes of all elements of a kind."""
        return [attributes for name, attributes, _ in self.elements if name == tag]


def check(text):
    """Return the `Page` of a text, after the promises that every page keeps.

    Nothing from elsewhere, no scripts; one heading of the first order; ids that are there once, and all that is pointed
    at; pictures with words; tables with a caption and headers; colours for light and dark.
    """
    page = Page(text)
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for tag, attributes, _ in page.elements:
        assert tag != "script" and not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("data:", "#")), attributes
        pointed = attributes.get("aria-labelledby", "").split() + [attributes.get("href", "")[1:]] * (tag == "a")
        assert set(pointed) <= set(ids), (pointed, ids)
    assert len(page.attributes("h1")) == 1 and page.attributes("html") == [{"lang": "en"}]
    assert all(attributes["alt"] for attributes in page.attributes("img"))
    assert all(attributes["scope"] in ("col", "row") for attributes in page.attributes("th"))
    assert len(page.texts("caption")) == len(page.attributes("table"))
    labelled = [attributes for attributes in page.attributes("svg") if "aria-labelledby" in attributes]
    assert len(page.texts("desc")) == len(labelled)
    style, = page.texts("style")
    assert "prefers-color-scheme: dark" in style and "url(" not in style and "@import" not in style
    return page
