"""The engine's file has what `engine/hardening.cmake` asks for."""

import platform
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from thalweg import _engine

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="files of other systems have another form"
)
END_OF_BRANCH = {
    "x86_64": b"\xf3\x0f\x1e\xfa",  # endbr64
    "aarch64": b"\x3f\x23\x03\xd5",  # paciasp, which is a landing pad too
}


@pytest.fixture(scope="module")
def engine() -> Generator[Any]:
    from elftools.elf.elffile import ELFFile

    path = Path(_engine.__file__)
    with path.open("rb") as file:
        found = ELFFile(file)
        names = {symbol.name for symbol in symbols(found)}
        if names & {"__asan_init", "__tsan_init"}:
            pytest.skip("an engine with sanitizers checks more, in another way")
        yield found


def symbols(engine: Any) -> list[Any]:
    return list(engine.get_section_by_name(".dynsym").iter_symbols())


def segments(engine: Any, kind: str) -> list[Any]:
    return [each for each in engine.iter_segments() if each["p_type"] == kind]


def imported(engine: Any) -> set[str]:
    return {s.name for s in symbols(engine) if s["st_shndx"] == "SHN_UNDEF"}


def exported(engine: Any) -> dict[str, int]:
    known = [s for s in symbols(engine) if s["st_shndx"] != "SHN_UNDEF" and s.name]
    return {s.name: s["st_value"] for s in known}


def test_no_address_is_written_once_it_is_loaded(engine: Any) -> None:
    assert segments(engine, "PT_GNU_RELRO")
    (dynamic,) = segments(engine, "PT_DYNAMIC")
    flags = {tag["d_tag"]: tag["d_val"] for tag in dynamic.iter_tags()}
    assert flags["DT_FLAGS"] & 0x8  # DF_BIND_NOW
    assert flags["DT_FLAGS_1"] & 0x1  # DF_1_NOW
    assert "DT_TEXTREL" not in flags


def test_nothing_that_is_written_can_be_run(engine: Any) -> None:
    (stack,) = segments(engine, "PT_GNU_STACK")
    loaded = [*segments(engine, "PT_LOAD"), stack]
    assert not [each for each in loaded if each["p_flags"] & 0b11 == 0b11]


def test_stacks_and_sizes_are_checked(engine: Any) -> None:
    names = imported(engine)
    assert "__stack_chk_fail" in names
    assert {name for name in names if name.endswith("_chk")} > {"__memcpy_chk"}


def test_jumps_lead_to_where_they_may(engine: Any) -> None:
    machine = platform.machine()
    if machine not in END_OF_BRANCH:
        pytest.skip(f"nothing is known of {machine}")
    start = exported(engine)["PyInit__engine"]
    code = engine.get_section_by_name(".text")
    offset = start - code["sh_addr"]
    assert code.data()[offset : offset + 4] == END_OF_BRANCH[machine]


def test_one_symbol_is_exported(engine: Any) -> None:
    assert exported(engine).keys() == {"PyInit__engine"}
