#!/usr/bin/env python3
"""Navigator behind pdns_server, side by side with what it competes with, in one run on one machine.

  tests/bench/powerdns.py            some minutes: 20,000 names, three rounds
  tests/bench/powerdns.py --full     about an hour: a million names, 100,000 zones, five rounds
  tests/bench/powerdns.py --smoke    seconds: only shows that it runs

Peers: a do-nothing C++ backend (the connector's ceiling), gsqlite3, the bind backend. Rounds are interleaved, each
figure is the median, the spread is beside it, and ratios are taken against the peer in the same round. The table goes
to stdout, all figures to build/bench/powerdns.json. Needs build/release/bin/navigator (NAVIGATOR),
build/bench/powerdns_peer (POWERDNS_PEER; cmake --build --preset bench --target powerdns_peer) and an idle machine.
"""
import argparse
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "support")]
import bench_starts  # noqa: E402
import daemons  # noqa: E402
import dns_wire  # noqa: E402
import loads  # noqa: E402
import navigator_daemon  # noqa: E402
import worlds  # noqa: E402
from figures import Report, percentile  # noqa: E402

PEER = os.path.abspath(os.environ.get("POWERDNS_PEER", os.path.join(ROOT, "build", "bench", "powerdns_peer")))
WORKLOADS = {"hit": "NOERROR", "miss": "NXDOMAIN", "flood": "NXDOMAIN", "zipf": "NOERROR"}
CHANGES_PER_SECOND = 100


def spread(values):
    middle = statistics.median(values)
    return f"{middle:,.0f} ({min(values):,.0f}-{max(values):,.0f})"


def ratio(ours, theirs):
    return statistics.median(a / b for a, b in zip(ours, theirs))


def bench_queries(options, folder, report):
    """Queries per second of every system under every workload and cache setting."""
    systems = [
        worlds.Ceiling(folder, options.names, PEER),
        worlds.NavigatorWorld(folder, options.names),
        worlds.Gsqlite3(folder, options.names),
        worlds.Bind(folder, options.names),
    ]
    for system in systems:
        system.prepare()
    files = {kind: loads.write_questions(folder, kind, options.names, options.questions) for kind in WORKLOADS}
    for caches in options.caches:
        try:
            for system in systems:
                system.open(caches)
            rates = measure_rounds(options, systems, files)
            describe_rates(report, caches, rates)
            if "pairs" in options.parts and caches == "off":
                bench_pairs(options, report, systems, files)
            if "changes" in options.parts and caches != "off":
                bench_with_changes(options, report, caches, systems, files["zipf"])
            if caches == options.caches[-1] and "calls" in options.parts:
                bench_calls(options, folder, report, systems[1])
            if caches == options.caches[-1] and "visible" in options.parts:
                bench_visible(options, report, systems[1])
        finally:
            for system in systems:
                system.close()


