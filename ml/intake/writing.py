"""Putting the images of the new version into packs, and naming them in its manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ml.intake.decoder_process import DecoderProcess
from ml.intake.decoders import DecoderPool
from ml.intake.mask_values import ValueNames
from ml.intake.packs import PackWriter
from ml.intake.reading import TakenSample
from ml.intake.version import Chosen
from records.intake import ManifestImage


def write_images(
    chosen: Chosen,
    pool: DecoderPool,
    folder: Path,
    *,
    prefix: str,
    classes: Sequence[str],
    values: ValueNames | None,
    tell: Callable[[int, int], None],
) -> list[ManifestImage]:
    """Write packs.

    Args:
        chosen: which images, and their splits.
        pool: replaces the values of masks.
        folder: where the packs go.
        prefix: begins the names of packs and files.
        classes: of the whole version.
        values: what the masks' values mean; None in classification.
        tell: hears how far it is.
    """
    table = values.table(classes) if values else None
    labels = {name: index for index, name in enumerate(classes)}
    images = []

    def finish(decoder: DecoderProcess, one: TakenSample) -> tuple[bytes, bytes | None]:
        image = one.stored.read()
        if one.stored_mask is None or table is None:
            return image, None
        mask = one.stored_mask.read()
        if any(table[value] != value for value, _ in one.mask_counts):
            _, mask = decoder.ask("relabel", mask, table=table)
        return image, mask

    with PackWriter(folder, prefix) as packs:
        for number, (image, mask) in enumerate(pool.map(finish, chosen.kept)):
            one, split = chosen.kept[number], chosen.splits[number]
            file, mask_file = f"{prefix}-{number + 1:06d}.{one.suffix}", f"{prefix}-{number + 1:06d}.mask.png"
            pack = packs.add({file: image} if mask is None else {file: image, mask_file: mask})
            images.append(
                ManifestImage(
                    pack=pack,
                    file=file,
                    mask=None if mask is None else mask_file,
                    split=split,
                    label=None if one.sample.label is None else labels[one.sample.label],
                    width=one.stored_size[0],
                    height=one.stored_size[1],
                    name=one.sample.name,
                    sha256=one.sha256,
                    look=one.look,
                )
            )
            tell(number + 1, len(chosen.kept))
    return images
