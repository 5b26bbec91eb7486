"""The client of provider-rbd: a process with one connection to the cluster, kept ready so that a commit starts no program.

It reads requests from stdin, one JSON object a line, `{ "id", "op", "args" }`, and answers each with `{ "id", "result" }` or
`{ "id", "error": { "errno", "message" } }`. Requests run at the same time. It ends with its stdin.

The first argument is a JSON object: conf, user, keyring. The first line of its output is the answer to the connection, with the id 0.
"""

import ctypes
import errno
import functools
import json
import os
import sys
import threading

import rados
import rbd

# Of the answer if librados has no number for an error.
UNKNOWN_ERRNO = 5
# One object in each pool and namespace: its omap has the entries of the snapshots, as that of ceph-csi does.
JOURNAL = "holdstill.provider-rbd"
# What a clone has of its parent. A journal is for mirroring, which a clone for reading does not need.
SHARED_FEATURES = (
    rbd.RBD_FEATURE_LAYERING
    | rbd.RBD_FEATURE_EXCLUSIVE_LOCK
    | rbd.RBD_FEATURE_OBJECT_MAP
    | rbd.RBD_FEATURE_FAST_DIFF
    | rbd.RBD_FEATURE_DEEP_FLATTEN
)

# How long the images may take to close at the end, s.
CLOSING = 2

kept = {}
running = set()
output = threading.Lock()


def answer(message):
    line = json.dumps(message)
    with output:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def ioctx(at):
    opened = cluster.open_ioctx(at["pool"])
    opened.set_namespace(at["namespace"])
    return opened


def image(of, read_only=True):
    """By its id, which a rename does not change; by its name if that is all that is known."""
    named = {"image_id": of["id"]} if "id" in of else {"name": of["name"]}
    return rbd.Image(ioctx(of), read_only=read_only, **named)


def name_of(pool_id):
    return cluster.pool_reverse_lookup(pool_id)


def kind_of(snap):
    kinds = {rbd.RBD_SNAP_NAMESPACE_TYPE_USER: "user", rbd.RBD_SNAP_NAMESPACE_TYPE_GROUP: "group"}
    return kinds.get(snap["namespace"], "other")


def snapshot_of(snap):
    group = snap.get("group")
    name = snap["name"] if group is None else group["snap_name"]
    return {"id": snap["id"], "kind": kind_of(snap), "name": name, "group": None if group is None else group["name"]}


def group_of(opened, namespace):
    group = opened.group()
    return None if group["name"] == "" else {"pool": name_of(group["pool"]), "namespace": namespace, "name": group["name"]}


def info(of):
    with image(of) as opened:
        features = opened.features()
        return {
            "id": opened.id(),
            "name": opened.get_name(),
            "sizeBytes": opened.size(),
            "exclusiveLock": bool(features & rbd.RBD_FEATURE_EXCLUSIVE_LOCK),
            "group": group_of(opened, of["namespace"]),
            "snapshots": [snapshot_of(snap) for snap in opened.list_snaps()],
            "watchers": [watcher["addr"] for watcher in opened.watchers_list()],
        }


def keep(of):
    """Opens an image, so that its snapshot needs no other request first."""
    kept[of["pool"], of["namespace"], of["id"]] = image(of, read_only=False)


def let_go(of):
    opened = kept.pop((of["pool"], of["namespace"], of["id"]), None)
    if opened is not None:
        opened.close()


def create_snapshot(of, name):
    opened = kept.get((of["pool"], of["namespace"], of.get("id")))
    if opened is not None:
        return opened.create_snap(name, rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)
    with image(of, read_only=False) as opened:
        return opened.create_snap(name, rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)


def remove_snapshot(of, name):
    with image(of, read_only=False) as opened:
        opened.remove_snap(name)


def create_group_snapshot(group, name):
    # rbd.Group does not keep what it is opened in.
    inside = ioctx(group)
    rbd.Group(inside, group["name"]).create_snap(name, rbd.RBD_SNAP_CREATE_SKIP_QUIESCE)


def remove_group_snapshot(group, name):
    inside = ioctx(group)
    rbd.Group(inside, group["name"]).remove_snap(name)


def layout_of(opened):
    data_pool = opened.data_pool_id()
    own = {"features": opened.features() & SHARED_FEATURES | rbd.RBD_FEATURE_LAYERING}
    return own if data_pool == -1 else {**own, "data_pool": name_of(data_pool)}


