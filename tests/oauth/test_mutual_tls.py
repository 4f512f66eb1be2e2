from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import quote

import pytest
from cryptography import x509
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from idp import clock
from idp.oauth import certificates
from idp.services import clients
from idp.services.platform import Platform
from tests.certificates import Identity, common_name, issue
from tests.oauth.browser import ORIGIN
from tests.oauth.conftest import RegisterClient, SeparateRequests
from tests.oauth.key_server import KeyServer
from tests.oauth.relying_party import CLIENT_KEY, ISSUER, RelyingParty, assert_error, basic, dpop_proof
from tests.services.conftest import MovableClock

HEADERS: Final = {
    "client_certificate_header": "Client-Cert",
    "client_certificate_verify_header": "Client-Cert-Verify",
}
JOB: Final[dict[str, Any]] = {"grant_types": ["client_credentials"], "scope": "job:run"}
GRANT: Final = {"grant_type": "client_credentials"}
ENDPOINTS: Final = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"]
AUTHORITY: Final = issue(common_name("Test CA"), authority=True)
SUBJECT: Final = "CN=job.example,O=示例科技\\, 有限公司,C=CN"
CLIENT: Final = issue(x509.Name.from_rfc4514_string(SUBJECT), AUTHORITY)
SELF_SIGNED: Final = issue(common_name("self-signed"))
JWK: Final = CLIENT_KEY.as_dict(private=False)
P256: Final = bytes.fromhex("06082a8648ce3d030107")
SM2: Final = bytes.fromhex("0608" + "2a811ccf5501822d")


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(**HEADERS)
    app.test_client_class = SeparateRequests
    return app


@pytest.fixture
def tls_client(register: RegisterClient) -> RelyingParty:
    return register_tls(register, tls_client_auth_subject_dn=SUBJECT)


def register_tls(register: RegisterClient, **name: str) -> RelyingParty:
    return register(
        token_endpoint_auth_method="tls_client_auth",
        grant_types=["client_credentials"],
        scope="job:run",
        **name,
    )


def register_self_signed(register: RegisterClient, **keys: Any) -> RelyingParty:
    method = "self_signed_tls_client_auth"
    return register(
        token_endpoint_auth_method=method, grant_types=["client_credentials"], scope="job:run", **keys
    )


def shown(identity: Identity, verify: str = "SUCCESS") -> dict[str, str]:
    """The headers that the proxy sets."""
    return {"Client-Cert": identity.escaped, "Client-Cert-Verify": verify}


def ask(rp: RelyingParty, headers: dict[str, str], path: str = "/oauth/token", **more: str) -> Any:
    form = GRANT | {"token": "x", "client_id": rp.client_id} | more
    return rp.http.post(path, data=form, headers=headers)


def altered(identity: Identity, old: bytes, new: bytes) -> str:
    """The header for a certificate whose signature no longer fits; the proxy alone looks at that."""
    assert len(old) == len(new)
    assert old in identity.der
    return f":{b64encode(identity.der.replace(old, new)).decode()}:"


# --- a certificate of an authority


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "form", [CLIENT.escaped, CLIENT.structured, quote(CLIENT.pem, safe="+=/ "), CLIENT.pem.replace("\n", " ")]
)
def test_a_certificate_authenticates_at_every_endpoint(
    tls_client: RelyingParty, path: str, form: str
) -> None:
    headers = {"Client-Cert": form, "Client-Cert-Verify": "SUCCESS"}
    assert ask(tls_client, headers, path).status_code == 200


def test_nginx_escapes_new_lines_and_spaces() -> None:
    assert CLIENT.escaped.startswith("-----BEGIN%20CERTIFICATE-----%0AMII")
    assert CLIENT.escaped.endswith("%0A-----END%20CERTIFICATE-----%0A")


@pytest.mark.parametrize("verify", ["", "NONE", "FAILED:self-signed certificate", "success", "SUCCESS,NONE"])
def test_a_chain_that_the_proxy_did_not_verify_proves_nothing(tls_client: RelyingParty, verify: str) -> None:
    forged = issue(CLIENT.certificate.subject)
    assert_error(ask(tls_client, shown(forged, verify)), "invalid_client", 401)
    assert_error(ask(tls_client, {"Client-Cert": CLIENT.escaped}), "invalid_client", 401)


