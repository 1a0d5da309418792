"""The lab: a scenario's sites simulated with network namespaces, the whole stack in them, and the story told on it.

    lab.py [--prefix P] [--scenario S] [--binaries DIR] [--keep] [COMMAND]

Commands: (none) up, story, table, down; up; story; status; shell NODE; exec NODE CMD...; down.
Started by lab/run, which installs and builds what is missing.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import time

import bird_client
import dns_client
import inotify
import mesh
from daemons import Daemons, wait_until
from facts import Facts
from namespaces import LabError, Namespaces, run
from stack import Stack
from story import Story
from underlay import Underlay

HERE = pathlib.Path(__file__).resolve().parent
BASE = pathlib.Path("/run/sovereign-lab")
PREFIX = "sov-"


class Lab:
    def __init__(self, prefix, scenario, binaries):
        self.prefix = prefix
        self.state = BASE / prefix
        self.binaries = pathlib.Path(binaries).resolve()
        self.facts = Facts(HERE / "scenarios" / scenario / "topology.yaml")
        self.spaces = Namespaces(prefix, self.state)
        self.daemons = Daemons(self.spaces, self.state)
        self.net = Underlay(self.facts, self.spaces, self.daemons)
        self.stack = Stack(self.facts, self.spaces, self.daemons, self.net, self.binaries, self.state)
        self.began = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    # --- notes: what one command leaves for a later one

    def write_note(self, name, value):
        (self.state / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")

    def read_note(self, name):
        try:
            return json.loads((self.state / f"{name}.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None

    # --- up and down

    def preflight(self):
        for binary in ("navigator", "privateer"):
            if not os.access(self.binaries / binary, os.X_OK):
                raise LabError(f"{self.binaries / binary} is not there: run lab/run, or give --binaries")
        for tool in ("ip", "nft", "bird", "pdns_server", "nginx", "pebble", "openssl", "curl"):
            if shutil.which(tool) is None:
                raise LabError(f"'{tool}' is not installed: packaging/install-packages run lab")

    def kernel_has_wireguard(self):
        try:
            self.spaces.ip("ca", "link add wgtest type wireguard", "link del wgtest")
            return True
        except LabError:
            return False

    def up(self):
        self.preflight()
        self.down(quiet=True)
        self.state.mkdir(parents=True)
        facts = self.facts
        self.net.build()
        self.say(f"underlay: {len(facts.sites)} sites, {len(facts.nodes)} nodes, a router and a client a site, one "
                 "certificate authority")
        if self.kernel_has_wireguard():
            self.say("WireGuard is the kernel's")
        else:
            self.say("the kernel has no WireGuard: wireguard-go, one process a device")
            if not os.path.exists("/dev/net/tun"):
                raise LabError("/dev/net/tun is missing, and wireguard-go needs it (modprobe tun)")
            inotify.require(2 * len(facts.links), BASE, self.say)
        self.stack.write_all()
        self.stack.start_controller()
        self.net.wait_until_routed()
        self.stack.enrol()
        self.say(f"{len(facts.nodes)} nodes have joined with one-time tokens")
        self.start_mesh()
        self.stack.start_services()
        wait_until("every site's PowerDNS answers for the zone", self.zone_answers, 30, 0.1)
        self.say(f"{facts.domain} is served at {len(facts.dns_nodes)} sites")
        self.write_note("up", {"seconds": time.monotonic() - self.began})

    def start_mesh(self):
        echo = mesh.start_echo(self.facts, self.spaces)
        try:
            began = time.monotonic()
            for node in self.facts.nodes:
                self.stack.start_agent(node)
            full, reachable = mesh.wait_for_mesh(self.facts, self.spaces, self.stack.bird, began, 60, self.say)
        finally:
            echo.stop()
        self.say(f"mesh: all adjacencies Full after {full:.1f} s, all loopbacks answer after {reachable:.1f} s")
        self.write_note("mesh", {"full_s": full, "reachable_s": reachable, "pairs": 2 * len(self.facts.nodes) ** 2})

    def zone_answers(self):
        for node in self.facts.dns_nodes:
            self.daemons.require_alive(node, "pdns")
            answer = dns_client.ask_once(self.spaces, node, self.facts.nodes[node].underlay4, self.facts.domain, "SOA")
            if answer is None or answer.rcode != 0 or not answer.authoritative:
                return False
        return True

    def down(self, quiet=False):
        """Works from names alone, whatever is left of an earlier lab."""
        spaces, killed = self.spaces.remove_all()
        shutil.rmtree(self.state, ignore_errors=True)
        if BASE.is_dir():
            inotify.restore(BASE, self.say)
        try:
            BASE.rmdir()  # only when empty; /run/wireguard stays, since other labs mount over it
        except OSError:
            pass
        if spaces or not quiet:
            self.say(f"down: {spaces} namespaces and {killed} processes removed")

    # --- looking at a running lab

    def attach(self):
        """Facts of a lab that an earlier command brought up."""
        if not self.spaces.existing():
            raise LabError(f"no lab is up under the prefix '{self.prefix}' (lab/run up)")
        self.facts.learn_plan(self.stack.privateer_binary, self.stack.path(self.facts.controller, "privateer.yaml"))

    def status(self):
        self.attach()
        for node in self.facts.nodes.values():
            names = sorted(path.stem for path in self.daemons.folder(node.name).glob("*.pid"))
            running = ", ".join(name if self.daemons.pid(node.name, name) else f"{name} (ENDED)" for name in names)
            full4, full6 = bird_client.full_neighbors(self.stack.bird(node.name))
            up = bird_client.bfd_up(self.stack.bird(node.name))
            print(f"{node.name:12} {node.underlay4:13} {node.loopback4:13} OSPF {full4}+{full6} of "
                  f"{len(node.devices)} Full, {up} BFD up; {running}")
        for site in self.facts.sites:
            answer = dns_client.ask_once(self.spaces, site.client, self.facts.anycast4, "id.server", "TXT",
                                         dns_client.CHAOS)
            print(f"{site.client:12} {self.facts.anycast4} answered by "
                  f"{answer.values[0] if answer and answer.values else 'nobody'}")

    def ways_in(self):
        """What a user may type while the lab is up."""
        site = self.facts.sites[0]
        node = self.facts.dns_node(site).name
        lab = "lab/run" if self.prefix == PREFIX else f"lab/run --prefix {self.prefix}"
        return "\n".join((
            f"up: state and logs in {self.state}; look inside with",
            f"  {lab} status   (adjacencies, BFD, who answers)",
            f"  {lab} shell {node}",
            f"  {lab} exec {node} wg show",
            f"  {lab} exec {node} birdc -s {self.stack.bird(node)} show ospf neighbors",
            f"  {lab} exec {site.client} dig @{self.facts.anycast4} id.server TXT CH",
            f"  {lab} story   (plays it again)",
            f"  {lab} down"))

    def execute(self, node, command):
        if self.spaces.name(node) not in self.spaces.existing():
            raise LabError(f"there is no '{node}'; there are: "
                           + ", ".join(n.removeprefix(self.prefix) for n in self.spaces.existing()))
        argv = self.spaces.argv(node, *command)
        os.environ["PATH"] = f"{self.binaries}:{os.environ['PATH']}"
        os.execvp(argv[0], argv)


class Ended(Exception):
    """A signal asked the lab to end."""


def ignore_signals():
    """Taking down is not interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def on_signal(number, _frame):
    ignore_signals()
    raise Ended(signal.Signals(number).name)