def clone(of, snapshot, to):
    """`snapshot` is a name; or the id of a snapshot in a group, which only librbd with rbd_clone4 can clone from."""
    with image(of) as opened:
        layout, name = layout_of(opened), opened.get_name()
    rbd.RBD().clone(ioctx(of), name, snapshot, ioctx(of), to, **layout)


def copy(of, snapshot, to):
    with image(of) as opened:
        layout = layout_of(opened)
        opened.set_snap_by_id(snapshot)
        opened.copy(ioctx(of), to, **layout)


def remove_image(at, name):
    inside = ioctx(at)
    with rbd.Image(inside, name) as opened:
        for snap in list(opened.list_snaps()):
            if kind_of(snap) == "user":
                opened.remove_snap(snap["name"])
    rbd.RBD().remove(inside, name)


def roll_back(of, name):
    """Refuses an image that any other client has open for writing: what is cached there would be mixed into the old contents."""
    with image(of, read_only=False) as opened:
        if len(list(opened.watchers_list())) > 1:
            raise rbd.ImageBusy("it is in use", errno=errno.EBUSY)
        if opened.features() & rbd.RBD_FEATURE_EXCLUSIVE_LOCK:
            opened.lock_acquire(rbd.RBD_LOCK_MODE_EXCLUSIVE)
        opened.rollback_to_snap(name)


def read_journal(at):
    inside = ioctx(at)
    try:
        with rados.ReadOpCtx() as read:
            values, _ = inside.get_omap_vals(read, "", "", 100_000)
            inside.operate_read_op(read, JOURNAL)
            return {key: value.decode() for key, value in values}
    except rados.ObjectNotFound:
        return {}


def write_journal(at, key, value):
    with rados.WriteOpCtx() as write:
        ioctx(at).set_omap(write, (key,), (value.encode(),))
        ioctx(at).operate_write_op(write, JOURNAL)


def remove_from_journal(at, key):
    inside = ioctx(at)
    try:
        with rados.WriteOpCtx() as write:
            inside.remove_omap_keys(write, (key,))
            inside.operate_write_op(write, JOURNAL)
    except rados.ObjectNotFound:
        pass


def space(at):
    stats = cluster.get_cluster_stats()
    return {"totalBytes": stats["kb"] * 1024, "freeBytes": stats["kb_avail"] * 1024}


operations = {
    "info": info,
    "keep": keep,
    "letGo": let_go,
    "createSnapshot": create_snapshot,
    "removeSnapshot": remove_snapshot,
    "createGroupSnapshot": create_group_snapshot,
    "removeGroupSnapshot": remove_group_snapshot,
    "clone": clone,
    "copy": copy,
    "removeImage": remove_image,
    "rollBack": roll_back,
    "readJournal": read_journal,
    "writeJournal": write_journal,
    "removeFromJournal": remove_from_journal,
    "space": space,
}


def perform(number, work):
    running.add(number)
    try:
        answer({"id": number, "result": work()})
    except Exception as error:  # each request has its answer
        code = getattr(error, "errno", None)
        known = abs(code) if isinstance(code, int) else UNKNOWN_ERRNO
        answer({"id": number, "error": {"errno": known, "message": str(error)}})
    finally:
        running.discard(number)


def connect(conf, user, keyring=None):
    global cluster
    settings = {"rbd_default_clone_format": "2", "log_file": "", "admin_socket": ""}
    if keyring is not None:
        settings["keyring"] = keyring
    cluster = rados.Rados(conffile=conf, rados_id=user, conf=settings)
    cluster.connect()
    return {"fsid": cluster.get_fsid(), "clonesGroups": hasattr(ctypes.CDLL("librbd.so.1"), "rbd_clone4")}


def main():
    perform(0, lambda: connect(**json.loads(sys.argv[1])))
    for line in sys.stdin:
        request = json.loads(line)
        work = functools.partial(operations[request["op"]], **request["args"])
        threading.Thread(target=perform, args=(request["id"], work), daemon=True).start()
    # What is under way ends here. Otherwise images are closed: the cluster waits half a minute for a client that has left one open.
    if not running:
        closing = threading.Thread(target=close_all, daemon=True)
        closing.start()
        closing.join(CLOSING)
    os._exit(0)


def close_all():
    for opened in list(kept.values()):
        opened.close()
    cluster.shutdown()


main()
