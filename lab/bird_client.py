"""Asks a BIRD by its control socket, which is a path and so reachable from outside the namespace."""

import re
import socket


def ask(control, command, seconds=2.0):
    """The lines of a reply without their codes; empty when BIRD does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(seconds)
            sock.connect(str(control))
            stream = sock.makefile("r", encoding="utf-8", errors="replace", newline="\n")
            stream.readline()  # greeting
            sock.sendall((command + "\n").encode())
            lines = []
            for line in stream:
                line = line.rstrip("\n")
                if line.startswith(" "):
                    lines.append(line[1:])
                    continue
                lines.append(line[5:])
                if line[4:5] == " ":
                    return lines
    except OSError:
        pass
    return []


def full_neighbors(control):
    """(OSPFv2 neighbours that are Full, OSPFv3 neighbours that are Full)."""
    counts, version = {4: 0, 6: 0}, 4
    for line in ask(control, "show ospf neighbors"):
        if re.match(r"\S+:$", line):
            version = 6 if "6" in line or "v3" in line else 4
        counts[version] += " Full/" in line or "\tFull/" in line
    return counts[4], counts[6]


def bfd_up(control):
    return sum(bool(re.search(r"\sUp\s", line)) for line in ask(control, "show bfd sessions"))
