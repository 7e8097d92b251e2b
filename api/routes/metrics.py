"""The metric points of a job: all of them in pages, or thinned so that a chart stays light."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from api import views
from api.asking import MetricsQuery, read_query
from api.openapi import describe
from api.paging import cut_page, make_cursor, read_cursor
from api.replies import list_reply
from api.routes import PREFIX
from api.shapes import point_shape
from api.transactions import reading
from api.visible import visible_stamp
from records.errors import InvalidRequest
from records.reading import read_metrics_page
from records.runs import metric_names, read_metrics_thinned

metrics = APIBlueprint("metrics", __name__, url_prefix=PREFIX)


@metrics.get("/jobs/<job:job_id>/metrics")
@describe(metrics, reply=views.page_of(views.MetricPoint), query=MetricsQuery, errors=(404,))
def list_metrics(job_id: int) -> Response:
    """List a job's metric points, by name and step"""
    query = read_query(MetricsQuery)
    if query.max_points is None:
        return _all(job_id, query)
    if query.cursor is not None:
        raise InvalidRequest("`cursor` and `max_points` do not go together: thinned points come in one page.")
    return _thinned(job_id, query, query.max_points)


def _thinned(job_id: int, query: MetricsQuery, max_points: int) -> Response:
    with reading() as session:
        visible_stamp(session, job_id)
        names = sorted(set(query.name)) or metric_names(session, job_id)
        points = [
            point
            for name in names
            for point in read_metrics_thinned(session, job_id, name, max_points=max_points, after=query.after)
        ]
    return list_reply([point_shape(point) for point in points])


def _all(job_id: int, query: MetricsQuery) -> Response:
    past = read_cursor("metrics", query.cursor, str, int, largest=2**63 - 1) if query.cursor else None
    with reading() as session:
        visible_stamp(session, job_id)
        points = read_metrics_page(
            session,
            job_id,
            query.name,
            after=query.after,
            past=(past[0], past[1]) if past else None,
            limit=query.limit + 1,
        )
    page, last = cut_page(points, query.limit)
    return list_reply([point_shape(p) for p in page], make_cursor("metrics", last.name, last.step) if last else None)
