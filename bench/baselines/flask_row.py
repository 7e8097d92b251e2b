"""The least that a polling API can be: Flask and SQLAlchemy answer one row as JSON. No tokens, no limits, no ETag.

ROW_DATABASE_URL=sqlite:///… gunicorn 'bench.baselines.flask_row:from_environment()'
"""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, abort
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from records.tables import JobTable


def create_app(database_url: str) -> Flask:
    """An application with `GET /jobs/<id>`."""
    app = Flask(__name__)
    engine = create_engine(database_url)

    @app.get("/jobs/<int:job_id>")
    def show(job_id: int) -> dict[str, Any]:
        with Session(engine) as session:
            job = session.get(JobTable, job_id) or abort(404)
            return {
                "id": job.id,
                "kind": job.kind,
                "name": job.name,
                "status": job.status,
                "progress": job.progress,
                "spec": job.spec,
                "created_at": job.created_at.isoformat(),
            }

    return app


def from_environment() -> Flask:
    """For gunicorn."""
    return create_app(os.environ["ROW_DATABASE_URL"])
