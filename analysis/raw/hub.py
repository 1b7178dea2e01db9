"""The Hub as huggingface_hub reaches it: its address, its token, and what it says when it refuses.

``HF_ENDPOINT`` names another address than https://huggingface.co, ``HF_HUB_OFFLINE`` forbids all
requests, and a token is looked for where huggingface_hub keeps it, nowhere else. A token goes to
the Hub's own address only and never into a message: this module checks its characters itself,
because HTTP libraries print a header that they refuse.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from analysis.errors import InputError, RecordError, UnavailableError

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi

PUBLIC_HUB = "https://huggingface.co"
#: Statuses after which the same request may succeed.
TRANSIENT = (429, 500, 502, 503, 504)
# Seconds that the one client of this process waits where huggingface_hub names no limit.
_timeout = 60.0
_TOKEN = re.compile(r"[!-~]{1,4096}")

_Answer = TypeVar("_Answer")


def endpoint() -> str:
    """Return the address of the Hub: ``HF_ENDPOINT``, else the public one; no slash at its end.

    Raises
    ------
    InputError
        If ``HF_ENDPOINT`` is no plain address of a server.
    """
    named = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/")
    if not named:
        return PUBLIC_HUB
    try:
        parts = urlsplit(named)
        plain = parts.scheme in {"http", "https"} and parts.hostname and not parts.username
        _ = parts.port
    except ValueError:
        plain = False
    if not plain:
        raise InputError("HF_ENDPOINT must be an address like https://huggingface.co, without user")
    return named


def at_endpoint(url: str) -> str:
    """Return a public address as this run asks for it.

    Parameters
    ----------
    url : str
        Public address of a file.

    Returns
    -------
    str
        The same, but with ``HF_ENDPOINT`` instead of https://huggingface.co where that is set.
        Addresses of other hosts stay as they are.
    """
    if url.startswith(f"{PUBLIC_HUB}/"):
        return endpoint() + url.removeprefix(PUBLIC_HUB)
    return url


def is_at_hub(url: str) -> bool:
    """Tell whether an address is the Hub's own: same scheme, host and port as the endpoint."""
    return _origin(url) == _origin(endpoint())


def token() -> str | None:
    """Return the token that huggingface_hub knows (``HF_TOKEN``, or ``hf auth login``), or None.

    Raises
    ------
    InputError
        If it holds characters that no header may hold. The message does not show it.
    UnavailableError
        If huggingface_hub tried to renew it and failed.
    """
    from huggingface_hub import constants, get_token

    if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN:
        return None
    try:
        found = get_token()
    except Exception as error:
        # Of any type, and its text may hold what was sent.
        raise UnavailableError(
            f"the Hub's token could not be had from huggingface_hub ({type(error).__name__}): "
            f"log in again with `hf auth login`, or unset its variables"
        ) from None
    if found is not None and not _TOKEN.fullmatch(found):
        raise InputError(
            "the Hub's token (HF_TOKEN, or `hf auth login`) holds characters that no token has: "
            "set it again"
        )
    return found


def refuse_offline(what: str) -> None:
    """Raise UnavailableError if ``HF_HUB_OFFLINE`` forbids to ask the Hub."""
    from huggingface_hub import constants

    if constants.is_offline_mode():
        raise UnavailableError(f"{what}: HF_HUB_OFFLINE forbids to ask the Hub; unset it")


def api(timeout: float = 60.0) -> HfApi:
    """Return huggingface_hub's client for :func:`endpoint`, which waits only so many seconds.

    Without more, huggingface_hub waits for ever for the bytes of an answer.

    Parameters
    ----------
    timeout : float
        Seconds to wait for a connection and for the next bytes.
    """
    from huggingface_hub import HfApi, get_session, set_client_factory

    global _timeout
    _timeout = timeout
    if _impatient not in get_session().event_hooks["request"]:
        set_client_factory(_client)
    # Never None: HfApi would look for a token itself, and not check its characters.
    return HfApi(endpoint=endpoint(), token=token() or False)


def _client() -> httpx2.Client:
    from huggingface_hub.utils._http import default_client_factory

    made = default_client_factory()
    hooks = made.event_hooks
    made.event_hooks = {**hooks, "request": [*hooks["request"], _impatient]}
    return made


