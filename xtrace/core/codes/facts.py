"""XT04: facts and bundles."""

CODES: dict[str, str] = {
    "XT0401": "A C type or parameter list cannot be read. Write it as C does: `struct sock *sk, int state`.",
    "XT0402": "An event's format file does not have the form that Documentation/trace/events.rst describes.",
    "XT0403": "The kernel's type information (BTF) is damaged, or of a kind that this version of xtrace cannot read.",
    "XT0404": "The file is not a facts bundle. `xtrace facts -o FILE` writes one.",
    "XT0405": "The facts bundle is damaged. Record the host again.",
    "XT0406": "The facts bundle was written in a schema that this version of xtrace does not know.",
    "XT0407": "The folder is not a recorded host: it must hold a meta.json or the files of a live capture.",
    "XT0408": "The collector's archive is damaged or was not written by `xtrace facts --script`.",
    "XT0409": "A System.map or kernel configuration cannot be read.",
    "XT0410": "A structure or member is not known here, so its offset cannot be computed.",
}
