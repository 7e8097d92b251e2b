"""`python -m ml.intake.decoder LIMITS`: a decoder. Images come down standard input, pixels go up standard output.

It locks itself down before the first byte comes. It lives for many images, and ends when its input does. Whoever makes
it crash, hang or grow costs themselves one image: `ml.intake.decoders` starts another.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from ml.intake import rewriting
from ml.intake.frames import read_frame, write_frame
from ml.intake.look import look_of
from ml.intake.mask_pixels import decode_mask
from ml.intake.pixels import PixelLimits, decode
from ml.intake.refusals import FileProblem
from ml.intake.sandbox import allow_processor_s, lock_decoder

Answer = tuple[dict[str, Any], bytes]
Work = Callable[..., Answer]
CRASHED = "decoder_crashed"


def pixels(data: bytes, limits: PixelLimits, *, longest_px: int | None) -> Answer:
    """The pixels themselves: uint8 in C order, with their shape `[height, width, 1 or 3]`."""
    decoded = decode(data, limits, longest_px=longest_px)
    array = np.asarray(decoded.image)
    height, width, *channels = array.shape
    facts = {"shape": [height, width, *(channels or [1])], "came_as": decoded.came_as}
    return {**facts, "conversions": decoded.conversions}, array.tobytes()


def rewrite(data: bytes, limits: PixelLimits, *, longest_px: int | None) -> Answer:
    """The image as a new file, and what one must know about it."""
    decoded = decode(data, limits, longest_px=longest_px)
    photograph = rewriting.is_photograph(decoded.image, decoded.came_as)
    written = rewriting.as_jpeg(decoded.image) if photograph else rewriting.as_png(decoded.image)
    facts = {
        "came_as": decoded.came_as,
        "came_size": [decoded.width, decoded.height],
        "stored_size": decoded.image.size,
        "grey": decoded.image.mode == "L",
        "look": look_of(decoded.image),
        "conversions": decoded.conversions,
    }
    return facts, written


def mask(data: bytes, limits: PixelLimits, *, came_size: list[int], stored_size: list[int]) -> Answer:
    """The mask as a grey PNG with the values that it came with, and how many pixels each value has."""
    width, height = came_size
    decoded = decode_mask(data, limits, came_size=(width, height), stored_size=(stored_size[0], stored_size[1]))
    return {"counts": list(decoded.counts.items())}, rewriting.as_png(Image.fromarray(decoded.values))


def mask_values(data: bytes, limits: PixelLimits, *, came_size: list[int], stored_size: list[int]) -> Answer:
    """The values of a mask: uint8 in C order, `[height, width]` of the stored size."""
    width, height = came_size
    decoded = decode_mask(data, limits, came_size=(width, height), stored_size=(stored_size[0], stored_size[1]))
    return {}, decoded.values.tobytes()


def in_colour(data: bytes, limits: PixelLimits, *, photograph: bool) -> Answer:
    """A grey file of ours in RGB."""
    return {}, rewriting.in_colour(data, photograph=photograph)


def relabel(data: bytes, limits: PixelLimits, *, table: list[int]) -> Answer:
    """A mask of ours with its values replaced."""
    return {}, rewriting.relabelled(data, table)


WORKS: dict[str, Work] = {work.__name__: work for work in (pixels, rewrite, mask, mask_values, in_colour, relabel)}


def serve(
    requests: BinaryIO,
    answers: BinaryIO,
    *,
    limits: PixelLimits,
    memory_bytes: int,
    decode_s: float,
    works: dict[str, Work] = WORKS,
) -> None:
    """Lock this process down, then answer each request until there is none any more."""
    warnings.simplefilter("ignore")  # Pillow's, on odd files; nobody would read them
    Image.preinit()  # Pillow would load its plug-ins late, when nothing can be opened any more
    Image.MAX_IMAGE_PIXELS = None  # `open_image` has its own limits, which refuse instead of warning
    lock_decoder(memory_bytes)
    write_frame(answers, {"ready": True})
    while (request := read_frame(requests)) is not None:
        fields, data = request
        allow_processor_s(decode_s)
        work = works[fields.pop("work")]
        facts, made = _answer(work, data, limits, fields, memory_bytes)
        del data, request
        write_frame(answers, facts, made)
        del made


def _answer(work: Work, data: bytes, limits: PixelLimits, fields: dict[str, Any], memory_bytes: int) -> Answer:
    """The work's answer; or its refusal, which has a word for everything that can go wrong."""
    try:
        return work(data, limits, **fields)
    except FileProblem as problem:
        return {"problem": problem.code, "text": problem.text}, b""
    except MemoryError:
        cap = f"{memory_bytes / 2**20:,.0f} MiB"
        text = f"Decoding needs more than the {cap} of memory that one image may take. Save it again or leave it out."
        return {"problem": CRASHED, "text": text}, b""
    except Exception as error:
        text = (
            f"Decoding failed in a way that nobody foresaw ({type(error).__name__}: {str(error)[:300]}). Leave it out."
        )
        return {"problem": CRASHED, "text": text}, b""


def main(arguments: list[str]) -> None:
    """Take the limits from the command line, which names nothing secret, and serve."""
    given = json.loads(arguments[0])
    serve(
        sys.stdin.buffer,
        sys.stdout.buffer,
        limits=PixelLimits(longest_px=given["longest_px"], pixels=given["pixels"]),
        memory_bytes=given["memory_bytes"],
        decode_s=given["decode_s"],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
