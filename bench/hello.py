"""Plain Flask's "hello": what the goals are scaled by, served as the product is served."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/hello")
def hello() -> str:
    """Nothing but routing, contexts and a response."""
    return "hello"
