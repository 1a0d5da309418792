"""The internet of the lab: one router a site, joined to each other, with eBGP among them and to the DNS nodes.

    client-ams --+                          +-- client-nyc
                 |                          |
    dns-ams -----+ [site] inet-ams ---- inet-nyc [site] +---- dns-nyc        inet-X is AS 6500<i>, the gateway of
    edge-ams-1 --+           \\          /               +---- edge-nyc-1      198.18.<i>.0/24 and 2001:db8:<i>::/64;
    edge-ams-2 --+            inet-sin ...               +---- ca (pebble)     `site` is a bridge inside its namespace

A router takes the anycast prefixes from its DNS node (nothing else), so a client is led to its own site's server while
that announces, and to another site's otherwise.
"""

import itertools
import subprocess

from daemons import wait_until

_ROUTER_CONFIG = """log stderr all;
timeformat log iso long ms;
router id 198.19.255.{index};
define SERVICES4 = [ {anycast4}/32 ];
define SERVICES6 = [ {anycast6}/128 ];
protocol device {{ scan time 10; }}
protocol direct {{ ipv4; ipv6; interface "site"; }}
protocol bfd {{
  accept direct;
  interface "*" {{ interval 100 ms; idle tx interval 300 ms; multiplier 5; }};
}}
protocol kernel kernel4 {{ metric 32; ipv4 {{ import none; export where source = RTS_BGP; }}; }}
protocol kernel kernel6 {{ metric 32; ipv6 {{ import none; export where source = RTS_BGP; }}; }}
template bgp session {{
  local as {asn};
  bfd yes;
  connect delay time 1;
  connect retry time 2;
  error wait time 1, 5;
}}
"""

CLIENT_HOST = 100
CA_HOST = 200


def router_asn(site):
    return 65000 + site.index


def short_port(node_name):
    """The router's end of a node's cable: at most 15 characters."""
    return ("p-" + node_name)[:15]


def port_names(facts):
    """Node, client and ca names with their ports; unique although names are cut."""
    names = [node for node in facts.nodes] + [site.client for site in facts.sites] + ["ca"]
    ports = {name: short_port(name) for name in names}
    for router_names in ([n.name for n in site.nodes] + [site.client, "ca"] for site in facts.sites):
        if len({ports[n] for n in router_names}) != len(router_names):
            return {name: f"p-{number}" for number, name in enumerate(names)}
    return ports