@pytest.mark.parametrize(
    ("name", "registered", "names", "other"),
    [
        ("san_dns", "Job.example", x509.DNSName("job.EXAMPLE"), x509.DNSName("job.example.org")),
        ("san_dns", "job.example", x509.DNSName("job.example"), x509.DNSName("*.example")),
        ("san_uri", "urn:job", x509.UniformResourceIdentifier("urn:job"), x509.DNSName("urn:job")),
        (
            "san_email",
            "Job@EXAMPLE.org",
            x509.RFC822Name("Job@example.org"),
            x509.RFC822Name("job@example.org"),
        ),
        ("san_email", "a.example", x509.RFC822Name("a.example"), x509.RFC822Name("job@a.example")),
    ],
)
def test_the_registered_alternative_name_is_looked_for(
    register: RegisterClient, name: str, registered: str, names: x509.GeneralName, other: x509.GeneralName
) -> None:
    rp = register_tls(register, **{f"tls_client_auth_{name}": registered})
    found = issue(common_name("x"), AUTHORITY, names=[x509.DNSName("first.example"), names])
    assert ask(rp, shown(found)).status_code == 200
    for wrong in (
        issue(common_name("x"), AUTHORITY, names=[other]),
        issue(common_name(registered), AUTHORITY),
        CLIENT,
    ):
        assert_error(ask(rp, shown(wrong)), "invalid_client", 401)


@pytest.mark.parametrize(
    ("registered", "address"), [("192.0.2.7", "192.0.2.7"), ("2001:DB8:0:0::7", "2001:db8::7")]
)
def test_an_address_is_compared_as_an_address(
    register: RegisterClient, registered: str, address: str
) -> None:
    rp = register_tls(register, tls_client_auth_san_ip=registered)
    found, other, text = (
        issue(common_name("x"), AUTHORITY, names=[name])
        for name in (
            x509.IPAddress(ip_address(address)),
            x509.IPAddress(ip_address("192.0.2.8")),
            x509.DNSName(registered),
        )
    )
    assert ask(rp, shown(found)).status_code == 200
    for wrong in (other, text):
        assert_error(ask(rp, shown(wrong)), "invalid_client", 401)


@pytest.mark.parametrize(
    "registered",
    [
        SUBJECT,
        "cn=job.example,o=示例科技\\2c 有限公司,c=CN",
        "2.5.4.3=job.example,O=示例科技\\, 有限公司,C=CN",
        "CN=job\\2Eexample,O=\\E7\\A4\\BA例科技\\, 有限公司,C=CN",
    ],
)
def test_the_subject_is_compared_as_a_name_and_not_as_a_text(
    register: RegisterClient, registered: str
) -> None:
    rp = register_tls(register, tls_client_auth_subject_dn=registered)
    assert ask(rp, shown(CLIENT)).status_code == 200


@pytest.mark.parametrize(
    "registered",
    [
        "CN=job.example,O=示例科技\\, 有限公司",
        "CN=job.example",
        "C=CN,O=示例科技\\, 有限公司,CN=job.example",
        "CN=JOB.example,O=示例科技\\, 有限公司,C=CN",
        "CN=job.example+O=示例科技\\, 有限公司,C=CN",
        "CN=job.example\\,O=示例科技\\, 有限公司,C=CN",
    ],
)
def test_another_subject_is_another_client(register: RegisterClient, registered: str) -> None:
    rp = register_tls(register, tls_client_auth_subject_dn=registered)
    assert_error(ask(rp, shown(CLIENT)), "invalid_client", 401)


def test_the_parts_of_a_set_have_no_order_and_common_descriptors_are_known(register: RegisterClient) -> None:
    oids = {"1.2.840.113549.1.9.1": "job@example.org", "2.5.4.5": "7", "2.5.4.3": "job"}
    parts = [x509.NameAttribute(x509.ObjectIdentifier(oid), value) for oid, value in oids.items()]
    found = issue(x509.Name([x509.RelativeDistinguishedName(parts)]), AUTHORITY)
    registered = "CN=job+emailAddress=job@example.org+SERIALNUMBER=7"
    rp = register_tls(register, tls_client_auth_subject_dn=registered)
    assert ask(rp, shown(found)).status_code == 200


