#!/usr/bin/env python3
"""What an agent costs while nothing happens, how long a mesh takes from nothing to every adjacency Full, and how soon a
change of the topology is everywhere.

    sudo tests/bench/agents.py [--nodes 50] [--seconds 60] [--changes 10] [--bfd 300x5] [--json FILE]

Nodes in namespaces of one machine, each with its agent, BIRD and one wireguard-go a link: a ring with chords, so that
a node has three links. Memory is resident (VmRSS) and proportional (Pss) of each agent at the end; CPU is its own and
its children's time over the idle seconds, as a share of one core. A change is another cost of one link, each time of
another, and lasts from the start of `privateer topology set` to the last agent's own log line that it goes by the new
world. Wants the machine for itself: the load average is
printed.
wireguard-go holds an inotify instance a process, and so does each agent: the kernel's limit of 128 a user is raised for
the run and put back.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lab"))

from support import mesh_ready  # noqa: E402

import inotify  # noqa: E402
from daemons import wait_until  # noqa: E402
from small_mesh import CONTROLLER, SmallMesh  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
MEMORY_BAR_MB = 20
CPU_BAR = 1.0
CHANGE_BAR_S = 2.0


def links_of(names):
    """A ring, and a chord from each node of the first half to the one opposite: every node has three links."""
    count = len(names)
    ring = [(names[i], names[(i + 1) % count], 10) for i in range(count)] if count > 2 else [(names[0], names[1], 10)]
    chords = [(names[i], names[i + count // 2], 15) for i in range(count // 2)] if count > 4 else []
    return ring + chords


def memory_mb(pid):
    """Resident, and proportional: what is shared with the other agents is divided among them."""
    resident = next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
                    if line.startswith("VmRSS:"))
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    share = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
    return resident / 1024, share / 1024


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICKS


def pids_by_name(mesh):
    out = {}
    for node in mesh.nodes:
        for pid in mesh.spaces.pids(mesh.spaces.name(node)):
            try:
                name = os.path.basename(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode())
            except (FileNotFoundError, ProcessLookupError):
                continue
            out.setdefault(name, []).append(pid)
    return out


def spread(values):
    ordered = sorted(values)
    return {"min": round(ordered[0], 2), "median": round(statistics.median(ordered), 2), "max": round(ordered[-1], 2)}


def full_time(mesh, began):
    up = lambda node: mesh.full(node) == (mesh.degree(node), mesh.degree(node))
    left = set(mesh.nodes)

    def all_full():
        left.difference_update([node for node in left if up(node)])
        return not left

    wait_until("every adjacency is Full", all_full, 600, 0.5)
    return time.monotonic() - began


def change_times(mesh, count):
    """Seconds of each; a link is changed once, because its ends are on trial with it for a while."""
    out = []
    for number in range(min(count, len(mesh.links))):
        place = number * len(mesh.links) // count
        a, b, cost = mesh.links[place]
        mesh.links[place] = (a, b, cost + 7)
        file = pathlib.Path(mesh.path(CONTROLLER, "new.yaml"))
        file.write_text(mesh.topology(), encoding="utf-8")
        began = time.time()
        revision = json.loads(mesh.control("topology", "set", str(file)).stdout)["revision"]
        sentence = f"world of revision {revision} from controller"
        left = set(mesh.nodes)

        def all_took():
            left.difference_update([node for node in left if mesh.logged(node, sentence)])
            return not left

        wait_until(f"revision {revision} is everywhere", all_took, 60, 0.2)
        out.append(max(mesh.logged(node, sentence) for node in mesh.nodes) - began)
    return out


def measure(mesh, seconds, changes):
    mesh.start_controller()
    began = time.monotonic()
    for node in mesh.nodes:
        mesh.join(node)
    joined = time.monotonic() - began
    began = time.monotonic()
    for node in mesh.nodes:
        mesh.start_agent(node)
    full = full_time(mesh, began)
    calm = lambda node: mesh.status(node)["trial_revision"] == -1 and mesh.status(node)["in_order"]
    for node in mesh.nodes:
        wait_until(f"{node} is calm", lambda n=node: calm(n), 300, 1)
    wait_until("detours and the last reports are done", lambda: time.monotonic() - began > full + 20, 60, 1)
    pids = pids_by_name(mesh)
    agents = [mesh.daemons.pid(node, "agent") for node in mesh.nodes]
    before, at = {pid: cpu_s(pid) for name in pids for pid in pids[name]}, time.monotonic()
    wait_until("the idle time is over", lambda: time.monotonic() - at >= seconds, seconds + 10, 0.5)
    passed = time.monotonic() - at
    share = lambda pid: 100 * (cpu_s(pid) - before[pid]) / passed
    memory = [memory_mb(pid) for pid in agents]
    others = {name: {"processes": len(list_), "cpu_percent_each": spread(map(share, list_)),
                     "resident_mb_each": spread(memory_mb(pid)[0] for pid in list_)}
              for name, list_ in pids.items() if name in ("bird", "wireguard-go")}
    taken = change_times(mesh, changes)
    return {"change_everywhere_s": spread(taken or [0.0]), "changes": len(taken),
            "change_each_s": [round(one, 3) for one in taken], "nodes": len(mesh.nodes), "links": len(mesh.links),
            "join_all_s": round(joined, 1), "all_full_s": round(full, 1), "idle_s": round(passed, 1),
            "load_average": os.getloadavg()[0],
            "agent_cpu_percent": spread(map(share, agents)), "agent_resident_mb": spread(one[0] for one in memory),
            "agent_proportional_mb": spread(one[1] for one in memory), "others": others}


def table(found):
    row = lambda what, values, unit, bar="": (f"{what:<34} {values['min']:>8} {values['median']:>8} {values['max']:>8} "
                                              f"{unit:<4} {bar}")
    print(f"{found['nodes']} nodes, {found['links']} links, load average {found['load_average']:.1f}")
    print(f"joining one after the other {found['join_all_s']} s; from the first agent's start to every adjacency Full "
          f"{found['all_full_s']} s")
    print(f"{'idle for ' + str(found['idle_s']) + ' s':<34} {'min':>8} {'median':>8} {'max':>8}")
    met = lambda value, bar: "below the bar" if value < bar else f"ABOVE THE BAR of {bar}"
    cpu, memory = found["agent_cpu_percent"], found["agent_resident_mb"]
    print(row("agent, CPU of one core", cpu, "%", met(cpu["max"], CPU_BAR)))
    print(row("agent, resident", memory, "MB", met(memory["max"], MEMORY_BAR_MB)))
    print(row("agent, proportional", found["agent_proportional_mb"], "MB"))
    if found["changes"]:
        change = found["change_everywhere_s"]
        print(row(f"a change to the last agent ({found['changes']})", change, "s", met(change["max"], CHANGE_BAR_S)))
    for name, one in found["others"].items():
        print(row(f"{name} ({one['processes']}), CPU", one["cpu_percent_each"], "%"))
        print(row(f"{name}, resident", one["resident_mb_each"], "MB"))


def above(found):
    """The figures that are above their bars."""
    figures = {"agent, CPU of one core (%)": (found["agent_cpu_percent"]["max"], CPU_BAR),
               "agent, resident (MB)": (found["agent_resident_mb"]["max"], MEMORY_BAR_MB)}
    if found["changes"]:
        figures["a change to the last agent (s)"] = (found["change_everywhere_s"]["max"], CHANGE_BAR_S)
    return [f"{what}: {value} is above the bar of {bar}" for what, (value, bar) in figures.items() if value >= bar]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--changes", type=int, default=10)
    parser.add_argument("--bfd", default="300x5")
    parser.add_argument("--json")
    options = parser.parse_args()
    if not mesh_ready():
        sys.exit("needs root, ip, bird, wg, wireguard-go, nft and the binary that PRIVATEER names")
    interval, multiplier = options.bfd.split("x")
    names = [f"n{i}" for i in range(1, options.nodes + 1)]
    links = links_of(names)
    base = pathlib.Path("/run/sovereign-lab")
    base.mkdir(parents=True, exist_ok=True)
    inotify.require(2 * len(links) + 2 * len(names), base, lambda text: print(text, flush=True))
    mesh = SmallMesh("sovagents-", names, links, f"{{interval_ms: {interval}, multiplier: {multiplier}}}")
    try:
        found = measure(mesh, options.seconds, options.changes)
    finally:
        mesh.close()
        inotify.restore(base, lambda text: print(text, flush=True))
    table(found)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if above(found):
        sys.exit("\n".join(above(found)))


if __name__ == "__main__":
    main()
