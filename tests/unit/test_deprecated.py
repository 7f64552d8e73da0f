"""Old names work for two releases, warn, and say what to use instead."""

import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module

import pytest

import thalweg as tw
from thalweg import deprecated
from thalweg.deprecated import MODULES, NAMES, Renamed, renamed_arguments


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


@pytest.mark.parametrize("known", [NAMES, MODULES], ids=["names", "modules"])
def test_no_old_name_is_kept_for_longer(known: Mapping[str, Renamed]) -> None:
    for old, renamed in known.items():
        assert numbers(tw.__version__) < numbers(renamed.gone), old


OLD = "thalweg.figures_once.drawing"
MOVED = {OLD: Renamed("thalweg.figures.svg", since="0.9.0")}


def test_a_module_is_the_same_by_its_old_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deprecated, "MODULES", MOVED)
    monkeypatch.setattr(deprecated, "ROOMS", ("thalweg.figures_once",))
    for name in (OLD, "thalweg.figures_once"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    new = import_module(MOVED[OLD].new)
    name, spec = new.__name__, new.__spec__
    words = f"{OLD} is now {name}; the old name goes in thalweg 0.11.0"
    with pytest.warns(DeprecationWarning, match=words) as told:
        assert import_module(OLD) is new
    assert (new.__name__, new.__spec__) == (name, spec)
    assert len(told) == 1


@pytest.mark.parametrize(
    "line",
    [
        "from thalweg.once.settings import Settings",
        "from thalweg.once import settings; Settings = settings.Settings",
        "import thalweg.once.settings; Settings = thalweg.once.settings.Settings",
    ],
)
def test_the_warning_is_of_the_line_that_imports(line: str) -> None:
    code = f"""from thalweg import deprecated
moved = deprecated.Renamed("thalweg.tabular.settings", "0.9.0")
deprecated.ROOMS = ("thalweg.once",)
deprecated.MODULES = {{"thalweg.once.settings": moved}}
{line}
import thalweg
assert Settings is thalweg.Settings"""
    run = [sys.executable, "-W", "default", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.startswith("<string>:5: DeprecationWarning: thalweg.once.set")


@pytest.mark.parametrize("name", ["thalweg.nothing", "thalweg.data.settings"])
def test_a_module_that_never_was_or_is_gone_is_not_found(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'thalweg"):
        import_module(name)


def test_the_package_alone_imports_nothing_of_this() -> None:
    code = (
        "import sys, thalweg; "
        "print(sorted(n for n in sys.modules if n.startswith('thalweg')))"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['thalweg', 'thalweg.version']"


def test_a_public_name_works_by_its_old_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        deprecated.named_before,
        "__defaults__",
        ({"Linear": Renamed("Dense", "0.9.0")},),
    )
    words = "thalweg.Linear is now Dense; the old name goes in thalweg 0.11.0"
    with pytest.warns(DeprecationWarning, match=words) as told:
        assert tw.Linear is tw.Dense  # pyright: ignore[reportAttributeAccessIssue]
    assert told[0].filename == __file__
    assert "Linear" not in dir(tw)


def test_an_argument_works_by_its_old_name() -> None:
    @renamed_arguments(size=Renamed("batch_size", since="0.4.0"))
    def fit(epochs: int, *, batch_size: int = 32) -> tuple[int, int]:
        return epochs, batch_size

    with pytest.warns(DeprecationWarning, match="size is now batch_size") as told:
        assert fit(1, size=8) == (1, 8)  # pyright: ignore[reportCallIssue]
    assert told[0].filename == __file__
    assert fit(1, batch_size=8) == (1, 8)
    with pytest.raises(TypeError, match="size and batch_size are one argument"):
        fit(1, size=8, batch_size=8)  # pyright: ignore[reportCallIssue]
