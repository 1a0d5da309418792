#!/usr/bin/env python3
"""A health-checked name behind pdns_server: Navigator's load balancer side by side with a LUA record's ifportup, and how
soon an answer follows a flip of health.

  tests/bench/steering.py            three rounds of five seconds, 200 flips: some minutes
  tests/bench/steering.py --smoke    seconds: only shows that it runs

Both names have two origins on loopback, checked by both systems all the while. PowerDNS's caches are an hour long before
Navigator, which purges what flips, and PowerDNS's own before the LUA record, whose answers must stay young. Rounds are
interleaved. A flip is measured from the moment that Navigator logs the transition (the threshold is reached) to the
first changed answer, with PowerDNS's default caches. The table goes to stdout, all figures to build/bench/steering.json.
"""
import argparse
import http.server
import json
import os
import socketserver
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "support")]
import daemons  # noqa: E402
import dns_wire  # noqa: E402
import loads  # noqa: E402
import navigator_daemon  # noqa: E402
import powerdns  # noqa: E402
import powerdns_server  # noqa: E402
import worlds  # noqa: E402

NAME = f"lb.{worlds.APEX}"
FIRST, SECOND = "127.0.0.41", "127.0.0.42"


class Origin:
    """A web server that is well or not, as `well` says. It goes on listening, so that ifportup sees it up."""

    def __init__(self, address, port):
        self.well = True
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(200 if outer.well else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server((address, port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


def balancer(port):
    return f"""\
monitors:
  - {{name: web, type: http, port: {port}, interval_ms: 200, timeout_ms: 100, consecutive_up: 2, consecutive_down: 2}}
pools:
  - {{name: first, monitor: web, origins: [{{name: o, address: {FIRST}}}]}}
  - {{name: second, monitor: web, origins: [{{name: o, address: {SECOND}}}]}}
load_balancers:
  - {{name: {NAME}, default_pools: [first, second]}}
"""


class Balanced(worlds.NavigatorWorld):
    """Navigator with the load balancer at NAME."""

    def __init__(self, folder, port):
        super().__init__(folder, 10)
        self.web = port

    def prepare(self):
        super().prepare()
        file = self.folder.write("lb.yaml", balancer(self.web))
        navigator_daemon.Navigator(self.folder).command("steering", "apply", file)

    def open(self, caches):
        super().open(caches)

        def well():
            listed = json.loads(self.navigator.call("GET", "/v1/health")[1])["endpoints"]
            return len(listed) == 2 and all(one["health"] == "up" for one in listed)

        daemons.wait_for("both origins are up", well)


class IfPortUp(worlds.Gsqlite3):
    """The same name as a LUA record in gsqlite3."""

    def __init__(self, folder, port):
        super().__init__(folder, 10)
        self.name = "ifportup"
        self.web = port

    def prepare(self):
        super().prepare()
        connection = worlds.sqlite3.connect(self.path)
        with connection:
            connection.execute(
                "INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES (1, ?, 'LUA', ?, 30, 1)",
                (NAME, f"A \"ifportup({self.web}, {{'{FIRST}', '{SECOND}'}})\""),
            )
        connection.close()

    def open(self, caches):
        self.server = powerdns_server.PowerDns(
            self.folder,
            f"pdns-{self.name}",
            powerdns_server.gsqlite3(self.path),
            {**worlds.CACHES[caches], "enable-lua-records": "yes"},
        )
        self.server.start()


def answer(asker):
    sections = asker.ask([dns_wire.Question(NAME, 1)])[0].sections[0]
    return ".".join(map(str, sections[0][4])) if sections else ""


def bench_rates(options, folder, origins_port, report):
    systems = [(Balanced(folder, origins_port), "long"), (IfPortUp(folder, origins_port), "default")]
    questions = folder.write("lb.questions", f"{NAME} A\n")
    rates = {}
    try:
        for system, caches in systems:
            system.prepare()
            system.open(caches)
            asker = dns_wire.Asker(system.server.port, window=1)
            daemons.wait_for(f"{system.name} names an origin", lambda ask=asker: answer(ask) in (FIRST, SECOND))
        for number in range(options.rounds + 1):
            for system, _ in systems:
                rate = loads.dnsperf(system.server.port, questions, options.seconds, "NOERROR")
                if number:  # the first round warms
                    rates.setdefault(system.name, []).append(rate)
    finally:
        for system, _ in systems:
            system.close()
    for name, values in rates.items():
        report.add(f"a health-checked name: {name}, queries/s", powerdns.spread(values), rounds=values)
    times = powerdns.ratio(rates["navigator"], rates["ifportup"])
    report.add("navigator / ifportup", f"{times:.1f}", ">= 10", times >= 10)


def transitions(world):
    return json.loads(world.navigator.call("GET", "/v1/transitions")[1])["transitions"]


def one_flip(world, asker, origin, wanted):
    """Milliseconds from the logged transition of `first/o` to the first answer `wanted`."""
    origin.well = not origin.well
    deadline = time.monotonic() + 30
    while answer(asker) != wanted:
        if time.monotonic() > deadline:
            raise AssertionError(f"{wanted} is not answered after 30 s")
    seen_ms = time.time() * 1000
    state = "up" if origin.well else "down"

    def logged():
        newest = next((one for one in transitions(world) if one["endpoint"] == "first/o"), None)
        return newest if newest and newest["to"] == state else None

    return seen_ms - daemons.wait_for("the transition is on record", logged)["at_ms"]


def bench_flips(options, folder, origins_port, origin, report):
    world = Balanced(folder, origins_port)
    taken = []
    try:
        world.prepare()
        world.open("default")
        asker = dns_wire.Asker(world.server.port, window=1)
        for number in range(options.flips):
            taken.append(one_flip(world, asker, origin, SECOND if number % 2 == 0 else FIRST))
    finally:
        world.close()
    late = powerdns.percentile(taken, 0.99)
    report.add(
        f"threshold reached to changed answer, {options.flips} flips: p50 / p99 / most",
        f"{powerdns.percentile(taken, 0.5):.1f} / {late:.1f} / {max(taken):.1f} ms",
        "p99 < 100 ms",
        late < 100,
        milliseconds=taken,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="only shows that it runs")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of each dnsperf run")
    parser.add_argument("--flips", type=int)
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "bench", "steering.json"))
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.smoke else 3)
    options.seconds = options.seconds or (1 if options.smoke else 5)
    options.flips = options.flips or (2 if options.smoke else 200)
    report = powerdns.Report({**vars(options), "cores": os.cpu_count(), "load": os.getloadavg()})
    folders = [daemons.Folder(prefix="navigator-bench-") for _ in range(2)]
    port = daemons.free_port()
    origins = [Origin(address, port) for address in (FIRST, SECOND)]
    try:
        bench_rates(options, folders[0], port, report)
        bench_flips(options, folders[1], port, origins[0], report)
    finally:
        for origin in origins:
            origin.stop()
        for folder in folders:
            folder.remove()
        os.makedirs(os.path.dirname(options.out), exist_ok=True)
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(report.json, file, indent=1)
    print(report.text())
    return 0 if options.smoke else report.missed() or 0


if __name__ == "__main__":
    sys.exit(main())
