"""All diagnostic codes, each with the sentence that the documentation page gives it. Codes are never reused.

XT00 command line · XT01 syntax · XT02 names and types · XT03 probe files · XT04 facts and bundles · XT05 attach points ·
XT06 planning · XT07 BCC · XT08 ftrace · XT09 SystemTap · XT10 running · XT11 plugins
"""

from __future__ import annotations

CODES: dict[str, str] = {}
