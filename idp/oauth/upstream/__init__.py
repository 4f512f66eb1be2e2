"""The platform as a relying party of another one: signing in there (OpenID Connect Core 3.1, RFC 9700).

``provider`` is who the other one is, ``calls`` how it is spoken to, ``tokens`` what is believed of what it
answers, ``sign_in`` the way there and back.
"""
