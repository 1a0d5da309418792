#!/usr/bin/env python3
"""From POST /v1/sign-up to answers at every site and to verified https on every edge.

    sudo tests/bench/sign_up.py [--sign-ups 20] [--keep]    two or three minutes
    sudo tests/bench/sign_up.py --smoke                     shows that it runs: 2 sign-ups

Three sites in network namespaces as lab/run makes them, each with a Navigator (one primary, two replicas), its
pdns_server and one edge: the real agent and a real nginx. Newcomers sign up over TLS, each on a connection of his own.

(a) begins with the request's first octet and ends when the last site's PowerDNS answers the tenant's name. Each site is
    asked by a socket of its own, every few milliseconds from that moment on, so also while there is nothing yet: the
    denial that PowerDNS then keeps must go too.
(b) ends when the last edge has served the tenant's name with a chain that ends at pebble's root and with the right
    name in the leaf.

The times between, of each sign-up, go into the JSON: the answer, each site, "certificate stored" by the primary's log,
each edge. One python process asks all, which takes its share of the two cores. The table goes to stdout, all figures
to build/bench/sign_up.json.
"""
import argparse
import datetime
import http.client
import json
import os
import pathlib
import re
import select
import socket
import ssl
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/bench"), str(ROOT / "lab")]
import dns_client  # noqa: E402
import figures  # noqa: E402
from daemons import wait_until  # noqa: E402  (lab's)
from lab import Lab  # noqa: E402
from namespaces import LabError  # noqa: E402
from stack import NAVIGATOR_PORT, yaml  # noqa: E402

PREFIX = "sovsignup-"
DNS_PAUSE_S, HTTPS_PAUSE_S = 0.004, 0.03
DEADLINE_S = 30.0


