"""Bad input: one line that says what must be, what was got, where; no traceback."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from thalweg.cli import options

QUICK = ("--layers", "4", "--epochs", "2", "--quiet")
HEADER = "size,color,kind\n"
COLORS = ("red", "green", "blue")
KINDS = ("cat", "dog")
ROWS = [f"{i % 7}.5,{COLORS[i % 3]},{KINDS[i % 2]}\n" for i in range(40)]
TRAIN = ("train", "table.csv", "--target", "kind", *QUICK)

Refused = Callable[..., str]


def table(content: str | bytes, name: str = "table.csv") -> None:
    data = content if isinstance(content, bytes) else content.encode()
    Path(name).write_bytes(data)


def with_row(number: int, row: str) -> str:
    return HEADER + "".join([*ROWS[:number], row + "\n", *ROWS[number:]])


# Tables -------------------------------------------------------------------------------


def test_a_missing_file(refused: Refused) -> None:
    table(HEADER + "".join(ROWS))
    line = refused("train", "tabel.csv", "--target", "kind", status=1)
    assert "tabel.csv: there is no such file: did you mean 'table.csv'?" in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "table.csv: there must be a header and rows; it is empty"),
        (HEADER, "table.csv: there must be at least one row below the header"),
        (with_row(5, "1.5,red"), "line 7: must have 3 cells .* but has 2"),
        (with_row(5, "1.5,red,cat,x"), "line 7: must have 3 cells .* but has 4"),
        (with_row(5, "inf,red,cat"), "line 7, column 'size': .* finite, but is 'inf'"),
        (
            with_row(5, "big,red,cat"),
            "line 7, column 'size': must be a number .* 'big'",
        ),
        (HEADER + "".join(ROWS[:3]), "at least 10 rows with a target, got 3"),
        (
            "size,size,kind\n" + "".join(ROWS),
            "line 1: column names must differ.*'size'",
        ),
        (HEADER + "".join(ROWS[::2]), "column 'kind': .* two different values"),
        (HEADER + "1,red,\n" * 20, "column 'kind': .* every cell is missing"),
        ("kind\n" + "cat\ndog\n" * 20, "there must be a column to learn from"),
        ((HEADER + "1,gr\xfcn,cat\n" * 9).encode("latin-1"), "line 2: .*UTF-8.*0xfc"),
        (b"PK\x03\x04\x00\x00\x00" * 40, "table.csv: must be a whole zip file, but"),
        (b"\x7fELF\x00\x00\x00" * 40, "table.csv, line 1: must be text"),
    ],
    ids=[
        "empty",
        "header alone",
        "short row",
        "long row",
        "infinity",
        "mixed types",
        "three rows",
        "duplicate names",
        "one class",
        "no target cells",
        "one column",
        "encoding",
        "half an archive",
        "binary",
    ],
)
def test_a_table_that_cant_be_used(
    refused: Refused, content: str | bytes, said: str
) -> None:
    table(content)
    line = refused(*TRAIN, status=1)
    assert re.search(said, line), line
    assert "table.csv" in line
    assert not Path("table.thalweg").exists()


def test_a_column_without_values_is_set_aside(thalweg) -> None:
    rows = (f"{row[:-1]},\n" for row in ROWS)
    table(HEADER[:-1] + ",nothing\n" + "".join(rows))
    result = thalweg(*TRAIN[:-1])
    assert result.status == 0
    assert re.search(r"nothing +set aside +every cell is missing", result.out)


def test_texts_between_numbers_are_a_category(thalweg) -> None:
    table(
        HEADER
        + "".join(f"{['x', '1.5'][i % 2]},red,{KINDS[i % 3 > 0]}\n" for i in range(60))
    )
    result = thalweg(*TRAIN[:-1])
    assert result.status == 0
    assert re.search(r"size +category", result.out)


def test_utf_16_with_its_mark_is_read(thalweg) -> None:
    table((HEADER + "".join(ROWS)).encode("utf-16"))
    assert thalweg(*TRAIN).status == 0


def test_a_hundred_thousand_categories(thalweg, refused: Refused) -> None:
    rows = (f"name{i},{i % 999},{KINDS[i % 999 > 500]}\n" for i in range(100_000))
    table("name,size,kind\n" + "".join(rows))
    arguments = ("--batch-size", 4096, "--epochs", 1, "--layers", "none")
    result = thalweg("train", "table.csv", "--target", "kind", *arguments)
    assert result.status == 0
    assert re.search(r"name +set aside +identifier, 100,000 different", result.out)
    line = refused("train", "table.csv", "--target", "name", *QUICK, status=1)
    assert "there are 100,000 different values in 100,000 rows" in line


def test_a_table_s_escape_codes_dont_reach_the_terminal(thalweg) -> None:
    table(HEADER.replace("size", "\x1b[2Jsize") + "".join(ROWS))
    result = thalweg(*TRAIN[:-1])
    assert result.status == 0
    assert "[2Jsize" in result.out
    assert "\x1b" not in result.out + result.err


# What is typed ------------------------------------------------------------------------


def test_the_target_must_be_named(refused: Refused) -> None:
    line = refused("train", "penguins.csv", status=2)
    assert (
        "--target must name the column to predict; penguins.csv has 'species'" in line
    )


def test_a_misspelled_target_gets_the_nearest(refused: Refused) -> None:
    line = refused("train", "penguins.csv", "--target", "specis", status=2)
    assert "--target must name a column" in line
    assert "did you mean 'species'?" in line


OPTIONS = [f"--{name.replace('_', '-')}" for name in options.WORDS]
OPTIONS_OF = {
    "train": [
        *(*OPTIONS, "--target", "--output", "--figure", "--json", "--quiet"),
        "--threads",
    ],
    "predict": ["--output", "--threads"],
    "evaluate": ["--json", "--threads"],
    "explain": ["--program", "--profile"],
    "figures": ["--out", "--list"],
}


@pytest.mark.parametrize(
    ("command", "option"),
    [(command, option) for command, own in OPTIONS_OF.items() for option in own],
)
def test_a_misspelled_option_gets_the_nearest(
    refused: Refused, command: str, option: str
) -> None:
    typo = option[:-2] + option[-1] + "x" if len(option) > 5 else option + "x"
    line = refused(command, "penguins.csv", typo, "1", status=2)
    assert f"there is no option {typo}: did you mean '{option}'?" in line
    assert f"see thalweg {command} --help" in line


def test_a_misspelled_command_gets_the_nearest(refused: Refused) -> None:
    assert "did you mean 'train'?" in refused("trian", "penguins.csv", status=2)


@pytest.mark.parametrize(
    ("option", "typo", "meant"),
    [
        ("--activation", "reul", "relu"),
        ("--optimizer", "adm", "adam"),
        ("--loss", "crossentropy", "cross_entropy"),
        ("--schedule", "cosin", "cosine"),
        ("--task", "clases", "classes"),
        ("--ignore", "iland", "island"),
        ("--weights", "yaer", "year"),
    ],
)
def test_a_misspelled_name_gets_the_nearest(
    refused: Refused, option: str, typo: str, meant: str
) -> None:
    arguments = ("train", "penguins.csv", "--target", "species", option, typo)
    assert f"did you mean '{meant}'?" in refused(*arguments, status=2)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--layers", "12x"),
        ("--layers", "0"),
        ("--batch-size", "al"),
        ("--batch-size", "0"),
        ("--learning-rate", "fast"),
        ("--learning-rate", "-1"),
        ("--learning-rate", "nan"),
        ("--epochs", "1.5"),
        ("--epochs", "0"),
        ("--dropout", "1"),
        ("--l1", "-1"),
        ("--l2", "inf"),
        ("--weight-decay", "0.1"),  # the default optimizer has none
        ("--clip-norm", "0"),
        ("--patience", "0"),
        ("--min-delta", "-0.1"),
        ("--validation", "0"),
        ("--validation", "1"),
        ("--test", "0"),
        ("--seed", "-1"),
        ("--seed", str(2**32)),
        ("--threads", "0"),
        ("--threads", "two"),
    ],
)
def test_a_value_out_of_range_names_the_option(
    refused: Refused, option: str, value: str
) -> None:
    arguments = ("train", "penguins.csv", "--target", "species", option, value)
    assert refused(*arguments, status=2).startswith(f"error: {option} must be ")


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_saved_network_needs_a_thread(
    refused: Refused, model: Path, command: str
) -> None:
    line = refused(command, model, "penguins.csv", "--threads", 0, status=2)
    assert line.startswith("error: --threads must be a whole number, 1 or more")


def test_shares_that_leave_nothing_to_learn_from(refused: Refused) -> None:
    shares = ("--validation", 0.5, "--test", 0.6)
    line = refused("train", "penguins.csv", "--target", "species", *shares, status=2)
    assert "0.5 + 0.6" in line


def test_a_loss_that_doesnt_go_with_the_task(refused: Refused) -> None:
    arguments = ("train", "penguins.csv", "--target", "species", "--loss", "huber")
    assert "one that does is cross_entropy" in refused(*arguments, status=2)


# Outputs, found before training -------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "path", "status", "said"),
    [
        ("-o", "no/folder.thalweg", 1, "there is no folder 'no'"),
        ("-o", ".", 1, "must be a file, but is a folder"),
        ("-o", "penguins.csv", 1, "doesn't end in .thalweg, so it isn't replaced"),
        ("-o", "penguins.csv/x.thalweg", 1, "there is no folder 'penguins.csv'"),
        ("--figure", "no/curves.png", 1, "there is no folder 'no'"),
        ("--figure", "curves.jpg", 2, "must be a file that ends in .png"),
    ],
)
def test_an_output_that_cant_be_written_is_found_before(
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    path: str,
    status: int,
    said: str,
) -> None:
    monkeypatch.setattr("thalweg.kinds.learn.learn", None)  # it isn't reached
    arguments = ("train", "penguins.csv", "--target", "species", option, path)
    assert said in refused(*arguments, status=status)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc")
def test_a_folder_that_cant_be_written_to(refused: Refused) -> None:
    arguments = ("train", "penguins.csv", "--target", "species", "-o")
    assert "can't be written" in refused(*arguments, "/proc/x.thalweg", status=1)


# Mistakes of thalweg's own ------------------------------------------------------------


def test_an_unexpected_error_is_one_line(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr("thalweg.kinds.learn.learn", broken)
    arguments = ("train", "penguins.csv", "--target", "species")
    line = refused(*arguments, status=70)
    assert "KeyError: 'surprise'" in line
    assert "please report it" in line
    monkeypatch.setenv("THALWEG_DEBUG", "1")
    with pytest.raises(KeyError):
        refused(*arguments, status=70)


def test_too_little_memory_is_said(refused: Refused) -> None:
    arguments = ("train", "penguins.csv", "--target", "species", "--layers", 10**15)
    assert "there isn't enough memory" in refused(*arguments, "-q", status=1)
