#!/usr/bin/env python3
"""What one change costs the controller when all its nodes wait for it, and what their waiting costs.

    tests/bench/handing_out.py [--nodes 1000] [--clients 1000] [--changes 3] [--gzip 0|1] [--read-kib 0] [--bar-mb M]
                               [--json FILE]

A real controller on loopback with a topology of so many nodes (tiers), all of them members, and so many long polls over
TLS, as agents hold them, from one process; all of them show the certificate of the first node. A change is a drain of
one node: from `privateer node drain` to the last octet of the last answer. Memory of the controller is resident: while
all wait, and at its highest during the changes (VmHWM, set back before). --read-kib lets each client read so much a
second, as over a slow line. The client is Python on the same machine: the times are upper bounds.
"""

import argparse
import asyncio
import base64
import json
import os
import pathlib
import resource
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRIVATEER = os.environ.get("PRIVATEER", str(ROOT / "build/release/bin/privateer"))


def topology(count):
    role = lambda i: "central" if i < 2 else "regional" if i < 2 + max(4, count // 20) else "edge"
    lines = ["name: bench", "domain: stream.example",
             "mesh: {prefix4: 10.200.0.0/15, prefix6: 'fd00:c0de::/48', shape: tiers, links_per_node: 1000}", "sites:"]
    lines += [f"  - {{name: s{i}, provider: p{i % 3}}}" for i in range(1, 5)]
    lines.append("nodes:")
    lines += [f"  - {{name: n{i}, site: s{i % 4 + 1}, role: {role(i)}, underlay: [198.18.{i // 250}.{i % 250 + 1}]}}"
              for i in range(count)]
    return "\n".join(lines) + "\n"


class Controller:
    def __init__(self, folder, nodes):
        self.folder = pathlib.Path(folder)
        self.nodes = nodes
        self.port = 18612
        (self.folder / "topology.yaml").write_text(topology(nodes), encoding="utf-8")
        settings = {"node": "n0", "state": str(self.folder / "n0"), "topology": str(self.folder / "topology.yaml"),
                    "controller": {"url": f"https://127.0.0.1:{self.port}"},
                    "agent": {"unix": str(self.folder / "a.sock")},
                    "serve": {"listen": f"127.0.0.1:{self.port}", "unix": str(self.folder / "c.sock"),
                              "state": str(self.folder / "controller")}}
        (self.folder / "privateer.yaml").write_text(json.dumps(settings), encoding="utf-8")
        self.process = None

    def command(self, *words):
        return subprocess.run([PRIVATEER, "--config", str(self.folder / "privateer.yaml"), *words], check=True,
                              capture_output=True, text=True, timeout=120).stdout.strip()

    def start(self):
        # To a file: a pipe that nobody reads would stop it.
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([PRIVATEER, "--config", str(self.folder / "privateer.yaml"), "controller"],
                                            stdout=log, stderr=log)
        until, self.last = time.monotonic() + 60, ""
        while time.monotonic() < until:
            try:
                self.command("token", "list")
                return
            except subprocess.CalledProcessError as failed:
                self.last = failed.stderr
                time.sleep(0.1)
        log = (self.folder / "log").read_text(encoding="utf-8")
        raise SystemExit(f"the controller does not answer: {self.last}\n{log}")

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def join_all(self):
        """The first one by itself, the others by a row each: joining is measured elsewhere."""
        token = self.folder / "token"
        token.write_text(self.command("token", "create", "--node", "n0"), encoding="ascii")
        self.command("join", "--token-file", str(token))
        self.stop()
        with sqlite3.connect(self.folder / "controller" / "controller.db") as database:
            database.executemany("INSERT OR IGNORE INTO enrolment_node (name, public_key, joined_at_s, key_since_s) "
                                 "VALUES (?, ?, 1, 1)",
                                 [(f"n{i}", base64.b64encode(os.urandom(32)).decode()) for i in range(1, self.nodes)])
        database.close()
        self.start()

    def memory_mb(self, field):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise SystemExit(f"no {field}")

    def revision(self):
        with sqlite3.connect(self.folder / "controller" / "controller.db") as database:
            found = database.execute("SELECT value FROM database_meta WHERE key = 'revision'").fetchone()[0]
        database.close()
        return int(found)

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


class Poll(asyncio.Protocol):
    """One long poll after the other on one connection. `taken` is called with each world's octets."""

    def __init__(self, wish, bench):
        self.wish, self.bench = wish, bench
        self.transport = self.length = None
        self.head, self.got, self.status = b"", 0, 0

    def connection_made(self, transport):
        self.transport = transport
        self.bench.open += 1
        self.ask()

    def ask(self):
        self.head, self.length, self.got = b"", None, 0
        self.transport.write(f"GET /v1/world?since={self.bench.revision}&wait_ms=55000 HTTP/1.1\r\nHost: controller\r\n"
                             f"{self.wish}\r\n".encode())

    def data_received(self, data):
        if self.length is None:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            lines = self.head[:end].decode().split("\r\n")
            self.status = int(lines[0].split()[1])
            sizes = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length")]
            self.length, data = sizes[0] if sizes else 0, self.head[end + 4:]
        self.got += len(data)
        if self.bench.read_kib and data:
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(len(data) / 1024 / self.bench.read_kib, self.transport.resume_reading)
        if self.got < self.length:
            return
        if self.status == 200:
            self.bench.take(self.got)
        elif self.status != 204:
            self.bench.refused += 1
        if self.status != 200:
            self.ask()
        else:
            self.bench.idle.append(self)

    def connection_lost(self, _):
        self.bench.open -= 1


class Bench:
    def __init__(self, controller, options):
        self.controller, self.options = controller, options
        self.read_kib = options.read_kib
        self.revision = self.open = self.refused = self.octets = 0
        self.idle, self.times, self.all_there = [], [], asyncio.Event()

    def take(self, octets):
        self.octets = octets
        self.times.append(time.monotonic())
        if len(self.times) == self.options.clients:
            self.all_there.set()

    async def connect(self):
        state = self.controller.folder / "n0"
        context = ssl.create_default_context(cafile=state / "ca.crt")
        context.load_cert_chain(state / "node.crt", state / "node.key")
        wish = "Accept-Encoding: gzip\r\n" if self.options.gzip else ""
        loop = asyncio.get_running_loop()
        turn = asyncio.Semaphore(50)

        async def one():
            async with turn:
                await loop.create_connection(lambda: Poll(wish, self), "127.0.0.1", self.controller.port, ssl=context,
                                             server_hostname="controller", ssl_handshake_timeout=120)
        await asyncio.gather(*(one() for _ in range(self.options.clients)))

    async def run(self):
        alone = self.controller.memory_mb("VmRSS")
        self.revision = self.controller.revision()
        began = time.monotonic()
        await self.connect()
        found = {"nodes": self.options.nodes, "clients": self.open, "gzip": bool(self.options.gzip),
                 "connect_all_s": round(time.monotonic() - began, 1), "rss_alone_mb": round(alone, 1)}
        await asyncio.sleep(1)
        waiting = self.controller.memory_mb("VmRSS")
        found["rss_waiting_mb"] = round(waiting, 1)
        found["kib_a_connection"] = round((waiting - alone) * 1024 / max(self.open, 1), 1)
        found["changes"] = [await self.change(i) for i in range(self.options.changes)]
        found["rss_after_mb"] = round(self.controller.memory_mb("VmRSS"), 1)
        found["refused"] = self.refused
        return found

    async def change(self, number):
        self.revision = self.controller.revision()
        self.times = []
        self.all_there.clear()
        for poll in self.idle:
            poll.ask()
        self.idle = []
        await asyncio.sleep(1)
        self.controller.forget_peak()
        before, cpu = self.controller.memory_mb("VmRSS"), self.controller.cpu_s()
        began = time.monotonic()
        command = await asyncio.create_subprocess_exec(
            PRIVATEER, "--config", str(self.controller.folder / "privateer.yaml"), "node",
            "drain" if number % 2 == 0 else "undrain", "n5")
        await asyncio.wait_for(self.all_there.wait(), 600)
        await command.wait()
        return {"octets": self.octets, "last_s": round(self.times[-1] - began, 3),
                "median_s": round(sorted(self.times)[len(self.times) // 2] - began, 3),
                "peak_above_waiting_mb": round(self.controller.memory_mb("VmHWM") - before, 1),
                "controller_cpu_s": round(self.controller.cpu_s() - cpu, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=3)
    parser.add_argument("--gzip", type=int, default=1)
    parser.add_argument("--read-kib", type=int, default=0)
    parser.add_argument("--bar-mb", type=float, help="fail when a change takes more memory than this")
    parser.add_argument("--json")
    options = parser.parse_args()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    with tempfile.TemporaryDirectory(prefix="sovereign-handing-out-") as folder:
        controller = Controller(folder, options.nodes)
        try:
            controller.start()
            controller.join_all()
            found = asyncio.run(Bench(controller, options).run())
        finally:
            controller.stop()
    found["load_average"] = os.getloadavg()[0]
    print(json.dumps(found, indent=2))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    peak = max((one["peak_above_waiting_mb"] for one in found["changes"]), default=0)
    if options.bar_mb and peak > options.bar_mb:
        sys.exit(f"a change took {peak} MB more than waiting, the bar is {options.bar_mb}")
    if found["clients"] != options.clients or found["refused"]:
        sys.exit(f"{found['clients']} clients were there, {found['refused']} answers were refusals")


if __name__ == "__main__":
    main()
