"""Nobody but a page of this server with its token is heard."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from thalweg.errors import ArgumentError
from thalweg.playground import server as module
from thalweg.playground.guard import Guard
from thalweg.playground.pages import pages
from thalweg.playground.server import PageServer


class Echo:
    """Answers every question with itself; ``many`` with many answers."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.taken = 0

    def told(self, message: str) -> Generator[bytes]:
        try:
            if message == "huge":
                while True:
                    self.taken += 1
                    yield b"x" * 1_000_000
            for _ in range(1_000 if message == "many" else 1):
                self.taken += 1
                yield message.encode()
                time.sleep(0.001)
        finally:
            self.taken = -self.taken

    def cancelled(self, message: str) -> bytes | None:
        return b"cancelled" if message == "cancel" else None

    def closed(self) -> None:
        self.ended.set()


@pytest.fixture
def served() -> Generator[tuple[PageServer, list[Echo]]]:
    made: list[Echo] = []

    def begin() -> Echo:
        made.append(Echo())
        return made[-1]

    with PageServer(begin) as server:
        yield server, made


Served = tuple[PageServer, list[Echo]]


def asked(guard: Guard, text: str) -> bytes:
    """What the server sends for the bytes of a request, to its end."""
    with socket.create_connection(("127.0.0.1", guard.port), timeout=10) as client:
        client.sendall(text.encode("latin-1"))
        parts: list[bytes] = []
        with suppress(ConnectionError):
            while part := client.recv(1 << 16):
                parts.append(part)
        return b"".join(parts)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@contextmanager
def opened(
    guard: Guard, token: Any = None, origin: Any = ""
) -> Generator[ClientConnection]:
    """A socket, as a page opens it."""
    origin = guard.origin if origin == "" else origin
    with connect(f"ws://{guard.host}/socket", origin=origin) as client:
        client.send(guard.token if token is None else token)
        yield client


# Who is heard -------------------------------------------------------------------------

HOSTS: dict[str, Callable[[Guard], str]] = {
    "own": lambda g: f"Host: {g.host}\r\n",
    "none": lambda g: "",
    "twice": lambda g: f"Host: {g.host}\r\nHost: {g.host}\r\n",
    "localhost": lambda g: f"Host: localhost:{g.port}\r\n",
    "no port": lambda g: "Host: 127.0.0.1\r\n",
    "other port": lambda g: f"Host: 127.0.0.1:{g.port + 1}\r\n",
    "foreign": lambda g: f"Host: evil.example:{g.port}\r\n",
    "rebound": lambda g: f"Host: 127.0.0.1.evil.example:{g.port}\r\n",
    "with name": lambda g: f"Host: x@127.0.0.1:{g.port}\r\n",
    "dot": lambda g: f"Host: 127.0.0.1.:{g.port}\r\n",
}
ORIGINS: dict[str, Callable[[Guard], str]] = {
    "own": lambda g: f"Origin: {g.origin}\r\n",
    "none": lambda g: "",
    "null": lambda g: "Origin: null\r\n",
    "foreign": lambda g: "Origin: http://evil.example\r\n",
    "secure": lambda g: f"Origin: https://{g.host}\r\n",
    "other port": lambda g: f"Origin: http://127.0.0.1:{g.port + 1}\r\n",
    "localhost": lambda g: f"Origin: http://localhost:{g.port}\r\n",
    "prefix": lambda g: f"Origin: {g.origin}.evil.example\r\n",
    "twice": lambda g: f"Origin: {g.origin}\r\nOrigin: http://evil.example\r\n",
}
METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
)
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def test_only_the_own_host_and_origin_are_heard_by_get_alone(served: Served) -> None:
    server, made = served
    guard = server.guard
    for method in METHODS:
        for host, host_line in HOSTS.items():
            for origin, origin_line in ORIGINS.items():
                for path, more in (("/", ""), ("/socket", UPGRADE)):
                    if method != "GET" and path == "/socket":
                        continue
                    lines = f"{host_line(guard)}{origin_line(guard)}{more}"
                    with_socket = path == "/socket"
                    fine = (method, host) == ("GET", "own") and (
                        origin == "own" or (origin == "none" and not with_socket)
                    )
                    if with_socket and fine:
                        continue  # it waits for the token, below
                    answer = asked(guard, f"{method} {path} HTTP/1.1\r\n{lines}\r\n")
                    case = method, host, origin, path, answer[:60]
                    if fine:
                        assert status(answer) == 200, case
                    elif method != "GET":
                        assert status(answer) in (0, 400, 405, 500, 501), case
                        assert b"<html" not in answer, case
                    elif host != "own":
                        assert status(answer) in (400, 421), case
                    else:
                        assert status(answer) == 403, case
    assert made == []


