#!/usr/bin/env python3
"""From sign-up to certificate: Navigator beside lego at the same pebble, and fifty edges that take a new bundle.

  tests/bench/certificates.py            some minutes
  tests/bench/certificates.py --smoke    seconds: only shows that it runs

In sequence: one tenant after another, from the request that creates it to its certificate (apex and wildcard) in
Navigator's list; lego gets the same kind of certificate by its pdns provider from Navigator's PowerDNS-compatible API,
one process each, as it is run. In flight: all tenants at once, at Navigator's usual eight orders. Edges: each polls
over mTLS with the agent's own client, takes the bundle, writes it and acknowledges (edges_peer.cpp; EDGES_PEER; cmake
--build --preset bench --target edges_peer); the time is from the log's "certificate stored" to the acknowledgment's
answer. pebble refuses no nonce here. The table goes to stdout, all figures to build/bench/certificates.json. Exit code
1 when a target was missed.
"""
import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "support")]
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import figures  # noqa: E402

KEY = "sixteen-or-more-letters"
PEER = os.path.abspath(os.environ.get("EDGES_PEER", os.path.join(ROOT, "build", "bench", "edges_peer")))


def topology(edges):
    """One site with as many edges in one cluster as wanted."""
    nodes = [f"edge-{number}" for number in range(edges)]
    lines = ["name: certificates", "domain: stream.example",
             'mesh: {prefix4: 10.200.0.0/16, prefix6: "fd00:c0de:5::/48", shape: hub}', "sites: [{name: ams}]",
             "nodes:", "  - {name: dns-ams, site: ams, role: central, underlay: [198.18.1.1]}"]
    lines += [f"  - {{name: {node}, site: ams, role: edge, underlay: [198.18.2.{number + 1}]}}"
              for number, node in enumerate(nodes)]
    lines += ["clusters:", f"  - name: ams\n    site: ams\n    nodes: [{', '.join(nodes)}]",
              "    monitor: {type: tcp, port: 443}"]
    return "\n".join(lines) + "\n"


class Bed(certificate_stack.CertificateStack):
    def __init__(self, edges):
        self.edges = [f"edge-{number}" for number in range(edges)]
        super().__init__(reject_nonces=0)
        self.files.write("topology.yaml", topology(edges))
        with open(self.navigator.config, encoding="utf-8") as file:
            text = file.read()
        key_file = self.files.write("api.key", KEY)
        self.files.write("navigator.yaml", re.sub(r"^api: \{", f"api: {{ key_file: {key_file},", text, flags=re.M))
        for edge in self.edges:
            certificate_stack.sign(self.files, edge, f"DNS:{edge}")

    def create(self, label):
        body = json.dumps({"label": label, "plan": "pro", "primary": "ams"})
        status, answer = self.navigator.call("POST", "/v1/tenants", body)
        assert status == 201, answer

    def stored(self):
        """label -> when its certificate was stored, by the log."""
        found = {}
        for line in self.files.log("navigator.log").splitlines():
            hit = re.search(r"(\d{4}-\d\d-\d\dT[\d:.]+)Z .*certificate stored .*names=\S*?([\w-]+)\.stream\.example",
                            line)
            if hit:
                at = datetime.datetime.fromisoformat(hit[1] + "+00:00").timestamp()
                found[hit[2]] = at
        return found

    def wait_for(self, labels, seconds):
        wanted = {f"{label}.stream.example" for label in labels}
        daemons.wait_for(f"{len(wanted)} certificates",
                         lambda: wanted <= {n for one in self.certificates() for n in one["names"]}, seconds, 0.003)


def lego(bed, label):
    name = f"{label}.stream.example"
    daemons.run("lego", "--accept-tos", "--path", bed.files.path("lego"), "--server",
                f"https://localhost:{bed.pebble.port}/dir", "--email", "ops@example.org", "--dns", "pdns",
                "--dns.disable-cp", "--dns.resolvers", f"127.0.0.1:{bed.pdns.port}", "--domains", name, "--domains",
                f"*.{name}", "run",
                env={"PDNS_API_URL": f"https://localhost:{bed.port}", "PDNS_API_KEY": KEY, "PDNS_TTL": "1",
                     "LEGO_CA_CERTIFICATES": bed.files.path("ca.pem"), "SSL_CERT_FILE": bed.files.path("ca.pem")})


def seconds_of(what):
    begin = time.monotonic()
    what()
    return time.monotonic() - begin


