"""Help texts in plain lines, options under headings; rich would take twice as long."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from thalweg.tabular.libraries import load_libraries

OPTIONS = "Options"


class GroupedCommand(TyperCommand):
    """A command whose help text groups options by their panel."""

    def invoke(self, ctx: Any) -> Any:
        """Run it, with all that it may need loaded where memory is limited."""
        load_libraries()
        return TyperCommand.invoke(self, ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments by their names; some versions of Typer put them in braces."""
        pieces = TyperCommand.collect_usage_pieces(self, ctx)
        return [piece.strip("{}") for piece in pieces]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each panel, in the order of the options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                shown = (name_of(parameter, record[0]), record[1])
                sections.setdefault(heading(parameter), []).append(shown)
        for name, records in sections.items():
            with formatter.section(name):
                formatter.write_dl(records, col_max=28)


def name_of(parameter: Any, shown: str) -> str:
    """An argument without its type, which some versions of Typer add."""
    is_argument = parameter.param_type_name == "argument"
    return shown.partition(" <")[0] if is_argument else shown


def heading(parameter: Any) -> str:
    """The panel of an option; arguments stand above them all."""
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or OPTIONS