def topology():
    """The lab's scenario with one edge in each site."""
    text = (ROOT / "lab/scenarios/three-sites/topology.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not re.match(r"\s+- \{.*edge-\w+-2", line)]
    return re.sub(r"nodes: \[(edge-\w+-1), edge-\w+-2\]", r"nodes: [\1]", "\n".join(lines)) + "\n"


class Bed(Lab):
    """The lab, where strangers may sign up."""

    def __init__(self, scenario, binaries):
        super().__init__(PREFIX, scenario, binaries)
        write = self.stack.write_navigator

        def write_with_sign_ups(node):
            write(node)
            tenants = {"self_service": True}
            if node == self.facts.primary:
                tenants["sign_up"] = {"mode": "open", "plan": "pro", "clusters": list(self.facts.clusters),
                                      "per_hour": 100000, "burst": 1000}
            with open(self.stack.path(node, "navigator.yaml"), "a", encoding="utf-8") as file:
                file.write(yaml({"tenants": tenants}))

        self.stack.write_navigator = write_with_sign_ups

    def sign_up(self, node, label):
        """From the namespace of `node`, on a connection of its own."""
        here = self.facts.nodes[self.facts.primary]
        context = ssl.create_default_context(cafile=self.stack.path(node, "privateer", "ca.crt"))
        context.check_hostname = False  # the certificate names the node, not its address
        plain = self.spaces.socket(node, socket.AF_INET, socket.SOCK_STREAM)
        plain.settimeout(20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as http.client's own: it sends the body by itself
        plain.connect((here.loopback4, NAVIGATOR_PORT))
        connection = http.client.HTTPSConnection(here.loopback4, NAVIGATOR_PORT, timeout=20)
        connection.sock = context.wrap_socket(plain)
        begin = time.monotonic()
        connection.request("POST", "/v1/sign-up", json.dumps({"label": label}),
                           {"Idempotency-Key": f"bench-of-sign-ups-{time.time_ns()}"})
        return begin, connection

    def stored(self):
        """name -> when its certificate was stored (Unix time), by the primary's log."""
        found = {}
        text = self.daemons.log(self.facts.primary, "navigator").read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            hit = re.search(r"(\d{4}-\d\d-\d\dT[\d:.]+)Z .*certificate stored .*names=\S*?([\w-]+\.[\w.-]+\w)", line)
            if hit:
                found[hit[2]] = datetime.datetime.fromisoformat(hit[1] + "+00:00").timestamp()
        return found


class Asker(threading.Thread):
    """Asks until it has what it wants; `at` is when that was, or None."""

    def __init__(self, look, pause_s):
        super().__init__(daemon=True)
        self.look, self.pause_s, self.at, self.tries, self.last = look, pause_s, None, 0, None
        self.begun = threading.Event()

    def run(self):
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            self.tries += 1
            self.begun.set()
            try:
                if self.look():
                    self.at = time.monotonic()
                    return
            except (OSError, ValueError, ssl.SSLError) as error:
                self.last = error
            select.select([], [], [], self.pause_s)  # the next look is due then


def answers(resolver, name):
    def look():
        answer = resolver.ask(name, "A")
        return bool(answer and answer.rcode == 0 and answer.values)

    return look


def serves(bed, client, address, name, context):
    def look():
        plain = bed.spaces.socket(client, socket.AF_INET, socket.SOCK_STREAM)
        try:
            plain.settimeout(2)
            plain.connect((address, 443))
            with context.wrap_socket(plain, server_hostname=name):  # chain and name are checked here
                return True
        finally:
            plain.close()

    return look


def measure(bed, resolvers, number, root):
    """Seconds from the request's first octet to each thing."""
    label = f"newcomer-{number}"
    name = f"{label}.{bed.facts.domain}"
    context = ssl.create_default_context(cafile=root)
    sites = {site: Asker(answers(resolver, name), DNS_PAUSE_S) for site, resolver in resolvers.items()}
    edges = {}
    for node in bed.facts.edges:
        there = bed.facts.nodes[node]
        edges[node] = Asker(serves(bed, there.site.client, there.underlay4, name, context), HTTPS_PAUSE_S)
    wall = time.time() - time.monotonic()
    begin, connection = bed.sign_up(bed.facts.primary, label)
    askers = [*sites.values(), *edges.values()]
    for asker in askers:
        asker.start()
    answer = connection.getresponse()
    body = answer.read()
    answered = time.monotonic()
    connection.close()
    assert answer.status == 201, body
    for asker in askers:
        asker.join(DEADLINE_S + 5)
    late = [key for key, asker in {**sites, **edges}.items() if asker.at is None]
    if late:
        raise LabError(f"{name} after {DEADLINE_S:.0f} s: not at {', '.join(late)}; last seen: "
                       f"{[str(asker.last) for asker in askers if asker.at is None]}")
    stored = bed.stored().get(name)
    return {"answered": answered - begin,
            "sites": {key: asker.at - begin for key, asker in sites.items()},
            "stored": None if stored is None else stored - wall - begin,
            "edges": {key: asker.at - begin for key, asker in edges.items()},
            "tries": {key: asker.tries for key, asker in {**sites, **edges}.items()}}


def row(report, what, values, target, met=None):
    p50, p99 = figures.percentile(values, 0.5), figures.percentile(values, 0.99)
    report.add(f"{what}, p50 / p99 / most", f"{p50 * 1000:.0f} / {p99 * 1000:.0f} / {max(values) * 1000:.0f} ms",
               target, met(p99) if met else None, seconds=values)


def bench(options, bed, report):
    facts = bed.facts
    root = wait_until("pebble's root", bed.stack.fetch_ca_root, 20, 0.2)
    resolvers = {site.name: dns_client.Resolver(bed.spaces, site.client, facts.dns_node(site).underlay4)
                 for site in facts.sites}
    try:
        measure(bed, resolvers, "warm", root)  # the account at the CA
        runs = []
        for number in range(options.sign_ups):
            runs.append(measure(bed, resolvers, number, root))
            print(f"  {number}: answered {runs[-1]['answered'] * 1000:.0f} ms, sites "
                  f"{max(runs[-1]['sites'].values()) * 1000:.0f} ms, edges "
                  f"{max(runs[-1]['edges'].values()) * 1000:.0f} ms", file=sys.stderr, flush=True)
    finally:
        for resolver in resolvers.values():
            resolver.close()
    report.json["runs"] = runs
    row(report, "POST to its answer", [one["answered"] for one in runs], "")
    row(report, "(a) POST to the name at all three sites", [max(one["sites"].values()) for one in runs], "< 200 ms",
        lambda late: late < 0.2)
    stored = [one["stored"] for one in runs if one["stored"] is not None]
    if stored:
        row(report, "    POST to the certificate stored", stored, "")
    row(report, "(b) POST to verified https on all three edges", [max(one["edges"].values()) for one in runs], "< 3 s",
        lambda late: late < 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="2 sign-ups; the figures mean nothing")
    parser.add_argument("--sign-ups", type=int, default=20)
    parser.add_argument("--keep", action="store_true", help="leave it up: lab/run --prefix " + PREFIX + " down")
    parser.add_argument("--binaries", default=ROOT / "build/release/bin")
    parser.add_argument("--out", default=str(ROOT / "build/bench/sign_up.json"))
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("sign_up: must run as root: it makes network namespaces", file=sys.stderr)
        return 77  # skipped, as CTest has it
    options.sign_ups = 2 if options.smoke else options.sign_ups
    options.binaries = str(options.binaries)
    report = figures.Report({**vars(options), "cores": os.cpu_count(), "load": os.getloadavg()})
    with tempfile.TemporaryDirectory(prefix="sovereign-sign-up-") as folder:
        pathlib.Path(folder, "topology.yaml").write_text(topology(), encoding="utf-8")
        bed = Bed(folder, options.binaries)
        try:
            bed.up()
            bench(options, bed, report)
        except LabError as error:
            print(f"sign_up: {error}", file=sys.stderr)
            for node in (bed.facts.primary, bed.facts.edges[0]):
                for name in ("navigator", "agent"):
                    if bed.daemons.log(node, name).exists():
                        print(f"--- {node} {name}\n{bed.daemons.tail(node, name, 15)}", file=sys.stderr)
            return 1
        finally:
            if not options.keep:
                bed.down()
    os.makedirs(os.path.dirname(options.out), exist_ok=True)
    with open(options.out, "w", encoding="utf-8") as file:
        json.dump(report.json, file, indent=1)
    print(report.text())
    return 0 if options.smoke else report.missed() or 0


if __name__ == "__main__":
    sys.exit(main())
