"""What programs are told, as it leaves."""

import pytest
from werkzeug.test import Client, TestResponse

from idp.oauth.replies import Reply, json_reply, jwt_reply, nothing


def sent(reply: Reply, method: str = "GET") -> TestResponse:
    return Client(reply).open(method=method)


def test_a_json_reply_says_its_type_and_its_length() -> None:
    response = sent(json_reply({"企业": "示例"}, 201, {"Location": "/here"}))
    assert response.status == "201 Created"
    assert response.json == {"企业": "示例"}
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Length"] == str(len(response.data))
    assert response.headers["Location"] == "/here"


@pytest.mark.parametrize("reply", [json_reply({}), jwt_reply("a.b.c", "application/jwt"), nothing()])
def test_nobody_caches_a_reply_or_guesses_its_type(reply: Reply) -> None:
    response = sent(reply)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_jwt_is_sent_as_its_own_kind_of_document() -> None:
    response = sent(jwt_reply("a.b.c", "application/token-introspection+jwt"))
    assert (response.data, response.headers["Content-Type"]) == (
        b"a.b.c",
        "application/token-introspection+jwt",
    )


def test_a_head_request_gets_the_headers_of_the_answer_and_no_body() -> None:
    whole = sent(json_reply({"sub": "x"}))
    head = sent(json_reply({"sub": "x"}), "HEAD")
    assert head.data == b""
    assert head.headers == whole.headers


def test_nothing_to_say_has_neither_body_nor_length_nor_type() -> None:
    response = sent(nothing())
    assert (response.status_code, response.data) == (204, b"")
    assert not {"Content-Length", "Content-Type"} & set(response.headers.keys())


def test_a_header_set_later_is_sent() -> None:
    reply = json_reply({})
    reply.headers["DPoP-Nonce"] = "n"
    assert sent(reply).headers["DPoP-Nonce"] == "n"