def _impatient(request: httpx2.Request) -> None:
    waits = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        what: _timeout if waits.get(what) is None else waits[what]
        for what in ("connect", "read", "write", "pool")
    }


def ask(
    what: str,
    question: Callable[[], _Answer],
    *,
    attempts: int = 5,
    backoff: float = 1.0,
    longest_wait: float = 120.0,
) -> _Answer:
    """Ask the Hub through huggingface_hub, again where that helps.

    Parameters
    ----------
    what : str
        Begins each message, for instance the repository.
    question : callable
        Calls huggingface_hub.
    attempts : int
        Calls in all.
    backoff, longest_wait : float
        Seconds before the second call, each later wait doubled, and the cap on any wait, also
        on one that the Hub asks for.

    Returns
    -------
    object
        What `question` returned.

    Raises
    ------
    InputError, UnavailableError
        One line that says why the Hub gave no answer.
    """
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    refuse_offline(what)
    for attempt in range(1, attempts + 1):
        with explained(what):
            try:
                return question()
            except HfHubHTTPError as error:
                if error.response.status_code not in TRANSIENT or attempt == attempts:
                    raise
                wait = wait_asked_for(error.response.headers)
            except (
                httpx2.TimeoutException,
                httpx2.NetworkError,
                httpx2.RemoteProtocolError,
            ) as error:
                # Nobody listens, or no such name: waiting seldom helps, and a user waits with us.
                if isinstance(error, httpx2.ConnectError) or attempt == attempts:
                    raise
                wait = None
        pause = backoff * 2 ** (attempt - 1) if wait is None else wait
        time.sleep(min(pause, longest_wait))
    raise AssertionError("unreachable: the last attempt returns or raises")


def wait_asked_for(headers: Any) -> float | None:
    """Return the seconds that a refusal asks to wait (``RateLimit``, ``Retry-After``), or None."""
    from huggingface_hub.utils._http import parse_ratelimit_headers

    limit = parse_ratelimit_headers(headers)
    if limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    told = str(headers.get("Retry-After", "")).strip()
    return float(told) if re.fullmatch(r"[0-9]{1,9}", told) else None


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into one line of ours, without its addresses and headers.

    Parameters
    ----------
    what : str
        Begins each message.
    """
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except RecordError:
        raise
    except errors.GatedRepoError:
        raise UnavailableError(f"{what}: {GATED}") from None
    except errors.RevisionNotFoundError:
        raise UnavailableError(f"{what}: the Hub has no such revision") from None
    except errors.RemoteEntryNotFoundError:
        raise UnavailableError(f"{what}: the Hub has no such path at this revision") from None
    except errors.RepositoryNotFoundError:
        raise UnavailableError(f"{what}: {MISSING}") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        advice = {
            401: "it does not know the token: log in again with `hf auth login`, or unset HF_TOKEN",
            403: "the token does not allow that",
        }.get(status, "try again later" if status in TRANSIENT else "it refuses the request")
        raise UnavailableError(f"{what}: the Hub answered {status}: {advice}") from None
    except errors.OfflineModeIsEnabled:
        raise UnavailableError(f"{what}: HF_HUB_OFFLINE forbids to ask the Hub; unset it") from None
    except errors.HFValidationError:
        raise InputError(f"{what}: not the name of a repository: OWNER/NAME is expected") from None
    except httpx2.HTTPError as error:
        raise UnavailableError(
            f"{what}: the Hub at {endpoint()} cannot be reached ({type(error).__name__}): check "
            f"the network"
        ) from None
    except (ValueError, TypeError, AttributeError, LookupError, httpx2.InvalidURL) as error:
        # huggingface_hub reads answers as they should be; another shape breaks it anywhere.
        raise UnavailableError(
            f"{what}: the Hub's answer cannot be understood ({type(error).__name__}): try again "
            f"later"
        ) from None


GATED = (
    "the repository is gated: accept its terms on its page of the Hub, then log in with "
    "`hf auth login`"
)
MISSING = (
    "the Hub shows no such data set: check the name; if it is private, log in with `hf auth login`"
)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default