class Underlay:
    def __init__(self, facts, spaces, daemons):
        self.facts = facts
        self.spaces = spaces
        self.daemons = daemons
        self.ports = port_names(facts)
        self.ca_site = facts.sites[1 % len(facts.sites)]
        self.ca_address = self.ca_site.address4(CA_HOST)
        self.cables = {}  # (router index, router index) -> (interface there, its addresses, the other's addresses)

    def namespaces(self):
        names = [site.router for site in self.facts.sites] + [site.client for site in self.facts.sites]
        return names + list(self.facts.nodes) + ["ca"]

    def build(self):
        self.spaces.create(self.namespaces())
        for site in self.facts.sites:
            self._router(site)
            for node in site.nodes:
                self._attach(site, node.name, node.underlay4, node.underlay6)
            self._attach(site, site.client, site.address4(CLIENT_HOST), site.address6(CLIENT_HOST))
        self._attach(self.ca_site, "ca", self.ca_address, self.ca_site.address6(CA_HOST))
        for number, (a, b) in enumerate(itertools.combinations(self.facts.sites, 2), 1):
            self._join(number, a, b)
        for site in self.facts.sites:
            folder = self.daemons.folder(site.router)
            (folder / "bird.conf").write_text(self.bird_config(site), encoding="utf-8")
            self.daemons.start(site.router, "bird", "bird", "-f", "-c", folder / "bird.conf", "-s", folder / "bird.ctl",
                               "-P", folder / "bird.birdpid")

    def _router(self, site):
        with self.spaces.entered(site.router):
            for path in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv6/conf/default/forwarding"):
                with open(f"/proc/sys/{path}", "w", encoding="ascii") as file:
                    file.write("1")
        self.spaces.ip(site.router, "link add site type bridge forward_delay 0 stp_state 0 mcast_snooping 0",
                       f"addr add {site.address4(1)}/24 dev site", f"addr add {site.address6(1)}/64 dev site nodad",
                       "link set site up")

    def _attach(self, site, name, address4, address6):
        port = self.ports[name]
        self.spaces.ip(site.router,
                       f"link add {port} type veth peer name eth0 netns {self.spaces.name(name)}",
                       f"link set {port} master site up")
        self.spaces.ip(name, f"addr add {address4}/24 dev eth0", f"addr add {address6}/64 dev eth0 nodad",
                       "link set eth0 up", f"route add default via {site.address4(1)}",
                       f"route add ::/0 via {site.address6(1)}")

    def _join(self, number, a, b):
        self.spaces.ip(a.router, f"link add to-{b.name} type veth peer name to-{a.name} netns "
                                 f"{self.spaces.name(b.router)}")
        ends = ((a, b, 1, 2), (b, a, 2, 1))
        for site, other, own, peer in ends:
            device = f"to-{other.name}"
            self.spaces.ip(site.router, f"addr add 198.19.{number}.{own}/30 dev {device}",
                           f"addr add 2001:db8:ff:{number}::{own}/64 dev {device} nodad", f"link set {device} up")
            self.cables.setdefault(site.index, []).append(
                (other, f"198.19.{number}.{peer}", f"2001:db8:ff:{number}::{peer}"))

    def bird_config(self, site):
        """Everything is announced to the other routers; from a DNS node only the anycast prefixes are taken."""
        out = [_ROUTER_CONFIG.format(index=site.index, asn=router_asn(site), anycast4=self.facts.anycast4,
                                     anycast6=self.facts.anycast6)]
        for other, *neighbors in self.cables[site.index]:
            for version, neighbor in zip("46", neighbors):
                out.append(f"protocol bgp {other.name}{version} from session {{\n"
                           f"  neighbor {neighbor} as {router_asn(other)};\n"
                           f"  ipv{version} {{ import all; export where source ~ [ RTS_BGP, RTS_DEVICE ]; }};\n}}\n")
        for node in site.nodes:
            for number, upstream in enumerate(node.upstreams, 1):
                version = "6" if ":" in upstream["neighbor"] else "4"
                address = node.underlay6 if version == "6" else node.underlay4
                out.append(f"protocol bgp {node.name.replace('-', '_')}_{number} from session {{\n"
                           f"  neighbor {address} as {upstream['local_asn']};\n  local role provider;\n"
                           f"  ipv{version} {{ import where net ~ SERVICES{version}; export none; }};\n}}\n")
        return "".join(out)

    def wait_until_routed(self, seconds=30):
        """Until every router's kernel has a route to every other site, in both families."""
        def missing():
            for site in self.facts.sites:
                for other in self.facts.sites:
                    for family, target in (("-4", other.address4(1)), ("-6", other.address6(1))):
                        found = subprocess.run(self.spaces.argv(site.router, "ip", family, "route", "get", target),
                                               stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=10)
                        if found.returncode != 0:
                            return True
            return False

        wait_until("the internet's routers know every site", lambda: not missing(), seconds, 0.1)

    # --- faults: silent loss. Devices stay up, both ends drop what comes in; a drop on the way out would be noticed by
    # the sender.

    def cut_site(self, site):
        """Every node of a site loses its cable; its router and its client live on."""
        ports = ", ".join(f'"{self.ports[node.name]}"' for node in site.nodes)
        for node in site.nodes:
            self.spaces.nft(node.name, "table inet lab_cut { chain lab_drop { type filter hook prerouting priority "
                                       "-400; iifname \"eth0\" drop; }\n }\n")
        hooks = "".join(f"chain lab_{number} {{ type filter hook ingress device {port} priority -400; drop; }}\n"
                        for number, port in enumerate(ports.split(", ")))
        self.spaces.nft(site.router, f"table netdev lab_cut {{ {hooks} }}\n")

    def mend_site(self, site):
        self.spaces.nft(site.router, "delete table netdev lab_cut\n")
        for node in site.nodes:
            self.spaces.nft(node.name, "delete table inet lab_cut\n")

    def cut_ports(self, node, udp_ports):
        """A node hears nothing any more on these UDP ports."""
        ports = ", ".join(map(str, udp_ports))
        self.spaces.nft(node, "table inet lab_link { chain lab_drop { type filter hook prerouting priority -400; "
                              f"iifname \"eth0\" udp dport {{ {ports} }} drop; }}\n }}\n")

    def mend_ports(self, node):
        self.spaces.nft(node, "delete table inet lab_link\n")
