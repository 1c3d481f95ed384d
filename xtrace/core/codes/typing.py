"""XT02: names and types."""

CODES: dict[str, str] = {}