def measure_rounds(options, systems, files):
    """(system, workload) -> queries per second, one a round. One more round before them warms the caches."""
    rates = {}
    for number in range(options.rounds + 1):
        for kind, expected in WORKLOADS.items():
            # Another order each round, so that no system always follows the same one.
            for index in range(len(systems)):
                system = systems[(index + number) % len(systems)]
                seconds = options.seconds if number else max(1, options.seconds // 3)
                rate = loads.dnsperf(system.server.port, files[kind], seconds, expected)
                if number:
                    rates.setdefault((system.name, kind), []).append(rate)
    return rates


def bench_pairs(options, report, systems, files):
    """Navigator and the ceiling in turns of a second, many times: on few cores the rate depends on which thread the
    kernel puts where, for both alike, so that five rounds say little of their ratio."""
    ceiling, navigator = systems[:2]
    for kind in ("hit", "miss"):
        rates = {ceiling.name: [], navigator.name: []}
        for number in range(options.pairs):
            for system in (ceiling, navigator) if number % 2 else (navigator, ceiling):
                rates[system.name].append(loads.dnsperf(system.server.port, files[kind], 1, WORKLOADS[kind]))
        logs = [math.log(a / b) for a, b in zip(rates["navigator"], rates["ceiling"])]
        middle, error = statistics.mean(logs), statistics.stdev(logs) / math.sqrt(len(logs))
        low, mean, high = (math.exp(middle + step * error) for step in (-2, 0, 2))
        report.add(
            f"{kind}, caches off: navigator / ceiling, geometric mean of {options.pairs} pairs (95 % interval)",
            f"{mean:.2f} ({low:.2f}-{high:.2f})",
            ">= 0.95",
            mean >= 0.95,
            rounds=rates,
        )


def describe_rates(report, caches, rates):
    for kind in WORKLOADS:
        for name in ("ceiling", "navigator", "gsqlite3", "bind"):
            report.add(
                f"{kind}, caches {caches}: {name}, queries/s", spread(rates[name, kind]), rounds=rates[name, kind]
            )
        of_ceiling = ratio(rates["navigator", kind], rates["ceiling", kind])
        of_gsqlite3 = ratio(rates["navigator", kind], rates["gsqlite3", kind])
        report.add(f"{kind}, caches {caches}: navigator / ceiling", f"{of_ceiling:.2f}")
        if caches == "default":
            report.add(f"{kind}, caches default: navigator / gsqlite3", f"{of_gsqlite3:.2f}", ">= 1", of_gsqlite3 >= 1)
            # Nothing behind this connector can be quicker than a backend that does nothing.
            most = ratio(rates["ceiling", kind], rates["gsqlite3", kind])
            report.add(f"{kind}, caches default: ceiling / gsqlite3", f"{most:.2f}")
        else:
            report.add(f"{kind}, caches {caches}: navigator / gsqlite3", f"{of_gsqlite3:.2f}")


def bench_with_changes(options, report, caches, systems, questions):
    """Zipf while 100 names a second change, committed and synced each; bind, which nobody changes, is the bar."""
    _, navigator, gsqlite3, bind = systems
    rates = {"navigator": [], "gsqlite3": [], "bind, no changes": []}
    done = {"navigator": [], "gsqlite3": []}
    for _ in range(options.rounds):
        for system in (navigator, gsqlite3):
            with loads.Changes(system.change, CHANGES_PER_SECOND) as changes:
                rates[system.name].append(loads.dnsperf(system.server.port, questions, options.seconds, "NOERROR"))
            done[system.name].append(changes.done / changes.seconds)
        rates["bind, no changes"].append(loads.dnsperf(bind.server.port, questions, options.seconds, "NOERROR"))
    for name, values in rates.items():
        report.add(
            f"zipf with {CHANGES_PER_SECOND} changes/s, caches {caches}: {name}, queries/s",
            spread(values),
            rounds=values,
        )
    of_bind = ratio(rates["navigator"], rates["bind, no changes"])
    report.add(
        f"zipf with changes, caches {caches}: navigator / bind without changes",
        f"{of_bind:.2f}",
        ">= 0.9",
        of_bind >= 0.9,
    )
    for name, made in done.items():
        report.add(f"zipf with changes, caches {caches}: {name}, changes/s that were made", spread(made))


def bench_calls(options, folder, report, world):
    """One call after the other over the backend's socket; the client's own cost and two context switches included."""
    with open(folder.path("zipf.questions"), encoding="ascii") as questions, open(
        folder.path("names"), "w", encoding="ascii"
    ) as file:
        file.writelines(line.split()[0] + ".\n" for line, _ in zip(questions, range(100000)))
    for name, path in (("navigator", world.navigator.remote), ("ceiling", folder.path("ceiling.sock"))):
        before = requests_within(world)
        taken = json.loads(
            daemons.run(PEER, "calls", path, folder.path("names"), str(options.calls), timeout=600).stdout
        )
        assert taken["empty"] == 0, taken
        if name == "navigator":
            all_of_them, quick = (after - then for after, then in zip(requests_within(world), before))
            assert all_of_them >= options.calls, all_of_them
            report.add(
                "one lookup inside Navigator, whole request to whole reply: share within 100 us",
                f"{100 * quick / all_of_them:.3f} %",
                "p99 < 100 us",
                quick / all_of_them >= 0.99,
                requests=all_of_them,
            )
            report.add(
                "one lookup on the backend's socket, both ways' wake-ups included: p50 / p99 / p99.9",
                "{p50_us:.0f} / {p99_us:.0f} / {p999_us:.0f} us".format(**taken),
                **taken,
            )
        else:
            report.add(
                "the same of the do-nothing backend",
                "{p50_us:.0f} / {p99_us:.0f} / {p999_us:.0f} us".format(**taken),
                **taken,
            )


def requests_within(world):
    """How many requests Navigator answered so far, and how many of them within 100 us."""
    text = world.navigator.call("GET", "/metrics")[1]
    text = text if isinstance(text, str) else text.decode()
    total = sum(map(float, re.findall(r"^navigator_remote_requests_total\{[^}]*\} (\S+)", text, re.M)))
    return total, float(re.search(r'^navigator_remote_within_total\{seconds="0.0001"\} (\S+)', text, re.M).group(1))


def bench_visible(options, report, world):
    """From a change's request, fsync included, to the first new answer through PowerDNS, which had cached the old
    one."""
    asker = dns_wire.Asker(world.server.port, window=1)
    total, after, inside = [], [], []
    for number in range(options.visible):
        name = loads.host(number * 104729 % world.names)
        question = [dns_wire.Question(name, 1)]
        for _ in range(2):
            before = asker.ask(question)[0]
        wanted = f"172.16.{number >> 8 & 255}.{number & 255}"
        octets = bytes(map(int, wanted.split(".")))
        assert before.sections[0] and before.sections[0][0][4] != octets
        begin = time.monotonic()
        world.set_address(name, wanted)
        acknowledged = time.monotonic()
        while asker.ask(question)[0].sections[0][0][4] != octets:
            if time.monotonic() > begin + 10:
                raise AssertionError(f"{name} is not {wanted} after 10 s")
        seen = time.monotonic()
        total.append((seen - begin) * 1000)
        after.append((seen - acknowledged) * 1000)
        inside += publication_ms(world)
    report.add(
        "commit to visible through PowerDNS, caches on: p50 / p99",
        f"{percentile(total, 0.5):.1f} / {percentile(total, 0.99):.1f} ms",
        "p99 < 20 ms",
        percentile(total, 0.99) < 20,
        milliseconds=total,
    )
    report.add(
        "of which after the acknowledgment: p50 / p99",
        f"{percentile(after, 0.5):.1f} / {percentile(after, 0.99):.1f} ms",
    )
    if inside:
        report.add(
            "commit to snapshot: p50 / p99",
            f"{percentile(inside, 0.5):.3f} / {percentile(inside, 0.99):.3f} ms",
            "< 1 ms",
            percentile(inside, 0.99) < 1,
            milliseconds=inside,
        )


def publication_ms(world):
    """How long the last commit took to become a snapshot, as the daemon says; nothing when it does not."""
    status = json.loads(world.navigator.call("GET", "/v1/status")[1])
    return [status["published_us"] / 1000] if "published_us" in status else []


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="a million names, 100,000 zones, five rounds")
    parser.add_argument("--smoke", action="store_true", help="only shows that it runs")
    parser.add_argument("--names", type=int)
    parser.add_argument("--zones", type=int)
    parser.add_argument("--seconds", type=int, help="of each dnsperf run")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--caches", help="off,default,long")
    parser.add_argument("--parts", default="queries,pairs,changes,calls,visible,names,zones")
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "bench", "powerdns.json"))
    options = parser.parse_args()
    size = 0 if options.smoke else 2 if options.full else 1
    options.names = options.names or (500, 20000, 1000000)[size]
    options.zones = options.zones or (50, 5000, 100000)[size]
    options.seconds = options.seconds or (1, 5, 10)[size]
    options.rounds = options.rounds or (1, 3, 5)[size]
    options.caches = (options.caches or ("long", "off,default,long", "off,default,long")[size]).split(",")
    options.questions = (20000, 400000, 1500000)[size]
    options.pairs = (2, 12, 36)[size]
    options.calls = (2000, 50000, 200000)[size]
    options.visible = (10, 200, 1000)[size]
    options.size = size
    options.parts = options.parts.split(",")
    return options


def main():
    options = parse_options()
    for program in (PEER, navigator_daemon.NAVIGATOR):
        if not os.access(program, os.X_OK):
            sys.exit(f"{program} is missing: see the head of this file")
    version = subprocess.run(["pdns_server", "--version"], capture_output=True, text=True, check=False).stderr.split(
        "\n"
    )[0]
    report = Report(
        {
            **vars(options),
            "machine": platform.platform(),
            "cores": os.cpu_count(),
            "load": os.getloadavg(),
            "pdns_server": version,
            "time": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
    )
    folder = daemons.Folder(prefix="navigator-bench-")
    try:
        if "queries" in options.parts:
            bench_queries(options, folder, report)
        for part, bench in (("names", bench_starts.bench_names), ("zones", bench_starts.bench_zones)):
            if part in options.parts:
                bench(options, report)
    finally:
        folder.remove()
        os.makedirs(os.path.dirname(options.out), exist_ok=True)
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(report.json, file, indent=1)
    print(report.text())


if __name__ == "__main__":
    main()
