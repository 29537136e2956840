"""The emulated cloud as a web application: checks requests, answers errors, applies faults, keeps the log."""

from __future__ import annotations

import io
import json
import re
import uuid

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from pulumi_cbr_sharing.emulator import behaviours
from pulumi_cbr_sharing.emulator.behaviours import Refusal
from pulumi_cbr_sharing.emulator.control import PREFIX, add_control, cloud_asked, refusal
from pulumi_cbr_sharing.emulator.request import Answer, Request
from pulumi_cbr_sharing.emulator.routes import ROUTES


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from _typeshed.wsgi import WSGIApplication

    from pulumi_cbr_sharing.emulator.behaviours import Row
    from pulumi_cbr_sharing.emulator.cloud import Emulator
    from pulumi_cbr_sharing.emulator.request import Fault
    from pulumi_cbr_sharing.emulator.routes import ApiRoute


INTERNAL = 500
MASK = "***"
# Names of headers, parameters and properties that hold credentials, of this cloud or another.
_SECRET = re.compile(
    r"(?i)(access|api|auth)[-_]?key|authorization|cookie|credential|passw|passcode|secret|signature|token|^(access|ak|pwd|sk)$"
)
# Where another client has seen the quirk: list and get of backups and members.
_QUIRKY = ("cbr:member:list", "cbr:member:get", "cbr:backups:get")


def make_app(cloud: Emulator) -> WSGIApplication:
    """The application of one cloud."""
    app = _app_of_all()
    return lambda environ, start: app({**environ, "emulator.cloud": cloud}, start)


@cache  # making its routes takes longer than most tests need a cloud
def _app_of_all() -> Flask:
    """The application of every cloud in this process: a request brings its cloud along."""
    app = Flask("emulator")
    for number, route in enumerate(ROUTES):
        view = _with_cloud(_dispatch, route)
        app.add_url_rule(route.path, f"api-{number}", view, methods=[route.method], strict_slashes=False)
    add_control(app)
    app.before_request(_with_cloud(_before))
    app.after_request(_with_cloud(_after))
    app.register_error_handler(Refusal, lambda refusal: _refused(cloud_asked(), refusal.row))
    app.register_error_handler(HTTPException, _with_cloud(_no_such_api))
    return app


def _with_cloud(function: Callable[..., Any], *first: Any) -> Callable[..., Any]:
    return lambda *args, **names: function(cloud_asked(), *first, *args, **names)


def _is_control() -> bool:
    return request.path.startswith(PREFIX)


def _before(cloud: Emulator) -> Response | tuple[Response, int] | None:
    """Take the fault for this request, if there is one; a fault that prevents the request is the answer."""
    try:
        request.get_data()
    except OSError:  # malformed chunks, or the client has disconnected
        request.stream = io.BytesIO()
        request.get_data()
        return Response(status=400)
    if _is_control():
        return refusal(cloud)
    fault = g.fault = cloud.faults.take(request.method, request.path)
    cloud.pause(cloud.latency)
    if fault and fault.prevents:
        return _faulty(fault)
    if fault and fault.when == "before":
        cloud.pause(fault.delay)
    # The server has ended: nothing may happen any more.
    return Response(status=503) if cloud.stopping.is_set() else None


def _dispatch(cloud: Emulator, route: ApiRoute, **names: str) -> Response:
    with cloud.lock:
        asked = g.asked = _asked(cloud)
        if route.action:
            asked.admit(route.action, names.pop("project_id", None))
        try:
            return _response(route.handler(asked, **names))
        except Refusal as refusal:
            if cloud.quirk_malformed_url and refusal.row is behaviours.BACKUP_NOT_FOUND and route.action in _QUIRKY:
                raise Refusal(behaviours.MALFORMED_URL) from None
            raise


def _asked(cloud: Emulator) -> Request:
    return Request(
        cloud=cloud,
        method=request.method,
        target=request.environ.get("REQUEST_URI", request.full_path),
        headers={name.lower(): text for name, text in request.headers.items()},
        data=request.get_data(),
        query=request.args.to_dict(),
        body=_json(),
    )


def _json() -> Any:
    try:
        return request.get_json(silent=True)
    except RecursionError:  # lists nested too deep
        return None


def _response(answer: Answer) -> Response:
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, dict(answer.headers), mimetype="text/plain")
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    return Response(body, answer.status, dict(answer.headers), mimetype="application/json")


def _refused(cloud: Emulator, row: Row) -> Response:
    """An error: the gateway's with a request id in the body, the service's in the requested language."""
    row = row.other if row.other and cloud.inferred_codes == "second" else row
    g.code = row.code
    if row.plain:
        return _response(Answer(row.status, row.english))
    if row.wrapped:
        return _response(Answer(row.status, {row.wrapped: {"code": str(row.status), "message": row.english}}))
    english = row.is_of_gateway or request.headers.get("X-Language", "").lower() == "en-us"
    body: dict[str, Any] = {"error_code": row.code, "error_msg": row.english if english else behaviours.CHINESE}
    if row.is_of_gateway:
        body["request_id"] = _request_id()
    return _response(Answer(row.status, body, _retry_after(cloud, row)))


