#!/usr/bin/env python3
"""What 100,000 tenants cost Navigator, beside 1,000: a change must not cost what all of them cost.

  tests/bench/tenants.py            some minutes
  tests/bench/tenants.py --smoke    seconds: only shows that it runs

tenants_store.cpp (TENANTS_STORE; cmake --build --preset bench --target tenants_store) makes a store with tenants in ten
clusters of five edges, each tenant on two of them, with certificates and every edge's acknowledgment. Measured are the
start (to the first answer of the API, to the issuer's first round, to edges' lists), the resident memory after that,
and single changes: a tenant is created (to the answer, which comes after the snapshot is published; to the issuer's
knowing of it), and moves to other clusters (to the answer of the long poll of an edge there). The CA is away: nothing
is due. The table goes to stdout, all figures to build/bench/tenants.json.
"""
import argparse
import http.client
import json
import os
import re
import ssl
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "support")]
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import navigator_daemon  # noqa: E402
import powerdns  # noqa: E402

MAKER = os.path.abspath(os.environ.get("TENANTS_STORE", os.path.join(ROOT, "build", "bench", "tenants_store")))
CLUSTERS, EDGES = 10, 5
READY = re.compile(r"edges' lists made tenants=(\d+)")


def topology():
    """The pools that tenants_store made."""
    nodes = [f"edge-{number}" for number in range(CLUSTERS * EDGES)]
    lines = ["name: tenants", "domain: stream.example",
             'mesh: {prefix4: 10.200.0.0/16, prefix6: "fd00:c0de:5::/48", shape: hub}', "sites: [{name: ams}]",
             "nodes:", "  - {name: dns-ams, site: ams, role: central, underlay: [198.18.1.1]}"]
    lines += [f"  - {{name: {node}, site: ams, role: edge, underlay: [198.18.2.{number + 1}]}}"
              for number, node in enumerate(nodes)]
    lines.append("clusters:")
    for cluster in range(CLUSTERS):
        members = ", ".join(nodes[cluster * EDGES:(cluster + 1) * EDGES])
        lines += [f"  - name: c{cluster}", "    site: ams", f"    nodes: [{members}]",
                  "    monitor: {type: tcp, port: 443, interval_ms: 60000}"]
    return "\n".join(lines) + "\n"


class Bed:
    """Navigator on a store with so many tenants."""

    def __init__(self, tenants):
        self.tenants = tenants
        self.files = daemons.Folder(prefix="navigator-tenants-")
        self.port = daemons.free_port()
        path = self.files.path
        certificate_stack.make_tls(self.files)
        self.navigator = navigator_daemon.Navigator(self.files, extra=f"""\
node: dns-ams
topology: {self.files.write("topology.yaml", topology())}
acme:
  directory: "https://localhost:{daemons.free_port()}/dir"
  ca_bundle: {path("ca.pem")}
  contact: "mailto:ops@example.org"
  master_key: {path("master.key")}
""")
        with open(self.navigator.config, encoding="utf-8") as file:
            text = file.read()
        tls = f'{{ certificate: {path("server.pem")}, key: {path("server.key")}, ca: {path("ca.pem")} }}'
        listen = f'api: {{ unix: {self.navigator.api}, listen: "127.0.0.1:{self.port}", tls: {tls} }}'
        self.files.write("navigator.yaml", re.sub(r"^api: .*$", lambda _: listen, text, flags=re.M))

    def make(self):
        begin = time.monotonic()
        daemons.run(MAKER, self.files.path("navigator.db"), self.files.path("master.key"), str(self.tenants),
                    str(CLUSTERS), str(EDGES), timeout=1800)
        return time.monotonic() - begin

    def metric(self, name):
        text = self.navigator.call("GET", "/metrics")[1]
        hit = re.search(rf"^{name} (\d+)", text, re.M)
        return int(hit[1]) if hit else None

    def start(self):
        """Seconds to the first answer, to the issuer's first round, to edges' lists."""
        log = self.files.path("navigator.log")
        if os.path.exists(log):
            os.unlink(log)
        begin = time.monotonic()
        self.navigator.start(600)
        times = {"answer": time.monotonic() - begin}
        waiting = {"round": lambda: self.metric("navigator_acme_subjects") == self.tenants,
                   "lists": lambda: READY.search(self.files.log("navigator.log"))}
        end = time.monotonic() + 600
        while waiting:
            for what in [one for one, there in waiting.items() if there()]:
                times[what] = time.monotonic() - begin
                del waiting[what]
            assert time.monotonic() < end, self.files.log("navigator.log")[-3000:]
            time.sleep(0.005)
        return times

    def resident_mib(self):
        with open(f"/proc/{self.navigator.daemon.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024

    def certificate_of(self, name):
        path = self.files.path
        daemons.run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    f"/CN={name}", "-keyout", path(name + ".key"), "-out", path(name + ".csr"))
        extensions = self.files.write("extensions", f"subjectAltName=DNS:{name}\n")
        daemons.run("openssl", "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey",
                    path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                    path(name + ".pem"))

    def call(self, method, target, body, expected):
        status, answer = self.navigator.call(method, target, json.dumps(body))
        assert status in expected, f"{method} {target}: {status} {answer}"

    def close(self):
        self.navigator.stop()
        self.files.remove()