def test_names_that_cannot_be_read_are_no_names(register: RegisterClient) -> None:
    rp = register_tls(register, tls_client_auth_san_dns="job.example")
    usual = issue(common_name("x"), AUTHORITY, names=[x509.DNSName("job.example")])
    assert ask(rp, shown(usual)).status_code == 200
    unsupported = altered(usual, b"\x82\x0bjob.example", b"\x83\x0bjob.example")
    malformed = altered(usual, b"\x82\x0bjob.example", b"\x82\x0cjob.example")
    not_ascii = altered(usual, b"\x82\x0bjob.example", b"\x82\x0bj\xffb.example")
    double = altered(usual, bytes.fromhex("551d13"), bytes.fromhex("551d11"))  # the constraints become names
    for header in (unsupported, malformed, not_ascii, double):
        headers = {"Client-Cert": header, "Client-Cert-Verify": "SUCCESS"}
        assert_error(ask(rp, headers), "invalid_client", 401)


# --- a self-signed certificate


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("jwk", [SELF_SIGNED.jwk(), SELF_SIGNED.jwk(chain=True), SELF_SIGNED.jwk(use="sig")])
def test_a_self_signed_certificate_is_known_by_a_registered_key(
    register: RegisterClient, path: str, jwk: dict[str, Any]
) -> None:
    other = CLIENT_KEY.as_dict(private=False)
    rp = register_self_signed(register, jwks={"keys": [other, jwk]})
    headers = shown(SELF_SIGNED, "FAILED:self-signed certificate")
    assert ask(rp, headers, path).status_code == 200


@pytest.mark.parametrize(
    "jwk",
    [
        CLIENT.jwk(chain=True),
        CLIENT.jwk(),
        SELF_SIGNED.jwk(use="enc"),
        SELF_SIGNED.jwk(x5c=[b64encode(CLIENT.der).decode()]),
        SELF_SIGNED.jwk(x5c=["!"]),
        SELF_SIGNED.jwk(x5c=[]),
        SELF_SIGNED.jwk(x5c=[5]),
        SELF_SIGNED.jwk(x5c=5),
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    ],
)
def test_what_is_not_the_registered_key_is_refused(register: RegisterClient, jwk: dict[str, Any]) -> None:
    rp = register_self_signed(register, jwks={"keys": [jwk]})
    assert_error(ask(rp, shown(SELF_SIGNED)), "invalid_client", 401)


def test_another_certificate_for_the_key_passes_for_the_bare_key_alone(register: RegisterClient) -> None:
    renewed = issue(common_name("renewed"), key=SELF_SIGNED.key)
    bare = register_self_signed(register, jwks={"keys": [SELF_SIGNED.jwk()]})
    pinned = register_self_signed(register, jwks={"keys": [SELF_SIGNED.jwk(chain=True)]})
    assert ask(bare, shown(renewed)).status_code == 200
    assert_error(ask(pinned, shown(renewed)), "invalid_client", 401)


def test_the_same_names_with_another_key_are_refused(register: RegisterClient) -> None:
    rp = register_self_signed(register, jwks={"keys": [SELF_SIGNED.jwk()]})
    twin = issue(SELF_SIGNED.certificate.subject)
    assert_error(ask(rp, shown(twin)), "invalid_client", 401)


def test_keys_of_a_jwks_uri_count_and_one_that_fails_refuses(register: RegisterClient) -> None:
    server = KeyServer()
    try:
        server.body = json.dumps({"keys": [{"kty": "oct", "k": "A" * 43}, SELF_SIGNED.jwk()]}).encode()
        known, unknown = (register_self_signed(register, jwks_uri=server.uri + query) for query in ("", "?2"))
        assert ask(known, shown(SELF_SIGNED)).status_code == 200
        server.status = "500 Internal Server Error"
        refused = ask(unknown, shown(SELF_SIGNED))
        assert_error(refused, "invalid_client", 401)
        assert refused.data == ask(known, shown(CLIENT)).data
    finally:
        server.stop()


def test_a_certificate_with_a_key_of_an_unknown_curve_breaks_nothing(register: RegisterClient) -> None:
    rp = register_self_signed(register, jwks={"keys": [SELF_SIGNED.jwk()]})
    assert_error(ask(rp, {"Client-Cert": altered(SELF_SIGNED, P256, SM2)}), "invalid_client", 401)


