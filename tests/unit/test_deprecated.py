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


@pytest.mark.parametrize("old", MODULES)
def test_a_module_is_the_same_by_its_old_path(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, old, raising=False)
    new = import_module(MODULES[old].new)
    name, spec = new.__name__, new.__spec__
    words = f"{old} is now {MODULES[old].new}; the old name goes in thalweg 0.6.0"
    with pytest.warns(DeprecationWarning, match=words) as told:
        assert import_module(old) is new
    assert (new.__name__, new.__spec__) == (name, spec)
    assert len(told) == 1


@pytest.mark.parametrize(
    "line",
    [
        "from thalweg.data.settings import Settings",
        "from thalweg.data import settings; Settings = settings.Settings",
        "import thalweg.data.settings; Settings = thalweg.data.settings.Settings",
    ],
)
def test_the_warning_is_of_the_line_that_imports(line: str) -> None:
    code = f"{line}\nimport thalweg\nassert Settings is thalweg.Settings"
    run = [sys.executable, "-W", "default", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr.startswith("<string>:1: DeprecationWarning: thalweg.data.set")


@pytest.mark.parametrize("name", ["thalweg.nothing", "thalweg.data.nothing"])
def test_a_module_that_never_was_is_not_found(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=f"No module named '{name}'"):
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
