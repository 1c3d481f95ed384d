"""XT04: facts and bundles."""

CODES: dict[str, str] = {}
