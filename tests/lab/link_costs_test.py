"""Costs that follow measured round trips, on a real mesh of three nodes: 50 ms more on one link, and both its ends
announce the same new cost, traffic goes around, no adjacency is lost, nothing is tried and taken back; the last costs
stay when the controller is gone. What was measured is in the status, the graph and the metrics. And a diamond of two
ways that both carry less than is sent, so that the delay follows the traffic: the costs must not. With SOVEREIGN_LONG=1
also ten real minutes of jitter and bursts, and twenty of the congested diamond, with the usual times. Delay and
bottleneck are made by lab/slow_line.py, because `tc netem` is not in every kernel. Skipped without root, ip, bird, wg,
wireguard-go, nft and the binary that PRIVATEER names.
"""

import json
import os
import pathlib
import pty
import random
import re
import select
import signal
import subprocess
import sys
import threading
import time
import unittest

from support import LONG, PRIVATEER, ROOT, mesh_ready

import bird_client
from load import Load
from small_mesh import CONTROLLER, SmallMesh

NODES = ("ann", "bob", "cat")


class CostMesh(SmallMesh):
    """ann's line runs through slow_line.py."""

    def __init__(self, hold, costs="latency", more="", nodes=NODES, links=None):
        self.hold, self.costs, self.more = hold, costs, more
        super().__init__("sovcost-", nodes, links, bfd="{interval_ms: 200, multiplier: 5}")
        self.delays = pathlib.Path(self.path(CONTROLLER, "delays.json"))
        self.slow({})
        self.spaces.ip(CONTROLLER, "link set to-ann nomaster", "link add slow0 type veth peer name slow1",
                       "link set slow0 up", "link set slow1 master under0 up")
        self.daemons.start(CONTROLLER, "slow-line", sys.executable, str(ROOT / "lab/slow_line.py"), "to-ann", "slow0",
                           str(self.delays))

    def topology(self, nodes=None, mtu=1420, links=None):
        text = super().topology(nodes, mtu, links)
        text = text.replace("mesh: {", f"mesh: {{costs: {self.costs}, cost_within_site: 10, ")
        return re.sub(r", cost: \d+}", "}", text) + self.more  # a link with a cost of its own follows no latency

    def write_topology(self, text):
        super().write_topology(text)
        path = pathlib.Path(self.path(CONTROLLER, "privateer.yaml"))
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings["serve"]["cost_hold"] = self.hold
        path.write_text(json.dumps(settings), encoding="utf-8")

    def _write_settings(self, node):
        super()._write_settings(node)
        path = pathlib.Path(self.path(node, "privateer.yaml"))
        settings = json.loads(path.read_text(encoding="utf-8"))
        # cat's is an address that is not there before its agent puts it there.
        settings["agent"]["metrics"] = f"{self.loopback('cat')}:18013" if node == "cat" else "127.0.0.1:18013"
        path.write_text(json.dumps(settings), encoding="utf-8")

    def slow(self, delays):
        beside = self.delays.with_suffix(".new")
        beside.write_text(json.dumps(delays), encoding="ascii")
        beside.replace(self.delays)

    def link(self, node, other):
        return next((one for one in self.status(node).get("links", []) if one["node"] == other), {})

    def announced(self, node, other):
        """What the node's own router LSAs say of its link to the other, IPv4 and IPv6."""
        out = []
        for protocol in ("ospf4", "ospf6"):
            inside = False
            for line in bird_client.ask(self.path(node, "bird.ctl"), f"show ospf state {protocol}"):
                words = line.split()
                if words[:1] == ["router"] and line.startswith("\trouter"):
                    inside = words[1] == self.loopback(node)
                elif inside and words[:2] == ["router", self.loopback(other)] and words[2:3] == ["metric"]:
                    out.append(int(words[3]))
        return out

    def sessions_lost(self):
        lost = []
        for node in self.nodes:
            path = pathlib.Path(self.path(node, "state", "bird-sessions", "log"))
            lost += [f"{node}: {line}" for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
                     if "from Up to" in line]
        return lost


class Watch(threading.Thread):
    """Looks again and again whether every adjacency is Full."""

    def __init__(self, mesh):
        super().__init__(daemon=True)
        self.mesh, self.over, self.missing, self.looks = mesh, threading.Event(), [], 0

    def run(self):
        while not self.over.wait(0.25):
            self.looks += 1
            self.missing += [(node, full) for node in self.mesh.nodes if (full := self.mesh.full(node)) != (2, 2)]

    def end(self):
        self.over.set()
        self.join(10)


