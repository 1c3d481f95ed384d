"""XT09: SystemTap."""

CODES: dict[str, str] = {
    "XT0901": "SystemTap's language cannot express this part of the program. Another backend may.",
    "XT0902": "SystemTap has no probe point for this attach point.",
    "XT0903": "The host lacks something that SystemTap needs: its compiler, matching kernel headers, or staprun.",
    "XT0904": "stap could not compile the script. Its own words follow; `xtrace doctor` tries each class of probe.",
    "XT0905": "The compiled module could not be loaded, or one of its probes could not be registered.",
    "XT0906": "The caller may not load SystemTap modules (not root, or not in the groups stapusr and stapdev).",
    "XT0907": "The running SystemTap script stopped with an error.",
}
