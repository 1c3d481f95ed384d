"""XT01: syntax."""

CODES: dict[str, str] = {}