def perform(lab, arguments):
    """The exit code. Whatever ends a run that brought the lab up takes it down again, unless it is to be kept."""
    command = arguments.command
    if command == "down":
        lab.down()
        return 0
    if command == "status":
        lab.status()
        return 0
    if command in ("shell", "exec"):
        if not arguments.rest:
            raise LabError(f"{command} needs a node")
        shell = [os.environ.get("SHELL", "/bin/bash")]
        lab.execute(arguments.rest[0], arguments.rest[1:] if command == "exec" else shell)
    if command == "story":
        lab.attach()
        return 0 if Story(lab, arguments.timed).run() else 1
    kept = False
    try:
        lab.up()
        if command == "up":
            kept = True
            return 0
        held = Story(lab, arguments.timed).run()
        kept = arguments.keep
        return 0 if held else 1
    finally:
        if kept:
            print(lab.ways_in())
        else:
            ignore_signals()
            lab.down()


def main():
    parser = argparse.ArgumentParser(prog="lab/run", description=__doc__.splitlines()[0])
    parser.add_argument("--prefix", default=PREFIX, help="of every namespace's name (default %(default)s)")
    parser.add_argument("--scenario", default="three-sites")
    parser.add_argument("--binaries", default=HERE.parent / "build/release/bin")
    parser.add_argument("--keep", action="store_true", help="leave the lab up after the story")
    parser.add_argument("--no-targets", dest="timed", action="store_false",
                        help="a duration over its target is told as late, and does not fail the story")
    parser.add_argument("command", nargs="?", default="all",
                        choices=["all", "up", "down", "story", "status", "shell", "exec"])
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if not arguments.prefix or not all(c.isalnum() or c in "-_" for c in arguments.prefix):
        parser.error("a prefix is letters, digits, '-' and '_', and not empty: all that begins with it is removed")
    if os.geteuid() != 0:
        print("lab: must run as root: it makes network namespaces", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        return perform(Lab(arguments.prefix, arguments.scenario, arguments.binaries), arguments)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except Ended as error:
        print(f"lab: ended by {error}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
