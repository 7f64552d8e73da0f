"""Other processes: forked, interrupted, ended, short of memory; and an orderly end."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

START = """
import os, sys
import numpy as np
import thalweg as tw

random = np.random.default_rng(0)

def trained(rows=600, epochs=2, batch_size=64, units=64, threads=2, **settings):
    X = random_rows(rows)
    layers = [tw.Dense(units, "tanh"), tw.Dense(units, "tanh"), tw.Dense(1)]
    network = tw.Network(layers)
    network.fit(X, X[:, 0], epochs=epochs, batch_size=batch_size, validation=None,
                threads=threads, **settings)
    return network

def random_rows(rows):
    return np.random.default_rng(0).normal(size=(rows, 4)).astype(np.float32)

def bits(network):
    return b"".join(array.tobytes() for array in network.parameters.values())
"""


def started(script: str) -> subprocess.Popen[str]:
    """A script in a Python of its own, after what all of them share."""
    return subprocess.Popen(
        [sys.executable, "-c", START + textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    """What it printed, if it ended well."""
    try:
        output, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    return output


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")

# Forked children --------------------------------------------------------------------

CHILDREN = """
import signal, tempfile, threading, time

def forked(check):
    # What a child's check gives, in the child; a minute is a hang.
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            os._exit(0 if check() else 3)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(4)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def while_at_work(work, check, children=5):
    # How children end that are forked while another thread is at work.
    done, began = threading.Event(), threading.Event()

    def go_on():
        while not done.is_set():
            work()
            began.set()

    thread = threading.Thread(target=go_on)
    thread.start()
    began.wait()
    ends = []
    for number in range(children):
        time.sleep(0.005 * number)
        ends.append(forked(check))
    done.set()
    thread.join()
    return ends
