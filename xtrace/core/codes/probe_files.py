"""XT03: probe files."""

CODES: dict[str, str] = {}
