"""XT06: planning."""

CODES: dict[str, str] = {}
