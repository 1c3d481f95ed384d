"""XT11: plugins."""

CODES: dict[str, str] = {}
