"""Give the engine random plans for a while, and count what came of them.

    python scripts/fuzz_plans.py --seconds 60 --seed 1

Most are legal, some have words changed. Each must be refused with a ProgramError, or
run on arrays of exactly its sizes, by any instruction set, on several threads, again on
fewer rows, in training and in the profile. Threads must not change a bit, and where
results are exact, they must be those of NumPy. A plan that is accepted must have no
step that reads what it writes. Anything else is a finding, a crash among them: it is
told, and the exit status is 1.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import fuzzing

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.plan_runs import judge


def judge_plan(choose: random.Random, folder: Path, meter: fuzzing.Meter) -> str:
    """What came of one program; nothing is written, nor measured."""
    return judge(choose)


def main() -> None:
    """Judge programs of random plans."""
    fuzzing.main(__doc__ or "", fuzzing.nothing, fuzzing.nothing, judge_plan)


if __name__ == "__main__":
    main()
