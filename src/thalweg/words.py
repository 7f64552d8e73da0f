"""Words for messages: lists of names, numbers with their nouns."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names in quotes with commas between, cut after the first few.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(name) for name in names[:most])
    hidden = len(names) - most
    return f"{shown} and {hidden} more" if hidden > 0 else shown


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun.

    >>> counted(1, "row"), counted(1200, "category", "categories")
    ('1 row', '1,200 categories')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def shown(value: object, most: int = 40) -> str:
    """A cell as a message shows it: texts in quotes, cut where they get long.

    >>> shown(1.5), shown("abcdefgh", most=5)
    ('1.5', "'abcd…'")
    """
    if not isinstance(value, str):
        return str(value)
    return repr(value if len(value) <= most else value[: most - 1] + "…")
