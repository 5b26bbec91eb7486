#!/usr/bin/python3 -B
"""A writer for programs that agree on a lock file: a program that changes the data makes the file first, waits while it
exists, and removes it afterwards. So while this writer has the file, nothing changes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from holdstill_contract import Component, FreezeTransaction, Sidecar, ThawReport, WriterTransaction
from holdstill_rpc import Context, PluginError, serve


@dataclass(frozen=True)
class Options:
    """As plugin.json describes them; the host has checked them."""

    data: str
    lock: str


class Writer:
    def __init__(self, options: Options) -> None:
        self.data = Path(options.data)
        self.lock = Path(options.lock)

    def identify(self, ctx: Context) -> list[Component]:
        # Nothing changes while the lock is ours, so a copy has the same value as a snapshot of one instant.
        return [{"name": "data", "kind": "files", "paths": [str(self.data)], "tolerates": "fuzzy"}]

    def freeze(self, tx: FreezeTransaction, ctx: Context) -> dict[str, str]:
        while not self.is_taken(tx):
            ctx.sleep(0.01)
        return {"since": datetime.now(timezone.utc).isoformat()}

    def thaw(self, tx: WriterTransaction, token: Any, ctx: Context) -> ThawReport:
        if self.owner() != mark(tx):
            return {"uninterrupted": False, "reason": f"{self.lock} is not ours any more"}
        self.lock.unlink()
        return {"uninterrupted": True}

    def seal(self, tx: WriterTransaction, ctx: Context) -> Sidecar:
        files = sorted(str(path.relative_to(self.data)) for path in self.data.rglob("*"))
        Path(tx["sidecarDir"], "files.txt").write_text("\n".join(files) + "\n")
        return {"files": ["files.txt"], "facts": {"files": len(files)}}

    def abort(self, tx: WriterTransaction, token: Any, ctx: Context) -> None:
        self.draft(tx).unlink(missing_ok=True)
        if self.owner() == mark(tx):
            self.lock.unlink(missing_ok=True)

    def is_taken(self, tx: WriterTransaction) -> bool:
        """Makes the lock file, which only one program can. It appears whole: if this process is killed, its lock has an owner."""
        draft = self.draft(tx)
        try:
            draft.write_text(mark(tx))
            os.link(draft, self.lock)
            return True
        except FileExistsError:
            return False
        except OSError as error:
            hint = "The folder of the lock file must exist, and be writable for holdstill."
            raise PluginError("LOCK", f"{self.lock} cannot be made: {error.strerror}", hint) from error
        finally:
            draft.unlink(missing_ok=True)

    def draft(self, tx: WriterTransaction) -> Path:
        return self.lock.with_name(f"{self.lock.name}.{tx['id']}")

    def owner(self) -> str | None:
        """The contents of the lock file; None if it does not exist."""
        try:
            return self.lock.read_text()
        except FileNotFoundError:
            return None


def mark(tx: FreezeTransaction | WriterTransaction) -> str:
    """The contents of the lock file while it is ours: from them, a new process knows what to undo."""
    return f"holdstill {tx['id']}\n"


serve(lambda options: Writer(Options(**options)))
