from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain import assurance
from idp.domain.clients import ACR_VALUES, Client
from idp.domain.interaction import (
    PROMPTS,
    Acting,
    Agree,
    Asked,
    ChooseEnterprise,
    Consent,
    Fail,
    LogIn,
    Remembered,
    Respond,
    SignedIn,
    Step,
    StepUp,
    TurnAway,
    next_step,
)

NOW: Final = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MATTER: Final = "nev-accident-report"
SERVES: Final = Client(client_id="rp", client_name="RP", matters=(MATTER,))
STRICT: Final = replace(SERVES, require_enterprise=True)
PLAIN: Final = Client(client_id="plain", client_name="Plain")
OWN: Final = Acting("e1", "91990101MADEM00117", "甲", "legal_person", None, (), None)
FIRST: Final = Acting("e1", "91990101MADEM00117", "甲", "handler", "h1", (MATTER,), None)
SECOND: Final = Acting("e2", "91990101MADEM002XY", "乙", "handler", "h2", (MATTER,), None)
OTHER_MATTER: Final = Acting("e3", "91990101MADEM0038Y", "丙", "handler", "h3", ("something-else",), None)
ENTERPRISE: Final = frozenset({"openid", "enterprise", "handler"})
ME: Final = SignedIn(
    "a1",
    "a1",
    "s1",
    int((NOW - timedelta(minutes=10)).timestamp()),
    NOW - timedelta(minutes=10),
    ACR_VALUES[0],
    None,
)
FRESH: Final = replace(ME, created_at=NOW, auth_time=int(NOW.timestamp()))
WEAK, STRONG = ACR_VALUES
STRONG_ME: Final = replace(ME, acr=STRONG)
STALE: Final = replace(ME, agreed=False)
FAINT_ME: Final = replace(ME, acr="")
NOTHING: Final = Remembered()


def remembered(*enterprise_ids: str, scopes: frozenset[str] = ENTERPRISE) -> Remembered:
    return Remembered(dict.fromkeys(enterprise_ids, scopes))


def asked(*prompts: str, **changes: Any) -> Asked:
    return Asked(
        received_at=NOW - timedelta(seconds=1), scopes=ENTERPRISE, prompts=frozenset(prompts), **changes
    )


def simple(*prompts: str, **changes: Any) -> Asked:
    return replace(asked(*prompts, **changes), scopes=frozenset({"openid"}))


def fails(error: str) -> Fail:
    return Fail(error, "")


ONESELF: Final = remembered("", scopes=frozenset({"openid"}))

