"""All that can be fuzzed, by name."""

from __future__ import annotations

from fuzz import archives, compiled, deflate, documents
from fuzz.harness import Target

TARGETS: dict[str, Target] = {
    target.name: target for room in (archives, documents, compiled, deflate) for target in room.TARGETS
}