class Edge(threading.Thread):
    """Reads its whole list, then follows what changes; when each answer came and what was in it."""

    def __init__(self, bed, name):
        super().__init__(daemon=True)
        bed.certificate_of(name)
        context = ssl.create_default_context(cafile=bed.files.path("ca.pem"))
        context.load_cert_chain(bed.files.path(name + ".pem"), bed.files.path(name + ".key"))
        self.connection = http.client.HTTPSConnection("localhost", bed.port, timeout=120, context=context)
        self.came, self.bundles, self.whole_s, self.octets = {}, 0, None, 0
        self.stopping, self.failure = threading.Event(), None

    def ask(self, target):
        self.connection.request("GET", target)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 200, f"{target}: {answer.status} {text[:200]}"
        self.octets += len(text)
        return json.loads(text)

    def run(self):
        try:
            begin = time.monotonic()
            page = self.ask("/v1/edge/bundles?since=0&delta=1")
            since, self.bundles = page["sequence"], len(page["bundles"])
            while "next" in page:
                page = self.ask(f"/v1/edge/bundles?delta=1&after={page['next']}")
                self.bundles += len(page["bundles"])
            self.whole_s, self.whole_octets = time.monotonic() - begin, self.octets
            while not self.stopping.is_set():
                news = self.ask(f"/v1/edge/bundles?since={since}&delta=1&applied={since}&wait_ms=1000")
                since = news["sequence"]
                for bundle in news["bundles"]:
                    self.came[bundle["tenant"]] = time.monotonic()
        except (OSError, AssertionError, http.client.HTTPException) as error:
            self.failure = error


def changes(bed, edge, count):
    """Seconds of each: created to answered, to the issuer's knowing, moved to an edge's poll."""
    taken = {"answer": [], "issuer": [], "edge": []}
    for number in range(count):
        begin = time.monotonic()
        bed.call("POST", "/v1/tenants", {"label": f"new{number}", "plan": "pro", "primary": "c0"}, (201,))
        taken["answer"].append(time.monotonic() - begin)
        known = bed.tenants + number + 1
        daemons.wait_for("the issuer knows it", lambda n=known: bed.metric("navigator_acme_subjects") == n, 60, 0.001)
        taken["issuer"].append(time.monotonic() - begin)
    for number in range(count):
        label = f"t{CLUSTERS * number}"  # in the clusters 0 and 1
        begin = time.monotonic()
        bed.call("PATCH", f"/v1/tenants/{label}", {"primary": "c5", "backups": ["c6"]}, (200, 202, 204))
        daemons.wait_for("the edge heard of it", lambda name=label: name in edge.came or edge.failure, 60, 0.001)
        assert not edge.failure, edge.failure
        taken["edge"].append(edge.came[label] - begin)
    return taken


def milliseconds(values):
    return f"{statistics.median(values) * 1000:.1f} / {max(values) * 1000:.1f} ms"


def bench(options, tenants, report):
    bed = Bed(tenants)
    try:
        made_s = bed.make()
        print(f"  {tenants} tenants stored in {made_s:.0f} s", file=sys.stderr, flush=True)
        bed.start()  # what the topology says of the pools beyond their edges is written here
        bed.navigator.stop()
        times = bed.start()
        for what, name in (("answer", "start to the first answer"), ("round", "start to the issuer's first round"),
                           ("lists", "start to the edges' lists")):
            report.add(f"{tenants} tenants: {name}", f"{times[what]:.2f} s", seconds=times[what])
        edge = Edge(bed, f"edge-{5 * EDGES}")
        edge.start()
        daemons.wait_for("the edge has its list", lambda: edge.whole_s is not None or edge.failure, 120)
        assert not edge.failure, edge.failure
        report.add(f"{tenants} tenants: an edge's whole list of {edge.bundles}",
                   f"{edge.whole_s * 1000:.0f} ms, {edge.whole_octets / 2**20:.1f} MiB", seconds=edge.whole_s)
        report.add(f"{tenants} tenants: resident memory", f"{bed.resident_mib():.0f} MiB", mib=bed.resident_mib())
        taken = changes(bed, edge, options.changes)
        edge.stopping.set()
        edge.join(10)
        for what, name in (("answer", "created to answered and published"),
                           ("issuer", "created to known by the issuer"), ("edge", "moved to an edge's poll answered")):
            report.add(f"{tenants} tenants: {name}, p50 / most", milliseconds(taken[what]), seconds=taken[what])
        return {**{name: statistics.median(values) for name, values in taken.items()}, "store_s": made_s}
    finally:
        bed.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="seconds instead of minutes; the figures mean nothing")
    parser.add_argument("--tenants", type=int, default=100000)
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "bench", "tenants.json"))
    options = parser.parse_args()
    few, many = (20, 200) if options.smoke else (1000, options.tenants)
    options.changes = 2 if options.smoke else 20
    if not os.path.exists(navigator_daemon.NAVIGATOR) or not os.path.exists(MAKER):
        parser.error("needs NAVIGATOR, TENANTS_STORE and openssl")
    report = powerdns.Report({**vars(options), "cores": os.cpu_count(), "load": os.getloadavg()})
    try:
        small = bench(options, few, report)
        large = bench(options, many, report)
        for what, name in (("answer", "published"), ("issuer", "known by the issuer"), ("edge", "told to an edge")):
            times = large[what] / small[what]
            report.add(f"a change is {name}: {many} tenants / {few}", f"{times:.1f} times", "<= 3", times <= 3)
    finally:
        os.makedirs(os.path.dirname(options.out), exist_ok=True)
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(report.json, file, indent=1)
    print(report.text())
    return 0 if options.smoke else report.missed() or 0


if __name__ == "__main__":
    sys.exit(main())
