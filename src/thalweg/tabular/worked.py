"""Whether the libraries for tables have worked in this process."""

have_worked: list[bool] = []


def libraries_have_worked() -> None:
    """Note that a training on a table is done, so that nothing is left to be loaded.

    A limit that is set later must not refuse what then has room.
    """
    have_worked[:] = [True]
