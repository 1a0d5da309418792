"""Story steps f to h: a name server, a site and a link fail; then the control planes do."""

import json
import signal
import time

import bird_client
from daemons import wait_until
from mesh import ECHO_PORT, not_full, start_echo
from namespaces import LabError, run
from probe_stream import dns_stream, echo_stream

SETTLE = 7.0  # seconds between faults: BIRD holds back a second change of a router's links for up to 5 s


class FaultSteps:
    def __init__(self, lab, report, names):
        self.lab, self.facts, self.spaces, self.stack = lab, lab.facts, lab.spaces, lab.stack
        self.daemons, self.report, self.names = lab.daemons, report, names

    # --- f

    def client_stream(self, site):
        stream = dns_stream(self.spaces, site.client, self.facts.anycast4, self.names.tenant)
        stream.start()
        return stream

    def steady(self, stream, accept, what, seconds):
        """Waits until for half a second every answer came from an accepted server, and there were plenty."""
        def condition():
            recent = stream.recent_answers(0.5)
            return len(recent) > 50 and all(accept(who) for who in recent)

        return wait_until(what, condition, seconds, 0.02)

    def moved(self, what, act, accept, limit, seconds=20):
        """One fault under a stream from the first site's client: how long nobody answered, and when it was over."""
        stream = self.client_stream(self.facts.sites[0])
        try:
            wait_until("answers before the fault", lambda: len(stream.recent_answers(0.3)) > 30, 10)
            before = stream.who()
            began = time.monotonic()
            act()
            self.steady(stream, accept, what, seconds)
        finally:
            stream.stop()
        lost = stream.lost(since=began - 0.1)
        first = stream.first(accept, began)
        self.report.within("f", f"{what}: without an answer, {len(lost)} queries of {len(stream.sent)}",
                           len(lost) * stream.interval, limit)
        return before, (first or time.monotonic()) - began

    def anycast(self):
        site = self.facts.sites[0]
        own = self.facts.dns_node(site).name

        def other(who):
            return who != own

        def home(who):
            return who == own

        _, after = self.moved(f"PowerDNS at {site.name} stops", lambda: self.daemons.stop(own, "pdns"), other, 3.0)
        self.report.within("f", "  to the first answer of another site", after, 3.0)
        _, after = self.moved(f"PowerDNS at {site.name} starts", lambda: self.stack.start_powerdns(own), home, 0.1, 40)
        self.report.within("f", "  to the first answer of its own site", after, 15.0)
        self.moved(f"site {site.name} falls silent", lambda: self.lab.net.cut_site(site), other, 3.0)
        time.sleep(SETTLE)
        self.moved(f"site {site.name} comes back", lambda: self.lab.net.mend_site(site), home, 0.1, 60)
        self.settled()

    def settled(self):
        """Waits for the whole: all adjacencies, all sites answering the tenant's home."""
        wait_until("all adjacencies are Full again", lambda: not not_full(self.facts, self.stack.bird), 60, 0.3)
        wait_until("all sites answer the primary cluster again", self.names.home_everywhere, 60, 0.2)

    # --- g

    def path_device(self, node, address):
        words = run("ip", "-n", self.spaces.name(node), "route", "get", address).split()
        return words[words.index("dev") + 1]

    def pick_link(self):
        """A link between edges of different sites that is also their path."""
        nodes = self.facts.nodes
        for a, b in self.facts.links:
            if a in self.facts.edges and b in self.facts.edges and nodes[a].site != nodes[b].site:
                return nodes[a], nodes[b], self.facts.device_to(a, b), self.facts.device_to(b, a)
        raise LabError("the topology has no link between edges of different sites")

    def reroute(self):
        a, b, device_a, device_b = self.pick_link()
        echo = start_echo(self.facts, self.spaces)
        streams = {}

        def on_link():
            return (self.path_device(a.name, b.loopback4) == self.path_device(a.name, b.loopback6) == device_a["name"])

        try:
            wait_until("the path uses the link", on_link, 30, 0.2)
            time.sleep(SETTLE)
            for version, source, target in ((4, a.loopback4, b.loopback4), (6, a.loopback6, b.loopback6)):
                streams[version] = echo_stream(self.spaces, a.name, source, target, ECHO_PORT)
                streams[version].start()
            wait_until("probes are answered", lambda: all(len(s.recent_answers(0.5)) > 80 for s in streams.values()),
                       10)
            if not on_link():
                raise LabError("the path left the link before it was cut")
            cut = time.monotonic()
            self.lab.net.cut_ports(a.name, [device_a["listen_port"]])
            self.lab.net.cut_ports(b.name, [device_b["listen_port"]])
            wait_until("probes are answered on another path",
                       lambda: all(len(s.recent_answers(0.5)) > 80 for s in streams.values()) and not on_link(), 20)
            time.sleep(SETTLE)
            mended = time.monotonic()
            self.lab.net.mend_ports(a.name)
            self.lab.net.mend_ports(b.name)
            wait_until("the path is back on the link", on_link, 60, 0.2)
            time.sleep(1.0)
        finally:
            for stream in streams.values():
                stream.stop()
            echo.stop()
        for version, stream in streams.items():
            lost = stream.lost(cut, mended)
            self.report.within("g", f"link {a.name}--{b.name} silent, IPv{version}: {len(lost)} probes lost",
                               len(lost) * stream.interval, 3.0)
            back = stream.lost(mended)
            self.report.within("g", f"  and restored: {len(back)} lost", len(back) * stream.interval, 0.1)

    # --- h

    def watch(self):
        """Streams that cross everything: DNS from each site's client, datagrams between two edges."""
        a, b, _, _ = self.pick_link()
        echo = start_echo(self.facts, self.spaces)
        streams = {site.name: self.client_stream(site) for site in self.facts.sites}
        streams["mesh"] = echo_stream(self.spaces, a.name, a.loopback4, b.loopback4, ECHO_PORT)
        streams["mesh"].start()
        return echo, streams

    def sovereignty(self):
        facts = self.facts
        self.settled()
        echo, streams = self.watch()
        home_site = facts.nodes[facts.primary].site.name
        began = time.monotonic()
        try:
            wait_until("streams are answered", lambda: all(len(s.recent_answers(0.5)) > 50 for s in streams.values()),
                       10)
            stopped = self.daemons.stop(facts.primary, "navigator")
            self.daemons.stop(facts.controller, "controller")
            wait_until("streams are answered without primary and controller",
                       lambda: time.monotonic() > stopped + 5 and
                       all(len(s.recent_answers(0.5)) > 80 for s in streams.values()), 20)
        finally:
            for stream in streams.values():
                stream.stop()
            echo.stop()
        for name, stream in streams.items():
            lost = stream.lost(since=began)
            what = "mesh between edges" if name == "mesh" else f"DNS at {name}"
            # The primary's own site must move to another one; nobody else may notice.
            self.report.within("h", f"primary Navigator and controller stop: {what}, {len(lost)} of "
                                    f"{len(stream.sent)} lost", len(lost) * stream.interval,
                               3.0 if name == home_site else 0.05)
        self.replica_returns()
        self.agent_returns()
        self.control_planes_return()

    def replica_returns(self):
        node = self.facts.replicas[0]
        self.daemons.stop(node, "navigator", signal.SIGKILL)
        site = self.facts.nodes[node].site

        def own_site_answers():
            answer = self.names.ask(site, f"h{time.monotonic_ns()}.{self.names.tenant}",
                                    server=self.facts.nodes[node].underlay4)
            return answer is not None and answer.rcode == 0 and answer.values

        began = self.stack.start_navigator(node)
        wait_until("the replica answers from its own copy", own_site_answers, 20, 0.02)
        self.report.within("h", "a replica killed and started without its primary: to its first answer",
                           time.monotonic() - began, 5.0)

    def agent_returns(self):
        node = self.pick_link()[0].name
        echo = start_echo(self.facts, self.spaces)
        a, b, _, _ = self.pick_link()
        stream = echo_stream(self.spaces, a.name, a.loopback4, b.loopback4, ECHO_PORT)
        stream.start()
        try:
            self.daemons.stop(node, "agent", signal.SIGKILL)
            began = self.stack.start_agent(node)

            def back():
                try:
                    return json.loads(self.stack.privateer(node, "status", "--json"))  # fails unless in order
                except LabError:
                    return None

            status = wait_until("`privateer status` says that the node is in order", back, 20, 0.1)
            answered = time.monotonic() - began
            time.sleep(2.0)
        finally:
            stream.stop()
            echo.stop()
        lost = stream.lost()
        full = bird_client.full_neighbors(self.stack.bird(node))
        wanted = len(self.facts.nodes[node].devices)
        self.report.within("h", "an agent killed and started without its controller: node in order", answered, 5.0)
        self.report.holds("h", "  the world it uses", status["source"], status["source"] == "last-known", "last-known")
        self.report.holds("h", f"  its adjacencies stay, {len(lost)} of {len(stream.sent)} probes lost",
                          f"{full[0]}+{full[1]} Full", full == (wanted, wanted) and len(lost) <= 2,
                          f"{wanted}+{wanted} Full, <= 2 lost")

    def control_planes_return(self):
        began = time.monotonic()
        self.stack.start_controller()
        self.stack.start_navigator(self.facts.primary)
        self.settled()
        home = self.facts.sites[0]
        own = self.facts.dns_node(home).name
        stream = self.client_stream(home)
        try:
            self.steady(stream, lambda who: who == own, "the primary's own site answers again", 30)
        finally:
            stream.stop()
        self.report.within("h", "primary and controller start: own site answers again", time.monotonic() - began, 30.0)
