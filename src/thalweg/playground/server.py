"""The page's files and its socket, on this machine alone."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from http import HTTPStatus
from types import TracebackType
from typing import Protocol

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from thalweg.errors import ArgumentError
from thalweg.playground.guard import ADDRESS, Guard
from thalweg.playground.pages import headers, pages

SOCKET = "/socket"
MOST_BYTES = 1 << 20  # of a question
MOST_PAGES = 8
TO_SPEAK = 5.0
"""Seconds in which whoever connects must show the token."""

TO_TAKE = 20
"""Seconds in which a page must take what it asked for."""

NO_TOKEN, TOO_MANY = 4403, 4429  # the codes with which a socket is closed


class Answers(Protocol):
    """What answers the questions of one page."""

    def told(self, message: str) -> Generator[bytes]:
        """The answers to a question."""
        ...

    def cancelled(self, message: str) -> bytes | None:
        """If a message cancels the question before it, the last answer to that."""
        ...

    def closed(self) -> None:
        """The page is gone."""
        ...


class PageServer(AbstractContextManager["PageServer"]):
    """Serves a page to whoever has its address, while the context lasts.

    Arguments:
        begin: makes what answers a page that was opened.
        port: to listen on; 0 for one that is free.

    Raises:
        ArgumentError: the port is taken, or may not be used.
    """

    def __init__(self, begin: Callable[[], Answers], port: int = 0) -> None:
        self._begin = begin
        self._seats = threading.BoundedSemaphore(MOST_PAGES)
        try:
            self._server: Server = serve(
                self._talk,
                ADDRESS,
                port,
                process_request=self._received,
                compression=None,  # on one machine it takes longer than it saves
                max_size=MOST_BYTES,
                server_header=None,
                logger=silent(),
            )
        except OSError as error:
            why = "taken" if error.errno == errno.EADDRINUSE else str(error.strerror)
            raise ArgumentError(
                f"port must be a free one of this machine, got {port}: {why}"
            ) from error
        self.guard = Guard(self._server.socket.getsockname()[1])
        self._headers = headers(self.guard.port)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """What a browser opens, with the token."""
        return self.guard.address

    def __enter__(self) -> PageServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()

    def wait(self) -> None:
        """Until somebody interrupts."""
        while self._thread.is_alive():
            self._thread.join(0.5)  # where a Ctrl-C is seen

    # A request ------------------------------------------------------------------------

    def _received(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        """A file of the page, or a refusal; None for the socket."""
        if getattr(request, "method", "GET") != "GET":  # some versions know no other
            return self._response(HTTPStatus.METHOD_NOT_ALLOWED)
        is_socket = request.path == SOCKET
        refused = self.guard.refusal(request.headers.get_all, is_socket)
        if refused is not None:
            return self._response(refused)
        if is_socket:
            return None
        page = pages().get(request.path)
        if page is None:
            return self._response(HTTPStatus.NOT_FOUND)
        return self._response(HTTPStatus.OK, page.body, page.type)

    def _response(
        self, status: HTTPStatus, body: bytes = b"", type: str = "text/plain"
    ) -> Response:
        content = body or f"{status.value} {status.phrase}\n".encode()
        fields = {"Content-Type": type, "Content-Length": str(len(content))}
        own = Headers({**self._headers, **fields, "Connection": "close"})
        return Response(status.value, status.phrase, own, content)

    # A socket -------------------------------------------------------------------------

    def _talk(self, connection: ServerConnection) -> None:
        """With one page, from its token to its end."""
        limit_sending(connection.socket)
        with contextlib.suppress(ConnectionClosed, TimeoutError, OSError):
            if not self.guard.admits(connection.recv(TO_SPEAK)):
                return connection.close(NO_TOKEN, "this isn't the token")
            if not self._seats.acquire(blocking=False):
                return connection.close(TOO_MANY, f"{MOST_PAGES} pages are open")
            answers = self._begin()
            try:
                self._answer(connection, answers)
            finally:
                answers.closed()
                self._seats.release()

    def _answer(self, connection: ServerConnection, answers: Answers) -> None:
        """Question after question; what comes meanwhile may cancel one."""
        waiting: deque[str] = deque()
        while True:
            message = waiting.popleft() if waiting else text_of(connection.recv())
            with contextlib.closing(answers.told(message)) as given:
                for answer in given:
                    connection.send(answer)
                    with contextlib.suppress(TimeoutError):
                        waiting.append(text_of(connection.recv(timeout=0)))
                    last = answers.cancelled(waiting[-1]) if waiting else None
                    if last is not None:
                        waiting.clear()
                        connection.send(last)
                        break


def text_of(message: str | bytes) -> str:
    """A question is text; bytes are none."""
    return message if isinstance(message, str) else ""


def limit_sending(connection: socket.socket) -> None:
    """Who takes nothing for long is let go, and what waits for it with it."""
    seconds = TO_TAKE
    if sys.platform == "win32":
        value: int | bytes = 1000 * seconds
    else:
        value = struct.pack("ll", seconds, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)


def silent() -> logging.Logger:
    """What others send is nobody's to read on the terminal."""
    logger = logging.getLogger("thalweg.playground")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
