"""What anybody would write to clean up photographs: open, convert and save with Pillow, one after the other.

Run by `bench.alone`: reads `source`, a zip, and writes every image into `folder`.
"""

from __future__ import annotations

import io
import json
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image


def rewrite(request: dict[str, Any]) -> dict[str, Any]:
    """Write all images anew, and tell how many, in how many seconds."""
    folder = Path(request["folder"])
    folder.mkdir()
    started = time.perf_counter()
    with zipfile.ZipFile(request["source"]) as archive:
        names = archive.namelist()
        for number, name in enumerate(names):
            image = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
            image.save(folder / f"{number}.jpg", "JPEG", quality=95, subsampling=0)
    return {"images": len(names), "took_s": time.perf_counter() - started}


if __name__ == "__main__":
    print(json.dumps(rewrite(json.load(sys.stdin))))
