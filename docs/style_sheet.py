"""Paints the pictures of `docs/style-transfer.md`: `python -m docs.style_sheet PHOTOS PAINTINGS WEIGHTS [NAME …]`.

PHOTOS holds `tubingen.jpg` and `golden_gate.jpg`, PAINTINGS `starry_night.jpg` and `the_scream.jpg`, WEIGHTS the files
of the feature networks. Each picture takes a minute or some on two cores.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

PICTURES = Path(__file__).parent / "pictures" / "style"
QUALITY = 82
COMMON: dict[str, Any] = {"kind": "style_transfer", "content": 1, "styles": [{"picture": 2}], "size": 256, "steps": 100}
SHEET: dict[str, tuple[str, str, dict[str, Any]]] = {
    "tubingen-hed": ("tubingen.jpg", "starry_night.jpg", {"features": "hed_vgg16"}),
    "gate-hed": ("golden_gate.jpg", "the_scream.jpg", {"features": "hed_vgg16"}),
    "tubingen-squeezenet": ("tubingen.jpg", "starry_night.jpg", {"features": "squeezenet"}),
    "gate-luminance": (
        "golden_gate.jpg",
        "the_scream.jpg",
        {"features": "squeezenet", "preserve_colors": "luminance"},
    ),
}
"""By name: the photograph, the painting, and what the spec says beside `COMMON`."""


def paint_one(name: str, photos: Path, paintings: Path, weights: Path) -> Path:
    """Paint one of the sheet and keep it small; where it lies."""
    from ml.networks.feature_networks import FEATURE_NETWORKS
    from ml.recipes.style_transfer import paint
    from ml.reporter import Reporter
    from records.orders import Order, OrderedDevice
    from records.specs import parse_spec

    photo, painting, changes = SHEET[name]
    spec = parse_spec({**COMMON, **changes})
    source = FEATURE_NETWORKS[changes["features"]].source
    with tempfile.TemporaryDirectory() as folder:
        order = Order(
            job_id=1,
            attempt_number=1,
            spec=spec.model_dump(mode="json"),
            device=OrderedDevice(name="cpu:0", kind="cpu", index=0, memory_bytes=4 * 10**9, threads=2),
            inputs={
                "content": photos / photo,
                "styles.0.picture": paintings / painting,
                "features": weights / source.file,
            },
            facts={"features_sha256": source.digest},
            folder=Path(folder),
        )
        paint(spec, order, Reporter(lambda event: None))
        PICTURES.mkdir(parents=True, exist_ok=True)
        with Image.open(order.folder / "result.png") as picture:
            picture.save(PICTURES / f"{name}.jpg", quality=QUALITY)
    return PICTURES / f"{name}.jpg"


def main(arguments: list[str]) -> None:
    """Paint those that are named, or all."""
    photos, paintings, weights = map(Path, arguments[:3])
    for name in arguments[3:] or SHEET:
        began = time.monotonic()
        path = paint_one(name, photos, paintings, weights)
        print(f"{path.name}: {path.stat().st_size:,} bytes in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