TABLE: Final[list[tuple[str, Asked, Client, SignedIn | None, tuple[Acting, ...], Remembered, Step]]] = [
    # signing in
    ("nobody is signed in", simple(), PLAIN, None, (), NOTHING, LogIn()),
    ("nobody, silently", simple("none"), PLAIN, None, (), NOTHING, fails("login_required")),
    ("texts have changed", simple(), PLAIN, STALE, (), ONESELF, Agree()),
    (
        "texts have changed, silently",
        simple("none"),
        PLAIN,
        STALE,
        (),
        ONESELF,
        fails("interaction_required"),
    ),
    ("texts have changed, signing in first", simple("login"), PLAIN, STALE, (), ONESELF, LogIn()),
    ("the hinted person", simple(hinted_subs=frozenset({"a1"})), PLAIN, ME, (), ONESELF, Respond(None)),
    ("another person is hinted", simple(hinted_subs=frozenset({"a2"})), PLAIN, ME, (), ONESELF, LogIn()),
    ("another person, fresh", simple(hinted_subs=frozenset({"a2"})), PLAIN, FRESH, (), ONESELF, LogIn()),
    (
        "another person, silently",
        simple("none", hinted_subs=frozenset({"a2"})),
        PLAIN,
        ME,
        (),
        ONESELF,
        fails("login_required"),
    ),
    ("prompt=login", simple("login"), PLAIN, ME, (), ONESELF, LogIn()),
    ("prompt=login, just signed in", simple("login"), PLAIN, FRESH, (), ONESELF, Respond(None)),
    ("prompt=select_account", simple("select_account"), PLAIN, ME, (), ONESELF, LogIn()),
    ("prompt=select_account, just done", simple("select_account"), PLAIN, FRESH, (), ONESELF, Respond(None)),
    ("max_age passed", simple(max_age=599), PLAIN, ME, (), ONESELF, LogIn()),
    ("max_age just reached", simple(max_age=600), PLAIN, ME, (), ONESELF, LogIn()),
    ("max_age not passed", simple(max_age=601), PLAIN, ME, (), ONESELF, Respond(None)),
    ("max_age=0 always asks", simple(max_age=0), PLAIN, ME, (), ONESELF, LogIn()),
    ("max_age=0, just signed in", simple(max_age=0), PLAIN, FRESH, (), ONESELF, Respond(None)),
    ("a negative max_age is zero", simple(max_age=-5), PLAIN, ME, (), ONESELF, LogIn()),
    (
        "max_age passed, silently",
        simple("none", max_age=1),
        PLAIN,
        ME,
        (),
        ONESELF,
        fails("login_required"),
    ),
    (
        "default_max_age passed",
        simple(),
        replace(PLAIN, default_max_age=60),
        ME,
        (),
        ONESELF,
        LogIn(),
    ),
    (
        "max_age wins over default_max_age",
        simple(max_age=3600),
        replace(PLAIN, default_max_age=60),
        ME,
        (),
        ONESELF,
        Respond(None),
    ),
    # consent
    ("nothing allowed yet", simple(), PLAIN, ME, (), NOTHING, Consent(None)),
    ("nothing allowed yet, silently", simple("none"), PLAIN, ME, (), NOTHING, fails("consent_required")),
    ("allowed before", simple(), PLAIN, ME, (), ONESELF, Respond(None)),
    ("allowed before, silently", simple("none"), PLAIN, ME, (), ONESELF, Respond(None)),
    ("just allowed", simple(consented=True), PLAIN, ME, (), NOTHING, Respond(None)),
    ("prompt=consent asks again", simple("consent"), PLAIN, ME, (), ONESELF, Consent(None)),
    (
        "prompt=consent asks once",
        simple("consent", consented=True),
        PLAIN,
        ME,
        (),
        ONESELF,
        Respond(None),
    ),
    (
        "a scope more than allowed",
        replace(simple(), scopes=frozenset({"openid", "email"})),
        PLAIN,
        ME,
        (),
        ONESELF,
        Consent(None),
    ),
    (
        "a scope less than allowed",
        replace(simple(), scopes=frozenset()),
        PLAIN,
        ME,
        (),
        ONESELF,
        Respond(None),
    ),
    (
        "allowed for another enterprise only",
        asked(),
        SERVES,
        ME,
        (FIRST,),
        remembered("e2"),
        Consent(FIRST),
    ),
    ("allowed as oneself only", asked(), SERVES, ME, (FIRST,), remembered(""), Consent(FIRST)),
    # how strongly
    ("strong enough", simple(acr_values=(WEAK,)), PLAIN, ME, (), ONESELF, Respond(None)),
    ("stronger than needed", simple(acr_values=(WEAK,)), PLAIN, STRONG_ME, (), ONESELF, Respond(None)),
    ("a strong wish", simple(acr_values=(STRONG,)), PLAIN, ME, (), ONESELF, StepUp()),
    ("a strong wish not met again", simple(acr_values=(STRONG,)), PLAIN, FRESH, (), ONESELF, Respond(None)),
    (
        "a strong wish that could have been met",
        simple(acr_values=(STRONG,)),
        PLAIN,
        replace(FRESH, has_factor=True),
        (),
        ONESELF,
        Respond(None),
    ),
    ("an unknown wish", simple(acr_values=("x",)), PLAIN, ME, (), ONESELF, Respond(None)),
    ("a wish that can be met", simple(acr_values=(STRONG, WEAK)), PLAIN, FAINT_ME, (), ONESELF, StepUp()),
    (
        "a wish that was not met by signing in again",
        simple(acr_values=(WEAK,)),
        PLAIN,
        replace(FRESH, acr="x"),
        (),
        ONESELF,
        Respond(None),
    ),
    (
        "a wish that can be met, silently",
        simple("none", acr_values=(WEAK,)),
        PLAIN,
        FAINT_ME,
        (),
        ONESELF,
        fails("login_required"),
    ),
    (
        "a must that can be met",
        simple(acr_values=(WEAK,), acr_essential=True),
        PLAIN,
        FAINT_ME,
        (),
        ONESELF,
        StepUp(),
    ),
    (
        "an unknown must",
        simple(acr_values=("x",), acr_essential=True),
        PLAIN,
        ME,
        (),
        ONESELF,
        fails("unmet_authentication_requirements"),
    ),
    ("a strong must", simple(acr_values=(STRONG,), acr_essential=True), PLAIN, ME, (), ONESELF, StepUp()),
    (
        "a strong must of somebody without a factor",
        simple(acr_values=(STRONG,), acr_essential=True),
        PLAIN,
        FRESH,
        (),
        ONESELF,
        fails("unmet_authentication_requirements"),
    ),
    (
        "a strong must of somebody who has the factor and did not use it",
        simple(acr_values=(STRONG,), acr_essential=True),
        PLAIN,
        replace(FRESH, has_factor=True),
        (),
        ONESELF,
        StepUp(),
    ),
    (
        "a must that was not met by signing in again",
        simple(acr_values=(WEAK,), acr_essential=True),
        PLAIN,
        replace(FRESH, acr="x"),
        (),
        ONESELF,
        fails("unmet_authentication_requirements"),
    ),
    # the acting enterprise
    ("enterprises don't matter here", simple(), PLAIN, ME, (FIRST, SECOND), ONESELF, Respond(None)),
    ("the only one needs no question", asked(), SERVES, ME, (FIRST,), remembered("e1"), Respond(FIRST)),
    ("one's own enterprise", asked(), SERVES, ME, (OWN,), remembered("e1"), Respond(OWN)),
    (
        "one's own where no matter is served",
        asked(),
        replace(SERVES, matters=()),
        ME,
        (OWN,),
        remembered("e1"),
        Respond(OWN),
    ),
    (
        "two to choose from",
        asked(),
        SERVES,
        ME,
        (FIRST, SECOND),
        NOTHING,
        ChooseEnterprise((FIRST, SECOND), may_act_as_self=True, preselected=None),
    ),
    (
        "two, never as oneself where enterprises are required",
        asked(),
        STRICT,
        ME,
        (FIRST, SECOND),
        NOTHING,
        ChooseEnterprise((FIRST, SECOND), may_act_as_self=False, preselected=None),
    ),
    (
        "two, the latest consent is preselected",
        asked(),
        SERVES,
        ME,
        (FIRST, SECOND),
        remembered("e2", "e1"),
        ChooseEnterprise((FIRST, SECOND), may_act_as_self=True, preselected="91990101MADEM002XY"),
    ),
    (
        "two, the default is preselected",
        asked(),
        SERVES,
        replace(ME, default_enterprise_id="e2"),
        (FIRST, SECOND),
        NOTHING,
        ChooseEnterprise((FIRST, SECOND), may_act_as_self=True, preselected="91990101MADEM002XY"),
    ),
    (
        "consents of enterprises gone by are passed over",
        asked(),
        SERVES,
        replace(ME, default_enterprise_id="e1"),
        (FIRST, SECOND),
        remembered("e9", ""),
        ChooseEnterprise((FIRST, SECOND), may_act_as_self=True, preselected="91990101MADEM00117"),
    ),
    (
        "two, silently, the latest consent",
        asked("none"),
        SERVES,
        ME,
        (FIRST, SECOND),
        remembered("e2", "e1"),
        Respond(SECOND),
    ),
    (
        "two, silently, the consent before the default",
        asked("none"),
        SERVES,
        replace(ME, default_enterprise_id="e1"),
        (FIRST, SECOND),
        remembered("e2"),
        Respond(SECOND),
    ),
    (
        "two, silently, the default but no consent for it",
        asked("none"),
        SERVES,
        replace(ME, default_enterprise_id="e1"),
        (FIRST, SECOND),
        NOTHING,
        fails("consent_required"),
    ),
    (
        "two, silently, no preference",
        asked("none"),
        SERVES,
        ME,
        (FIRST, SECOND),
        NOTHING,
        fails("interaction_required"),
    ),
    (
        "chosen",
        asked(enterprise="91990101MADEM002XY"),
        SERVES,
        ME,
        (FIRST, SECOND),
        remembered("e2"),
        Respond(SECOND),
    ),
    (
        "chosen, then consent",
        asked(enterprise="91990101MADEM002XY"),
        SERVES,
        ME,
        (FIRST, SECOND),
        NOTHING,
        Consent(SECOND),
    ),
    ("chosen oneself", asked(enterprise=""), SERVES, ME, (FIRST, SECOND), remembered(""), Respond(None)),
    (
        "chosen oneself where that is not offered",
        asked(enterprise=""),
        STRICT,
        ME,
        (FIRST, SECOND),
        remembered(""),
        ChooseEnterprise((FIRST, SECOND), may_act_as_self=False, preselected=None),
    ),
    (
        "chosen one that has been revoked since",
        asked(enterprise="91990101MADEM0038Y"),
        SERVES,
        ME,
        (FIRST, SECOND),
        remembered("e1", "e2"),
        ChooseEnterprise((FIRST, SECOND), may_act_as_self=True, preselected=None),
    ),
    (
        "chosen one that has been revoked since, one is left",
        asked(enterprise="91990101MADEM002XY"),
        SERVES,
        ME,
        (FIRST,),
        remembered("e1"),
        ChooseEnterprise((FIRST,), may_act_as_self=True, preselected=None),
    ),
    (
        "matters that are not served don't count",
        asked(),
        SERVES,
        ME,
        (FIRST, OTHER_MATTER),
        remembered("e1"),
        Respond(FIRST),
    ),
    (
        "only matters that are not served",
        asked(),
        SERVES,
        ME,
        (OTHER_MATTER,),
        remembered("e3", ""),
        fails("access_denied"),
    ),
    (
        "only matters that are not served, where enterprises are required",
        asked(),
        STRICT,
        ME,
        (OTHER_MATTER,),
        NOTHING,
        TurnAway(),
    ),
    ("acting for nobody", asked(), SERVES, ME, (), remembered(""), Respond(None)),
    (
        "a client without matters takes a handler as oneself",
        asked(),
        replace(SERVES, matters=()),
        ME,
        (FIRST,),
        remembered(""),
        Respond(None),
    ),
    ("acting for nobody where enterprises are required", asked(), STRICT, ME, (), NOTHING, TurnAway()),
    (
        "enterprises required without a scope that says so",
        simple(),
        STRICT,
        ME,
        (),
        NOTHING,
        TurnAway(),
    ),
    (
        "acting for nobody, silently",
        asked("none"),
        STRICT,
        ME,
        (),
        NOTHING,
        fails("access_denied"),
    ),
    (
        "pinned",
        asked(pinned_enterprises=frozenset({"91990101MADEM002XY"})),
        SERVES,
        ME,
        (FIRST, SECOND),
        remembered("e2"),
        Respond(SECOND),
    ),
    (
        "pinned without a scope of enterprises",
        simple(pinned_enterprises=frozenset({"91990101MADEM002XY"})),
        SERVES,
        ME,
        (FIRST, SECOND),
        remembered("e2"),
        Respond(SECOND),
    ),
    (
        "pinned, silently",
        asked("none", pinned_enterprises=frozenset({"91990101MADEM002XY"})),
        SERVES,
        ME,
        (FIRST, SECOND),
        remembered("e1", "e2"),
        Respond(SECOND),
    ),
    (
        "pinned to one that is not this person's",
        asked(pinned_enterprises=frozenset({"91990101MADEM0038Y"})),
        SERVES,
        ME,
        (FIRST, SECOND),
        remembered("e1", "e2", "e3"),
        fails("access_denied"),
    ),
    (
        "pinned to one whose matters are not served",
        asked(pinned_enterprises=frozenset({"91990101MADEM0038Y"})),
        SERVES,
        ME,
        (FIRST, OTHER_MATTER),
        remembered("e1", "e3"),
        fails("access_denied"),
    ),
    (
        "what was typed never replaces a pinned one",
        asked(pinned_enterprises=frozenset({"91990101MADEM002XY"}), enterprise="91990101MADEM00117"),
        SERVES,
        ME,
        (FIRST, SECOND),
        remembered("e1", "e2"),
        Respond(SECOND),
    ),
]


