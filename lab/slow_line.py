"""Stands between two interfaces and delays what goes from one of them to certain addresses: `tc netem` for kernels that
have none. Run inside the namespace of both:

    slow_line.py NEAR FAR FILE

Every Ethernet frame that comes in at NEAR goes out at FAR and the other way round. FILE holds JSON and is read again
when it changes: {"198.18.77.2": [50, 15]} delays IPv4 frames from NEAR to that address by 50 ms, give or take 15, and
keeps their order. Checksums and segmentation that the sender left to the device travel along (PACKET_VNET_HDR).
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
    sock.setblocking(False)
    return sock


class Delays:
    def __init__(self, path):
        self.path, self.seen, self.by_address = path, None, {}

    def read_again(self):
        stamp = os.stat(self.path).st_mtime_ns
        if stamp != self.seen:
            self.seen = stamp
            with open(self.path, encoding="ascii") as file:
                self.by_address = {socket.inet_aton(a): (ms / 1000, jitter / 1000)
                                   for a, (ms, jitter) in json.load(file).items()}

    def of(self, frame):
        if len(frame) < VNET_HEADER + 34 or frame[VNET_HEADER + 12:VNET_HEADER + 14] != ETH_P_IP.to_bytes(2, "big"):
            return 0.0
        delay, jitter = self.by_address.get(bytes(frame[VNET_HEADER + 30:VNET_HEADER + 34]), (0.0, 0.0))
        return max(0.0, delay + random.uniform(-jitter, jitter))


def send(sock, frame):
    try:
        sock.send(frame)
    except OSError:
        pass  # a full queue, or a device that goes: frames may be lost


def main():
    near, far, delays = open_port(sys.argv[1]), open_port(sys.argv[2]), Delays(sys.argv[3])
    waiting, last, number = [], 0.0, 0
    while True:
        delays.read_again()
        pause = min(0.1, max(0.0, waiting[0][0] - time.monotonic())) if waiting else 0.1
        ready = select.select([near, far], [], [], pause)[0]
        for sock in ready:
            while True:
                try:
                    frame = sock.recv(70000)
                except OSError:
                    break
                if sock is far:
                    send(near, frame)
                    continue
                delay = delays.of(frame)
                if delay == 0.0:
                    send(far, frame)
                    continue
                last, number = max(last, time.monotonic() + delay), number + 1
                heapq.heappush(waiting, (last, number, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            send(far, heapq.heappop(waiting)[2])


if __name__ == "__main__":
    main()
