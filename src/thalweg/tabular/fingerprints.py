"""What tells tables from others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from thalweg.kinds.own import PARTS
from thalweg.tables.table import Table
from thalweg.tabular.own import Own


def fingerprints(table: Table, own: Own) -> dict[str, Any]:
    """That of a table, and by their part those of one's own beside it."""
    others = {part: fingerprint(each) for part, each in own.tables.items()}
    return fingerprint(table) | others


def fingerprint(table: Table) -> dict[str, Any]:
    """What tells one table from another: its name, size, and a hash of its content.

    That of a file is the SHA-256 of its bytes, as it came: what is packed stays packed.
    """
    if table.file is not None:
        digest = table.file.sha256
    else:
        rows = table.frame.hash_rows(0).to_numpy().tobytes()
        digest = hashlib.sha256(rows).hexdigest()
    return {
        "name": table.name,
        "rows": table.rows,
        "columns": table.columns,
        "sha256": digest,
    }


def difference(before: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """In what tables aren't those of before, as a clause; nothing if they are.

    >>> one = {"rows": 5, "columns": ["x"], "sha256": "a"}
    >>> difference(one, one), difference(one, {**one, "rows": 6, "sha256": "b"})
    ('', 'it has 6 rows, it had 5')
    """
    if why := difference_of_one(before, found):
        return why
    for part in PARTS:
        mine, other = before.get(part), found.get(part)
        if mine is None and other is None:
            continue
        if mine is None or other is None:
            return f"it had {'no' if mine is None else 'a'} table of its own for {part}"
        if why := difference_of_one(mine, other):
            return f"{other['name']}, its table for {part}, isn't: {why}"
    return ""


def difference_of_one(before: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """In what one table isn't that of before."""
    if before.get("sha256") == found["sha256"]:
        return ""
    if before.get("columns") != found["columns"]:
        return "its columns differ"
    if before.get("rows") != found["rows"]:
        return f"it has {found['rows']} rows, it had {before.get('rows')}"
    return "its content was changed since (its SHA-256 differs)"
