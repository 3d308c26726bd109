"""The pages of the course, their exports, and the files they load."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from app.lessons.catalog import Catalog, UnknownLesson
from app.lessons.export import to_ipynb, to_py
from app.lessons.model import LANGUAGES, Lang, Lesson
from app.web.assets import Assets
from app.web.caching import Content, answer
from app.web.context import ErrorContext, IndexContext, LessonContext
from app.web.i18n import STRINGS, other_language, preferred_language
from app.web.problems import Problem
from app.web.rendering import Renderer

Slug = Annotated[str, Path(pattern=r"^\d\d-[a-z0-9-]+$")]

_NOTEBOOK = "application/x-ipynb+json"
_SCRIPT = "text/x-python; charset=utf-8"

router = APIRouter(include_in_schema=False)
#: Pages and files answer HEAD too: checkers of links and of liveness ask that way.
_get = partial(router.api_route, methods=["GET", "HEAD"])


@_get("/")
async def root(request: Request) -> Response:
    """Send the reader to the language their browser asks for."""
    lang = preferred_language(request.headers.get("accept-language"))
    return RedirectResponse(f"/{lang}/", 302, {"Vary": "Accept-Language", "Cache-Control": "no-cache"})


@_get("/{lang}/")
async def index(lang: Lang, request: Request) -> Response:
    """The contents of the course."""
    state = request.app.state
    renderer: Renderer = state.renderer
    return renderer.page(
        request,
        "index.html",
        IndexContext(
            lang=lang,
            strings=STRINGS[lang],
            lessons=_catalog(request).lessons(lang),
            assets=state.assets,
            alternate_url=f"/{other_language(lang)}/",
        ),
    )


# Registered before the page: a slug has no dot, but the more specific address goes first for the reader's sake too.
@_get("/{lang}/lessons/{slug}.ipynb")
async def notebook(lang: Lang, slug: Slug, request: Request) -> Response:
    """The lesson as a Jupyter notebook."""
    lesson = _lesson(request, lang, slug)
    content = orjson.dumps(to_ipynb(lesson), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return _download(request, content, _NOTEBOOK, f"{slug}.{lang}.ipynb")


@_get("/{lang}/lessons/{slug}.py")
async def script(lang: Lang, slug: Slug, request: Request) -> Response:
    """The lesson as a Python script."""
    return _download(request, to_py(_lesson(request, lang, slug)).encode(), _SCRIPT, f"{slug}.{lang}.py")


@_get("/{lang}/lessons/{slug}")
async def lesson_page(lang: Lang, slug: Slug, request: Request) -> Response:
    """One lesson."""
    lesson = _lesson(request, lang, slug)
    lessons = _catalog(request).lessons(lang)
    place = lessons.index(lesson)
    other = other_language(lang)
    translated = any(candidate.slug == slug for candidate in _catalog(request).lessons(other))
    state = request.app.state
    renderer: Renderer = state.renderer
    return renderer.page(
        request,
        "lesson.html",
        LessonContext(
            lang=lang,
            strings=STRINGS[lang],
            lesson=lesson,
            previous=lessons[place - 1] if place else None,
            next=lessons[place + 1] if place + 1 < len(lessons) else None,
            lessons=lessons,
            assets=state.assets,
            alternate_url=f"/{other}/lessons/{slug}" if translated else f"/{other}/",
        ),
    )


@_get("/static/{path:path}")
async def static_file(path: str, request: Request) -> Response:
    """A file of the built front end."""
    assets: Assets = request.app.state.assets
    file = assets.get(path)
    if file is None:
        raise Problem("not-found", "The page is older than the server. Reload it.")
    cache = "public, max-age=31536000, immutable" if file.fingerprinted else "no-cache"
    return answer(request, file.content, {"Cache-Control": cache})


def error_page(request: Request, status: int) -> Response:
    """An error as a page, in the language of the address, else of the browser."""
    first = request.url.path.strip("/").split("/")[0]
    spoken = preferred_language(request.headers.get("accept-language"))
    lang = next((lang for lang in LANGUAGES if lang == first), spoken)
    strings = STRINGS[lang]
    what = {404: "not_found", 405: "method"}.get(status, "internal")
    renderer: Renderer = request.app.state.renderer
    context = ErrorContext(
        lang=lang,
        strings=strings,
        status=status,
        title=strings[f"error_{what}_title"],
        detail=strings[f"error_{what}_detail"],
        assets=request.app.state.assets,
        alternate_url=f"/{other_language(lang)}/",
    )
    return renderer.page(request, "error.html", context, status=status)


def wants_page(request: Request) -> bool:
    """Whether an error is better answered as a page: a browser went to an address that is not the API's."""
    path = request.url.path
    return not path.startswith(("/api/", "/static/")) and "text/html" in request.headers.get("accept", "")


def _catalog(request: Request) -> Catalog:
    # Cheap when nothing changed; an author sees an edited lesson after a reload.
    return Catalog.load(request.app.state.resources.root)


def _lesson(request: Request, lang: Lang, slug: str) -> Lesson:
    try:
        return _catalog(request).get(lang, slug)
    except UnknownLesson:
        raise Problem("not-found", f"There is no lesson {slug!r}. GET /api/lessons lists them.") from None


def _download(request: Request, body: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-cache"}
    return answer(request, Content.of(body, media_type, level=5), headers)
