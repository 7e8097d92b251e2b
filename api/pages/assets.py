"""The pages' style sheet and scripts, under an address that changes with their bytes, so that browsers keep them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Blueprint, Response, send_from_directory, url_for

_FOLDER = Path(__file__).parent / "static"
_YEAR_S = 365 * 24 * 3600


def add_assets(pages: Blueprint) -> None:
    """Serve the files, and give the templates `asset(name)`, the address of one."""
    version = _version()

    def assets(version_asked: str, name: str) -> Response:
        """One file. Scripts import each other relatively, so one version covers all."""
        reply = send_from_directory(_FOLDER, name, max_age=_YEAR_S if version_asked == version else 0)
        reply.cache_control.immutable = version_asked == version
        return reply

    pages.add_url_rule("/static/pages-<version_asked>/<path:name>", "assets", assets)
    pages.app_template_global("asset")(lambda name: url_for("pages.assets", version_asked=version, name=name))


def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
