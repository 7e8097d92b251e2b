"""What a file is, by its first bytes: names from outside prove nothing."""

from __future__ import annotations

HEAD_BYTES = 32
"""So many first bytes are enough for every answer."""

EXTENSIONS = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "jpe": "JPEG",
    "jfif": "JPEG",
    "mpo": "JPEG",
    "png": "PNG",
    "apng": "PNG",
    "webp": "WebP",
    "bmp": "BMP",
    "tif": "TIFF",
    "tiff": "TIFF",
    "gif": "GIF",
}
"""The formats that are taken, by the file name extensions that they go under."""

IMAGE_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
ARCHIVE_STARTS = (
    (b"PK\3\4", "zip"),
    (b"PK\5\6", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
)
OTHER_STARTS = (
    (b"8BPS", "a Photoshop document"),
    (b"%PDF", "a PDF"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML file"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\1\0", "an icon"),
)
HEIF_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC", b"avif": "AVIF"}
OTHER_EXTENSIONS = {"heic", "heif", "avif", "jp2", "j2k", "jxl", "psd", "svg", "ico", "raw", "dng", "cr2", "nef", "arw"}
"""Images too, but of formats that are not taken."""
ARCHIVE_EXTENSIONS = {"zip", "tar", "gz", "tgz", "bz2", "tbz2", "xz", "txz", "zst", "7z", "rar", "jar"}


def image_format(head: bytes) -> str | None:
    """The format among those that are taken, or None."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    return _starting(head, IMAGE_STARTS)


def archive_kind(head: bytes) -> str | None:
    """Which kind of archive or compressed file begins so, or None."""
    return _starting(head, ARCHIVE_STARTS)


def other_format(head: bytes) -> str | None:
    """What else people take for an image, in words, or None."""
    if head[4:8] == b"ftyp":
        return HEIF_BRANDS.get(head[8:12])
    return _starting(head.lstrip(), OTHER_STARTS)


def extension(name: str) -> str:
    """The part after the last point, in small letters; empty where there is none."""
    base = name.rsplit("/", 1)[-1]
    stem, point, end = base.rpartition(".")
    return end.lower() if point and stem else ""


def _starting(head: bytes, known: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((what for start, what in known if head.startswith(start)), None)
