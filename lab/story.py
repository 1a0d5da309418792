"""The story: one step after the other, each observed until its deadline, then one table."""

import time

from namespaces import LabError
from report import Report
from steps_faults import FaultSteps
from steps_health import HealthSteps
from steps_names import NameSteps

MESH_TARGET = 15.0


class Story:
    def __init__(self, lab, timed=True):
        self.lab = lab
        self.report = Report(lab.say, timed)
        names = NameSteps(lab, self.report)
        faults = FaultSteps(lab, self.report, names)
        health = HealthSteps(lab, self.report, names, faults)
        # step, title, what runs, the steps it builds on, nodes whose logs explain a failure
        dns, edges, bird = lab.facts.dns_nodes, lab.facts.edges, "privateer/log/bird"
        self.steps = [
            ("a", "the mesh comes up from nothing", self.mesh, "",
             [(n, name) for n in list(lab.facts.nodes)[:2] for name in ("agent", bird)]),
            ("b", "anycast DNS leads to the own site", names.own_site_answers, "a",
             [(n, name) for n in dns for name in ("pdns", "navigator", "agent")]),
            ("c", "a tenant signs up", names.create_tenant, "b", [(n, "navigator") for n in dns]),
            ("d", "its certificate arrives", names.certificate, "c",
             [(lab.facts.primary, "navigator"), ("ca", "pebble"), (edges[0], "agent"), (edges[0], "nginx")]),
            ("e", "edges fail and return", names.health, "c", [(n, "navigator") for n in dns]),
            ("f", "anycast survives a server and a site", faults.anycast, "c",
             [(n, name) for n in dns for name in ("agent", "pdns", bird)]),
            ("g", "the mesh routes around a silent link", faults.reroute, "a",
             [(n, name) for n in edges[:2] for name in ("agent", bird)]),
            ("h", "without the control planes", faults.sovereignty, "c",
             [(lab.facts.replicas[0], "navigator"), (lab.facts.replicas[0], "pdns"), (edges[0], "agent")]),
            ("i", "a site that is cut off changes nothing", health.cut_off, "c", [(n, "navigator") for n in dns]),
            ("j", "flaps, a drain and a cold start go unseen", health.quiet, "d", [(n, "navigator") for n in dns]),
        ]

    def mesh(self):
        measured = self.lab.read_note("mesh")
        if measured is None:
            raise LabError("no measurement of the mesh's start is on record")
        self.report.within("a", "agents start to all adjacencies Full, IPv4 and IPv6", measured["full_s"], MESH_TARGET)
        self.report.within("a", f"agents start to all {measured['pairs']} pairs of loopbacks answering",
                           measured["reachable_s"], MESH_TARGET)

    def run(self):
        """True when every step held."""
        failed = set()
        began = time.monotonic()
        for step, title, action, needs, logs in self.steps:
            if failed & set(needs):
                failed.add(step)
                self.report.add(step, title, "-", f"not run: needs {', '.join(sorted(failed & set(needs)))}", False)
                continue
            self.lab.say(f"step {step}: {title}")
            rows = len(self.report.rows)
            try:
                action()
            except LabError as error:
                self.report.add(step, title, "-", f"not reached: {str(error).splitlines()[0]}", False)
                failed.add(step)
                self.lab.say(str(error))
                self.lab.stack.heal()
            if any(not row.ok for row in self.report.rows[rows:]):
                self.explain(logs)
        print(f"\n{self.report.table()}\n", flush=True)
        count = len(self.report.failed)
        self.lab.say(f"story told in {time.monotonic() - began:.0f} s: "
                     + ("every row holds" if not count else f"{count} of {len(self.report.rows)} rows do not hold"))
        return not count

    def explain(self, logs):
        """The ends of the logs that most likely say why."""
        for node, name in logs:
            self.lab.say(f"last lines of {self.lab.daemons.log(node, name)}:")
            print(self.lab.daemons.tail(node, name, 8), flush=True)
