"""The statistics: figures, charts and a map, each with its table; an enterprise sees its own."""

from __future__ import annotations

from dataclasses import astuple

from flask import Blueprint, Response, request

from clients.smdvs import doors, pages, search, statistics
from clients.smdvs.cookies import system

blueprint = Blueprint("statistics_pages", __name__, url_prefix="/smdvs")


@blueprint.get("/statistics")
def show_statistics() -> Response:
    """What the reports come to that this person may read."""
    row = doors.session_or_login("statistics")
    reader = doors.reader(row)
    asked = search.read(request.args.getlist)
    figures = statistics.figures(system(), reader, asked.filters)
    return pages.render(
        "statistics.html",
        422 if asked.faults else 200,
        session=row,
        reader=reader,
        asked=asked,
        figures=figures,
        points=[astuple(point) for point in figures.points],
        most_points=statistics.POINTS,
    )
