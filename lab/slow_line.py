"""Stands between two interfaces and delays what goes from one of them to certain addresses: `tc netem` for kernels that
have none. Run inside the namespace of both:

    slow_line.py NEAR FAR FILE

Every Ethernet frame that comes in at NEAR goes out at FAR and the other way round. FILE holds JSON and is read again
when it changes: {"198.18.77.2": [50, 15]} delays IPv4 frames from NEAR to that address by 50 ms, give or take 15;
[50, 15, 600, 200] makes it a bottleneck of 600 kbit/s as well, whose queue holds 200 ms and drops the more the
fuller it is. The frames to one address keep their order. Checksums and segmentation that the sender left to the device
travel along (PACKET_VNET_HDR).
"""

import heapq
import json
import os
import random
import select
import socket
import struct
import sys
import time

SO_TIMESTAMPNS = 35  # and the kind of its control message
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 1, 15, 23
PACKET_MR_PROMISC = 1
VNET_HEADER = 10
ETH_P_ALL, ETH_P_IP = 3, 0x0800


def open_port(name):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    sock.bind((name, 0))
    index = socket.if_nametoindex(name)
    sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack("IHH8s", index, PACKET_MR_PROMISC, 0, b""))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setblocking(False)
    return sock


class Line:
    """The way to one address: how long it is, and how much it carries."""

    def __init__(self, delay_ms, jitter_ms, rate_kbit_s=0, queue_ms=0):
        self.delay_s, self.jitter_s, self.queue_s = delay_ms / 1000, jitter_ms / 1000, queue_ms / 1000
        self.bytes_s = rate_kbit_s * 125
        self.free_at, self.last = 0.0, 0.0

    def arrival(self, size, now):
        """When a frame of `size` bytes comes out that goes in now; None: the queue is full."""
        sent = now
        if self.bytes_s:
            sent = max(now, self.free_at)
            # Dropped at random as it fills (RED), not at its end alone: there a steady stream leaves just its own
            # places free, and nothing else would ever get in.
            filled = (sent - now) / self.queue_s
            if filled > 1 or random.random() < max(0.0, 2 * filled - 1) ** 2:
                return None
            sent = self.free_at = sent + size / self.bytes_s
        delay = max(0.0, self.delay_s + random.uniform(-self.jitter_s, self.jitter_s))
        self.last = max(self.last, sent + delay)
        return self.last


class Lines:
    def __init__(self, path):
        self.path, self.seen, self.by_address = path, None, {}

    def read_again(self):
        stamp = os.stat(self.path).st_mtime_ns
        if stamp != self.seen:
            self.seen = stamp
            with open(self.path, encoding="ascii") as file:
                by_address = {socket.inet_aton(a): Line(*terms) for a, terms in json.load(file).items()}
            for address, line in by_address.items():
                if before := self.by_address.get(address):  # what is under way stays ahead of what comes
                    line.free_at, line.last = before.free_at, before.last
            self.by_address = by_address

    def of(self, frame):
        """None: it goes through at once."""
        if len(frame) < VNET_HEADER + 34 or frame[VNET_HEADER + 12:VNET_HEADER + 14] != ETH_P_IP.to_bytes(2, "big"):
            return None
        return self.by_address.get(bytes(frame[VNET_HEADER + 30:VNET_HEADER + 34]))


def receive(sock):
    """A frame, and when it came by the monotonic clock: a line does not lengthen its queue because this process had to
    wait for its turn."""
    frame, control, _, _ = sock.recvmsg(70000, 64)
    now, came = time.monotonic(), 0.0
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            came = max(0.0, time.time() - seconds - nanoseconds / 1e9)
    return frame, now - came


def send(sock, frame):
    try:
        sock.send(frame)
    except OSError:
        pass  # a full queue, or a device that goes: frames may be lost


def main():
    near, far, lines = open_port(sys.argv[1]), open_port(sys.argv[2]), Lines(sys.argv[3])
    waiting, number = [], 0
    while True:
        lines.read_again()
        pause = min(0.1, max(0.0, waiting[0][0] - time.monotonic())) if waiting else 0.1
        ready = select.select([near, far], [], [], pause)[0]
        for sock in ready:
            while True:
                try:
                    frame, came = receive(sock)
                except OSError:
                    break
                line = lines.of(frame) if sock is near else None
                if line is None:
                    send(far if sock is near else near, frame)
                    continue
                at = line.arrival(len(frame) - VNET_HEADER, came)
                if at is not None:
                    number += 1
                    heapq.heappush(waiting, (at, number, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            send(far, heapq.heappop(waiting)[2])


if __name__ == "__main__":
    main()
