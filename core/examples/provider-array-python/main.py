#!/usr/bin/python3 -B
"""A provider for an array with a REST interface. The array has the whole state: what must be known of a snapshot is its
label there. Only between prepare and commit there is a separate note, in ctx.data_dir.
"""

from __future__ import annotations

import http.client
import json
import os.path
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from holdstill_contract import CriticalSection, Exposed, HoldTarget, Snapshot, Support, Transaction, View, Volume
from holdstill_rpc import Context, PluginError, serve

# An array that does not respond in this time is away.
CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Options:
    url: str
    token: str


class Provider:
    def __init__(self, options: Options) -> None:
        self.options = options

    def match(self, volume: Volume, ctx: Context) -> Support:
        if self.volume_at(volume["mountPoint"], ctx) is None:
            return None
        # The array takes all volumes of a request at once; the kernel holds the file systems, so that they are whole.
        return {
            "pointInTime": True,
            "group": self.options.url,
            "hold": holds([volume]),
            "method": "array snapshot",
            "where": self.options.url,
        }

    def prepare(self, tx: Transaction, volumes: list[Volume], ctx: Context) -> CriticalSection:
        note = []
        for volume in volumes:
            label = {"volumeId": volume["id"], "mountPoint": volume["mountPoint"], "paths": volume["paths"]}
            note.append({"name": self.volume_at(volume["mountPoint"], ctx)["name"], "label": label})
        note_of(tx, ctx).write_text(json.dumps(note))
        return {"hold": holds(volumes), "commit": [{"op": "plugin"}]}

    def commit(self, tx: Transaction, ctx: Context) -> None:
        # One request, because applications and file systems are frozen meanwhile.
        volumes = json.loads(note_of(tx, ctx).read_text())
        self.ask(ctx, "POST", "/snapshots", {"group": tx["id"], "volumes": volumes})

    def seal(self, tx: Transaction, ctx: Context) -> list[Snapshot]:
        note_of(tx, ctx).unlink(missing_ok=True)
        return [snapshot_of(one) for one in self.ask(ctx, "GET", f"/snapshots?group={tx['id']}")]

    def abort(self, tx: Transaction, ctx: Context) -> None:
        for one in self.ask(ctx, "GET", f"/snapshots?group={tx['id']}"):
            self.ask(ctx, "DELETE", f"/snapshots/{one['name']}")
        note_of(tx, ctx).unlink(missing_ok=True)

    def list(self, ctx: Context) -> list[Snapshot]:
        return [snapshot_of(one) for one in self.ask(ctx, "GET", "/snapshots")]

    def expose(self, snapshot: Snapshot, view: View, ctx: Context) -> Exposed:
        all_of_them = self.ask(ctx, "GET", "/snapshots")
        found = next((one for one in all_of_them if one["name"] == snapshot["id"]), None)
        place = found and self.ask(ctx, "PUT", f"/snapshots/{snapshot['id']}/export")
        if not place:
            message = f"The array has no {snapshot['id']}."
            raise PluginError("UNKNOWN_SNAPSHOT", message, "`holdstill providers` lists all.")
        mount_point, paths = found["label"]["mountPoint"], found["label"]["paths"]
        trees = [{"original": path, "path": within(place["path"], os.path.relpath(path, mount_point))} for path in paths]
        # The array has no throw-away exports: nothing may be written there, except with `writable`.
        return {"trees": trees, "readOnly": view["access"] != "writable"}

    def unexpose(self, snapshot: Snapshot, ctx: Context) -> None:
        self.ask(ctx, "DELETE", f"/snapshots/{snapshot['id']}/export")

    def remove(self, snapshot: Snapshot, ctx: Context) -> None:
        self.ask(ctx, "DELETE", f"/snapshots/{snapshot['id']}/export")
        self.ask(ctx, "DELETE", f"/snapshots/{snapshot['id']}")

    def volume_at(self, mount_point: str, ctx: Context) -> Any:
        return self.ask(ctx, "GET", f"/volumes?mount={quote(mount_point, safe='')}")

    def ask(self, ctx: Context, method: str, resource: str, body: Any = None) -> Any:
        """A request, which ends with the call that it is for. None: the array does not have it."""
        ctx.check()
        connection = http.client.HTTPConnection(urlsplit(self.options.url).netloc, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            message = f"The array at {self.options.url} does not respond: {error}."
            raise PluginError("UNREACHABLE", message, "Check the array and the network.") from error
        connection.sock.settimeout(None)
        ctx.on_cancel(lambda: connection.sock and connection.sock.shutdown(socket.SHUT_RDWR))
        try:
            headers = {"authorization": f"Bearer {self.options.token}"}
            connection.request(method, resource, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException):
            ctx.check()
            raise
        finally:
            connection.close()
        if response.status == 404:
            return None
        if response.status == 401:
            raise PluginError("UNAUTHORIZED", "The array refused the token.", "Check the option `token`.")
        if response.status >= 400:
            message = f"The array returned {response.status} for {method} {resource}: {text}"
            raise PluginError("ARRAY", message, "The log of the array has more.")
        return json.loads(text) if text else {}


def holds(volumes: list[Volume]) -> list[HoldTarget]:
    return [{"kind": "fs", "mount": volume["mountPoint"]} for volume in volumes]


def note_of(tx: Transaction, ctx: Context) -> Path:
    return Path(ctx.data_dir, f"{tx['id']}.json")


def snapshot_of(one: dict[str, Any]) -> Snapshot:
    return {
        "id": one["name"],
        "setId": one["group"],
        "volumeId": one["label"]["volumeId"],
        "createdAt": one["createdAt"],
        "method": "array snapshot",
    }


def within(folder: str, relative: str) -> str:
    return os.path.normpath(os.path.join(folder, relative))


serve(lambda options: Provider(Options(**options)))
