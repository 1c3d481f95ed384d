"""Plugins in words: what each brings, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from xtrace.core.plugins import Plugins

_OURS = "builtin"


def contributions(plugins: Plugins) -> Mapping[str, dict[str, list[str]]]:
    """What each plugin registered: names by kind, by plugin."""
    found: dict[str, dict[str, list[str]]] = {}
    for kind in plugins.KINDS:
        registry = plugins.registry(kind)
        for name in registry.names():
            found.setdefault(registry.owner_of(name), {}).setdefault(kind, []).append(name)
    return found


def problems(plugins: Plugins) -> tuple[tuple[str, str], ...]:
    """Subject and complaint for every plugin that did not load, and for every name that was refused."""
    broken = [(one.name, one.error) for one in plugins.loaded if one.error]
    refused = [(kind, words) for kind in plugins.KINDS for words in plugins.registry(kind).problems]
    return (*broken, *refused)


def text(plugins: Plugins) -> str:
    """The plugins as a terminal shows them; xtrace's own parts come last."""
    brought = contributions(plugins)
    lines = ["Plugins:"] if plugins.loaded else ["No plugins are installed."]
    for one in plugins.loaded:
        lines.append(f"  {one.name} {one.version}".rstrip())
        lines += [f"    {kind}: {', '.join(names)}" for kind, names in brought.get(one.name, {}).items()]
        lines += [f"    error: {one.error} [XT1101]"] if one.error else []
    refused = [words for kind in plugins.KINDS for words in plugins.registry(kind).problems]
    lines += [f"  error: {words} [XT1102]" for words in refused]
    lines += ["Shipped with xtrace:"]
    lines += [f"  {kind}: {', '.join(names)}" for kind, names in brought.get(_OURS, {}).items()]
    return "\n".join(lines)


def document(plugins: Plugins) -> dict[str, object]:
    """The plugins as a JSON object of schema `xtrace.plugins/1`."""
    brought = contributions(plugins)
    return {
        "schema": "xtrace.plugins/1",
        "plugins": [
            {
                "name": one.name,
                "version": one.version or None,
                "error": one.error or None,
                "hooks": list(one.hooks),
                "brings": brought.get(one.name, {}),
            }
            for one in plugins.loaded
        ],
        "refused": [words for kind in plugins.KINDS for words in plugins.registry(kind).problems],
        "builtin": brought.get(_OURS, {}),
    }
