"""XT11: plugins."""

CODES: dict[str, str] = {
    "XT1101": "A plugin could not be loaded and is left out; everything else works. `xtrace plugins` shows its error.",
    "XT1102": "A plugin registers something under a name that is taken, or its hook failed. The first owner keeps it.",
}