def _retry_after(cloud: Emulator, row: Row) -> dict[str, str]:
    wait = (
        cloud.permissions.limit.retry_after
        if cloud.permissions.limit and row.code == behaviours.THROTTLED.code
        else None
    )
    return {} if wait is None else {"Retry-After": f"{wait:g}"}


def _no_such_api(cloud: Emulator, error: HTTPException) -> Response:
    if (error.code or 0) >= INTERNAL:
        return _response(Answer(INTERNAL, {"error": "the emulator has a bug: its traceback is in the log"}))
    return _refused(cloud, behaviours.NO_SUCH_API)


def _request_id() -> str:
    if "request_id" not in g:
        g.request_id = uuid.uuid4().hex
    return str(g.request_id)


def _faulty(fault: Fault) -> Response:
    response = Response(fault.body.encode(), fault.status or 200, mimetype="application/json")
    for name, text in fault.headers.items():
        response.headers[name] = text
    return response


def _after(cloud: Emulator, response: Response) -> Response:
    """Log the request, then apply its fault."""
    if _is_control():
        return response
    fault: Fault | None = g.get("fault")
    if fault and fault.status is not None and not fault.prevents:
        response = _faulty(fault)
    # Every answer may have it; the emulator always sends it.
    response.headers.setdefault("X-Request-Id", _request_id())
    cut = bool(fault and (fault.reset or fault.close))
    _record(cloud, 0 if cut else response.status_code)
    return _spoilt(cloud, fault, response) if fault else response


def _record(cloud: Emulator, status: int) -> None:
    caller = g.asked.caller if "asked" in g else None
    with cloud.lock:
        known = cloud.accounts.secrets() | cloud.keys.secrets()
    entry = Recorded(
        method=request.method,
        path=_masked(request.path, known),
        query=_masked_query(request.query_string.decode(errors="replace"), known),
        headers=_masked(dict(request.headers), known),
        body=_masked_body(request.get_data(), known),
        status=status,
        account=caller.name if caller else None,
        code=g.get("code", ""),
    )
    with cloud.lock:
        cloud.log.append(entry)


def _spoilt(cloud: Emulator, fault: Fault, response: Response) -> Response:
    if fault.when == "after" or fault.prevents:
        cloud.pause(fault.delay)
    if fault.reset or fault.close:
        request.environ["emulator.connection"].cut(reset=fault.reset)
        return response
    body = response.get_data()
    announced = response.headers.get("Content-Length", str(len(body)))
    sent = body[: fault.truncate]
    response.response = _trickled(cloud, sent, fault.trickle) if fault.trickle else [sent]
    response.headers["Content-Length"] = announced
    return response


def _trickled(cloud: Emulator, body: bytes, seconds: float) -> Iterator[bytes]:
    for number in range(len(body)):
        cloud.pause(seconds if number else 0)
        yield body[number : number + 1]


# -- The log -----------------------------------------------------------------------------------------------------------


class Recorded(NamedTuple):
    """A request and its answer, secrets masked.

    Attributes:
        query: decoded, without `?`.
        body: as JSON; if it is not JSON, all of it is masked.
        status: the status of the answer; 0 if the connection was cut instead.
        account: the account that sent it, or None.
        code: the error code of the answer, or "".
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    status: int
    account: str | None
    code: str


def _masked(value: Any, known: Iterable[str], *, hidden: bool = False) -> Any:
    """A value with all known secrets masked, and all that stands under the name of a credential."""
    if isinstance(value, dict):
        return {_masked(key, known): _masked(entry, known, hidden=_hides(key, hidden)) for key, entry in value.items()}
    if isinstance(value, list):
        return [_masked(entry, known, hidden=hidden) for entry in value]
    if hidden and value is not None:
        return MASK
    for secret in known if isinstance(value, str) else ():
        value = value.replace(secret, MASK)
    return value


def _hides(name: str, outer: bool) -> bool:  # noqa: FBT001
    # In a token request `password` is also the name of an object, which has the user and the password.
    return (outer and name != "user") or _SECRET.search(name) is not None


def _masked_query(query: str, known: Iterable[str]) -> str:
    pairs = [_masked({name: text}, known) for name, text in parse_qsl(query, keep_blank_values=True)]
    return "&".join(f"{name}={text}" for pair in pairs for name, text in pair.items())


def _masked_body(data: bytes, known: Iterable[str]) -> Any:
    try:
        return _masked(json.loads(data), known) if data else None
    except (ValueError, RecursionError):
        return MASK
