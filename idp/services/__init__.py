"""Use cases: one transaction and its audit events each; no HTTP, no protocol."""
