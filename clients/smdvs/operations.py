"""The operations of the JSON API: one declaration registers a view and describes it for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

View = Callable[..., ResponseReturnValue]

blueprint = Blueprint("api", __name__, url_prefix="/smdvs/api/v1")


@dataclass(frozen=True)
class Body:
    """What a request's body may be: one of these models. ``media_type`` other than JSON has none."""

    models: tuple[type[BaseModel], ...] = ()
    media_type: str = "application/json"


@dataclass(frozen=True)
class Operation:
    """One method at one path (``/reports/{report_no}``), as programs see it.

    ``answer`` is the model of the body that comes with ``status``, None where it isn't JSON of ours.
    ``scope`` is None for what anybody may ask. ``refusals`` are the statuses of its problems.
    """

    name: str
    method: str
    path: str
    summary: str
    answer: type[BaseModel] | None
    status: int = 200
    scope: str | None = None
    description: str = ""
    body: Body | None = None
    query: tuple[type[BaseModel], ...] = ()
    request_headers: tuple[str, ...] = ()
    answer_headers: tuple[str, ...] = ()
    refusals: tuple[int, ...] = ()
    media_type: str = "application/json"
    not_modified: bool = False


OPERATIONS: list[Operation] = []


def operation(method: str, path: str, **described: Any) -> Callable[[View], View]:
    """Serve the view at that path under /smdvs/api/v1 and describe it; ``described`` as in Operation."""

    def register(view: View) -> View:
        OPERATIONS.append(Operation(view.__name__, method, path, **described))
        rule = path.replace("{", "<").replace("}", ">")
        blueprint.add_url_rule(rule, view.__name__, view, methods=[method])
        return view

    return register
