"""The model card of a converted checkpoint: where it comes from, and under what licence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_LICENCE = re.compile(r"^license(?:_name)?:\s*(\S.*?)\s*$", re.MULTILINE)

_CARD = """\
---
license: {licence}
library_name: robo-refer
pipeline_tag: image-text-to-text
---

# {name}, for robo-refer

The weights of {name}, converted to the architecture of robo-refer. Their numbers are those of the
source; only names and files differ.{notes}

```
robo-refer point --model THIS_FOLDER --rgb color.png "Please point to the mug left of the box."
```

## Source

{name}. Read from safetensors in its released layout (`llm/`, `vision_tower/`, `mm_projector/`,
`depth_tower/`, `depth_projector/`). `robo-refer model convert --reverse` writes that layout again.

## Licence

{terms}
"""


def write_card(folder: Path, source: Path, name: str, notes: Sequence[str]) -> None:
    """Write `README.md`; the licence is the one that the source's own card names."""
    licence = licence_of(source)
    terms = (
        f"The card of the source says: {licence}. A conversion changes nothing about it."
        if licence
        else "The source folder names no licence. Ask its publisher before you use or share it."
    )
    items = "".join(f"\n- {note}" for note in notes)
    card = _CARD.format(
        licence=licence or "unknown",
        name=name,
        notes=f" What is not a plain copy:\n{items}" if items else "",
        terms=terms,
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def licence_of(folder: Path) -> str | None:
    """Return the licence in the front matter of a folder's model card, if there is one."""
    card = folder / "README.md"
    if not card.is_file():
        return None
    _, _, rest = card.read_text(encoding="utf-8", errors="replace").partition("---\n")
    front, closed, _ = rest.partition("\n---")
    found = _LICENCE.search(front) if closed else None
    return found.group(1) if found else None
