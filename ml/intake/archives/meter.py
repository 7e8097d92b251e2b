"""Counting what really comes out of an archive; what its headers say is never trusted."""

from __future__ import annotations

from ml.intake.refusals import SetRefused
from records.intake import RATIO_FREE_BYTES, IntakeLimits


class Meter:
    """Counts entries and unpacked bytes, and refuses the set where they pass a limit.

    Args:
        limits: of one set.
        packed_bytes: size of the archive; None for a folder, where nothing is packed.
    """

    def __init__(self, limits: IntakeLimits, packed_bytes: int | None) -> None:
        self._limits = limits
        self._packed_bytes = packed_bytes
        self.entries = 0
        self.bytes = 0

    def count_entry(self) -> None:
        """One entry more.

        Raises:
            SetRefused: too many.
        """
        self.entries += 1
        if self.entries > self._limits.most_entries:
            raise too_many_entries(self._limits.most_entries)

    def count_bytes(self, size: int) -> None:
        """So many unpacked bytes more.

        Raises:
            SetRefused: too many, or too many for the size of the archive.
        """
        self.bytes += size
        if self.bytes > self._limits.most_bytes:
            raise SetRefused(
                "too_many_bytes",
                f"Unpacked, the set is larger than the {self._limits.most_bytes / 1e9:,.3g} GB that one may have. "
                "Shrink the images or send fewer.",
            )
        if self._packed_bytes is None or self.bytes <= RATIO_FREE_BYTES:
            return
        if self.bytes > self._limits.most_ratio * self._packed_bytes:
            raise SetRefused(
                "archive_bomb",
                f"The archive of {self._packed_bytes:,} bytes unpacks to more than {self._limits.most_ratio:,.0f} "
                "times as much, which photographs never do. Send the images as JPEG or PNG.",
            )


def too_many_entries(most: int) -> SetRefused:
    """A set with more entries than one may have."""
    return SetRefused("too_many_entries", f"The archive has more than the {most:,} entries that a set may have.")
