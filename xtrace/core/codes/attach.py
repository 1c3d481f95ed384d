"""XT05: attach points and named events."""

CODES: dict[str, str] = {
    "XT0501": "The host has no tracepoint of this name. Near names are given; a module that is not loaded adds none.",
    "XT0502": "The function or probe is not there, cannot be probed, or its name means several. The reason is given.",
    "XT0503": "Whether the tracepoint exists could not be learnt: the recording lacks it, or the user may not look.",
    "XT0504": "tracefs is not mounted, or may not be read by this user.",
    "XT0505": "Inlined instances of a function are known only from the kernel's debuginfo, which is missing here.",
    "XT0506": "The program or library of a user probe is not found or cannot be read.",
    "XT0507": "The file of a user probe is not an ELF program or library, or it is damaged.",
    "XT0508": "User programs are not part of a recorded host.",
    "XT0509": "xtrace does not have this type of probe.",
    "XT0510": "A positional parameter or option in an attach point has no value.",
    "XT0511": "perf_event_open(2) has no software or hardware event of this name.",
    "XT0512": "There is no named event of this name.",
    "XT0513": "What stands behind the + of an attach point is not an offset in bytes.",
    "XT0514": "The compiler moved or removed arguments or the result of this function; only DWARF tells where.",
    "XT0520": "None of the sources of a named event serves on this host with this engine; each says why.",
}
