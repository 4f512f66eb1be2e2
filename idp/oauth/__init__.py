"""The protocol: OAuth 2 and OpenID Connect over Authlib's server; JSON and redirects, no HTML."""
