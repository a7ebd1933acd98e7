"""Reports that hold a person who is taken out, or may hold them: by the fingerprints in their manifests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"


def made_from(reports: Path, changed: Mapping[str, str], programme: str) -> tuple[list[Path], list[Path]]:
    """Bundles made from any of the files that change, and others of the same programme.

    `changed`: the fingerprints of these files as they were, by name.
    """
    surely: list[Path] = []
    perhaps: list[Path] = []
    for manifest in sorted(reports.glob(f"*/{MANIFEST}")):
        said = _read(manifest)
        data = said.get("data")
        if isinstance(data, dict) and any(data.get(name) == mark for name, mark in changed.items()):
            surely.append(manifest.parent)
        elif said.get("programme") == programme:
            perhaps.append(manifest.parent)
    return surely, perhaps


def _read(manifest: Path) -> dict[str, Any]:
    """What a manifest says; nothing where it is broken, or is no manifest of a bundle."""
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
