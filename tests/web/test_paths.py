from __future__ import annotations

from flask import Flask, render_template_string

PATHS = """{{ url_for('account.login') }} {{ url_for('static', filename='app.js') }}
{{- " " ~ url_for('home.guide', _anchor=x) }}"""


def paths(app: Flask, mounted_at: str, anchor: str) -> str:
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": mounted_at}):
        return render_template_string(PATHS, x=anchor)


def test_templates_link_to_where_the_application_is_mounted(app: Flask) -> None:
    for _ in range(2):
        assert paths(app, "", "one") == "/login /static/app.js /help#one"
        assert paths(app, "/idp", "two") == "/idp/login /idp/static/app.js /idp/help#two"
