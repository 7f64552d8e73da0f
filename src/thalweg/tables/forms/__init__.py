"""How columns are written: the forms of numbers, dates, times, texts, yes and no."""

from collections.abc import Mapping

from thalweg.errors import ModelFileError
from thalweg.tables.forms.form import KINDS, ColumnKind, Form, is_text, is_unusable
from thalweg.tables.forms.moments import DateForm, TimeForm
from thalweg.tables.forms.numbers import DurationForm, NumberForm
from thalweg.tables.forms.texts import BooleanForm, CategoryForm, UnreadForm
from thalweg.tables.strict import tag_of

__all__ = [
    "KINDS",
    "USUAL",
    "BooleanForm",
    "CategoryForm",
    "ColumnKind",
    "DateForm",
    "DurationForm",
    "Form",
    "NumberForm",
    "TimeForm",
    "form_from",
    "is_text",
    "is_unusable",
]

USUAL: Mapping[ColumnKind, Form] = {
    form.kind: form
    for form in (
        *(NumberForm(), CategoryForm(), BooleanForm()),
        *(DateForm(), TimeForm(), UnreadForm()),
    )
}
"""Of each kind the form of which nothing is said."""

BY_NAME: Mapping[str, type[Form]] = {
    form.name: form
    for form in (
        *(NumberForm, DurationForm, DateForm),
        *(TimeForm, CategoryForm, BooleanForm, UnreadForm),
    )
}


def form_from(data: object, kind: ColumnKind) -> Form:
    """The form that `Form.to_dict` wrote.

    Arguments:
        data: what it wrote.
        kind: what the column's cells are.

    Raises:
        ModelFileError: it is no form, or one of another kind.
    """
    found = BY_NAME.get(tag_of(data, "form"))
    if found is None or found.kind != kind:
        raise ModelFileError(f"a form must be one of a {kind}, got {data!r:.60}")
    assert isinstance(data, dict)
    return found.from_dict(data)  # pyright: ignore[reportUnknownArgumentType]
