"""JSON-RPC 2.0 with holdstill, on stdin and stdout: framing, dispatch, cancellation, and the context of a call.

What the plugin prints goes to the log. Python's standard library is all that it needs.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdstill_contract import PROVIDER, WRITER, ExecOptions, ExecResult, Initialize

METHOD_NOT_FOUND = -32601
APPLICATION_ERROR = -32000
REQUEST_CANCELLED = -32800


class PluginError(Exception):
    """An error that the user sees: the message, and the hint as the next step."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


class Cancelled(Exception):
    """The host has abandoned this call."""


@dataclass
class Context:
    """What comes with every call: the host as this call sees it."""

    start: Initialize
    call: int
    deadline: float
    """When the host abandons this call, by time.monotonic()."""
    _connection: _Connection
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _on_cancel: list[Callable[[], Any]] = field(default_factory=list)

    @property
    def data_dir(self) -> str:
        return self.start["dataDir"]

    def check(self) -> None:
        """Raises Cancelled if the host has abandoned this call. Call it in long loops."""
        if self._cancelled.is_set():
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Sleeps until the time is over, or raises Cancelled."""
        self._cancelled.wait(seconds)
        self.check()

    def on_cancel(self, action: Callable[[], Any]) -> None:
        """Called in another thread when the host abandons this call: close the socket that the call waits for."""
        self._on_cancel.append(action)
        if self._cancelled.is_set():
            action()

    def log(self, message: str, level: str = "info", **fields: Any) -> None:
        self._connection.notify("log", {"level": level, "message": message, "fields": fields})

    def progress(self, message: str, done: float | None = None, total: float | None = None) -> None:
        counts = {"done": done, "total": total}
        known = {name: count for name, count in counts.items() if count is not None}
        self._connection.notify("progress", {"message": message, **known})

    def exec(self, command: str, args: Sequence[str], options: ExecOptions | None = None) -> ExecResult:
        """Runs a program of `requires.commands`. The host owns it: it ends with this call."""
        params = {"call": self.call, "command": command, "args": list(args), "options": options or {}}
        return self._connection.request("exec", params)

    def cancel(self) -> None:
        self._cancelled.set()
        for action in self._on_cancel:
            action()


class _Connection:
    def __init__(self) -> None:
        self._input = sys.stdin.buffer
        self._output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        # What is printed must not get between the messages.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        self._writing = threading.Lock()
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._last = 0

    def read(self) -> dict[str, Any] | None:
        """The next message; None: the host has closed the connection."""
        length = 0
        while (line := self._input.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self._input.read(length)) if line else None

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with self._writing:
            self._output.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            self._output.flush()

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self.send({"method": method, "params": params})

    def request(self, method: str, params: dict[str, Any]) -> Any:
        answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        with self._writing:
            self._last += 1
            number = self._last
            self._answers[number] = answers
        self.send({"id": number, "method": method, "params": params})
        answer = answers.get()
        if "error" in answer:
            data = answer["error"].get("data") or {}
            raise PluginError(data.get("code", ""), answer["error"]["message"], data.get("hint", ""))
        return answer["result"]

    def settle(self, message: dict[str, Any]) -> None:
        answers = self._answers.pop(message.get("id", 0), None)
        if answers is not None:
            answers.put(message)


def serve(make: Callable[[dict[str, Any]], object]) -> None:
    """Serves the plugin, which `make` makes of its options, until the host ends it. Each call runs in its own thread."""
    connection = _Connection()
    running: dict[Any, Context] = {}
    start: Initialize | None = None
    plugin: object = None
    methods: dict[str, tuple[str, ...]] = {}
    while (message := connection.read()) is not None:
        method, params, number = message.get("method"), message.get("params", {}), message.get("id")
        if method is None:
            connection.settle(message)
        elif method == "initialize":
            start = params
            table = WRITER if params["role"] == "writer" else PROVIDER
            try:
                plugin = make(params["options"])
                methods = {name: given for name, given in table.items() if hasattr(plugin, name)}
                connection.send({"id": number, "result": {"methods": list(methods)}})
            except Exception as error:
                connection.send({"id": number, "error": _error_of(error)})
        elif method == "$/cancelRequest":
            if params["id"] in running:
                threading.Thread(target=running[params["id"]].cancel, daemon=True).start()
        elif start is None or method not in methods:
            if number is not None:
                error = {"code": METHOD_NOT_FOUND, "message": f"unknown method {method}"}
                connection.send({"id": number, "error": error})
        else:
            given = params["context"]
            deadline = time.monotonic() + given["limitMs"] / 1000
            context = running[number] = Context(start, given["call"], deadline, connection)
            args = [params[name] for name in methods[method]]
            work = (connection, running, number, getattr(plugin, method), [*args, context])
            threading.Thread(target=_run, args=work, daemon=True).start()
    os._exit(0)


def _run(connection: _Connection, running: dict[Any, Context], number: Any, method: Callable[..., Any], args: list[Any]) -> None:
    try:
        answer = {"id": number, "result": method(*args)}
    except BaseException as error:
        answer = {"id": number, "error": _error_of(error)}
    running.pop(number, None)
    try:
        connection.send(answer)
    except (TypeError, ValueError) as error:
        connection.send({"id": number, "error": _error_of(error)})


def _error_of(error: BaseException) -> dict[str, Any]:
    if isinstance(error, Cancelled):
        return {"code": REQUEST_CANCELLED, "message": "the call was cancelled"}
    if isinstance(error, PluginError):
        return {"code": APPLICATION_ERROR, "message": str(error), "data": {"code": error.code, "hint": error.hint}}
    stack = "".join(traceback.format_exception(error))
    return {"code": APPLICATION_ERROR, "message": f"{type(error).__name__}: {error}", "data": {"stack": stack}}