def bench_sequence(options, bed, report):
    taken = {"navigator": [], "lego": []}

    def ours(label):
        bed.create(label)
        bed.wait_for([label], 30)

    ours("warm")
    lego(bed, "warm-lego")  # its account
    for number in range(options.sequence):
        taken["navigator"].append(seconds_of(lambda n=number: ours(f"seq{n}")))
        taken["lego"].append(seconds_of(lambda n=number: lego(bed, f"lego{n}")))
    for system, values in taken.items():
        median = figures.percentile(values, 0.5)
        report.add(f"apex and wildcard in sequence: {system}, p50 / most",
                   f"{median * 1000:.0f} / {max(values) * 1000:.0f} ms", "<= 100 ms" if system == "navigator" else "",
                   median <= 0.1 if system == "navigator" else None, seconds=values)
    ratio = figures.percentile(taken["lego"], 0.5) / figures.percentile(taken["navigator"], 0.5)
    report.add("lego / navigator", f"{ratio:.1f}")


def bench_in_flight(options, bed, report):
    labels = [f"par{number}" for number in range(options.parallel)]
    # Created while nothing may be ordered: the rate is the orders', not the requests'.
    begin = time.time()
    for label in labels:
        bed.create(label)
    bed.wait_for(labels, 60 + options.parallel)
    at = sorted(when for label, when in bed.stored().items() if label in set(labels))
    span = at[-1] - begin
    rate = len(at) / span
    report.add(f"{options.parallel} tenants at once, 8 orders in flight: certificates/s", f"{rate:.1f}", ">= 50",
               rate >= 50)


class Edges(threading.Thread):
    """The agent's own client for each edge, in one process with a thread each (edges_peer.cpp)."""

    def __init__(self, bed):
        super().__init__(daemon=True)
        # In life each edge has a disk of its own: fifty of them do not wait for one.
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.directory = tempfile.mkdtemp(prefix="sovereign-edges-", dir=memory)
        with open(bed.files.path("edges.log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [PEER, f"https://localhost:{bed.port}", bed.files.folder, self.directory, *bed.edges],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.at = {}  # tenant -> edge -> when it was acknowledged
        self.start()

    def run(self):
        for line in self.process.stdout:
            edge, tenant, at = line.split()
            self.at.setdefault(tenant, {})[edge] = float(at)

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.join(10)
        shutil.rmtree(self.directory)


def bench_edges(options, bed, report):
    edges, taken, last = Edges(bed), [], []
    try:
        everybody = len(bed.edges)
        daemons.wait_for("every edge has what there was", lambda: len(edges.at.get("warm", {})) == everybody, 60)
        for number in range(options.bundles):
            label = f"edge{number}"
            bed.create(label)
            daemons.wait_for("every edge acknowledged", lambda name=label: len(edges.at.get(name, {})) == everybody, 60)
            at = bed.stored()[label]
            taken += [when - at for when in edges.at[label].values()]
            last.append(max(edges.at[label].values()) - at)
    finally:
        edges.close()
    late = figures.percentile(taken, 0.99)
    report.add(f"{everybody} edges, {options.bundles} bundles: stored to acknowledged, p50 / p99 / most",
               f"{figures.percentile(taken, 0.5) * 1000:.0f} / {late * 1000:.0f} / {max(taken) * 1000:.0f} ms",
               "p99 < 1000 ms", late < 1, seconds=taken)
    report.add("stored to acknowledged by all edges, p50 / most",
               f"{figures.percentile(last, 0.5) * 1000:.0f} / {max(last) * 1000:.0f} ms", seconds=last)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="seconds instead of minutes; the figures mean nothing")
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "bench", "certificates.json"))
    options = parser.parse_args()
    options.sequence, options.parallel, options.bundles = (2, 8, 1) if options.smoke else (10, 200, 20)
    edges = 4 if options.smoke else 50
    if not certificate_stack.programs_are_there() or not os.path.exists(PEER):
        parser.error("needs NAVIGATOR, EDGES_PEER, pebble, pdns_server, openssl and lego")
    report = figures.Report({**vars(options), "edges": edges, "cores": os.cpu_count(), "load": os.getloadavg()})
    bed = Bed(edges)
    try:
        bed.start()
        bench_sequence(options, bed, report)
        # Before there are hundreds of bundles: each edge would fetch them all first.
        bench_edges(options, bed, report)
        bench_in_flight(options, bed, report)
    finally:
        bed.close()
        os.makedirs(os.path.dirname(options.out), exist_ok=True)
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(report.json, file, indent=1)
    print(report.text())
    return 0 if options.smoke else report.missed() or 0


if __name__ == "__main__":
    sys.exit(main())
