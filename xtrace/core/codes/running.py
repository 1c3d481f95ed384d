"""XT10: running and sinks."""

CODES: dict[str, str] = {}
