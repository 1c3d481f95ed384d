"""XT00: command line."""

CODES: dict[str, str] = {
    "XT0001": "There is no such command. `xtrace --help` lists them.",
    "XT0002": "The command has no such option. Its `--help` lists them.",
    "XT0003": "The command line does not have the form that the command takes.",
    "XT0004": "A value on the command line cannot be used.",
    "XT0005": "There is no such tool. `xtrace list` names all of them; a path to a program file also works.",
    "XT0006": "There is no such backend. `xtrace plan` shows those that exist.",
    "XT0007": "A file named on the command line cannot be read or written.",
    "XT0008": "There is no such output format. Built in are text, ndjson, json and folded; plugins add more.",
    "XT0009": "No probe, tool, event or type of this host matches the name or pattern.",
    "XT0010": "There is no fact of this name. `xtrace facts` shows all of them.",
    "XT0011": "The doctor has no check of this id. `xtrace doctor --list-checks` names them.",
    "XT0012": "Results cannot be written: the disk is full, a limit is reached, or the device failed.",
    "XT0013": "xtrace itself failed in a way that it does not foresee. What it had set up is undone; please report it.",
}
