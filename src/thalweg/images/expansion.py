"""What an archive may unpack to, looked at before anything is unpacked."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from pathlib import Path

from thalweg.errors import DataError
from thalweg.tables.packed import FREE_BYTES, FREE_RATIO


def check_expansion(archive: zipfile.ZipFile, path: Path) -> None:
    """What is in an archive isn't far more than its own bytes, and has its own names.

    Raises:
        DataError: it is more, or two members have one name.
    """
    members = archive.infolist()
    most = max(FREE_BYTES, FREE_RATIO * os.path.getsize(path))
    size = sum(each.file_size for each in members)
    if size > most:
        raise DataError(
            f"{path.name}: must unpack to at most {most:,} bytes, but has {size:,} "
            f"(its limit is {FREE_RATIO} times its own size, {FREE_BYTES:,} at least); "
            "if you trust it, unpack it first"
        )
    counts = Counter(each.filename for each in members)
    if twice := [each for each, count in counts.items() if count > 1]:
        raise DataError(
            f"{path.name}: must hold each name once, but has more {twice[0]!r}"
        )
