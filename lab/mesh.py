"""Watches a mesh come up: adjacencies by BIRD's own word, reachability by datagrams between all loopbacks."""

import select
import socket
import struct
import time

import bird_client
from namespaces import LabError
from probe_stream import Echo

ECHO_PORT = 7007
_FREEBIND = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}


def start_echo(facts, spaces):
    """Answers on every node's loopbacks, from before these exist."""
    echo = Echo(spaces, ECHO_PORT)
    for node in facts.nodes.values():
        for address, family in ((node.loopback4, socket.AF_INET), (node.loopback6, socket.AF_INET6)):
            sock = spaces.socket(node.name, family)
            sock.setsockopt(*_FREEBIND[family], 1)
            sock.bind((address, ECHO_PORT))
            echo.sockets.append(sock)
    echo.start()
    return echo


class Reach:
    """Which (from, to, family) pairs have had an answer. Asks only for the missing ones."""

    def __init__(self, facts, spaces):
        self.nodes = list(facts.nodes.values())
        self.missing = {(a, b, v) for a in range(len(self.nodes)) for b in range(len(self.nodes)) for v in (4, 6)}
        self.sockets = {}
        for number, node in enumerate(self.nodes):
            for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6)):
                self.sockets[spaces.socket(node.name, family)] = (number, version)
        self.by_end = {end: sock for sock, end in self.sockets.items()}
        self.last_answer = 0.0
        self.total = len(self.missing)

    def round(self, seconds):
        for a, b, version in self.missing:
            to = self.nodes[b].loopback4 if version == 4 else self.nodes[b].loopback6
            try:
                self.by_end[(a, version)].sendto(struct.pack("!BBB", a, b, version), (to, ECHO_PORT))
            except OSError:
                pass  # no route yet
        deadline = time.monotonic() + seconds
        while self.missing and (left := deadline - time.monotonic()) > 0:
            for sock in select.select(list(self.sockets), [], [], left)[0]:
                try:
                    end = struct.unpack("!BBB", sock.recv(64))
                except (OSError, struct.error):
                    continue
                if end in self.missing:
                    self.missing.discard(end)
                    self.last_answer = time.monotonic()

    def close(self):
        for sock in self.sockets:
            sock.close()


def expected_neighbors(facts):
    counts = dict.fromkeys(facts.nodes, 0)
    for node in facts.nodes.values():
        counts[node.name] = len(node.devices)
    return counts


def not_full(facts, control):
    """Nodes whose adjacencies are not all Full in both families: 'edge-1: 3+2 of 4'."""
    missing = []
    for node, wanted in expected_neighbors(facts).items():
        full4, full6 = bird_client.full_neighbors(control(node))
        if (full4, full6) != (wanted, wanted):
            missing.append(f"{node}: {full4}+{full6} of {wanted}")
    return missing


def wait_for_mesh(facts, spaces, control, began, seconds, say=lambda text: None):
    """(seconds until all adjacencies were Full, seconds until the last pair of loopbacks had an answer)."""
    reach = Reach(facts, spaces)
    full_at, told = None, 0.0
    try:
        while True:
            reach.round(0.1)
            if full_at is None and not not_full(facts, control):
                full_at = time.monotonic()
            if full_at is not None and not reach.missing:
                return full_at - began, reach.last_answer - began
            if time.monotonic() - told > 2:
                told = time.monotonic()
                say(f"{reach.total - len(reach.missing)} of {reach.total} loopback pairs answer")
            if time.monotonic() - began > seconds:
                parts = not_full(facts, control)[:4]
                parts += [f"{reach.nodes[a].name} -> {reach.nodes[b].name} IPv{v}"
                          for a, b, v in sorted(reach.missing)[:4]]
                raise LabError(f"the mesh is not up within {seconds:g} s; missing: {'; '.join(parts)}")
    finally:
        reach.close()
