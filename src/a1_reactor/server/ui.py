"""The page under ``/ui``: static files, and a policy that lets them do nothing but talk to this server."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from reactor_core.api.problems import Problem

__all__ = ["page_policy", "router", "ui_folder"]

router = APIRouter(include_in_schema=False)

_TYPES = {"html": "text/html", "css": "text/css", "mjs": "text/javascript"}
_PART = re.compile(r"(vendor/)?[a-z][a-z-]*\.(html|css|mjs)")
_IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)


def ui_folder() -> Traversable:
    """Where the page's files are: in a checkout ``ui/`` at its root, else inside the package."""
    packaged = files("a1_reactor") / "ui"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "ui"


def page_policy(page: str) -> str:
    """The content security policy of a page: its own files, and of inline scripts only its import map.

    Browsers take an import map from the page alone, so it is allowed by its hash. Media may come from ``blob:``, which
    only the page's own scripts can fill: so a film plays while its segments are still coming.
    """
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in _IMPORT_MAP.findall(page)
    ]
    return (
        f"default-src 'none'; script-src 'self' {' '.join(hashes)}; style-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


@router.get("/", response_class=RedirectResponse)
@router.get("/ui", response_class=RedirectResponse)
async def to_page() -> str:
    """The page's files name each other relative to its folder."""
    return "/ui/"


@router.get("/ui/")
async def page() -> Response:
    """The page."""
    return _part("index.html")


@router.get("/ui/{name:path}")
async def part(name: str) -> Response:
    """A file of the page."""
    if not _PART.fullmatch(name) or not (ui_folder() / name).is_file():
        raise Problem("not-found", f"the page has no file {name!r:.80}")
    return _part(name)


def _part(name: str) -> Response:
    body = _read(name)
    headers = {
        "Content-Type": f"{_TYPES[name.rpartition('.')[2]]}; charset=utf-8",
        "Cache-Control": "no-cache",
    }
    if name.endswith(".html"):
        headers["Content-Security-Policy"] = page_policy(body.decode())
    return Response(body, headers=headers)


@cache
def _read(name: str) -> bytes:
    return (ui_folder() / name).read_bytes()
