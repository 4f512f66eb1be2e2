"""The kit that every relying party uses: discovery, sign-in, token checks, liveness, entitlement.

It knows no web framework and no database: a relying party brings those.
"""
