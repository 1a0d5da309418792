#!/usr/bin/env python3
"""How long packets are lost when a link, a node or one direction of a link falls silent, with loop-free alternates and
by OSPF alone.

    sudo tests/bench/reroute.py [--repeat 30] [--bfd 100x3] [--faults link,node,oneway,ecmp] [--systems alternates,ospf]
                                [--prefix sovroute-] [--json FILE]

Five links over wireguard-go in namespaces: a-b 10, b-d 10, a-c 12, c-d 12, b-c 10; for "ecmp", where the node falls
silent that leads from a to d on one of two equal ways, a-c and c-d are 10 too. Probes leave every 5 ms in both
directions and both families; what is lost, times 5 ms, is the lost time, and the worst flow counts. "link" and "oneway"
are of a-b, with probes between a and b; "node" is b, with probes between a and d, whose way leads over b. A run whose
traffic was not where it belongs before the fault is discarded. Wants the machine for itself: the load average is
printed beside each figure. Ends with 1 where the p99 with alternates is above the bar (350 ms for 100x3, 200 ms for
50x3) or a fault has no run that counts. Runs with prefixes of their own may stand beside each other: a mesh is idle
nearly all the time of its run.
"""

import argparse
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lab"))

from support import mesh_ready  # noqa: E402

from load import Load  # noqa: E402
from namespaces import LabError  # noqa: E402
from small_mesh import SmallMesh  # noqa: E402

NODES = ("a", "b", "c", "d")
LINKS = [("a", "b", 10), ("b", "d", 10), ("a", "c", 12), ("c", "d", 12), ("b", "c", 10)]
INTERVAL_MS = 5
EQUAL = [("a", "b", 10), ("b", "d", 10), ("a", "c", 10), ("c", "d", 10), ("b", "c", 10)]
BARS_MS = {"100x3": 350, "50x3": 200}  # of the p99 with alternates
FAULTS = {"link": ("a", "b"), "node": ("a", "d"), "oneway": ("a", "b"), "ecmp": ("a", "d")}  # the probes' ends


def silence(mesh, fault):
    """Drops at the receiver: a drop at the sender would be an error there, and not silent."""
    node = {"b": ["a", "c", "d"], "a": ["b"], "c": ["b"], "d": ["b"]}
    deaf = {"link": {"a": ["b"], "b": ["a"]}, "oneway": {"b": ["a"]}, "node": node, "ecmp": node}[fault]
    for node, others in deaf.items():
        sources = ", ".join(mesh.underlay(other) for other in others)
        mesh.spaces.nft(node, f"table inet silence {{ chain c {{ type filter hook input priority 0; "
                              f"ip saddr {{ {sources} }} drop; }}; }}\n")


def heal(mesh):
    for node in NODES:
        mesh.spaces.nft(node, "table inet silence\ndelete table inet silence\n")


def in_place(mesh, fault):
    near, far = FAULTS[fault]
    if fault == "ecmp":  # at least one of the four flows goes by b; each picks its own leg
        return all(len(mesh.legs(x, mesh.loopback(y, v))) == 2 for x, y in ((near, far), (far, near)) for v in (4, 6)) \
            and any(mesh.route(x, mesh.loopback(y, v)) == "wg-b" for x, y in ((near, far), (far, near)) for v in (4, 6))
    first = {"a": "wg-b", "b": "wg-a", "d": "wg-b"}
    return all(mesh.route(x, mesh.loopback(y, v)) == first[x] for x, y in ((near, far), (far, near)) for v in (4, 6))


