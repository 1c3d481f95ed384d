"""XT08: ftrace."""

CODES: dict[str, str] = {}
