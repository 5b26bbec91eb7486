#!/usr/bin/python3 -B
"""A provider that copies. Its whole state is in its store, so that a new process can continue where another one died:

STORE/SET.partial/volumes.json   while the set is made
STORE/SET/volumes.json           once it is sealed
STORE/SET/0/srv/data             the copy of /srv/data, of the first volume
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from holdstill_contract import CriticalSection, Exposed, Snapshot, Support, Transaction, View, Volume
from holdstill_rpc import Context, PluginError, serve


@dataclass(frozen=True)
class Options:
    """As plugin.json describes them; the host has checked them."""

    store: str


@dataclass(frozen=True)
class Copy:
    """One volume's part of a set."""

    folder: Path
    paths: list[str]
    snapshot: Snapshot


class Provider:
    def __init__(self, options: Options) -> None:
        self.store = Path(options.store)

    def match(self, volume: Volume, ctx: Context) -> Support:
        return {"pointInTime": False, "method": "copy", "where": str(self.store)}

    def prepare(self, tx: Transaction, volumes: list[Volume], ctx: Context) -> CriticalSection:
        folder = self.partial(tx["id"])
        # Other users may pass to the copies, which have the modes of their originals: an application reads its own files there.
        folder.mkdir(mode=0o711)
        write_durably(folder / "volumes.json", json.dumps(volumes))
        # The kernel holds nothing. The snapshot is taken by `commit` below.
        return {"hold": [], "commit": [{"op": "plugin"}]}

    def commit(self, tx: Transaction, ctx: Context) -> None:
        folder = self.partial(tx["id"])
        for at, volume in enumerate(volumes_in(folder)):
            to = folder / str(at)
            to.mkdir(mode=0o711)
            for path in volume["paths"]:
                ctx.progress(f"copy of {path}")
                make_parents(Path(path), to)
                copy(path, to / path.lstrip("/"), ctx)

    def seal(self, tx: Transaction, ctx: Context) -> list[Snapshot]:
        self.partial(tx["id"]).rename(self.store / tx["id"])
        return [one.snapshot for one in self.copies(tx["id"])]

    def abort(self, tx: Transaction, ctx: Context) -> None:
        for folder in (self.partial(tx["id"]), self.store / tx["id"]):
            remove_all(folder)

    def list(self, ctx: Context) -> list[Snapshot]:
        self.assert_there()
        sets = [path.name for path in self.store.iterdir() if path.suffix != ".partial"]
        return [one.snapshot for name in sets for one in self.copies(name)]

    def expose(self, snapshot: Snapshot, view: View, ctx: Context) -> Exposed:
        found = self.find(snapshot)
        if found is None:
            self.assert_there()
            message = f"The snapshot {snapshot['id']} does not exist."
            raise PluginError("UNKNOWN_SNAPSHOT", message, "`holdstill providers` lists all.")
        # The copy is readable anyway; only what is thrown away later needs a separate place.
        shown = scratch_of(found.folder, ctx) if view["access"] == "scratch" else found.folder
        trees = [{"original": path, "path": str(shown / path.lstrip("/"))} for path in found.paths]
        return {"trees": trees, "readOnly": False}

    def unexpose(self, snapshot: Snapshot, ctx: Context) -> None:
        found = self.find(snapshot)
        if found is None:
            return self.assert_there()
        throw_away(found.folder)

    def remove(self, snapshot: Snapshot, ctx: Context) -> None:
        found = self.find(snapshot)
        if found is None:
            return self.assert_there()
        throw_away(found.folder)
        remove_all(found.folder)
        if not self.copies(snapshot["setId"]):
            remove_all(self.store / snapshot["setId"])

    def assert_there(self) -> None:
        """A store that is not mounted is not a store without snapshots."""
        if not self.store.exists():
            raise PluginError("UNREACHABLE", f"The store {self.store} does not exist.", "Mount its file system.")

    def partial(self, set_id: str) -> Path:
        return self.store / f"{set_id}.partial"

    def find(self, snapshot: Snapshot) -> Copy | None:
        return next((one for one in self.copies(snapshot["setId"]) if one.snapshot["id"] == snapshot["id"]), None)

    def copies(self, set_id: str) -> list[Copy]:
        """The copies of a sealed set that have not been removed: one for each volume."""
        folder = self.store / set_id
        notes = folder / "volumes.json"
        if not notes.exists():
            return []
        created_at = datetime.fromtimestamp(notes.stat().st_mtime, timezone.utc).isoformat()
        return [
            Copy(folder / str(at), volume["paths"], snapshot_of(set_id, at, volume, created_at, folder / str(at)))
            for at, volume in enumerate(volumes_in(folder))
            if (folder / str(at)).exists()
        ]


def snapshot_of(set_id: str, at: int, volume: Volume, created_at: str, folder: Path) -> Snapshot:
    return {
        "id": f"{set_id}.{at}",
        "setId": set_id,
        "volumeId": volume["id"],
        "createdAt": created_at,
        "method": "copy",
        "facts": {"folder": str(folder)},
    }


def volumes_in(folder: Path) -> list[Volume]:
    return json.loads((folder / "volumes.json").read_text())


def make_parents(path: Path, root: Path) -> None:
    """The folders above a copy, in which users can enter what they can enter in the originals, and no more."""
    for original in reversed(path.parents[:-1]):
        to = root / str(original).lstrip("/")
        to.mkdir(mode=0o700, exist_ok=True)
        found = original.stat()
        if os.geteuid() == 0:
            os.chown(to, found.st_uid, found.st_gid)
        to.chmod(stat.S_IMODE(found.st_mode))


def copy(path: str | Path, to: Path, ctx: Context) -> None:
    result = ctx.exec("cp", ["-a", "--reflink=auto", "-T", "--", str(path), str(to)])
    ctx.check()
    if result["exitCode"] != 0:
        hint = "Make sure that it may be read, and that there is enough space."
        raise PluginError("COPY_FAILED", result["stderr"].strip(), hint)


def scratch_of(folder: Path, ctx: Context) -> Path:
    """A copy of the copy, which unexpose throws away. It has its name once it is whole."""
    scratch = folder.with_name(f"{folder.name}.scratch")
    if not scratch.exists():
        throw_away(folder)
        partial = folder.with_name(f"{folder.name}.scratch.partial")
        copy(folder, partial, ctx)
        partial.rename(scratch)
    return scratch


def throw_away(folder: Path) -> None:
    for end in ("scratch", "scratch.partial"):
        remove_all(folder.with_name(f"{folder.name}.{end}"))


def remove_all(folder: Path) -> None:
    """If it does not exist, nothing is to be done. Any other failure must be seen."""
    if folder.exists():
        shutil.rmtree(folder)


def write_durably(path: Path, text: str) -> None:
    """Appears whole under its name, also after a power cut."""
    draft = path.with_suffix(".new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


serve(lambda options: Provider(Options(**options)))
