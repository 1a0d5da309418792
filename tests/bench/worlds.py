"""The systems that tests/bench/powerdns.py measures, each behind the same pdns_server: a backend that does nothing,
Navigator, gsqlite3 and bind. All serve bench.test with the same names."""
import json
import os
import sqlite3

import daemons
import loads
import navigator_daemon
import powerdns_server

UNIT = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "packaging", "systemd", "navigator.service")
CACHES = {
    "off": {**powerdns_server.CACHES_OFF, "zone-cache-refresh-interval": 300},
    "default": {},
    # Ours: as long as one likes, since Navigator purges what changes.
    "long": {"cache-ttl": 3600, "query-cache-ttl": 3600, "negquery-cache-ttl": 3600},
}
APEX = "bench.test"
HEAD = f"""\
{APEX}. 3600 IN SOA ns1.{APEX}. hostmaster.{APEX}. 1 10800 3600 604800 300
{APEX}. 3600 IN NS ns1.{APEX}.
"""


def address(number):
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def write_zone(path, names):
    with open(path, "w", encoding="ascii") as file:
        file.write(HEAD)
        file.writelines(f"{loads.host(number)}. 3600 IN A {address(number)}\n" for number in range(names))


class World:
    """One backend with its pdns_server; subclasses make the data once (prepare) and the backend (open)."""

    name = ""

    def __init__(self, folder, names):
        self.folder = folder
        self.names = names
        self.server = None

    def prepare(self):
        pass

    def open(self, caches):
        """Starts all of it with pdns_server's caches set to CACHES[caches]."""
        raise NotImplementedError

    def close(self):
        if self.server is not None:
            self.server.stop()
            self.server = None

    def change(self, number):
        """One changed address, committed and safe on disk; the systems that cannot have none."""
        raise NotImplementedError

    def start_server(self, backend, caches, deadline=120):
        self.server = powerdns_server.PowerDns(
            self.folder, f"pdns-{self.name}-{len(os.listdir(self.folder.folder))}", backend, CACHES[caches]
        )
        return self.server


class Ceiling(World):
    name = "ceiling"

    def __init__(self, folder, names, peer):
        super().__init__(folder, names)
        self.peer = peer
        self.socket = folder.path("ceiling.sock")
        self.daemon = None

    def open(self, caches):
        self.daemon = daemons.Daemon([self.peer, "backend", self.socket], self.folder.path("ceiling.log"))
        daemons.wait_for("the do-nothing backend", lambda: os.path.exists(self.socket))
        self.start_server(powerdns_server.unix(self.socket), caches).start()

    def close(self):
        super().close()
        if self.daemon is not None:
            self.daemon.stop()
            self.daemon = None
            os.unlink(self.socket)


def packaged_environment():
    """This process's environment and what the packaged unit of Navigator adds to it."""
    with open(UNIT, encoding="utf-8") as unit:
        added = [line.split("=", 1)[1].strip().split("=", 1) for line in unit if line.startswith("Environment=")]
    return {**os.environ, **dict(added)}


class NavigatorWorld(World):
    """`connector` is unix, http or pipe."""

    def __init__(self, folder, names, connector="unix"):
        super().__init__(folder, names)
        self.connector = connector
        self.name = "navigator" if connector == "unix" else f"navigator-{connector}"
        self.database = folder.path("navigator.db")
        self.navigator = None
        self.connection = None

    def prepare(self):
        zone = self.folder.path("bench.zone")
        write_zone(zone, self.names)
        navigator_daemon.Navigator(self.folder).command("zone", "import", APEX, zone, timeout=600)

    def open(self, caches):
        port = daemons.free_port() if self.connector == "http" else None
        # The control socket's path must be known to Navigator before pdns_server exists.
        remote = self.folder.path("remote.sock")
        backend = {
            "unix": lambda: powerdns_server.unix(remote),
            "http": lambda: powerdns_server.http(port),
            "pipe": lambda: powerdns_server.pipe(navigator_daemon.NAVIGATOR, remote),
        }[self.connector]()
        self.start_server(backend, caches)
        self.navigator = navigator_daemon.Navigator(self.folder, [self.server.control], http_port=port)
        self.navigator.start(deadline=120, env=packaged_environment())
        self.server.start()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        super().close()
        if self.navigator is not None:
            self.navigator.stop()
            self.navigator = None

    def set_address(self, name, value):
        if self.connection is None:
            self.connection = daemons.UnixConnection(self.navigator.api)
        body = json.dumps({"rrsets": [{"name": name + ".", "type": "A", "ttl": 3600, "contents": [value]}]})
        self.connection.request("PUT", f"/v1/zones/{APEX}/rrsets", body)
        response = self.connection.getresponse()
        text = response.read()
        assert response.status == 200, text

    def change(self, number):
        self.set_address(loads.host(number * 104729 % self.names), address(number + 1))


class Gsqlite3(World):
    name = "gsqlite3"

    def __init__(self, folder, names):
        super().__init__(folder, names)
        self.path = folder.path("gsqlite3.db")
        self.database = None

    def prepare(self):
        database = powerdns_server.create_database(self.path, durable=False)
        database.execute("BEGIN")
        database.execute("INSERT INTO domains (id, name, type) VALUES (1, ?, 'NATIVE')", [APEX])
        insert = "INSERT INTO records (domain_id, name, type, content, ttl, prio, auth) VALUES (1, ?, ?, ?, 3600, 0, 1)"
        for line in HEAD.splitlines():
            owner, _, _, rtype, content = line.split(None, 4)
            database.execute(insert, [owner.rstrip("."), rtype, content.replace(". ", " ").rstrip(".")])
        database.executemany(insert, ((loads.host(number), "A", address(number)) for number in range(self.names)))
        database.execute("COMMIT")
        database.execute("ANALYZE")
        database.close()

    def open(self, caches):
        self.start_server(powerdns_server.gsqlite3(self.path), caches).start(120)

    def close(self):
        super().close()
        if self.database is not None:
            self.database.close()
            self.database = None

    def change(self, number):
        if self.database is None:
            self.database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=20)
            self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute(
            "UPDATE records SET content = ? WHERE name = ? AND type = 'A'",
            [address(number + 1), loads.host(number * 104729 % self.names)],
        )


class Bind(World):
    name = "bind"

    def prepare(self):
        zone = self.folder.path("bind.zone")
        write_zone(zone, self.names)
        self.folder.write("named.conf", f'zone "{APEX}" {{ type master; file "{zone}"; }};\n')

    def open(self, caches):
        self.start_server(powerdns_server.bind(self.folder.path("named.conf")), caches).start(300)
