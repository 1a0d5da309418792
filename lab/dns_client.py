"""DNS questions made by hand: what a client in a namespace asks, and what it hears."""

import secrets
import select
import socket
import struct
import time
from dataclasses import dataclass, field

TYPES = {"A": 1, "SOA": 6, "TXT": 16, "AAAA": 28}
IN, CHAOS = 1, 3
_OPT, _NSID = 41, 3


def _encode_name(name):
    out = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.rstrip(".").split(".") if label)
    return out + b"\0"


def question(name, qtype, qclass=IN, message_id=None):
    """A query with EDNS that asks for the server's identifier (RFC 5001)."""
    message_id = secrets.randbelow(65536) if message_id is None else message_id
    header = struct.pack("!HHHHHH", message_id, 0, 1, 0, 0, 1)
    opt = b"\0" + struct.pack("!HHIH", _OPT, 1232, 0, 4) + struct.pack("!HH", _NSID, 0)
    return header + _encode_name(name) + struct.pack("!HH", TYPES[qtype], qclass) + opt


@dataclass
class Answer:
    message_id: int
    rcode: int
    authoritative: bool
    values: list = field(default_factory=list)  # addresses and texts of the answer section, in order
    server: str = ""                            # NSID
    ttl: int = 0                                # seconds, the least of the answer section; 0 when that is empty


def _skip_name(data, at):
    while True:
        length = data[at]
        if length >= 0xC0:
            return at + 2
        at += 1 + length
        if length == 0:
            return at


def parse(data):
    """An Answer; ValueError for what is none."""
    try:
        message_id, flags, questions, answers, authority, additional = struct.unpack_from("!HHHHHH", data)
        if not flags & 0x8000:
            raise ValueError("not an answer")
        answer = Answer(message_id, flags & 15, bool(flags & 0x0400))
        at = 12
        for _ in range(questions):
            at = _skip_name(data, at) + 4
        for number in range(answers + authority + additional):
            at = _skip_name(data, at)
            rtype, _, ttl, length = struct.unpack_from("!HHIH", data, at)
            rdata = data[at + 10:at + 10 + length]
            at += 10 + length
            if number < answers:
                answer.ttl = min(answer.ttl, ttl) if number else ttl
            if number < answers and rtype == TYPES["A"]:
                answer.values.append(socket.inet_ntop(socket.AF_INET, rdata))
            elif number < answers and rtype == TYPES["AAAA"]:
                answer.values.append(socket.inet_ntop(socket.AF_INET6, rdata))
            elif number < answers and rtype == TYPES["TXT"]:
                answer.values.append(rdata[1:1 + rdata[0]].decode("ascii", "replace"))
            elif rtype == _OPT:
                option = 0
                while option + 4 <= len(rdata):
                    code, size = struct.unpack_from("!HH", rdata, option)
                    if code == _NSID:
                        answer.server = rdata[option + 4:option + 4 + size].decode("ascii", "replace")
                    option += 4 + size
        return answer
    except (struct.error, IndexError, OSError) as error:
        raise ValueError(f"not a DNS message: {error}") from error


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Resolver:
    """Asks one server address from inside one namespace."""

    def __init__(self, spaces, short, server):
        self.server = server
        self.socket = spaces.socket(short, family_of(server))
        self.socket.connect((server, 53))

    def close(self):
        self.socket.close()

    def ask(self, name, qtype, qclass=IN, seconds=0.5):
        """The Answer, or None when none came in time."""
        query = question(name, qtype, qclass)
        wanted = struct.unpack_from("!H", query)[0]
        deadline = time.monotonic() + seconds
        try:
            self.socket.send(query)
            while (left := deadline - time.monotonic()) > 0:
                if not select.select([self.socket], [], [], left)[0]:
                    return None
                answer = parse(self.socket.recv(4096))
                if answer.message_id == wanted:
                    return answer
        except (OSError, ValueError):
            return None
        return None


def ask_once(spaces, short, server, name, qtype, qclass=IN, seconds=0.5):
    resolver = Resolver(spaces, short, server)
    try:
        return resolver.ask(name, qtype, qclass, seconds)
    finally:
        resolver.close()
