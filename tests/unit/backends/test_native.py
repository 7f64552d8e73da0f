"""The numbers by which Python and the engine speak about plans."""

import copy

import pytest

from thalweg import _engine
from thalweg.backends.engine.native import enumerations, require_same_enumerations


@pytest.mark.parametrize("what", enumerations())
def test_a_number_that_differs_is_named(what: str) -> None:
    theirs = copy.deepcopy(_engine.enumerations())
    name = next(iter(theirs[what]))
    theirs[what][name] += 1
    with pytest.raises(ImportError, match=f"{name} of the {what}: "):
        require_same_enumerations(enumerations(), theirs)


@pytest.mark.parametrize("what", enumerations())
def test_a_name_of_one_side_alone_is_named(what: str) -> None:
    theirs = copy.deepcopy(_engine.enumerations())
    theirs[what]["another"] = 99
    with pytest.raises(ImportError, match=r"another of the .*: None here, 99 there"):
        require_same_enumerations(enumerations(), theirs)
    with pytest.raises(ImportError, match=r"another of the .*: 99 here, None there"):
        require_same_enumerations(theirs, enumerations())


def test_a_list_of_one_side_alone_is_named() -> None:
    theirs = {k: v for k, v in enumerations().items() if k != "dtypes"}
    with pytest.raises(ImportError, match=r"differ in the dtypes$"):
        require_same_enumerations(enumerations(), theirs)


def test_the_engine_that_is_installed_is_for_these_plans() -> None:
    require_same_enumerations(enumerations(), _engine.enumerations())
