"""A small mesh with a real controller: every node in a namespace of its own on one underlay, joined by token. For tests
that attack, rotate, drain, break and measure it."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
from datetime import datetime

from support import PRIVATEER

import bird_client
from daemons import Daemons, wait_until
from namespaces import LabError, Namespaces, kill_and_wait

CONTROLLER = "ctl"
UNDERLAY = "198.18.77"
# What a kernel says that has just started, where the mesh wants something else; a strict reverse-path filter stands for
# the distributions that begin with one.
BOOT = {"net.ipv4.ip_forward": 0, "net.ipv6.conf.all.forwarding": 0, "net.ipv4.conf.all.rp_filter": 1,
        "net.ipv4.fib_multipath_hash_policy": 0, "net.ipv6.fib_multipath_hash_policy": 0}


class SmallMesh:
    """`links` None: the full mesh. Nodes are numbered as given; node i has 198.18.77.i outside."""

    def __init__(self, prefix, nodes, links=None, bfd="{interval_ms: 100, multiplier: 5}", bird_settings=None):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        self.spaces = Namespaces(prefix, self.state)
        self.spaces.remove_all()
        self.daemons = Daemons(self.spaces, self.state)
        self.nodes, self.links, self.bfd = list(nodes), links, bfd
        self.bird_settings = bird_settings or {}
        self.port = 18012
        self.spaces.create([CONTROLLER, *self.nodes])
        self._wire()
        for node in self.nodes:
            self._write_settings(node)
        self.write_topology(self.topology())

    def close(self):
        self.spaces.remove_all()
        shutil.rmtree(self.state, ignore_errors=True)

    # Ground

    def _wire(self):
        """The underlay is a bridge in the controller's namespace; what a node sends and gets can be dropped there."""
        self.spaces.ip(CONTROLLER, "link add under0 type bridge", f"addr add {UNDERLAY}.100/24 dev under0",
                       "link set under0 up")
        for number, node in enumerate(self.nodes, 1):
            subprocess.run(["ip", "-n", self.spaces.name(CONTROLLER), "link", "add", f"to-{node}", "type", "veth",
                            "peer", "under", "netns", self.spaces.name(node)], check=True)
            self.spaces.ip(CONTROLLER, f"link set to-{node} master under0 up")
            self.spaces.ip(node, f"addr add {self.underlay(node)}/24 dev under", "link set under up")

    def underlay(self, node):
        return f"{UNDERLAY}.{self.nodes.index(node) + 1}"

    def path(self, node, *parts):
        return str(self.daemons.folder(node).joinpath(*parts))

    def topology(self, nodes=None, mtu=1420, links=None):
        nodes = self.nodes if nodes is None else nodes
        links = links or self.links
        lines = ["name: small", "domain: stream.example",
                 f"mesh: {{prefix4: 10.202.0.0/16, prefix6: 'fd00:c0de:77::/48', "
                 f"shape: {'links' if links else 'full'}, mtu: {mtu}, bfd: {self.bfd}}}",
                 "sites:", "  - {name: here}", "nodes:"]
        lines += [f"  - {{name: {node}, site: here, role: edge, underlay: [{self.underlay(node)}], "
                  f"id: {self.nodes.index(node) + 1}}}" for node in nodes]
        if links:
            lines.append("links:")
            lines += [f"  - {{ends: [{a}, {b}], cost: {cost}}}" for a, b, cost in links if a in nodes and b in nodes]
        return "\n".join(lines) + "\n"

    def write_topology(self, text):
        pathlib.Path(self.path(CONTROLLER, "topology.yaml")).write_text(text, encoding="utf-8")
        settings = {"node": CONTROLLER, "state": self.path(CONTROLLER, "state"),
                    "topology": self.path(CONTROLLER, "topology.yaml"),
                    "serve": {"listen": f"{UNDERLAY}.100:{self.port}",
                              "unix": self.path(CONTROLLER, "controller.sock")}}
        pathlib.Path(self.path(CONTROLLER, "privateer.yaml")).write_text(json.dumps(settings), encoding="utf-8")

    def _write_settings(self, node):
        settings = {"node": node, "state": self.path(node, "state"), "agent": {"unix": self.path(node, "agent.sock")},
                    "controller": {"url": f"https://{UNDERLAY}.100:{self.port}"},
                    "bird": {"config": self.path(node, "bird.conf"), "control": self.path(node, "bird.ctl"),
                             "start": ["bird", "-f", "-c", self.path(node, "bird.conf"), "-s",
                                       self.path(node, "bird.ctl"), "-P", self.path(node, "bird.birdpid")],
                             **self.bird_settings}}
        pathlib.Path(self.path(node, "privateer.yaml")).write_text(json.dumps(settings), encoding="utf-8")

    # Programs

    def privateer(self, node, *arguments, check=True):
        command = self.spaces.argv(node, PRIVATEER, "--config", self.path(node, "privateer.yaml"), *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode != 0:
            raise LabError(f"privateer {' '.join(map(str, arguments))} on {node}: {done.stderr.strip()}")
        return done

    def control(self, *arguments, check=True):
        return self.privateer(CONTROLLER, *arguments, check=check)

    def start_controller(self):
        self.daemons.start(CONTROLLER, "controller", PRIVATEER, "--config", self.path(CONTROLLER, "privateer.yaml"),
                           "controller")
        wait_until("the controller answers",
                   lambda: self.control("token", "list", check=False).returncode == 0, 20, 0.1)

    def token(self, *terms):
        return self.control("token", "create", *terms).stdout.strip()

    def join(self, node, token=None, check=True):
        text = token or self.token("--node", node)
        file = pathlib.Path(self.path(node, "token"))
        file.write_text(text, encoding="ascii")
        return self.privateer(node, "join", "--token-file", str(file), check=check)

    def start_agent(self, node):
        self.daemons.start(node, "agent", PRIVATEER, "--config", self.path(node, "privateer.yaml"), "agent",
                           env={"GOMAXPROCS": "1"})

    def up(self):
        self.start_controller()
        for node in self.nodes:
            self.join(node)
            self.start_agent(node)
        self.wait_full()

    def reboot(self, node):
        """Everything of the kernel's and of processes is gone; files stay."""
        kill_and_wait(self.spaces.pids(self.spaces.name(node)), signal.SIGKILL, 5)
        for device in self.devices(node):
            subprocess.run(["ip", "-n", self.spaces.name(node), "link", "del", device], check=False,
                           capture_output=True)
        subprocess.run(["ip", "-n", self.spaces.name(node), "addr", "flush", "dev", "lo"], check=False)
        subprocess.run(self.spaces.argv(node, "nft", "flush", "ruleset"), check=True)
        subprocess.run(self.spaces.argv(node, "sysctl", "-q", *(f"{key}={value}" for key, value in BOOT.items())),
                       check=True)

    # What is seen

    def kept(self, node):
        """What of the kernel's a start has to bring back: settings and packet-filter rules."""
        read = lambda *argv: subprocess.run(self.spaces.argv(node, *argv), capture_output=True, text=True,
                                            check=True).stdout
        return read("sysctl", *BOOT), read("nft", "list", "ruleset")

    def status(self, node):
        done = self.privateer(node, "status", "--json", check=False)
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return {"in_order": False, "verdict": done.stderr, "changes": [], "refused": [], "revision": -1}

    def refusals(self, node):
        return [one["text"] for one in self.status(node)["refused"]]

    def logged(self, node, sentence):
        """When the agent wrote a line with this in it the last time (Unix time, to the millisecond); None: never. What
        a busy machine takes to look is not in it."""
        for line in reversed(self.daemons.log(node, "agent").read_text(encoding="utf-8").splitlines()):
            if sentence in line:
                return datetime.fromisoformat(re.search(r"\d{4}-[-\d]+T[\d:.]+Z", line)[0]).timestamp()
        return None

    def devices(self, node):
        out = subprocess.run(["ip", "-n", self.spaces.name(node), "-j", "link"], capture_output=True, text=True,
                             check=True).stdout
        return sorted(link["ifname"] for link in json.loads(out) if link["ifname"].startswith("wg-"))

    def peers(self, node):
        """Every public key that any device of the node talks to."""
        out = subprocess.run(self.spaces.argv(node, "wg", "show", "all", "dump"), capture_output=True, text=True,
                             check=False).stdout
        return {line.split("\t")[1] for line in out.splitlines() if len(line.split("\t")) == 9}

    def degree(self, node):
        return len(self.nodes) - 1 if not self.links else sum(node in link[:2] for link in self.links)

    def full(self, node):
        return bird_client.full_neighbors(self.path(node, "bird.ctl"))

    def bfd_up(self, node):
        return bird_client.bfd_up(self.path(node, "bird.ctl"))

    def explain(self, nodes):
        lines = []
        for n in nodes:
            lines.append(f"{n}: {self.status(n)['verdict']}; full {self.full(n)}; bfd {self.bfd_up(n)}; "
                         f"devices {self.devices(n)}")
            for question in ("show bfd sessions", "show ospf neighbors"):
                lines += ["    " + line for line in bird_client.ask(self.path(n, "bird.ctl"), question)]
            lines.append(self.daemons.tail(n, "agent", 12))
        return "\n".join(lines)

    def wait(self, what, condition, seconds=30, every=0.1, nodes=()):
        try:
            return wait_until(what, condition, seconds, every)
        except LabError as error:
            raise LabError(f"{error}\n{self.explain(nodes or self.nodes)}") from None

    def wait_full(self, nodes=None, degree=None, seconds=60):
        nodes = self.nodes if nodes is None else nodes
        wanted = {n: self.degree(n) if degree is None else degree for n in nodes}
        up = lambda n: self.full(n) == (wanted[n], wanted[n]) and self.bfd_up(n) >= 2 * wanted[n]
        self.wait("every adjacency Full with BFD", lambda: all(map(up, nodes)), seconds, 0.2, nodes)
        # A route follows its adjacency at BIRD's next tick.
        routed = lambda: all(self.has_routes(node, nodes) for node in nodes)
        self.wait("every node has routes to the others", routed, 20, 0.2, nodes)
        for node in nodes:
            self.wait(f"{node} in order", lambda n=node: self.status(n)["in_order"], 20, 0.2, [node])

    def loopback(self, node, version=4):
        number = self.nodes.index(node) + 1
        return f"10.202.0.{number}" if version == 4 else f"fd00:c0de:77::{number:x}"

    def route(self, node, target):
        out = subprocess.run(["ip", "-n", self.spaces.name(node), "-j", "route", "get", target], capture_output=True,
                             text=True, check=False).stdout
        return json.loads(out)[0].get("dev") if out.strip() else None

    def legs(self, node, target):
        """The devices of the route's next hops, as BIRD wrote it."""
        family = "-6" if ":" in target else "-4"
        show = ["ip", "-n", self.spaces.name(node), family, "-j", "route", "show", target, "proto", "bird"]
        out = subprocess.run(show, capture_output=True, text=True, check=False).stdout
        rows = json.loads(out) if out.strip() else []
        return sorted(hop["dev"] for row in rows for hop in row.get("nexthops", [row]) if "dev" in hop)

    def has_routes(self, node, others):
        return all(str(self.route(node, self.loopback(o, v))).startswith("wg-") for o in others if o != node
                   for v in (4, 6))

    def flows(self, pairs, versions=(4, 6)):
        return [(a, self.loopback(a, v), b, self.loopback(b, v)) for x, y in pairs for a, b in ((x, y), (y, x))
                for v in versions]
