"""A relying party in ten lines: ``flask --app clients.example.app run``, with the variables of
docs/relying-parties.md.
"""

from flask import Flask

from clients.rp.flask import RelyingParty, Reporter

app = Flask(__name__)
rp = RelyingParty.from_env(app, matters=["nev-accident-report"])


@rp.page("/", matter="nev-accident-report")
def home(reporter: Reporter) -> str:
    """Who has signed in acts for this enterprise at this moment."""
    return f"{reporter.account_type} {reporter.enterprise_credit_code}"


@rp.api("/api/enterprise", matter="nev-accident-report")
def enterprise(reporter: Reporter) -> dict[str, str]:
    """What a program's access token says, confirmed by the provider."""
    return {"enterprise_credit_code": reporter.enterprise_credit_code}
