"""Numbered datagrams at a steady rate over many flows at once, and which of them never arrived.

One process sends and one receives, so that neither waits for the other's turn at Python's lock. Sockets are made in
their namespaces before and inherited.
"""

import multiprocessing
import select
import socket
import struct
import time

_NUMBER = struct.Struct("!I")
_RECEIVE_BUFFER_FORCE = 33  # SO_RCVBUFFORCE: a receiver that waits for its turn loses nothing
_BUFFER = 16 << 20


def _send(flows, rate, ending, out):
    period, sent, refused = 1.0 / rate, 0, 0
    due = time.monotonic()
    while not ending.is_set():
        sent += 1
        payload = _NUMBER.pack(sent) + bytes(60)
        for sock, target in flows:
            try:
                sock.sendto(payload, target)
            except OSError:
                refused += 1  # no route at this moment: it counts as lost, because nobody receives it
        due += period
        wait = due - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        elif wait < -0.5:
            due = time.monotonic()  # the machine stood still: do not send a burst for it
    out.send((sent, refused))


def _receive(socks, ending, out):
    poll, seen, by_fd = select.epoll(), {}, {}
    for number, sock in enumerate(socks):
        poll.register(sock.fileno(), select.EPOLLIN)
        seen[number], by_fd[sock.fileno()] = bytearray(), (number, sock)
    quiet_since = None
    while quiet_since is None or time.monotonic() - quiet_since < 1.0:
        ready = poll.poll(0.1)
        if ending.is_set() and (quiet_since is None or ready):
            quiet_since = time.monotonic()
        for fd, _ in ready:
            number, sock = by_fd[fd]
            got = seen[number]
            for _ in range(256):
                try:
                    at = _NUMBER.unpack_from(sock.recv(128))[0]
                except BlockingIOError:
                    break
                if at >= len(got):
                    got.extend(bytes(at + 1024 - len(got)))
                got[at] = 1
    out.send([bytes(seen[number]) for number in range(len(socks))])


class Load:
    """`flows` are (from, source, to, target): namespaces and addresses. Use as a context; then `lost` and `sent`."""

    def __init__(self, spaces, flows, rate=1000, port=7100):
        self.names = [f"{a}->{b}{'6' if ':' in target else ''}" for a, _, b, target in flows]
        self.rate, self.sent, self.lost, self.refused = rate, 0, {}, 0
        self._senders, self._receivers = [], []
        for number, (here, source, there, target) in enumerate(flows):
            family = socket.AF_INET6 if ":" in target else socket.AF_INET
            receiver = spaces.socket(there, family)
            receiver.setsockopt(socket.SOL_SOCKET, _RECEIVE_BUFFER_FORCE, _BUFFER)
            receiver.bind((target, port + number))
            receiver.setblocking(False)
            sender = spaces.socket(here, family)
            sender.bind((source, 0))
            self._senders.append((sender, (target, port + number)))
            self._receivers.append(receiver)

    def __enter__(self):
        context = multiprocessing.get_context("fork")
        self._end_send, self._end_receive = context.Event(), context.Event()
        self._sent, sent = context.Pipe(False)
        self._seen, seen = context.Pipe(False)
        self._processes = [
            context.Process(target=_receive, args=(self._receivers, self._end_receive, seen), daemon=True),
            context.Process(target=_send, args=(self._senders, self.rate, self._end_send, sent), daemon=True)]
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, *_):
        self._end_send.set()
        self.sent, self.refused = self._sent.recv()
        self._end_receive.set()
        seen = self._seen.recv()
        for process in self._processes:
            process.join(10)
        for sock in [s for s, _ in self._senders] + self._receivers:
            sock.close()
        for name, got in zip(self.names, seen):
            self.lost[name] = [n for n in range(1, self.sent + 1) if n >= len(got) or not got[n]]
        return False

    def total_lost(self):
        return sum(map(len, self.lost.values()))

    def __str__(self):
        gaps = {name: f"{len(lost)} ({lost[0]}..{lost[-1]})" for name, lost in self.lost.items() if lost}
        return f"{self.sent} packets on each of {len(self.lost)} flows at {self.rate}/s, lost {gaps or 0}"
