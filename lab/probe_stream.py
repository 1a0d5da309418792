"""Streams of probes at 5 ms, each probe remembered: what was lost, for how long, and who answered.

A stream is a thread with sockets made inside a namespace. Times are monotonic; a lost probe counts as one interval.
"""

import secrets
import select
import struct
import threading
import time

import dns_client

INTERVAL = 0.005


class Stream(threading.Thread):
    """Sends `message(number)` every 5 ms to a connected socket; `read(data)` gives (number, who) of an answer."""

    def __init__(self, sock, message, read, interval=INTERVAL):
        super().__init__(daemon=True)
        self.socket, self.message, self.read, self.interval = sock, message, read, interval
        self.sent = {}       # number -> moment
        self.answered = {}   # number -> (moment, who)
        self._ending = threading.Event()

    def run(self):
        due, number = time.monotonic(), 0
        draining = None
        while draining is None or time.monotonic() < draining:
            now = time.monotonic()
            if draining is None and now >= due:
                number += 1
                self.sent[number] = now
                try:
                    self.socket.send(self.message(number))
                except OSError:
                    pass  # no route at this moment: the probe is lost
                due = max(due + self.interval, now - 10 * self.interval)
            wait = 0.05 if draining is not None else max(0.0, due - time.monotonic())
            if select.select([self.socket], [], [], wait)[0]:
                try:
                    number_back, who = self.read(self.socket.recv(4096))
                    self.answered.setdefault(number_back, (time.monotonic(), who))
                except (OSError, ValueError):
                    pass
            if draining is None and self._ending.is_set():
                draining = time.monotonic() + 0.3

    def stop(self):
        """Ends the stream after a last wait for answers on their way."""
        self._ending.set()
        self.join()
        self.socket.close()
        return self

    def lost(self, since=0.0, until=float("inf")):
        """Probes sent in a span that were never answered."""
        return [n for n, at in self.sent.items() if since <= at < until and n not in self.answered]

    def longest_gap(self, since=0.0, until=float("inf")):
        """Seconds of the longest row of unanswered probes sent in a span."""
        longest = row = 0
        for number, at in self.sent.items():
            if since <= at < until:
                row = 0 if number in self.answered else row + 1
                longest = max(longest, row)
        return longest * self.interval

    def who(self):
        """Who answered the latest probe."""
        return self.answered[max(self.answered)][1] if self.answered else None

    def first(self, wanted, since):
        """The moment of the first answer, to a probe sent after `since`, of whom `wanted(who)` accepts; or None."""
        for number in sorted(self.answered):
            if self.sent[number] >= since and wanted(self.answered[number][1]):
                return self.answered[number][0]
        return None

    def recent_answers(self, seconds):
        edge = time.monotonic() - seconds
        return [who for at, who in list(self.answered.values()) if at >= edge]


def dns_stream(spaces, short, server, name):
    """Asks for the A records of ever new names below `name` (so no cache helps); who answered is the server's id."""
    sock = spaces.socket(short, dns_client.family_of(server))
    sock.connect((server, 53))
    tag = secrets.token_hex(3)

    def message(number):
        return dns_client.question(f"p{number}-{tag}.{name}", "A", message_id=number & 0xFFFF)

    def read(data):
        answer = dns_client.parse(data)
        if answer.rcode != 0 or not answer.values:
            raise ValueError("no address")
        return answer.message_id, answer.server

    return Stream(sock, message, read)


def echo_stream(spaces, short, source, target, port):
    sock = spaces.socket(short, dns_client.family_of(target))
    sock.bind((source, 0))
    sock.connect((target, port))
    return Stream(sock, lambda number: struct.pack("!I", number),
                  lambda data: (struct.unpack("!I", data)[0], target))


class Echo(threading.Thread):
    """Answers every datagram, on any number of addresses in any number of namespaces."""

    def __init__(self, spaces, port):
        super().__init__(daemon=True)
        self.spaces, self.port = spaces, port
        self.sockets = []
        self._ending = threading.Event()

    def listen(self, short, address):
        sock = self.spaces.socket(short, dns_client.family_of(address))
        sock.bind((address, self.port))
        self.sockets.append(sock)

    def run(self):
        while not self._ending.is_set():
            for sock in select.select(self.sockets, [], [], 0.1)[0]:
                try:
                    data, sender = sock.recvfrom(2048)
                    sock.sendto(data, sender)
                except OSError:
                    pass

    def stop(self):
        self._ending.set()
        self.join()
        for sock in self.sockets:
            sock.close()
