"""What the lab knows of a scenario: its topology file, read once into plain values.

The lab needs the underlay before any binary runs, so it reads the file itself. What Privateer decides (loopbacks,
interface names, ports) is asked from `privateer plan --json`.
"""

import json
import subprocess
from dataclasses import dataclass, field

from yaml_subset import parse_yaml


@dataclass
class Site:
    name: str
    index: int                       # from 1: 198.18.<index>.0/24, 2001:db8:<index>::/64
    nodes: list = field(default_factory=list)
    router: str = ""                 # namespaces
    client: str = ""

    def address4(self, host):
        return f"198.18.{self.index}.{host}"

    def address6(self, host):
        return f"2001:db8:{self.index}::{host}"


@dataclass
class Node:
    name: str
    site: Site
    role: str
    underlay4: str
    underlay6: str
    upstreams: list
    loopback4: str = ""
    loopback6: str = ""
    devices: dict = field(default_factory=dict)  # interface name -> the device of `privateer plan --json`


class Facts:
    def __init__(self, topology_file):
        self.topology_file = str(topology_file)
        with open(topology_file, encoding="utf-8") as file:
            self.raw = parse_yaml(file.read())
        self.domain = self.raw["domain"].rstrip(".")
        self.sites = [Site(site["name"], index, router=f"inet-{site['name']}", client=f"client-{site['name']}")
                      for index, site in enumerate(self.raw["sites"], 1)]
        by_name = {site.name: site for site in self.sites}
        self.nodes = {}
        for raw in self.raw["nodes"]:
            address4 = next(a for a in raw["underlay"] if ":" not in a)
            address6 = next(a for a in raw["underlay"] if ":" in a)
            node = Node(raw["name"], by_name[raw["site"]], raw.get("role", "edge"), address4, address6,
                        raw.get("upstreams") or [])
            self.nodes[node.name] = node
            node.site.nodes.append(node)
        service = self.raw["services"][0]
        self.service = service["name"]
        self.anycast4 = next(a for a in service["addresses"] if ":" not in a)
        self.anycast6 = next(a for a in service["addresses"] if ":" in a)
        self.dns_nodes = list(service["nodes"])
        self.clusters = {cluster["name"]: cluster for cluster in self.raw["clusters"]}
        self.edges = sorted({name for cluster in self.clusters.values() for name in cluster["nodes"]})
        self.primary = self.raw["navigator"]["primary"]
        self.replicas = list(self.raw["navigator"]["replicas"])
        self.controller = self.raw["controller"]["node"]
        self.links = [tuple(link["ends"]) for link in self.raw.get("links") or []]

    def dns_node(self, site):
        return next(node for node in site.nodes if node.name in self.dns_nodes)

    def learn_plan(self, privateer, config):
        """Loopbacks and devices of every node, as the controller's plan has them."""
        done = subprocess.run([privateer, "--config", config, "plan", "--json"], capture_output=True, text=True,
                              timeout=20, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"privateer plan failed: {done.stderr.strip()}")
        plan = json.loads(done.stdout)
        service = {self.anycast4, self.anycast6}
        for entry in plan["nodes"]:
            node = self.nodes[entry["node"]]
            own = [text.split("/")[0] for text in entry["loopback"]]
            node.loopback4 = next(a for a in own if ":" not in a and a not in service)
            node.loopback6 = next(a for a in own if ":" in a and a not in service)
            node.devices = {device["name"]: device for device in entry["devices"]}

    def device_to(self, node, other):
        """The device of `node` on its link with `other`, or None."""
        wanted = {f"{node}--{other}", f"{other}--{node}"}
        return next((d for d in self.nodes[node].devices.values() if d["link"] in wanted), None)
