"""Who takes part, in which process, and in which tasks.

Every contender lives in a process of its own, so that each has its own imports, flags
and threads. Threads are bounded by the variables that the libraries read. How long
idle threads spin is left as each library has it, since that is part of its speed;
instead there is a pause before every run, in which the spinning of the one before
ends.
"""

from __future__ import annotations

import importlib.util
import inspect
from dataclasses import dataclass, field
from typing import Any

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Contender:
    """One way of one framework.

    Arguments:
        name: as tables show it.
        family: the framework; thalweg's other ways are no rivals of it.
        module: the file in this folder, with its function `ways(kind, work, options)`.
        needs: the package without which it can't take part.
        kinds: of tasks.
        options: for the module.
        environment: of its process.
        tasks: None for all of the kinds.
        threads: how many it may use; None if it chooses.
    """

    name: str
    family: str
    module: str
    needs: str
    kinds: tuple[str, ...] = ("train",)
    options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    tasks: tuple[str, ...] | None = None
    threads: int | None = None

    @property
    def missing(self) -> bool:
        """Whether its package isn't installed."""
        return importlib.util.find_spec(self.needs) is None

    def takes(self, name: str, kind: str) -> bool:
        """Whether it takes part in a task."""
        return kind in self.kinds and (self.tasks is None or name in self.tasks)


def limited(threads: int) -> dict[str, str]:
    """Variables that bound the threads of OpenMP and of BLAS."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


def counted(threads: int) -> str:
    """Such as "2 threads"."""
    return "1 thread" if threads == 1 else f"{threads} threads"


def thalweg_contenders() -> list[Contender]:
    """thalweg as it comes, and its other ways where this version has them."""
    import thalweg as tw

    known = inspect.signature(tw.Network.fit).parameters
    every = ("train", "predict", "sweep")
    rules = {"adam": "thalweg, built-in Adam", "sgd": "thalweg, built-in SGD"}
    found = [Contender("thalweg", "thalweg", "by_thalweg", "thalweg", every)]
    if "threads" in known:
        options = {"fit": {"threads": 1}}
        found.append(thalweg_way("thalweg, 1 thread", options, ("train",)))
    if "engine" in known:
        from benchmarks.tasks import OF_DENSE_LAYERS

        options = {"fit": {"engine": "interpreter"}}
        name = "thalweg, through NumPy"
        found.append(thalweg_way(name, options, ("train",), OF_DENSE_LAYERS))
    return found + [
        thalweg_way(name, {"rule": rule}, ("train",), ("own_optimizer",))
        for rule, name in rules.items()
    ]


def thalweg_way(
    name: str,
    options: dict[str, Any],
    kinds: tuple[str, ...],
    tasks: tuple[str, ...] | None = None,
) -> Contender:
    """Another way of thalweg, which isn't a rival of it."""
    return Contender(
        name, "thalweg's ways", "by_thalweg", "thalweg", kinds, options, {}, tasks
    )


def pytorch_contenders() -> list[Contender]:
    """Eager and compiled, on one thread and on two."""
    return [
        Contender(
            f"PyTorch {way}, {counted(threads)}",
            "PyTorch",
            "by_pytorch",
            "torch",
            ("train", "predict", "sweep"),
            {"way": way, "threads": threads},
            limited(threads),
            threads=threads,
        )
        for way in ("eager", "compiled")
        for threads in (1, 2)
    ]


def jax_contenders() -> list[Contender]:
    """A jit a step, and a scan over the epoch; with and without Eigen's threads."""
    flags = {"": "", ", no Eigen threads": "--xla_cpu_multi_thread_eigen=false"}
    kinds = {
        "jit": ("train", "predict"),
        "scan": ("train", "sweep"),
        "vmap of all": ("sweep",),
    }
    return [
        Contender(
            f"JAX {way}{suffix}",
            "JAX",
            "by_jax",
            "jax",
            kinds[way],
            {"way": way},
            {"XLA_FLAGS": flag, "JAX_PLATFORMS": "cpu"},
            threads=1 if flag else None,
        )
        for way in kinds
        for suffix, flag in flags.items()
    ]


def other_contenders() -> list[Contender]:
    """scikit-learn with and without BLAS threads, and Keras on two back ends."""
    from benchmarks.tasks import OF_DENSE_LAYERS

    inexpressible = ("own_activation", "own_optimizer")
    tasks = tuple(name for name in OF_DENSE_LAYERS if name not in inexpressible)
    learners = [
        Contender(
            f"scikit-learn, {counted(threads)}",
            "scikit-learn",
            "by_scikit_learn",
            "sklearn",
            ("train", "predict", "sweep"),
            {},
            limited(threads),
            tasks,
            threads,
        )
        for threads in (1, 2)
    ]
    return learners + [
        Contender(
            f"Keras on {name}",
            "Keras",
            "by_keras",
            "keras",
            ("train", "predict"),
            {},
            {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", **limited(1)},
            tuple(name for name in OF_DENSE_LAYERS if name != "own_optimizer"),
            threads=1,
        )
        for name, backend in (("JAX", "jax"), ("PyTorch", "torch"))
    ]


def contenders() -> list[Contender]:
    """Everyone, thalweg first."""
    return [
        *thalweg_contenders(),
        *pytorch_contenders(),
        *jax_contenders(),
        *other_contenders(),
    ]
