"""The console: pages of the platform's administrators."""

from __future__ import annotations
