"""XT05: attach points and named events."""

CODES: dict[str, str] = {}