@pytest.mark.checklist(26, 27, 29, 30, 31, 33)
@pytest.mark.parametrize(
    ("request_", "client", "login", "candidates", "before", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_next_step(
    request_: Asked,
    client: Client,
    login: SignedIn | None,
    candidates: tuple[Acting, ...],
    before: Remembered,
    expected: Step,
) -> None:
    step = next_step(request_, client, login, candidates, before, NOW)
    if isinstance(expected, Fail):
        assert isinstance(step, Fail)
        assert step.error == expected.error
        assert step.description.isascii()
    else:
        assert step == expected


requests = st.builds(
    Asked,
    received_at=st.sampled_from([NOW - timedelta(minutes=20), NOW]),
    scopes=st.frozensets(st.sampled_from(["openid", "enterprise", "handler", "email"])),
    prompts=st.frozensets(st.sampled_from(sorted(PROMPTS))),
    max_age=st.sampled_from([None, 0, 60, 3600]),
    hinted_subs=st.frozensets(st.sampled_from(["a1", "a2"])),
    acr_values=st.sampled_from([(), ACR_VALUES, ACR_VALUES[:1], ACR_VALUES[1:], ("unknown",)]),
    acr_essential=st.booleans(),
    pinned_enterprises=st.sampled_from(
        [None, frozenset(), frozenset({"91990101MADEM00117"}), frozenset({"91990101MADEM0038Y"})]
    ),
    matters=st.frozensets(st.sampled_from([MATTER, "something-else"])),
    enterprise=st.sampled_from([None, "", "91990101MADEM00117", "91990101MADEM002XY", "x"]),
    consented=st.booleans(),
)
situations = st.tuples(
    requests,
    st.sampled_from([PLAIN, SERVES, STRICT]),
    st.sampled_from([None, ME, FRESH]),
    st.lists(st.sampled_from([FIRST, SECOND, OTHER_MATTER]), unique=True).map(tuple),
    st.sampled_from([NOTHING, remembered("e1"), remembered("e2", "e1"), remembered("")]),
)


@given(situations)
def test_a_silent_request_never_shows_a_page(
    situation: tuple[Asked, Client, SignedIn | None, tuple[Acting, ...], Remembered],
) -> None:
    request_, client, login, candidates, before = situation
    silent = replace(request_, prompts=frozenset({"none"}))
    step = next_step(silent, client, login, candidates, before, NOW)
    assert isinstance(step, Respond | Fail)


@given(situations)
def test_an_answer_is_for_someone_signed_in_and_for_an_enterprise_in_force(
    situation: tuple[Asked, Client, SignedIn | None, tuple[Acting, ...], Remembered],
) -> None:
    request_, client, login, candidates, _ = situation
    step = next_step(*situation, NOW)
    if not isinstance(step, Respond):
        return
    assert login is not None
    assert request_.hinted_subs <= {login.sub}
    if request_.acr_essential and request_.acr_values:
        assert assurance.is_met(login.acr, request_.acr_values)
    assert step.acting is None or step.acting in candidates
    assert step.acting is None or step.acting.account_type != "handler" or MATTER in step.acting.matters
    assert step.acting is not None or not client.require_enterprise
    if request_.pinned_enterprises is not None:
        assert step.acting is not None
        assert step.acting.account_type == "legal_person" or request_.matters <= set(step.acting.matters)
        assert step.acting.enterprise_credit_code in request_.pinned_enterprises