def one_run(mesh, fault):
    """Lost milliseconds of the worst flow, or None when the traffic was elsewhere to begin with."""
    mesh.wait_full()
    mesh.wait("traffic is where it belongs", lambda: in_place(mesh, fault), 30)
    time.sleep(5.5)  # BIRD holds a link-state change back for five seconds after the one before
    with Load(mesh.spaces, mesh.flows([FAULTS[fault]]), rate=1000 // INTERVAL_MS, port=7300) as load:
        time.sleep(0.5)
        good = in_place(mesh, fault) and all(mesh.bfd_up(n) >= 2 * mesh.degree(n) for n in NODES)
        silence(mesh, fault)
        near, far = FAULTS[fault]
        mesh.wait("both go another way", lambda: all(
            mesh.route(x, mesh.loopback(y, v)) != ("wg-b" if x != "b" else "wg-a")
            for x, y in ((near, far), (far, near)) for v in (4, 6)), 20, 0.05)
        time.sleep(4.0)  # until OSPF has taken over from the detours
    heal(mesh)
    return max(map(len, load.lost.values())) * INTERVAL_MS if good else None


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def measure(alternates, faults, links, repeat, bfd, prefix):
    interval, multiplier = bfd.split("x")
    mesh = SmallMesh(prefix, NODES, links, f"{{interval_ms: {interval}, multiplier: {multiplier}}}",
                     bird_settings={} if alternates else {"sessions": ""})
    out = []
    try:
        mesh.up()
        for fault in faults:
            lost, discarded, load = [], 0, []
            while len(lost) < repeat and discarded < repeat:
                try:
                    value = one_run(mesh, fault)
                except LabError as error:
                    print(f"    {fault}: run discarded: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
                    heal(mesh)
                    value = None
                load.append(os.getloadavg()[0])
                if value is None:
                    discarded += 1
                else:
                    lost.append(value)
            if lost:
                out.append({"fault": fault, "bfd": bfd, "alternates": alternates, "runs": len(lost),
                            "discarded": discarded, "p50_ms": percentile(lost, 50), "p99_ms": percentile(lost, 99),
                            "max_ms": max(lost), "load": f"{min(load):.1f}-{max(load):.1f}", "all_ms": lost})
                print("    {fault:<8} {bfd:<8} {how:<11} n={runs:<3} p50 {p50_ms:>5} ms  p99 {p99_ms:>5} ms  "
                      "load {load}".format(how="alternates" if alternates else "OSPF alone", **out[-1]), flush=True)
    finally:
        mesh.close()
    return out


def above(rows, faults, systems, bfd):
    """What is wrong with these results, a sentence each."""
    out = [f"{system}: no run of {fault} counts" for system in systems for fault in faults
           if not any(row["fault"] == fault and row["alternates"] == (system == "alternates") for row in rows)]
    bar = BARS_MS.get(bfd)
    return out + [f"{row['fault']}: p99 {row['p99_ms']} ms is above the bar of {bar} ms" for row in rows
                  if bar is not None and row["alternates"] and row["p99_ms"] > bar]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=30)
    parser.add_argument("--bfd", default="100x3", help="interval in ms, times multiplier")
    parser.add_argument("--faults", default="link,node,oneway,ecmp")
    parser.add_argument("--systems", default="alternates,ospf")
    parser.add_argument("--prefix", default="sovroute-", help="of the namespaces")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    if not mesh_ready():
        sys.exit("needs root, ip, bird, wg, wireguard-go, nft and PRIVATEER")
    wanted = arguments.faults.split(",")
    rows = [row for system in arguments.systems.split(",")
            for faults, links in (([one for one in wanted if one != "ecmp"], LINKS),
                                  ([one for one in wanted if one == "ecmp"], EQUAL)) if faults
            for row in measure(system == "alternates", faults, links, arguments.repeat, arguments.bfd,
                               arguments.prefix)]
    print("\n| fault | BFD | alternates p50 / p99 ms | OSPF alone p50 / p99 ms |\n| --- | --- | --- | --- |")
    for fault in arguments.faults.split(","):
        cells = {row["alternates"]: f"{row['p50_ms']} / {row['p99_ms']} (n={row['runs']})" for row in rows
                 if row["fault"] == fault}
        print(f"| {fault} | {arguments.bfd} | {cells.get(True, '-')} | {cells.get(False, '-')} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    wrong = above(rows, wanted, arguments.systems.split(","), arguments.bfd)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