@pytest.mark.parametrize(
    "token", ["", "x", b"bytes", "own+", "own-", "OWN", "wide\u00e9", " own", "{}"]
)
def test_without_the_token_nothing_is_answered(served: Served, token: Any) -> None:
    server, made = served
    own = server.guard.token
    changed = {"own+": own + "a", "own-": own[:-1], "OWN": own.swapcase()}
    changed[" own"] = f" {own}"
    with opened(server.guard, changed.get(token, token)) as client:
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(5)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == module.NO_TOKEN
    assert made == []


def test_with_it_every_question_is(served: Served) -> None:
    server, _ = served
    with opened(server.guard) as client:
        for question in ("a", "b", json.dumps({"id": 1})):
            client.send(question)
            assert client.recv(5) == question.encode()


def test_a_token_is_new_and_long_and_in_the_fragment_alone() -> None:
    tokens = {Guard(1).token for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(each) >= 22 for each in tokens)  # of 64 characters: 128 bits
    guard = Guard(8000)
    assert guard.address == f"http://127.0.0.1:8000/#token={guard.token}"


def test_a_wrong_origin_opens_no_socket(served: Served) -> None:
    server, _ = served
    for origin in (None, "null", "http://evil.example"):
        with (
            pytest.raises(InvalidStatus) as caught,
            opened(server.guard, origin=origin),
        ):
            pass
        assert caught.value.response.status_code == 403


# What is given ------------------------------------------------------------------------


def test_the_pages_files_are_given_and_no_other(served: Served) -> None:
    server, _ = served
    host = f"Host: {server.guard.host}\r\n\r\n"
    for path, page in pages().items():
        answer = asked(server.guard, f"GET {path} HTTP/1.1\r\n{host}")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert status(answer) == 200
        assert body == page.body
        assert page.type.encode() in head
    for path in (
        *("/index.html", "/../guard.py", "/%2e%2e/guard.py", "//etc/passwd", "/live"),
        *("/live/", "/main.js?x", "/main.js/", "/__init__.py", "/MAIN.JS", "*", ""),
        *("http://evil.example/", "/" + "a" * 3000, "/\x00", "/é"),
    ):
        answer = asked(server.guard, f"GET {path} HTTP/1.1\r\n{host}")
        assert status(answer) in (0, 400, 404, 431, 500), path
        assert b"thalweg" not in answer.partition(b"\r\n\r\n")[2]


def test_every_answer_has_its_policy(served: Served) -> None:
    server, _ = served
    host = f"Host: {server.guard.host}\r\n"
    for lines in (
        f"GET / HTTP/1.1\r\n{host}",
        "GET / HTTP/1.1\r\nHost: x\r\n",
        f"GET /none HTTP/1.1\r\n{host}",
    ):
        head = asked(server.guard, f"{lines}\r\n").partition(b"\r\n\r\n")[0].decode()
        policy = next(
            line for line in head.split("\r\n") if line.startswith("Content-Security")
        )
        for part in (
            *("default-src 'none'", "base-uri 'none'", "form-action 'none'"),
            *(
                "frame-ancestors 'none'",
                "style-src 'self'",
                "script-src 'self' 'sha256-",
            ),
        ):
            assert part in policy
        assert "unsafe" not in policy
        for line in (
            *("X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer"),
            *("Cache-Control: no-store", "Cross-Origin-Resource-Policy: same-origin"),
        ):
            assert line in head
        assert "Access-Control" not in head
        assert "Python" not in head


def test_it_listens_to_this_machine_alone(served: Served) -> None:
    server, _ = served
    assert server._server.socket.getsockname()[0] == "127.0.0.1"
    with suppress(OSError):
        other = socket.gethostbyname(socket.gethostname())
        if not other.startswith("127."):
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((other, server.guard.port), timeout=2)


def test_a_port_that_is_taken_is_refused(served: Served) -> None:
    server, _ = served
    with pytest.raises(ArgumentError, match=f"got {server.guard.port}: taken"):
        PageServer(Echo, server.guard.port)


# Who takes long, or too much ----------------------------------------------------------


