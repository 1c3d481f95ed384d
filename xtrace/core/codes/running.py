"""XT10: running and sinks."""

CODES: dict[str, str] = {
    "XT1001": "A backend that could serve here failed to start; the trace goes on with the next one.",
    "XT1002": "The command to trace (-c) cannot be split into words or is not found on PATH.",
    "XT1003": "The kernel refuses to execute the command to trace (-c); its permissions or first line may be wrong.",
    "XT1004": "There is no process with the id given by -p, or the id is that of a thread.",
    "XT1005": "A probe could not be attached and the program's config lets it be missing; its events are not seen.",
    "XT1006": "Events or map updates did not reach the output; the hint says what would make room for them.",
    "XT1007": "Tracing needs privileges that the caller lacks; what each backend misses is told after it.",
    "XT1008": "There is no control group of this path in the hierarchy of version 2.",
    "XT1009": "Process ids here are those of a namespace (a container), the kernel's events carry the host's.",
}
