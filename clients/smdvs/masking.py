"""What is shown of personal data 脱敏: enough to recognise, too little to use."""

from __future__ import annotations


def name(text: str) -> str:
    """All but the first character: ``*大友``; a name of one character is hidden."""
    return "*" + text[1:] if text else ""


def phone(text: str) -> str:
    """First three and last four digits: ``137****9050``."""
    return f"{text[:3]}****{text[-4:]}" if len(text) >= 11 else "*" * len(text)
