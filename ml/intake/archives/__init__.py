"""Reading archives from strangers, entry by entry. Nothing is ever written under a name that came from outside.

Zip and tar are read by our own few lines, not by `zipfile` and `tarfile`: those give up on a whole archive for one bad
name, build objects for a million entries before one can look, and read a tar's longest header into memory.
"""

from __future__ import annotations

from ml.intake.archives.entries import Entry, Source
from ml.intake.archives.opening import open_source

__all__ = ["Entry", "Source", "open_source"]
