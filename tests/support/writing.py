"""Ways to write numbers and dates, so that what they mean is known without reading."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

SPACES = (" ", "\u00a0", "\u202f", "\u2009")


@dataclass(frozen=True)
class Style:
    """How numbers are written.

    Arguments:
        decimal: the point.
        thousands: what separates groups of three digits, perhaps nothing.
        before, behind: with the space that belongs to it.
        minus: what stands for it; parentheses are accounting's.
    """

    decimal: str = "."
    thousands: str = ""
    before: str = ""
    behind: str = ""
    minus: str = "-"

    def write(self, number: Decimal) -> str:
        """The number as a text."""
        digits = f"{abs(number):,f}"
        whole, _, rest = digits.partition(".")
        text = whole.replace(",", self.thousands) + (
            self.decimal + rest if rest else ""
        )
        text = f"{self.before}{text}{self.behind}"
        if number >= 0:
            return text
        return f"({text})" if self.minus == "()" else f"{self.minus}{text}"


SEPARATORS = (
    *((".", ""), (".", ","), (".", "'"), (".", "’"), (",", ""), (",", "."), (",", "'")),
    *((decimal, space) for decimal in ".," for space in SPACES),
)
AFFIXES = (
    *(
        ("", ""),
        ("$", ""),
        ("€ ", ""),
        ("US$", ""),
        ("EUR ", ""),
        ("£", ""),
        ("kr ", ""),
    ),
    *(("", "%"), ("", " %"), ("", " kg"), ("", "cm"), ("", " km/h"), ("", " €")),
    *(("", "°C"), ("", " m²"), ("", " hours"), ("", "\u00a0kWh"), ("", " USD")),
)
MINUSES = ("-", "\u2212", "\u2013", "()")

styles = st.builds(
    lambda separators, affix, minus: Style(
        separators[0], separators[1], affix[0], affix[1], minus
    ),
    st.sampled_from(SEPARATORS),
    st.sampled_from(AFFIXES),
    st.sampled_from(MINUSES),
)
