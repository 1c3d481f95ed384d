"""`xtrace clean`: remove what killed sessions left behind."""

from __future__ import annotations

import click

from xtrace.cli.options import JSON_OPTION


@click.command()
@click.option("-n", "--dry-run", is_flag=True, help="Only tell what would be removed.")
@JSON_OPTION
def command(dry_run: bool, as_json: bool) -> int:
    """Remove probes and trace buffers of sessions whose process is gone. Sessions that run are never touched."""
    from xtrace.cli.surroundings import host
    from xtrace.core.errors import BackendError
    from xtrace.doctor.leavings import cleaned, document, text

    result = cleaned(host(None), dry_run)
    if as_json:
        import json

        print(json.dumps(document(result), indent=2))
    else:
        print(text(result))
    return BackendError.exit_code if result.problems else 0
