"""One pdns_server on loopback over any backend, and the SQL backend's database beside it."""
import os
import signal
import socket
import sqlite3

import daemons

SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

# Everything off that may answer from memory; the zone cache is named apart, since it decides which calls are made.
CACHES_OFF = {
    "cache-ttl": 0,
    "query-cache-ttl": 0,
    "negquery-cache-ttl": 0,
    "zone-metadata-cache-ttl": 0,
    "dnssec-key-cache-ttl": 0,
    "zone-cache-refresh-interval": 0,
}


class PowerDns:
    """`backend` holds the launch and backend settings; `name` names its files in `folder` (daemons.Folder)."""

    def __init__(self, folder, name, backend, settings=None, program="pdns_server"):
        self.folder = folder
        self.name = name
        self.program = program
        self.port = daemons.free_port()
        self.config_dir = folder.path(name)
        os.mkdir(self.config_dir)
        self.control = os.path.join(self.config_dir, "pdns.controlsocket")
        lines = {
            "local-address": "127.0.0.1",
            "local-port": self.port,
            "socket-dir": self.config_dir,
            "setuid": "",
            "setgid": "",
            "guardian": "no",
            "daemon": "no",
            "disable-syslog": "yes",
            "write-pid": "no",
            "loglevel": 4,
            "security-poll-suffix": "",
            **backend,
            **(settings or {}),
        }
        with open(os.path.join(self.config_dir, "pdns.conf"), "w", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in lines.items())
        self.daemon = None

    def start(self, deadline=daemons.DEADLINE):
        """Returns once it answers; the seconds are the caller's to measure."""
        self.daemon = daemons.Daemon(
            [self.program, "--config-dir=" + self.config_dir], self.folder.path(self.name + ".log")
        )
        # An ordinary question about a name that nobody has: any answer at all shows that the server serves.
        question = b"\x53\x4f\0\0\0\1\0\0\0\0\0\0\5ready\7invalid\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", self.port))
            client.settimeout(0.2)

            def ready():
                self.daemon.check()
                client.send(question)
                return client.recv(512)

            daemons.wait_for(f"{self.name} answers", ready, deadline)

    def stop(self, how=signal.SIGTERM):
        if self.daemon is not None:
            self.daemon.stop(how)
            self.daemon = None

    def pdnsutil(self, *arguments, check=True, stdin=None, env=None, timeout=120):
        return daemons.run(
            "pdnsutil",
            "--config-dir=" + self.config_dir,
            *arguments,
            check=check,
            stdin=stdin,
            env=env,
            timeout=timeout,
        )

    def control_command(self, *arguments, check=True):
        return daemons.run("pdns_control", "--config-dir=" + self.config_dir, *arguments, check=check)


def remote(connection, dnssec=True):
    return {"launch": "remote", "remote-connection-string": connection, "remote-dnssec": "yes" if dnssec else "no"}


def unix(path, timeout_ms=20000):
    return remote(f"unix:path={path},timeout={timeout_ms}")


def http(port, timeout_ms=20000):
    return remote(f"http:url=http://127.0.0.1:{port}/,post=1,post_json=1,timeout={timeout_ms}")


def http_forms(port, timeout_ms=20000):
    """The method in the target, its parameters in a form: post without post_json."""
    return remote(f"http:url=http://127.0.0.1:{port}/dns,post=1,timeout={timeout_ms}")


def pipe(program, socket_path, timeout_ms=20000):
    return remote(f"pipe:command={program} pipe --socket {socket_path},timeout={timeout_ms}")


def gsqlite3(database):
    return {"launch": "gsqlite3", "gsqlite3-database": database, "gsqlite3-dnssec": "yes"}


def bind(named_conf, dnssec_db=None):
    settings = {"launch": "bind", "bind-config": named_conf}
    if dnssec_db is not None:
        settings["bind-dnssec-db"] = dnssec_db
    return settings


def create_database(path, durable=True):
    """An empty database for gsqlite3, in WAL mode as operators who write while they serve have it."""
    with open(SCHEMA, encoding="utf-8") as file:
        schema = file.read()
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
    database.executescript(schema)
    return database
