"""XT00: command line."""

CODES: dict[str, str] = {}
