"""A client that follows the answers: it resolves a name, keeps the answer for its TTL, and fetches pages over verified
TLS from what was answered, one after the other."""

import itertools
import socket
import ssl
import threading
import time

import dns_client

FETCH_SECONDS = 3.0


class WebClient(threading.Thread):
    """Fetches from one namespace until it is stopped; every failed request is kept, with its reason."""

    def __init__(self, spaces, short, server, name, authority):
        super().__init__(daemon=True)
        self.spaces, self.short, self.name = spaces, short, name
        self.resolver = dns_client.Resolver(spaces, short, server)
        self.tls = ssl.create_default_context(cafile=authority)
        self.fetched = {}      # address -> pages
        self.failures = []
        self.longest_ttl = 0   # seconds, of any answer so far
        self._ending = threading.Event()

    def resolve(self):
        """Addresses to use and the moment they are too old; OSError when nobody answers."""
        for _ in range(3):
            answer = self.resolver.ask(self.name, "A")
            if answer and answer.rcode == 0 and answer.values:
                self.longest_ttl = max(self.longest_ttl, answer.ttl)
                return answer.values, time.monotonic() + answer.ttl
        raise OSError(f"{self.name} has no answer")

    def fetch(self, address):
        """One page; OSError says why not."""
        with self.spaces.socket(self.short, socket.AF_INET, socket.SOCK_STREAM) as plain:
            plain.settimeout(FETCH_SECONDS)
            plain.connect((address, 443))
            with self.tls.wrap_socket(plain, server_hostname=self.name) as session:
                session.sendall(f"GET / HTTP/1.0\r\nHost: {self.name}\r\n\r\n".encode("ascii"))
                head = session.recv(4096)
                if not head.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200")):
                    raise OSError(f"answered {head[:40]!r}")
        self.fetched[address] = self.fetched.get(address, 0) + 1

    def run(self):
        addresses, until = [], 0.0
        for number in itertools.count():
            if self._ending.is_set():
                return
            try:
                if time.monotonic() >= until:
                    addresses, until = self.resolve()
                self.fetch(addresses[number % len(addresses)])
            except OSError as error:  # TLS errors and timeouts among them
                self.failures.append(f"{addresses[number % len(addresses)] if addresses else '-'}: {error}")

    @property
    def pages(self):
        return sum(self.fetched.copy().values())

    def stop(self):
        self._ending.set()
        self.join()
        self.resolver.close()
        return self
