"""XT09: SystemTap."""

CODES: dict[str, str] = {}
