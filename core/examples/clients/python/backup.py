#!/usr/bin/env python3
"""A backup by way of holdstill's service, with Python's standard library:

    backup.py TARGET ARCHIVE-FOLDER        writer:pg-main, /srv, ...

HOLDSTILL_SOCKET names the socket, if it is not /run/holdstill.sock.
"""
import http.client
import json
import os
import socket
import sys
import tarfile


class Refused(Exception):
    """A problem document (RFC 9457): its code is stable, its title and hint are for people."""

    def __init__(self, problem):
        super().__init__(f"{problem['code']}: {problem['title']} {problem['hint']}")
        self.code = problem["code"]


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Holdstill:
    def __init__(self, path):
        self.path = path

    def send(self, method, url, body=None):
        connection = Connection(self.path)
        headers = {} if body is None else {"content-type": "application/json"}
        connection.request(method, url, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        if response.status >= 400:
            raise Refused(json.load(response))
        return response

    def ask(self, method, url, body=None):
        with self.send(method, url, body) as response:
            return json.load(response)

    def events(self, operation):
        """Everything that happens in it, until `ended`, which comes last."""
        with self.send("GET", f"/v1/operations/{operation}/events") as response:
            for line in response:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])


def archive(trees, into):
    for number, tree in enumerate(trees, start=1):
        with tarfile.open(os.path.join(into, f"{number}.tar"), "w") as tar:
            tar.add(tree, arcname=".")


def main(target, into):
    holdstill = Holdstill(os.environ.get("HOLDSTILL_SOCKET", "/run/holdstill.sock"))
    plan = holdstill.ask("POST", "/v1/plans", {"targets": [target]})
    print(f"promised: {plan['promised']}", file=sys.stderr)
    # If we are killed, the set goes when its lease runs out.
    operation = holdstill.ask("POST", "/v1/sets", {"targets": [target], "lease": "5m"})["id"]
    for event in holdstill.events(operation):
        print(event["type"], event.get("phase", ""), file=sys.stderr)
    result = holdstill.ask("GET", f"/v1/operations/{operation}")["state"]["result"]
    if "set" not in result:
        raise Refused({"hint": "", **result["error"], "title": result["error"]["message"]})
    place = f"/v1/sets/{result['set']}"
    try:
        exposed = holdstill.ask("POST", f"{place}/expose")["exposed"]
        trees = [tree["path"] for one in exposed for tree in one["exposed"]["trees"]]
        try:
            archive(trees, into)
        except BaseException:
            holdstill.ask("POST", f"{place}/complete", {"succeeded": False})
            raise
        holdstill.ask("POST", f"{place}/complete", {"succeeded": True})
    finally:
        holdstill.ask("DELETE", f"{place}/lease")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:3])
    except Refused as refused:
        sys.exit(str(refused))