# --- what holds for both


@pytest.mark.parametrize(("starts", "ends"), [(-2, -1), (1, 2)])
@pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
def test_an_expired_or_future_certificate_is_refused(
    register: RegisterClient, time: MovableClock, method: str, starts: int, ends: int
) -> None:
    rp, usual, issuer = (
        (register_tls(register, tls_client_auth_subject_dn=SUBJECT), CLIENT, AUTHORITY)
        if method == "tls_client_auth"
        else (register_self_signed(register, jwks={"keys": [SELF_SIGNED.jwk()]}), SELF_SIGNED, None)
    )
    stale = issue(
        usual.certificate.subject,
        issuer,
        key=usual.key,
        starts=clock.now() + timedelta(hours=starts),
        ends=clock.now() + timedelta(hours=ends),
    )
    assert ask(rp, shown(usual)).status_code == 200
    assert_error(ask(rp, shown(stale)), "invalid_client", 401)
    time.advance(hours=starts, minutes=30)
    assert ask(rp, shown(stale)).status_code == 200


def test_whatever_is_wrong_the_answer_is_that_for_an_unknown_client(
    register: RegisterClient, tls_client: RelyingParty
) -> None:
    own = register_self_signed(register, jwks={"keys": [SELF_SIGNED.jwk()]})
    answers = {
        ask(tls_client, shown(CLIENT), client_id="unknown").data,
        ask(tls_client, shown(SELF_SIGNED)).data,
        ask(tls_client, {}).data,
        ask(own, shown(CLIENT)).data,
        ask(own, {"Client-Cert": "garbage"}).data,
    }
    assert len(answers) == 1


def test_the_client_id_says_whose_certificate_it_is(tls_client: RelyingParty) -> None:
    response = tls_client.http.post("/oauth/token", data=GRANT, headers=shown(CLIENT))
    assert_error(response, "invalid_client", 401)


@pytest.mark.checklist(51)
def test_a_secret_or_an_assertion_takes_no_certificates_place(tls_client: RelyingParty) -> None:
    secret = {"client_secret": "x"}
    for form in (secret, tls_client.with_assertion()):
        assert_error(ask(tls_client, shown(CLIENT), **form), "invalid_client", 401)
    headers = shown(CLIENT) | {"Authorization": basic(tls_client.client_id, "x")}
    assert_error(ask(tls_client, headers), "invalid_client", 401)
    assert_error(ask(tls_client, headers, **secret), "invalid_request")


@pytest.mark.checklist(51)
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])
def test_a_certificate_takes_no_other_methods_place_and_is_no_second_method(
    register: RegisterClient, method: str
) -> None:
    jwks = {"keys": [CLIENT_KEY.as_dict(private=False)]} if method == "private_key_jwt" else None
    rp = register(token_endpoint_auth_method=method, jwks=jwks)
    headers, form = rp.proof()
    refresh = {"grant_type": "refresh_token", "refresh_token": "x"}
    assert_error(ask(rp, headers | shown(CLIENT), **form, **refresh), "invalid_grant")
    if method != "none":
        assert_error(ask(rp, shown(CLIENT), **refresh), "invalid_client", 401)


def test_a_disabled_client_is_refused(tls_client: RelyingParty, platform: Platform) -> None:
    clients.disable(platform, tls_client.client_id, ORIGIN)
    assert_error(ask(tls_client, shown(CLIENT)), "invalid_client", 401)


def test_without_mutual_tls_the_header_is_a_clients_own_and_means_nothing(
    register: RegisterClient, tls_client: RelyingParty, make_app: Callable[..., Flask]
) -> None:
    app = make_app()  # on the same database
    http = app.test_client()
    assert_error(ask(RelyingParty(http, tls_client.registered), shown(CLIENT)), "invalid_client", 401)
    assert certificates.presented(app.extensions["idp"], shown(CLIENT)) is None


