"""Templates print, Python decides: the one Jinja environment that every backend renders with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xtrace.core import quoting

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent.parent / "templates"
FILTERS = (
    quoting.c_ident,
    quoting.c_str,
    quoting.sh_quote,
    quoting.stp_str,
    quoting.tracefs_filter,
    quoting.tracefs_token,
)


def environment(backend: str) -> jinja2.Environment:
    """The environment for `xtrace/templates/<backend>/`.

    Undefined names raise, blocks leave no blank lines, and only integers and `Code` can be printed: a string that no
    quoting filter has seen raises `QuotingError`.
    """
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES / backend),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=quoting.finalize,
    )
    made.filters.update({filter_.__name__: filter_ for filter_ in FILTERS})
    return made
