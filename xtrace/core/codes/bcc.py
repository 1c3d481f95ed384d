"""XT07: BCC."""

CODES: dict[str, str] = {
    "XT0701": "A BPF program cannot do this part of the program. Another backend may.",
    "XT0702": "A handler reads a map that every CPU keeps a part of. Keep the value in another map as well.",
    "XT0703": "There is no such software or hardware event. The message names those that exist.",
    "XT0704": "The host lacks something that BCC needs: bpf(2), a Python with BCC's module, or a known architecture.",
    "XT0705": "Following children needs two scheduler tracepoints whose formats cannot be read. Mount tracefs.",
    "XT0706": "The caller may not load BPF programs. Use root, or CAP_BPF and CAP_PERFMON.",
    "XT0707": "BCC could not compile the program. The compiler's own words follow.",
    "XT0708": "The kernel refused the program or one of its probes. The verifier's or the kernel's words follow.",
    "XT0709": "BCC's worker ended by itself. Its last words follow.",
}