# --- what a header may hold


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "::",
        ":AAAA:",
        ":%:",
        f"{CLIENT.structured}, {CLIENT.structured}",
        f"{CLIENT.structured};x=1",
        f":{b64encode(CLIENT.der + b'x').decode()}:",
        f":{b64encode(CLIENT.der[:-1]).decode()}:",
        CLIENT.escaped + CLIENT.escaped,
        CLIENT.escaped + "," + CLIENT.escaped,
        CLIENT.escaped + "x",
        "x" + CLIENT.escaped,
        CLIENT.escaped.replace("CERTIFICATE", "PRIVATE%20KEY"),
        "-----BEGIN%20CERTIFICATE-----%0A%ff%0A-----END%20CERTIFICATE-----",
        "-----BEGIN%20CERTIFICATE-----%0A-----END%20CERTIFICATE-----",
        "-----BEGIN%20CERTIFICATE-----",
        "-----BEGIN%20CERTIFICATE-----END%20CERTIFICATE-----",
        "é",
        CLIENT.escaped + "%20" * 6000,
        altered(CLIENT, b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"),  # X.509 version 8
    ],
)
def test_a_header_that_cannot_be_read_is_no_certificate(tls_client: RelyingParty, text: str) -> None:
    headers = {"Client-Cert": text, "Client-Cert-Verify": "SUCCESS"}
    assert_error(ask(tls_client, headers), "invalid_client", 401)


def presented(platform: Platform, text: str) -> certificates.Certificate | None:
    return certificates.presented(platform, {"Client-Cert": text})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text() | st.binary().map(lambda content: f":{b64encode(content).decode()}:"))
@example(text="-----BEGIN CERTIFICATE-----\x00-----END CERTIFICATE-----")
@example(text="\ud800")
def test_no_text_breaks_the_reading(platform: Platform, text: str) -> None:
    assert presented(platform, text) is None


@pytest.mark.filterwarnings("ignore::Warning")  # the library tells of oddities that it accepts
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(position=st.integers(0, len(CLIENT.der) - 1), change=st.integers(1, 255))
def test_no_altered_certificate_breaks_anything(
    platform: Platform, tls_client: RelyingParty, position: int, change: int
) -> None:
    der = CLIENT.der[:position] + bytes([CLIENT.der[position] ^ change]) + CLIENT.der[position + 1 :]
    certificate = presented(platform, f":{b64encode(der).decode()}:")
    client = clients.find_client(platform, tls_client.client_id)
    assert client is not None
    own = replace(
        client,
        token_endpoint_auth_method="self_signed_tls_client_auth",
        jwks={"keys": [CLIENT.jwk(chain=True), SELF_SIGNED.jwk()]},
    )
    for registered in (client, own):
        assert not certificates.matches(platform, registered, certificate, clock.now())


@pytest.mark.parametrize("origin", ["https://mtls.id.example", ISSUER])
def test_assertions_and_proofs_may_name_the_host_of_certificates(
    register: RegisterClient, make_app: Callable[..., Flask], origin: str
) -> None:
    rp = register(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [JWK]}, **JOB)
    http = make_app(**HEADERS, mtls_url="https://mtls.id.example").test_client()  # on the same database
    form = GRANT | rp.with_assertion(aud=f"{origin}/oauth/token")
    proof = dpop_proof("", htu=f"{origin}/oauth/token")
    response = http.post("/oauth/token", data=form, headers={"DPoP": proof})
    assert (response.status_code, response.get_json()["token_type"]) == (200, "DPoP")


@pytest.mark.parametrize("origin", ["https://mtls.id.example", "https://id.example"])
def test_another_host_may_not_be_named(register: RegisterClient, origin: str) -> None:
    rp = register(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [JWK]}, **JOB)
    foreign = GRANT | rp.with_assertion(aud=f"{origin}/oauth/token")
    assert_error(rp.http.post("/oauth/token", data=foreign), "invalid_client", 401)
    headers = {"DPoP": dpop_proof("", htu=f"{origin}/oauth/token")}
    response = rp.http.post("/oauth/token", data=GRANT | rp.with_assertion(), headers=headers)
    assert_error(response, "invalid_dpop_proof")


def test_a_pushed_request_is_authenticated_like_the_others(register: RegisterClient) -> None:
    rp = register(token_endpoint_auth_method="tls_client_auth", tls_client_auth_subject_dn=SUBJECT)
    form = rp.request()
    assert rp.http.post("/oauth/par", data=form, headers=shown(CLIENT)).status_code == 201
    assert_error(
        rp.http.post("/oauth/par", data=form, headers=shown(SELF_SIGNED, "NONE")), "invalid_client", 401
    )
