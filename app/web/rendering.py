"""From a context to a page."""

from __future__ import annotations

from pathlib import Path

import jinja2
from starlette.requests import Request
from starlette.responses import Response

from app.web.caching import Content, answer
from app.web.context import Context, as_names


class Renderer:
    """Jinja2 over the templates folder: everything escaped, a misspelt name an error."""

    def __init__(self, templates: Path) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def html(self, template: str, context: Context) -> str:
        """The text of `template` with the names of `context`."""
        return self._environment.get_template(template).render(as_names(context))

    def page(self, request: Request, template: str, context: Context, *, status: int = 200) -> Response:
        """The same as an answer, which a browser asks for again each time: pages change with every release."""
        headers = {"Cache-Control": "no-cache", "Content-Language": context.strings["lang_tag"]}
        content = Content.of(self.html(template, context).encode(), "text/html; charset=utf-8", level=5)
        return answer(request, content, headers, status)
