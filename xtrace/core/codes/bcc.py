"""XT07: BCC."""

CODES: dict[str, str] = {}
