#!/usr/bin/env python3
"""Navigator is replaced under load and no query is lost: by a service manager that keeps sockets, by `serve --replace`,
over the unix and the http connector; and with the pipe connector by a plain restart.

Needs what powerdns_test.py needs. pdns_server runs with every cache off and three distributor threads, so
that each query asks Navigator several times. SOVEREIGN_LONG=1 makes 24 restarts of 6.

The store lies in memory where there is /dev/shm: PowerDNS waits 2 s, and a disk that other programs keep busy may take longer
to make the two files SQLite wants at its start. What is measured here is the program's part of a restart.
"""
import json
import os
import re
import select
import socket
import struct
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import daemons  # noqa: E402
import stack as stacks  # noqa: E402
from navigator_daemon import NAVIGATOR  # noqa: E402
from powerdns_test import ZONE  # noqa: E402
from service_manager import ServiceManager  # noqa: E402

if os.path.isdir("/dev/shm"):
    tempfile.tempdir = "/dev/shm"
RESTARTS = 24 if os.environ.get("SOVEREIGN_LONG") else 6
RATE = 1000
# PowerDNS's http connector waits a whole millisecond before each of its calls, so that is what it can do uncached.
HTTP_RATE = 250
LOST_AFTER = 5.0
CODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


class Load:
    """Queries at a fixed rate from a thread of its own; every one must be answered within LOST_AFTER seconds."""

    def __init__(self, port, rate=RATE):
        self.rate = rate
        self.target = ("127.0.0.1", port)
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
        for one in self.sockets:
            one.setblocking(False)
        self.waiting = {}  # (socket number, query id) -> sent at
        self.sent = self.lost = 0
        self.codes = {}
        self.slowest = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    @staticmethod
    def _query(number, name):
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        return struct.pack("!6H", number, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)

    def _send(self):
        at = self.sent % len(self.sockets)
        number = self.sent // len(self.sockets) % 65536
        if (at, number) in self.waiting:
            self.lost += 1
        name = f"missing-{self.sent}.example.test" if self.sent % 10 == 0 else f"host-{self.sent % 500}.example.test"
        self.sockets[at].sendto(self._query(number, name), self.target)
        self.waiting[at, number] = time.monotonic()
        self.sent += 1

    def _receive(self, wait):
        for ready in select.select(self.sockets, [], [], wait)[0]:
            try:
                data = ready.recv(4096)
            except ConnectionError:
                continue
            number, flags = struct.unpack("!2H", data[:4])
            begun = self.waiting.pop((self.sockets.index(ready), number), None)
            if begun is not None:
                code = CODES.get(flags & 15, str(flags & 15))
                self.codes[code] = self.codes.get(code, 0) + 1
                self.slowest = max(self.slowest, time.monotonic() - begun)

    def _run(self):
        begin = time.monotonic()
        while not self.ended.is_set():
            due = int((time.monotonic() - begin) * self.rate)
            while self.sent < due:
                self._send()
            self._receive(0.001)
        end = time.monotonic() + LOST_AFTER
        while self.waiting and time.monotonic() < end:
            self._receive(0.05)
        self.lost += len(self.waiting)

    def stop(self):
        self.ended.set()
        self.thread.join()
        for one in self.sockets:
            one.close()