@unittest.skipUnless(mesh_ready(), "needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
class LinkCostsTest(unittest.TestCase):
    def start(self, hold, **more):
        self.mesh = CostMesh(hold, **more)
        self.addCleanup(self.mesh.close)
        self.mesh.up()

    def test_fifty_milliseconds_more_move_the_traffic_and_nothing_else(self):
        self.start("10s")
        mesh = self.mesh
        mesh.wait("round trips of every link", lambda: all(mesh.link(a, b).get("rtt_us") for a in NODES for b in NODES
                                                           if a != b), 30)
        self.assertEqual(mesh.route("ann", mesh.loopback("bob")), "wg-bob")
        watch, before = Watch(mesh), mesh.sessions_lost()
        watch.start()
        mesh.slow({mesh.underlay("bob"): [50, 5]})
        mesh.wait("ann sees the delay", lambda: (mesh.link("ann", "bob").get("rtt_least_us") or 0) > 44000, 30)
        began = time.monotonic()
        mesh.wait("both ends have a higher cost",
                  lambda: min(mesh.link("ann", "bob").get("cost", 0), mesh.link("bob", "ann").get("cost", 0)) > 100, 90)
        took = time.monotonic() - began
        cost = mesh.link("ann", "bob")["cost"]
        same = lambda: mesh.announced("ann", "bob") == mesh.announced("bob", "ann") == [cost, cost]
        mesh.wait("both routers announce it in both families", same, 20)
        for version in (4, 6):
            for one, other in (("ann", "bob"), ("bob", "ann")):
                mesh.wait(f"{one} goes around", lambda o=one, p=other, v=version:
                          mesh.route(o, mesh.loopback(p, v)) == "wg-cat", 20)
        self.seen_everywhere(cost)
        mesh.daemons.stop(CONTROLLER, "controller", signal.SIGTERM)
        mesh.daemons.stop("ann", "agent", signal.SIGTERM)
        mesh.start_agent("ann")
        mesh.wait("the cost outlives its controller", lambda: mesh.link("ann", "bob").get("cost") == cost, 30)
        watch.end()
        self.assertGreater(watch.looks, 20)
        self.assertEqual(watch.missing, [], "an adjacency was lost")
        self.assertEqual(mesh.sessions_lost(), before, "a BFD session was lost")
        for node in NODES:
            self.assertEqual([text for text in mesh.refusals(node) if "taken back" in text], [])
            self.assertFalse(any("on trial" in change["text"] for change in mesh.status(node)["changes"]))
        print(f"a step of 50 ms: cost {cost} at both ends after {took:.1f} s with a hold of 10 s; "
              f"{watch.looks} looks, no adjacency lost")

    def watched(self):
        """`status --watch` on a terminal: three pictures, and its exit code after Ctrl-C."""
        pid, terminal = pty.fork()
        if pid == 0:
            settings = self.mesh.path("ann", "privateer.yaml")
            argv = self.mesh.spaces.argv("ann", PRIVATEER, "--config", settings, "status", "--watch")
            os.execvp(argv[0], argv)
        drawn, deadline = b"", time.monotonic() + 20
        try:
            while drawn.count(b"\x1b[H") < 4 and time.monotonic() < deadline:  # wiped, then drawn three times
                if select.select([terminal], [], [], 1)[0]:
                    drawn += os.read(terminal, 65536)
            os.write(terminal, b"\x03")
            while time.monotonic() < deadline:
                try:
                    if select.select([terminal], [], [], 1)[0] and not os.read(terminal, 65536):
                        break
                except OSError:  # the other end is closed
                    break
            if time.monotonic() >= deadline:
                os.kill(pid, signal.SIGKILL)
            return drawn.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        finally:
            os.close(terminal)

    def seen_everywhere(self, cost):
        mesh = self.mesh
        table = mesh.privateer("ann", "status", check=False).stdout
        line = next(line for line in table.splitlines() if "wg-bob" in line and "ms" in line)
        self.assertIn(f" {cost}", line)
        self.assertRegex(line, r"\b(4|5|6)\d\.\d ms")
        drawn, code = self.watched()
        self.assertEqual(code, 0)
        self.assertGreaterEqual(drawn.count("\x1b[H"), 4)
        self.assertIn("wg-bob", drawn)
        graph = json.loads(mesh.privateer("cat", "graph", "--format", "json").stdout)
        by_ends = {(one["a"], one["b"]): one for one in graph["links"]}
        self.assertEqual([by_ends["ann", "bob"][end] for end in ("cost_a", "cost_b")], [cost, cost])
        self.assertGreater(by_ends["ann", "bob"]["rtt_us"], 44000, "a link that is not cat's own")
        self.assertIsNotNone(by_ends["bob", "cat"]["rtt_us"])
        metrics = self.metrics("127.0.0.1")
        self.assertIn(f'privateer_link_cost{{device="wg-bob",link="ann--bob",node="bob"}} {cost}\n', metrics)
        for name in ("rtt_seconds", "handshake_age_seconds", "receive_bytes", "transmit_bytes", "full", "bfd_up"):
            self.assertIn(f'privateer_link_{name}{{device="wg-cat"', metrics)
        self.assertIn("privateer_snapshot_age_seconds", metrics)
        self.assertIn("privateer_revision", metrics)
        of_cat = self.metrics(mesh.loopback("cat"))
        self.assertIn('privateer_link_up{device="wg-bob",link="bob--cat",node="bob"} 1', of_cat)

    def metrics(self, address):
        """As ann reads them."""
        read = f"import urllib.request as u; print(u.urlopen('http://{address}:18013/metrics').read().decode())"
        return subprocess.run(self.mesh.spaces.argv("ann", sys.executable, "-c", read), capture_output=True, text=True,
                              check=True, timeout=20).stdout

    @unittest.skipUnless(LONG, "ten real minutes: SOVEREIGN_LONG=1")
    def test_ten_minutes_of_jitter_and_bursts_change_each_link_once_at_most(self):
        self.start("5m")
        mesh, random_ = self.mesh, random.Random(7)
        watch, seen = Watch(mesh), {}
        watch.start()
        until = time.monotonic() + 600
        while time.monotonic() < until:
            burst = random_.random() < 0.1
            mesh.slow({mesh.underlay("bob"): [120 if burst else 20, 6], mesh.underlay("cat"): [30, 9]})
            rest = time.monotonic() + random_.uniform(3, 20)
            while time.monotonic() < min(rest, until):
                for a, b in (("ann", "bob"), ("ann", "cat"), ("bob", "cat")):
                    costs = seen.setdefault((a, b), [])
                    now = mesh.link(a, b).get("cost")
                    if now is not None and costs[-1:] != [now]:
                        costs.append(now)
                time.sleep(1)  # the pace of looking; nothing is waited for
        watch.end()
        print(f"costs in ten minutes: {seen}; {watch.looks} looks")
        self.assertTrue(all(len(costs) <= 2 for costs in seen.values()), seen)
        self.assertEqual(watch.missing, [], "an adjacency was lost")

    def watched_costs(self, seen, until):
        """What the links of ann cost and since when, looked at until `until` says so."""
        while not until():
            for link in self.mesh.status("ann").get("links", []):
                costs = seen.setdefault(link["node"], [])
                if link.get("cost") is not None and (not costs or costs[-1][1] != link["cost"]):
                    costs.append((time.monotonic(), link["cost"]))
            time.sleep(0.5)  # the pace of looking; nothing is waited for

    def test_costs_do_not_follow_the_traffic_round_a_congested_diamond(self):
        """ann to dan over bob or cat: 600 kbit/s and a queue of 200 ms each way, and 4 % more than that is sent."""
        links = [("ann", "bob", 1), ("bob", "dan", 1), ("ann", "cat", 1), ("cat", "dan", 1)]
        self.start("5m" if LONG else "10s", nodes=("ann", "bob", "cat", "dan"), links=links)
        mesh, pause_s, seen = self.mesh, 600 if LONG else 20, {}
        mesh.slow({mesh.underlay(node): [0.5, 0.2, 600, 200] for node in ("bob", "cat")})
        measured = lambda: all(mesh.link("ann", node).get("rtt_us") for node in ("bob", "cat"))
        mesh.wait("round trips of both ways", measured, 30)
        watch = Watch(mesh)
        watch.start()
        with Load(mesh.spaces, [("ann", mesh.loopback("ann"), "dan", mesh.loopback("dan"))], 460) as load:
            latest = time.monotonic() + 5 * pause_s
            changed = lambda: any(len(costs) > 1 for costs in seen.values())
            self.watched_costs(seen, lambda: time.monotonic() > latest or changed())
            latest = time.monotonic() + 1.5 * pause_s
            self.watched_costs(seen, lambda: time.monotonic() > latest)
        watch.end()
        began = min(costs[0][0] for costs in seen.values())
        print("a congested diamond: " + "; ".join(
            f"ann--{node} " + ", ".join(f"{cost} at {at - began:.0f} s" for at, cost in costs)
            for node, costs in sorted(seen.items())) + f"; {load}; {watch.looks} looks, {len(watch.missing)} of them "
            "without an adjacency: what a full queue drops may be BFD's")
        changes = {node: [at for at, _ in costs[1:]] for node, costs in seen.items()}
        self.assertTrue(any(changes.values()), f"nothing was congested: {seen}")
        for node, times in changes.items():
            for earlier, later in zip(times, times[1:]):
                self.assertGreater(later - earlier, pause_s - 2, f"ann--{node} swings: {seen}")
        self.assertLess(load.total_lost(), load.sent * 0.3, "hardly anything passed")


if __name__ == "__main__":
    unittest.main()