"""

# What a thread of the parent does to the network again and again. Not by NumPy: where a
# process forks while OpenBLAS multiplies, a thread of the parent may wait forever.
AT_WORK = {
    "predicts": "network.predict(X)",
    "predicts on one thread": "network.predict(X, threads=1)",
    "predicts by parts": "network.predict(X.astype(float), threads=2)",
    "evaluates": "network.evaluate(X, X[:, 0])",
    "saves": "network.save(path)",
    "explains": "network.explain()",
    "fits": "network.fit(X, X[:, 0], epochs=2, batch_size=256, threads=2)",
    "goes on fitting": "network.fit(X, X[:, 0], epochs=2, warm_start=True)",
}


@needs_fork
@pytest.mark.parametrize("kind", AT_WORK)
def test_a_child_uses_the_network_that_a_thread_of_the_parent_uses(kind: str) -> None:
    script = f"""
        network, path = trained(), tempfile.mkdtemp() + "/n.thalweg"
        X = np.tile(random_rows(1000), (10, 1))
        learns = {"fit" in kind}
        few, expected = X[:1000], network.predict(X[:1000])

        def check():
            found = [network.predict(few), network.predict(few.astype(float)),
                     network.predict(few, engine="native", threads=2)]
            same = all((each == found[0]).all() for each in found)
            same &= learns or (found[0] == expected).all()
            network.save(path + "c")
            same &= (tw.load(path + "c").predict(few) == found[0]).all()
            same &= np.isfinite(network.evaluate(few, few[:, 0])["loss"])
            same &= "Network of" in network.explain()
            return same and bits(trained(epochs=1)) == reference

        reference = bits(trained(epochs=1))
        print(*while_at_work(lambda: {AT_WORK[kind]}, check))
    """
    assert finished(started(CHILDREN + textwrap.dedent(script))).split() == ["0"] * 5


@needs_fork
def test_a_child_finds_parameters_as_they_were_between_two_steps() -> None:
    script = """
        from thalweg.program import ops
        from thalweg.backends.engine.batch import Batch
        from thalweg.backends.engine.assemble import compile_rows
        from thalweg.backends.engine.native import NativeProgram
        from thalweg.program.sizes import ROWS
        from thalweg.program.trace import trace
        from thalweg.program.types import ArrayType

        def build(a):
            total = ops.sum(a["X"])
            return {"V": a["V"] + total, "W": a["W"] + total}

        types = {"V": ArrayType((2_000_000,), "float32"),
                 "W": ArrayType((2_000_000, 1), "float32"),
                 "X": ArrayType((ROWS, 4), "float32")}
        step = Batch(lambda _: trace(build, types), ["X"])
        program = NativeProgram(compile_rows(step, 8), {})
        program.bind_rows({"X": np.ones((8, 4), np.float32)})
        V, W = program.arrays["V"], program.arrays["W"]
        whole = lambda: V[0] > 0 and (V == V[0]).all() and (W == V[0]).all()
        print(*while_at_work(lambda: program.engine.run(8, threads=2), whole, 10))
    """
    assert finished(started(CHILDREN + textwrap.dedent(script))).split() == ["0"] * 10


@needs_fork
def test_a_child_finds_no_parameters_that_are_half_put_back() -> None:
    script = """
        network = tw.Network([tw.Dense(2000)]).initialize(1000)
        memory = network.memory
        ones, twos = memory.copy(), memory.copy()
        ones.parameters[...], twos.parameters[...] = 1, 2

        def work():
            memory.restore(ones)
            memory.restore(twos)

        found = memory.parameters
        check = lambda: (found == found[0]).all()
        print(*while_at_work(work, check, 10))
    """
    assert finished(started(CHILDREN + textwrap.dedent(script))).split() == ["0"] * 10


@needs_fork
def test_a_child_forked_inside_of_a_step_says_that_it_can_not_end_it() -> None:
    script = """
        children = []

        def fork(*_):
            if not children:
                children.append(os.fork())
                signal.alarm(0 if children[0] else 10)

        signal.signal(signal.SIGUSR1, fork)
        X = np.tile(random_rows(1000), (400, 1))
        network = tw.Network([tw.Dense(256, "tanh"), tw.Dense(256), tw.Dense(1)])
        network.initialize(4)
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        said = ""
        try:
            network.fit(X, X[:, 0], epochs=2, batch_size="all", validation=None,
                        threads=2)
        except RuntimeError as error:
            said = str(error)
        works = np.isfinite(network.predict(X[:10])).all()
        if children[0] == 0:  # forked between two steps it goes on
            os._exit(0 if works and (not said or "forked" in said) else 3)
        _, status = os.waitpid(children[0], 0)
        print(os.waitstatus_to_exitcode(status), works, repr(said))
    """
    output = finished(started(CHILDREN + textwrap.dedent(script)))
    assert output.split() == ["0", "True", "''"]


@needs_fork
def test_a_child_computes_what_a_thread_of_the_parent_was_computing() -> None:
    script = """
        from thalweg.cached import cached_property

        class Slow:
            @cached_property
            def answer(self):
                time.sleep(0.01)
                return 42

        print(*while_at_work(lambda: Slow().answer, lambda: Slow().answer == 42))
    """
    assert finished(started(CHILDREN + textwrap.dedent(script))).split() == ["0"] * 5


@needs_fork
def test_a_forked_child_trains_and_gives_the_same_bits() -> None:
    # Enough rows that the parent's threads are at work before it forks, and while.
    script = """
        import threading

        def large(threads):
            return trained(rows=20_000, batch_size=10_000, threads=threads)

        def count_threads():
            tasks = "/proc/self/task"
            return len(os.listdir(tasks)) if os.path.exists(tasks) else None

        first, X = large(threads=2), random_rows(5000)
        predictions = first.predict(X, threads=2)
        done = threading.Event()

        def work():
            while not done.is_set():
                large(threads=2)

        meanwhile = threading.Thread(target=work)
        meanwhile.start()
        child = os.fork()
        if child == 0:
            try:
                before = count_threads()
                same = bits(large(threads=2)) == bits(first) == bits(large(threads=1))
                same &= (first.predict(X, threads=2) == predictions).all()
                has_threads = before is None or count_threads() > before
                os._exit(0 if same and has_threads else 3)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(4)
        _, status = os.waitpid(child, 0)
        done.set()
        meanwhile.join()
        same = bits(large(threads=2)) == bits(first)
        print(os.waitstatus_to_exitcode(status), same)
    """
    assert finished(started(script)).split() == ["0", "True"]


# The end of the process -------------------------------------------------------------

AT_THE_END = {
    "predict": "network.predict(X)",
    "predict in parts": "network.predict(X.astype(float))",
    "evaluate": "network.evaluate(X, X[:, 0])",
    "fit": "network.fit(X, X[:, 0], epochs=1)",
    "sweep": "tw.sweep([tw.Dense(1)], X, X[:, 0], over={'seed': [0, 1]}, epochs=1)",
    "profile": "network.explain(profile=True)",
    "poll": "program.engine.run(100_000, threads=2, poll=ask)",
}


@needs_fork
@pytest.mark.parametrize("kind", AT_THE_END)
def test_a_process_ends_well_while_a_daemon_thread_is_in_the_engine(kind: str) -> None:
    script = f"""
        import threading, time
        from thalweg.program import ops
        from thalweg.backends.engine.batch import Batch
        from thalweg.backends.engine.assemble import compile_rows
        from thalweg.backends.engine.native import NativeProgram
        from thalweg.program.sizes import ROWS
        from thalweg.program.trace import trace
        from thalweg.program.types import ArrayType

        types = {{"X": ArrayType((ROWS, 64), "float32")}}
        def build(a):
            return {{"loss": ops.sum(ops.tanh(ops.tanh(ops.tanh(a["X"]))))}}
        step = Batch(lambda _: trace(build, types), ["X"])
        program = NativeProgram(compile_rows(step, 100_000), {{}})
        program.bind_rows({{"X": np.ones((100_000, 64), np.float32)}})
        def ask():
            for _ in range(10_000): pass
            return False

        network, X = trained(), np.tile(random_rows(1000), (20, 1))
        def work():
            {AT_THE_END[kind]}
        def work_on():
            while True:
                work()
        work()
        children = []
        for number in range(20):
            children.append(os.fork())
            if children[-1] == 0:
                threading.Thread(target=work_on, daemon=True).start()
                # Some end in the work's first steps, some in its midst.
                time.sleep(0.0002 * number ** 2)
                sys.exit()
        ends = [os.waitpid(child, 0)[1] for child in children]
        print(*map(os.waitstatus_to_exitcode, ends))
    """
    assert finished(started(script)).split() == ["0"] * 20


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_in_a_long_step_ends_training_in_order(threads: int) -> None:
    script = f"""
        epochs = []
        def tell(record):
            epochs.append(record)
            print("ready", flush=True)
        layers = [tw.Dense(128, "tanh"), tw.Dense(128, "tanh"), tw.Dense(1)]
        network = tw.Network(layers)
        X = random_rows(400_000)
        history = network.fit(X, X[:, 0], epochs=10**6, batch_size="all",
                              validation=None, callback=tell, threads={threads})
        print(history.stopped_because)
        assert len(history.training_loss) == len(epochs)
        assert np.isfinite(network.predict(X[:100])).all()
        print(network.fit(X[:100], X[:100, 0], epochs=2).stopped_because)
    """
    process = started(script)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    lines = [line for line in finished(process).splitlines() if line != "ready"]
    assert lines[0].startswith("interrupted")
    assert lines[1] == "all 2 epochs were done"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit that is kept")
def test_too_little_memory_is_an_error_and_the_next_call_works() -> None:
    script = """
        import resource
        small = bits(trained())
        with open("/proc/self/statm") as sizes:
            used = int(sizes.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20,) * 2)
        try:
            trained(rows=300_000, batch_size="all", units=512)
        except MemoryError:
            print("too large")
        print(bits(trained()) == small)
    """
    assert finished(started(script)).splitlines() == ["too large", "True"]
