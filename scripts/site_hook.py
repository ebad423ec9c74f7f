"""Hooks of MkDocs for the site of docs/: what pages show of the repository, and that they load nothing from elsewhere.

Links of a page to files of the repository outside docs/, which work where the repository is browsed, get a copy of the
file in the site. CHANGELOG.md and CONTRIBUTING.md become pages; the table of recipes is made while the site is built.
"""
import html.parser
import logging
import pathlib
import posixpath
import re

from mkdocs.structure.files import File

from gluon_rnn.cli.recipes import table

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<=\]\()(?:\.\./)+(?P<path>[^)#\s]+)")
#: what a browser fetches without being asked: the tag and the attribute with the address
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
RECIPES = "<!-- table of recipes -->"
INCLUDED = re.compile(r"<!-- file: (?P<path>\S+) -->")

log = logging.getLogger("mkdocs.hooks.site")


def on_page_markdown(markdown, page, config, files):
    """Return the page with links to copies of the repository's files, and with the table of recipes."""
    def copied(match):
        address = f"files/{match['path']}"
        if not (ROOT / match["path"]).is_file():
            log.warning("%s links to %s, which is no file of the repository", page.file.src_uri, match[0])
        elif files.get_file_from_path(address) is None:
            content = (ROOT / match["path"]).read_bytes()
            files.append(File.generated(config, address, content=content))
        return posixpath.relpath(address, posixpath.dirname(page.file.src_uri) or ".")

    markdown = INCLUDED.sub(lambda match: included(match["path"]), markdown)
    if RECIPES in markdown:
        markdown = markdown.replace(RECIPES, recipe_tables())
    return LINK.sub(copied, markdown)


def included(path):
    """Return the text of a file in the root of the repository, its links to docs/ as they are in there."""
    return (ROOT / path).read_text(encoding="utf-8").replace("](docs/", "](")


def on_post_page(output, page, config):
    """Warn, which fails a strict build, where a page would load something from another host."""
    for address in loaded_from_elsewhere(output):
        log.warning("%s loads %s; put the file into docs/", page.file.src_uri, address)


def loaded_from_elsewhere(page):
    """Return the addresses on other hosts that a browser fetches to show the HTML `page`, a list of str."""
    finder = _Finder()
    finder.feed(page)
    return finder.found


def recipe_tables():
    """Return Markdown: a table of the packaged recipes for each task, with minutes and figures."""
    _, *rows = table()
    by_task = {}
    for name, task, data, minutes, figures in rows:
        by_task.setdefault(task, []).append(f"| `{name}` | {data} | {minutes} | {figures.replace('; ', '<br>')} |")
    head = "| recipe | data | minutes | test figures |\n|---|---|---|---|"
    sections = (f"## {task.replace('_', ' ').capitalize()}\n\n" + "\n".join([head, *lines])
                for task, lines in by_task.items())
    return "\n\n".join(sections)


class _Finder(html.parser.HTMLParser):
    """Collects addresses with a host of the tags that load something."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        address = attributes.get(FETCHED.get(tag)) or ""
        is_loaded = tag != "link" or attributes.get("rel") in ("stylesheet", "preload", "icon", "preconnect")
        if is_loaded and re.match(r"(https?:)?//", address):
            self.found.append(address)
