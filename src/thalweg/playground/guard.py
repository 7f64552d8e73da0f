"""Who may ask: only a page of this very server, and only with its token."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

ADDRESS = "127.0.0.1"
TOKEN_BYTES = 16

HeaderValues = Callable[[str], Sequence[str]]
"""The values of a header, each time that it was sent."""


@dataclass(frozen=True)
class Guard:
    """What a request must have.

    A page of another site can make a browser send requests here, but neither with this
    server's origin nor with the token. A name that was made to point here (DNS
    rebinding) shows in the host.

    Arguments:
        port: of the server.
        token: a secret that only the printed address has, in its fragment, which no
            browser sends anywhere.
    """

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))

    @property
    def host(self) -> str:
        """The one host that a request may name."""
        return f"{ADDRESS}:{self.port}"

    @property
    def origin(self) -> str:
        """The one origin that a socket may be opened from."""
        return f"http://{self.host}"

    @property
    def address(self) -> str:
        """What a browser opens."""
        return f"{self.origin}/#token={self.token}"

    def refusal(self, values: HeaderValues, socket: bool) -> HTTPStatus | None:
        """Why a request is refused; None if it isn't.

        Arguments:
            values: of its headers.
            socket: whether it is for the socket, where browsers always say the origin;
                else an origin that isn't said is that of a page that is opened.
        """
        if list(values("Host")) != [self.host]:
            return HTTPStatus.MISDIRECTED_REQUEST
        origins = list(values("Origin"))
        if origins != [self.origin] and (socket or origins):
            return HTTPStatus.FORBIDDEN
        return None

    def admits(self, token: object) -> bool:
        """Whether somebody has the token; it takes as long for any other."""
        given = token if isinstance(token, str) else ""
        return hmac.compare_digest(given.encode(), self.token.encode())
