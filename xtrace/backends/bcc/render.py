"""The artifact's text: one Python file with the C program, the headers and the tables in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from xtrace.backends.bcc.lower import Model
from xtrace.core.quoting import Code, QuotingError
from xtrace.core.render import environment

HEADERS = (
    "include/asm/page.h",
    "include/linux/bpf_common.h",
    "include/linux/kconfig.h",
    "include/linux/log2.h",
    "include/linux/types.h",
    "include/linux/version.h",
    "include/uapi/linux/bpf.h",
    "include/uapi/linux/if_packet.h",
    "include/uapi/linux/ptrace.h",
)


@dataclass(frozen=True)
class Header:
    name: Code
    text: Code


def py_lines(text: str) -> Code:
    """A raw Python string over several lines, the same in Python 2 and 3. Raises QuotingError for text that it cannot
    hold."""
    if not text.isascii() or "'''" in text or text.endswith(("'", "\\")):
        raise QuotingError("text that a raw Python string cannot hold")
    return Code(f"r'''{text}'''")


def py_json(tables: dict[str, Any]) -> Code:
    """Tables as a raw Python string of JSON, one row a line."""
    members = ",\n".join(f" {json.dumps(name)}: {_rows(tables[name])}" for name in sorted(tables))
    return py_lines(f"{{\n{members}\n}}\n".replace("'", "\\u0027"))


def _rows(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    return "[\n" + ",\n".join(f"  {json.dumps(row, sort_keys=True)}" for row in value) + "\n ]"


def headers() -> tuple[Header, ...]:
    """The shipped header tree."""
    root = files("xtrace.backends.bcc") / "headers"
    return tuple(Header(Code(f'"{name}"'), py_lines((root / name).read_text("ascii"))) for name in HEADERS)


def program(model: Model) -> str:
    """The BPF C text."""
    return environment("bcc").get_template("program.c.j2").render(model=model)


def worker(model: Model) -> str:
    """The whole artifact."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "." for letter in model.title)
    return (
        environment("bcc")
        .get_template("worker.py.j2")
        .render(
            model=model,
            title=Code(plain.replace("\\", ".").replace('"', "'")),
            tables=py_json(model.tables),
            program=py_lines("\n" + program(model)),
            headers=headers(),
        )
    )
