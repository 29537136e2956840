"""A call of the engine: when it has to end, how it is cancelled, and how its messages and errors reach the user."""

from __future__ import annotations

import math
import threading
import time

from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, errors_pb2, status_pb2

from pulumi_cbr_sharing.errors import CbrSharingError, Stopped, one_line
from pulumi_cbr_sharing.http.retry import Clock
from pulumi_cbr_sharing.plugin.wire import in_every_language
from pulumi_cbr_sharing.sharing.inputs import camel


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi_cbr_sharing.sharing.inputs import Problem


DETAILS = "grpc-status-details-bin"  # where gRPC puts what is to be known of an error besides its text
LONGEST_WAIT = 86400.0  # seconds; an event cannot be waited for without an end


@dataclass
class Call:
    """One call.

    Attributes:
        doing: the verb.
        urn: the resource to which its messages belong.
        seconds: how long it may take, as `customTimeouts` has it; 0 for no limit.
    """

    doing: str = ""
    urn: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._ends = time.monotonic() + self.seconds if self.seconds else math.inf

    @property
    def left(self) -> float:
        """How long it may still take, in seconds."""
        return self._ends - time.monotonic()


_PRESENT: ContextVar[Call] = ContextVar("_PRESENT", default=Call())  # noqa: B039 - nothing changes it


class Detailed(CbrSharingError):
    """An error of which the engine reads more than the text.

    Args:
        text: the error.
        detail: the message with the rest; None if there is none.
        code: the status of the call.
    """

    def __init__(self, text: str, detail: Any, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> None:
        super().__init__(text)
        self.detail, self.code = detail, code

    @property
    def told(self) -> str:
        """The text alone: its address is in it, if it has one."""
        return str(self)


def invalid(problems: Sequence[Problem]) -> Detailed:
    """Properties have problems, which the engine shows one by one."""
    told = [(camel(one.property), in_every_language(one.sentence)) for one in problems]
    text = "; ".join(f"{name}: {sentence}" if name else sentence for name, sentence in told)
    wrong = errors_pb2.InputPropertiesError
    rows = [wrong.PropertyError(property_path=name, reason=sentence) for name, sentence in told]
    return Detailed(text, wrong(errors=rows), grpc.StatusCode.INVALID_ARGUMENT)


class Calls:
    """The calls of one engine; safe for many threads.

    Args:
        engine: the connection to it, if there is one.

    Attributes:
        clock: its sleep ends with the call that sleeps, and when the run is cancelled; it knows what time a call has
            left.
    """

    def __init__(self, engine: grpc.Channel | None = None) -> None:
        self._cancelled = threading.Event()
        self.clock = Clock(time.monotonic, self._sleep, lambda: _PRESENT.get().left)
        self.begin(engine)

    def begin(self, engine: grpc.Channel | None) -> None:
        """Begin a run of an engine."""
        self._engine = engine_pb2_grpc.EngineStub(engine) if engine else None
        self._cancelled.clear()

    def cancel(self) -> None:
        """End all waits."""
        self._cancelled.set()

    @contextmanager
    def begun(self, doing: str, request: Any, context: Any) -> Iterator[Call]:
        """A call of the engine, whose error becomes the answer: one line, without a traceback."""
        urn, seconds = getattr(request, "urn", ""), getattr(request, "timeout", 0.0)
        token = _PRESENT.set(call := Call(doing, urn, seconds))
        try:
            yield call
        except CbrSharingError as error:
            text, code = in_every_language(error.told), grpc.StatusCode.UNKNOWN
            if isinstance(error, Detailed) and error.detail is not None:
                code = error.code
                status = status_pb2.Status(code=code.value[0], message=text)
                status.details.add().Pack(error.detail)
                context.set_trailing_metadata([(DETAILS, status.SerializeToString())])
            context.abort(code, text)
        finally:
            _PRESENT.reset(token)

    def about(self, urn: str) -> None:
        """Let the messages of this call belong to a resource that it has made."""
        _PRESENT.get().urn = urn

    def say(self, text: str) -> None:
        """Show the user a line, under the resource that the call is about."""
        warning = text.startswith("warning: ")
        severity = engine_pb2.LogSeverity.WARNING if warning else engine_pb2.LogSeverity.INFO
        line = engine_pb2.LogRequest(
            severity=severity, message=in_every_language(text.removeprefix("warning: ")), urn=_PRESENT.get().urn
        )
        if self._engine:
            with suppress(grpc.RpcError):  # the engine is gone, and so is the user
                self._engine.Log(line)

    def _sleep(self, seconds: float) -> None:
        call = _PRESENT.get()
        left = call.left
        if self._cancelled.wait(max(0.0, min(seconds, left, LONGEST_WAIT))):
            raise Stopped(f"{call.doing}: stopped, because the run was cancelled: run it again")
        if left <= seconds:
            raise Stopped(
                f"{call.doing}: stopped after {call.seconds:g} s, as customTimeouts says: run it again, or allow more"
            )


def bug(error: Exception) -> Detailed:
    """One line about an error that is nobody's but ours."""
    trace, frame = error.__traceback__, ""
    while trace:
        code = trace.tb_frame.f_code
        frame, trace = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} in {code.co_name}", trace.tb_next
    return Detailed(
        f"a bug in this provider, please report it: {type(error).__name__}: {one_line(error)} ({frame})", None
    )