class Stack(stacks.Stack):
    def __init__(self):
        caches = ("cache", "query-cache", "negquery-cache", "zone-metadata-cache", "dnssec-key-cache")
        super().__init__({"distributor-threads": 3, "queue-limit": 5000, **{f"{name}-ttl": 0 for name in caches}})
        self.http_port = daemons.free_port()
        self.set_pdns(f"unix:path={self.remote},timeout=2000")
        records = "\n".join(f"host-{i}.example.test. 60 IN A 192.0.2.{i % 250 + 1}" for i in range(500))
        self.write("example.test.zone", ZONE + records + "\n")
        self.command("zone", "import", "example.test", self.path("example.test.zone"))

    def set_navigator(self, remote):
        self.write("navigator.yaml", f"""\
store: {{ url: "sqlite://{self.path('navigator.db')}" }}
{remote}
api: {{ unix: {self.api} }}
powerdns: {{ control: [{self.control}] }}
""")

    def set_pdns(self, connection):
        path = os.path.join(self.server.config_dir, "pdns.conf")
        with open(path, encoding="utf-8") as file:
            text = re.sub("remote-connection-string=.*", f"remote-connection-string={connection}", file.read())
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def serve(self, *options):
        return daemons.Daemon([NAVIGATOR, "--config", self.config, "serve", *options], self.path("navigator.log"))

    def healthy(self):
        try:
            return self.call("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def succeed(self):
        """Starts a successor; the one that ran before."""
        before, self.daemon.daemon = self.daemon.daemon, self.serve("--replace")
        return before

    def sessions(self):
        return json.loads(self.call("GET", "/v1/status")[1])["powerdns_connections"]


class Base(stacks.StackCase):
    def setUp(self):
        self.stack = Stack()
        self.addCleanup(self.stack.close)
        self.addCleanup(self.show_logs)

    def load(self, rate=RATE):
        load = Load(self.stack.port, rate)
        self.addCleanup(load.stop)
        return load

    def check(self, load, at_least):
        load.stop()
        print(f"  {self.id().split('.')[-1]}: sent {load.sent} lost {load.lost} {load.codes} slowest "
              f"{load.slowest * 1000:.0f} ms", flush=True)
        self.assertGreaterEqual(load.sent, at_least)
        self.assertEqual(load.lost, 0)
        self.assertEqual(sorted(load.codes), ["NOERROR", "NXDOMAIN"])

    def settle(self, load):
        """Half a second of load, answered, between two restarts."""
        answered = lambda: sum(load.codes.values())
        begin = answered()
        daemons.wait_for("the load goes on", lambda: answered() - begin >= load.rate / 2)


class UnderLoad(Base):
    def restarts(self, rate=RATE):
        stack = self.stack
        manager = ServiceManager(stack.folder, [NAVIGATOR, "--config", stack.config, "serve"],
                                 stack.path("navigator.log"))
        self.addCleanup(manager.close)
        manager.start()
        stack.start_pdns()
        load = self.load(rate)
        for at in range(RESTARTS):
            self.settle(load)
            if at % 2 == 0:
                self.assertEqual(manager.stop(), 0)
                self.assertGreaterEqual(len(manager.names()), 4, "a listener and three connections are kept")
                manager.start()
                self.assertEqual(manager.names(), [], "what was taken over is kept no longer")
            else:
                self.assertEqual(manager.replace(), 0)
        self.settle(load)
        self.check(load, rate * RESTARTS / 2)

    def test_no_query_is_lost_over_unix(self):
        self.restarts()

    def test_no_query_is_lost_over_http(self):
        self.stack.set_navigator(f"remote: {{ unix: {self.stack.remote}, http: 127.0.0.1:{self.stack.http_port} }}")
        self.stack.set_pdns(f"http:url=http://127.0.0.1:{self.stack.http_port}/,post=1,post_json=1,timeout=2000")
        self.restarts(HTTP_RATE)

    def test_the_pipe_connector_survives_plain_restarts(self):
        stack = self.stack
        stack.set_pdns(f"pipe:command={os.path.abspath(NAVIGATOR)} pipe --socket {stack.remote},timeout=2000")
        stack.start_navigator()
        stack.start_pdns()
        load = self.load()
        for _ in range(max(2, RESTARTS // 3)):
            self.settle(load)
            self.assertEqual(stack.stop_navigator(), 0)
            stack.start_navigator()
        self.settle(load)
        self.check(load, RATE)
        # PowerDNS does not tell its children that it ends: the end of their input must.
        self.assertTrue(self.relays())
        stack.stop_pdns()
        daemons.wait_for("the relays have ended", lambda: not self.relays())

    def relays(self):
        """The processes that relay to this test's Navigator."""
        wanted = f"pipe\0--socket\0{self.stack.remote}\0".encode()
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if wanted in file.read():
                        found.append(int(pid))
            except OSError:
                pass  # it has ended meanwhile
        return found

    @staticmethod
    def hear(peer):
        """Up to the last packet of what the running one says to one word."""
        while True:
            packet, descriptors, _, _ = socket.recv_fds(peer, 4096, 4)
            for descriptor in descriptors:
                os.close(descriptor)
            if not packet.startswith(b"socket "):
                return packet

    def test_a_successor_that_dies_costs_nothing(self):
        stack = self.stack
        stack.start_navigator()
        stack.start_pdns()
        load = self.load()
        for words in ([b"navigator 1 release"], [b"navigator 1 release", b"give"]):
            self.settle(load)
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
                peer.settimeout(20)
                peer.connect(stack.remote + ".handover")
                for word in words:
                    peer.send(word)
                    self.hear(peer)
            daemons.wait_for("the running one is whole again", stack.healthy)
            self.assertIsNone(stack.daemon.daemon.process.poll())
            stack.put("after", "A", [f"192.0.2.{len(words)}"])
        self.settle(load)
        self.check(load, RATE)


class Succession(Base):
    def connect(self):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(peer.close)
        peer.settimeout(20)
        peer.connect(self.stack.remote)
        return peer

    def ask(self, peer, method, **parameters):
        peer.sendall(json.dumps({"method": method, "parameters": parameters}).encode() + b"\n")
        return self.reply(peer)

    @staticmethod
    def reply(peer):
        data = b""
        while not data.endswith(b"\n"):
            piece = peer.recv(65536)
            if not piece:
                return None
            data += piece
        return json.loads(data)["result"]

    def test_a_second_daemon_is_refused_and_told_who_is_there(self):
        stack = self.stack
        stack.start_navigator()
        pid = str(stack.daemon.daemon.pid)
        for options in ([], ["--config", None]):
            config = stack.config
            if options:  # another store, the same socket
                config = stack.write("other.yaml", f"""\
store: {{ url: "sqlite://{stack.path('other.db')}" }}
remote: {{ unix: {stack.remote} }}
api: {{ unix: {stack.path('other-api.sock')} }}
powerdns: {{ control: [] }}
""")
            done = daemons.run(NAVIGATOR, "--config", config, "serve", check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"process {pid}", done.stderr.splitlines()[-1])
        self.assertTrue(stack.healthy())

    def test_connections_half_requests_and_transactions_go_on(self):
        stack = self.stack
        stack.start_navigator()
        idle, halved, busy = self.connect(), self.connect(), self.connect()
        for peer in (idle, halved, busy):
            self.assertTrue(self.ask(peer, "initialize", path=stack.remote))
        domain = self.ask(idle, "getDomainInfo", name="example.test.")["id"]
        self.assertTrue(self.ask(busy, "startTransaction", domain="example.test.", domain_id=-1, trxid=1))
        halved.sendall(b'{"method": "getDomainInfo", ')
        before = stack.succeed()

        def refused():
            begun = self.ask(idle, "startTransaction", domain="example.test.", domain_id=-1, trxid=2)
            return not begun or not self.ask(idle, "abortTransaction", trxid=2)

        daemons.wait_for("no transaction begins any more", refused)
        row = {"qname": "within.example.test.", "qtype": "A", "qclass": 1, "content": "192.0.2.77", "ttl": 60, "auth": True}
        self.assertTrue(self.ask(busy, "replaceRRSet", domain_id=domain, qname="within.example.test.", qtype="A", trxid=1,
                                 rrset=[row]))
        self.assertTrue(self.ask(busy, "commitTransaction", trxid=1))
        halved.sendall(b'"parameters": {"name": "example.test."}}\n')
        self.assertEqual(self.reply(halved)["id"], domain)
        self.assertEqual(before.process.wait(timeout=daemons.DEADLINE), 0)
        daemons.wait_for("the successor is healthy", stack.healthy)
        for peer in (idle, halved, busy):
            rows = self.ask(peer, "lookup", qname="within.example.test.", qtype="ANY", **{"zone-id": domain})
            self.assertEqual([row["content"] for row in rows], ["192.0.2.77"])
        self.assertEqual(stack.sessions(), 3)
        self.assertEqual(stack.stop_navigator(), 0)
        self.assertFalse(os.path.exists(stack.remote), "the last one removes the socket")


if __name__ == "__main__":
    unittest.main(verbosity=2)