def test_a_question_that_is_too_long_ends_the_talk(served: Served) -> None:
    server, made = served
    with opened(server.guard) as client:
        client.send("a" * (module.MOST_BYTES + 1))
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(5)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009
    assert made[0].ended.wait(5)


def test_a_second_page_works_and_the_ninth_is_told_so(served: Served) -> None:
    server, made = served
    with ExitStack() as stack:
        enter = stack.enter_context
        clients = [enter(opened(server.guard)) for _ in range(module.MOST_PAGES)]
        for number, client in enumerate(clients):
            client.send(str(number))
            assert client.recv(5) == str(number).encode()
        with opened(server.guard) as ninth, pytest.raises(ConnectionClosed) as caught:
            ninth.recv(5)
        told = caught.value.rcvd
        assert told is not None
        assert (told.code, told.reason) == (module.TOO_MANY, "8 pages are open")
        clients[0].close()
        assert made[0].ended.wait(5)
        with opened(server.guard) as client:  # a seat is free again
            client.send("again")
            assert client.recv(5) == b"again"


def test_a_message_cancels_what_is_under_way(served: Served) -> None:
    server, made = served
    with opened(server.guard) as client:
        client.send("many")
        assert client.recv(5) == b"many"
        client.send("cancel")
        count = 1
        while client.recv(5) != b"cancelled":
            count += 1
        assert count < 900
        assert made[0].taken < 0  # its iterator was closed
        client.send("next")
        assert client.recv(5) == b"next"


def test_who_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TO_SPEAK", 0.2)
    with PageServer(Echo) as server:
        address = f"ws://{server.guard.host}/socket"
        silent = connect(address, origin=cast(Any, server.guard.origin))
        with silent as client, pytest.raises(ConnectionClosed):
            client.recv(5)


def test_who_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TO_TAKE", 1)
    made: list[Echo] = []

    def begin() -> Echo:
        made.append(Echo())
        return made[-1]

    with (
        PageServer(begin) as server,
        socket.create_connection(("127.0.0.1", server.guard.port)) as slow,
    ):
        guard = server.guard
        lines = f"Host: {guard.host}\r\nOrigin: {guard.origin}\r\n{UPGRADE}"
        slow.sendall(f"GET /socket HTTP/1.1\r\n{lines}\r\n".encode())
        assert b"101" in slow.recv(4096)
        slow.sendall(framed(guard.token) + framed("huge"))
        deadline = time.monotonic() + 20
        while not (made and made[0].ended.is_set()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert abs(made[0].taken) < 50  # what the sockets' own room takes


def framed(text: str) -> bytes:
    """A text as a client's frame, with a mask of zeros."""
    return bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text.encode()


def test_noise_is_survived(served: Served) -> None:
    server, _ = served
    guard, chance = server.guard, random.Random(7)
    head = f"GET /socket HTTP/1.1\r\nHost: {guard.host}\r\nOrigin: {guard.origin}\r\n"
    good = (head + UPGRADE + "\r\n").encode() + framed(guard.token) + framed("a")
    for _ in range(150):
        noise = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            place = chance.randrange(len(noise))
            match chance.randrange(3):
                case 0:
                    noise[place] = chance.randrange(256)
                case 1:
                    del noise[place : place + chance.randint(1, 20)]
                case _:
                    noise[place:place] = chance.randbytes(chance.randint(1, 20))
            if not noise:
                break
        with socket.create_connection(("127.0.0.1", guard.port), timeout=5) as client:
            client.settimeout(0.02)
            with suppress(OSError):
                client.sendall(noise)
                client.recv(4096)
    with opened(guard) as client:
        client.send("still there")
        assert client.recv(5) == b"still there"


# Ctrl-C -------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT")
def test_ctrl_c_ends_it_at_once_with_a_page_open(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "thalweg", "play", "--no-browser"]
    environment = {**os.environ, "BROWSER": "false"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        host, _, token = address.removeprefix("http://").partition("/#token=")
        origin: Any = f"http://{host}"
        with connect(f"ws://{host}/socket", origin=origin) as client:
            client.send(token)
            client.send('{"id": 1, "do": "hello"}')
            assert b"choices" in cast(bytes, client.recv(20))
            client.send('{"id": 2, "do": "begin", "experiment": {}}')
            client.recv(20)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        _, errors = process.communicate()
        assert "Traceback" not in errors
        assert errors.strip().endswith("ended")
