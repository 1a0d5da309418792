"""One Navigator in a folder: its settings, its life, its API, its command line, its backend socket."""
import functools
import http.client
import json
import os
import signal
import socket
import tempfile

import daemons

NAVIGATOR = os.path.abspath(os.environ.get("NAVIGATOR", "build/release/bin/navigator"))


@functools.cache
def has_pipe():
    """Whether this binary has the pipe connector's command."""
    return "\n  pipe" in daemons.run(NAVIGATOR, "--help", check=False).stdout


@functools.cache
def has_http():
    """Whether this binary knows the setting remote.http: an unknown key is refused with its name."""
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "navigator.yaml")
        with open(config, "w", encoding="utf-8") as file:
            # The store's URL is wrong on purpose, so that nothing starts either way.
            file.write(f"store: {{ url: none }}\nremote: {{ http: 127.0.0.1:1 }}\napi: {{ unix: {folder}/a }}\n")
        refused = daemons.run(NAVIGATOR, "--config", config, "serve", check=False, timeout=20)
        return "'http' is unknown" not in refused.stdout + refused.stderr


class Navigator:
    """Sockets, store and log lie in `folder` (daemons.Folder). `api`: what is set there beside the socket."""

    def __init__(self, folder, control=(), http_port=None, extra="", api=""):
        self.folder = folder
        self.api = folder.path("api.sock")
        self.remote = folder.path("remote.sock")
        self.http_port = http_port
        listen_http = f", http: 127.0.0.1:{http_port}" if http_port else ""
        self.config = folder.write(
            "navigator.yaml",
            f"""\
store: {{ url: "sqlite://{folder.path('navigator.db')}" }}
remote: {{ unix: {self.remote}{listen_http} }}
api: {{ unix: {self.api}{api and ", " + api} }}
powerdns: {{ control: [{', '.join(control)}] }}
{extra}""",
        )
        self.daemon = None

    def start(self, deadline=daemons.DEADLINE, **options):
        self.daemon = daemons.Daemon(
            [NAVIGATOR, "--config", self.config, "serve"], self.folder.path("navigator.log"), **options
        )

        def ready():
            self.daemon.check()
            return self.call("GET", "/healthz")[0] == 200

        daemons.wait_for("navigator is healthy", ready, deadline)

    def stop(self, how=signal.SIGTERM):
        """The exit code; None when it did not run."""
        if self.daemon is None:
            return None
        code = self.daemon.stop(how)
        self.daemon = None
        return code

    def command(self, *arguments, check=True, timeout=120):
        return daemons.run(NAVIGATOR, "--config", self.config, *arguments, check=check, timeout=timeout)

    def call(self, method, target, body=None, timeout=20):
        """Status and body of one API call; OSError when there is no daemon."""
        connection = daemons.UnixConnection(self.api, timeout)
        try:
            connection.request(method, target, body=body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (ConnectionError, FileNotFoundError, http.client.HTTPException) as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def import_zone(self, apex, text):
        status, answer = self.call(
            "PUT", f"/v1/zones/{apex.rstrip('.') or '.'}/import", text.encode("utf-8"), timeout=300
        )
        assert status in (200, 201), f"{apex}: {status} {answer}"

    def put(self, zone, name, rtype, contents, ttl=3600):
        """One RRset through the API; what it answered."""
        body = json.dumps({"rrsets": [{"name": name, "type": rtype, "ttl": ttl, "contents": contents}]})
        status, answer = self.call("PUT", f"/v1/zones/{zone}/rrsets", body)
        assert status == 200, answer
        return json.loads(answer)

    def backend(self):
        return Backend(self.remote)


class Backend:
    """PowerDNS's side of one connection to the backend's socket."""

    def __init__(self, path, timeout=20):
        self.peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.peer.settimeout(timeout)
        self.peer.connect(path)
        self.stream = self.peer.makefile("rwb")
        assert self.ask("initialize", path=path) == {"result": True}

    def raw(self, line):
        """The reply's octets; empty when the connection was closed instead."""
        self.stream.write(line + b"\n")
        self.stream.flush()
        return self.stream.readline()

    def ask(self, method, **parameters):
        """The reply; None when the connection was closed instead."""
        reply = self.raw(json.dumps({"method": method, "parameters": parameters}).encode())
        return json.loads(reply) if reply else None

    def close(self):
        self.stream.close()
        self.peer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask_lines(path, *lines):
    """Raw lines over one connection to the backend's socket; the replies, None where the connection was closed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(10)
        peer.connect(path)
        stream = peer.makefile("rwb")
        replies = []
        for line in lines:
            stream.write(line.encode() + b"\n")
            stream.flush()
            reply = stream.readline()
            replies.append(json.loads(reply) if reply else None)
            if not reply:
                break
        return replies
