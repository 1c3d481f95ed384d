"""XT08: ftrace."""

CODES: dict[str, str] = {
    "XT0801": "The kernel cannot record this value when the event happens, so ftrace cannot show it.",
    "XT0802": "The address of this read is only known after the event, from a map or a computation; ftrace reads "
    "memory only while the event happens. Save the value where the pointer is known, or use another backend.",
    "XT0803": "The host's tracefs cannot attach to this kind of probe. The message says what is missing.",
    "XT0804": "A name in this probe cannot be written in a tracefs command.",
    "XT0805": "One probe would have to record more values than a tracefs definition holds.",
    "XT0806": "No tracefs is mounted. `mount -t tracefs nodev /sys/kernel/tracing` as root mounts it.",
    "XT0807": "Tracefs is closed to the caller. Root can use it; kernel lockdown (confidentiality) closes it to all.",
    "XT0808": "The kernel refused a step of the set-up; the message has its own words. Everything was undone.",
    "XT0809": "A program that probes are to be set in cannot be opened.",
    "XT0810": "The process that is to be traced has ended.",
    "XT0811": "Some of what a session had set up in tracefs could not be removed. `xtrace clean` tries again.",
    "XT0813": "The kernel's own counts (hist triggers) could not be read. `--backend bcc` counts by other means.",
    "XT0812": "perf_event_open(2) refused the timer of a `profile` probe.",
}
