"""DNS messages for comparing servers: questions by the thousand over UDP, with TCP where an answer was truncated.

A parsed message is canonical: names in lower case and uncompressed, also inside rdata; each section a sorted list of
records; of an RRSIG only what two signers of the same data must agree on (its times and its signature differ).
"""
import select
import socket
import struct
import time
from dataclasses import dataclass

TYPES = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "HINFO": 13,
    "MX": 15,
    "TXT": 16,
    "RP": 17,
    "AFSDB": 18,
    "AAAA": 28,
    "LOC": 29,
    "SRV": 33,
    "NAPTR": 35,
    "KX": 36,
    "DNAME": 39,
    "DS": 43,
    "SSHFP": 44,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "NSEC3": 50,
    "NSEC3PARAM": 51,
    "TLSA": 52,
    "CDS": 59,
    "CDNSKEY": 60,
    "SVCB": 64,
    "HTTPS": 65,
    "SPF": 99,
    "IXFR": 251,
    "AXFR": 252,
    "ANY": 255,
    "CAA": 257,
    "ALIAS": 65401,
    "LUA": 65402,
}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 9: "NOTAUTH"}
IN = 1
OPT = 41
UDP_SIZE = 1232

# Rdata that holds names: octets before the first, how many names; what follows is kept as it is.
_NAMED = {
    2: (0, 1),
    5: (0, 1),
    6: (0, 2),
    12: (0, 1),
    14: (0, 2),
    15: (2, 1),
    17: (0, 2),
    18: (2, 1),
    21: (2, 1),
    26: (2, 2),
    33: (6, 1),
    36: (2, 1),
    39: (0, 1),
    47: (0, 1),
}


def type_number(name):
    return TYPES[name] if name in TYPES else int(name.removeprefix("TYPE"))


def type_name(number):
    return NAMES.get(number, f"TYPE{number}")


def encode_name(text):
    """Presentation form, escapes included, to wire form."""
    out, label = bytearray(), bytearray()
    at = 0
    data = text.encode("utf-8")
    while at < len(data):
        octet = data[at]
        if octet == 0x5C:  # a backslash
            if data[at + 1 : at + 4].isdigit():
                label.append(int(data[at + 1 : at + 4]))
                at += 4
            else:
                label.append(data[at + 1])
                at += 2
            continue
        if octet == 0x2E:
            if label:
                out.append(len(label))
                out += label
                label.clear()
        else:
            label.append(octet)
        at += 1
    if label:
        out.append(len(label))
        out += label
    out.append(0)
    return bytes(out)


def decode_name(wire):
    """Wire form to presentation form."""
    out = []
    at = 0
    while wire[at]:
        label = wire[at + 1 : at + 1 + wire[at]]
        out.append("".join(chr(c) if 33 <= c <= 126 and chr(c) not in '.\\"();@$' else f"\\{c:03d}" for c in label))
        at += 1 + wire[at]
    return ".".join(out) + "."


def read_name(data, at):
    """The uncompressed name in lower case, and where the message goes on."""
    out = bytearray()
    end = None
    jumps = 0
    while True:
        length = data[at]
        if length >= 0xC0:
            end = at + 2 if end is None else end
            at = ((length & 0x3F) << 8) | data[at + 1]
            jumps += 1
            if jumps > 128:
                raise ValueError("compression loop")
            continue
        out += data[at : at + 1 + length]
        at += 1 + length
        if length == 0:
            # A length octet is at most 63, below "A": lower() leaves it alone.
            return bytes(out).lower(), (at if end is None else end)


def canonical_rdata(data, rtype, at, length):
    end = at + length
    if rtype in _NAMED:
        skip, names = _NAMED[rtype]
        out = bytearray(data[at : at + skip])
        at += skip
        for _ in range(names):
            name, at = read_name(data, at)
            out += name
        return bytes(out) + data[at:end]
    if rtype == 46:
        signer, _ = read_name(data, at + 18)
        return data[at : at + 8] + data[at + 16 : at + 18] + signer  # covered, algorithm, labels, TTL, key tag, signer
    return data[at:end]


@dataclass(frozen=True)
class Answer:
    flags: int  # the header's second word without the id: rcode, AA, TC, RD, RA, AD, CD
    edns: bytes  # the OPT record's class, TTL and options; empty without one
    sections: tuple  # answer, authority, additional: sorted tuples of (owner, type, class, ttl, rdata)
    question: bytes = b""

    @property
    def rcode(self):
        return self.flags & 15

    @property
    def truncated(self):
        return bool(self.flags & 0x0200)

    def text(self):
        lines = [
            RCODES.get(self.rcode, str(self.rcode))
            + "".join(
                " " + name
                for bit, name in ((0x400, "aa"), (0x200, "tc"), (0x100, "rd"), (0x80, "ra"), (0x20, "ad"), (0x10, "cd"))
                if self.flags & bit
            )
            + f" edns={self.edns.hex()}"
        ]
        for name, section in zip(("answer", "authority", "additional"), self.sections):
            lines += [f"  {name}: {record_text(record)}" for record in section]
        return "\n".join(lines)


def record_text(record):
    owner, rtype, rclass, ttl, rdata = record
    try:
        shown = (
            ".".join(map(str, rdata))
            if rtype == 1
            else decode_name(rdata)
            if rtype in (2, 5, 12, 39)
            else decode_name(rdata) + " ..." + rdata[-12:].hex()
            if rtype == 47
            else f"{type_name(struct.unpack('!H', rdata[:2])[0])} {rdata[2:].hex()}"
            if rtype == 46
            else repr(rdata)[2:-1]
        )
    except IndexError:
        shown = rdata.hex()
    return f"{decode_name(owner)} {ttl} {'' if rclass == IN else rclass} {type_name(rtype)} {shown}"


def read_record(data, at):
    """The record, and where the next one begins."""
    owner, at = read_name(data, at)
    rtype, rclass, ttl, length = struct.unpack_from("!HHIH", data, at)
    at += 10
    if at + length > len(data):
        raise ValueError("a record beyond the message")
    return (owner, rtype, rclass, ttl, canonical_rdata(data, rtype, at, length)), at + length


def parse(data):
    """ValueError, IndexError or struct.error for what is no DNS message."""
    flags, questions, *counts = struct.unpack_from("!HHHHH", data, 2)
    at = 12
    question = b""
    for _ in range(questions):
        begin = at
        _, at = read_name(data, at)
        question = data[begin : at + 4]
        at += 4
    edns = b""
    sections = []
    for count in counts:
        records = []
        for _ in range(count):
            record, at = read_record(data, at)
            if record[1] == OPT:
                edns = struct.pack("!HI", record[2], record[3]) + record[4]
            else:
                records.append(record)
        sections.append(tuple(sorted(records)))
    return Answer(flags, edns, tuple(sections), question)


@dataclass(frozen=True)
class Question:
    name: str  # presentation form
    rtype: int
    do: bool = False
    edns: bool = True
    recursion: bool = False

    def message(self, number):
        head = struct.pack("!HHHHHH", number, 0x0100 if self.recursion else 0, 1, 0, 0, 1 if self.edns else 0)
        opt = b"\0" + struct.pack("!HHIH", OPT, UDP_SIZE, 0x8000 if self.do else 0, 0) if self.edns else b""
        return head + encode_name(self.name) + struct.pack("!HH", self.rtype, IN) + opt

    def text(self):
        return f"{self.name} {type_name(self.rtype)}{' +dnssec' if self.do else ''}{'' if self.edns else ' +noedns'}"


def connect(port, timeout):
    stream = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def _receive(stream, size):
    data = bytearray()
    while len(data) < size:
        piece = stream.recv(size - len(data))
        if not piece:
            raise ConnectionError(f"closed after {len(data)} of {size} octets")
        data += piece
    return bytes(data)


def read_message(stream):
    return _receive(stream, struct.unpack("!H", _receive(stream, 2))[0])


def ask_tcp(port, question, number=1, timeout=10):
    with connect(port, timeout) as stream:
        message = question.message(number)
        stream.sendall(struct.pack("!H", len(message)) + message)
        return parse(read_message(stream))


def transfer(port, apex, timeout=60):
    """(rcode, sorted records) of an AXFR: the first SOA and the last both count."""
    records = []
    apexes = 0
    message = Question(apex, TYPES["AXFR"], edns=False).message(7)
    with connect(port, timeout) as stream:
        stream.sendall(struct.pack("!H", len(message)) + message)
        while apexes < 2:
            answer = parse(read_message(stream))
            if answer.rcode != 0:
                return answer.rcode, ()
            records += answer.sections[0]
            apexes += sum(1 for record in answer.sections[0] if record[1] == TYPES["SOA"])
    return 0, tuple(sorted(records))


class Asker:
    """Asks many questions with a window of them in flight. An unanswered one is asked again, then it is an error."""

    def __init__(self, port, window=48, timeout=3.0, tries=4):
        self.port = port
        self.window = window
        self.timeout = timeout
        self.tries = tries

    def ask(self, questions):
        """Answers in the order of the questions; None where there was none. Truncated ones are followed by TCP."""
        answers = [None] * len(questions)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            client.connect(("127.0.0.1", self.port))
            client.setblocking(False)
            flight = {}  # id -> [index, deadline, tries left]
            upcoming = 0
            while upcoming < len(questions) or flight:
                while upcoming < len(questions) and len(flight) < self.window:
                    self._send(client, questions, flight, upcoming, self.tries)
                    upcoming += 1
                self._take(client, questions, answers, flight)
                self._again(client, questions, flight)
        for index, answer in enumerate(answers):
            if answer is not None and answer.truncated:
                answers[index] = (answer.flags, answer.edns, ask_tcp(self.port, questions[index]))
        return answers

    def _send(self, client, questions, flight, index, tries):
        number = index & 0xFFFF
        flight[number] = [index, time.monotonic() + self.timeout, tries - 1]
        client.send(questions[index].message(number))

    def _take(self, client, questions, answers, flight):
        ready, _, _ = select.select([client], [], [], 0.05)
        while ready:
            try:
                data = client.recv(65535)
            except BlockingIOError:
                return
            number = struct.unpack_from("!H", data)[0]
            waiting = flight.get(number)
            if waiting is None:
                continue
            answer = parse(data)
            sent = questions[waiting[0]].message(number)
            if (
                answer.question != sent[12 : 12 + len(answer.question)]
            ):  # the case of the question is part of the answer
                raise ValueError(f"another question came back for {questions[waiting[0]].text()}: {answer.question!r}")
            answers[waiting[0]] = answer
            del flight[number]

    def _again(self, client, questions, flight):
        now = time.monotonic()
        for number, (index, deadline, tries) in list(flight.items()):
            if now >= deadline:
                del flight[number]
                if tries > 0:
                    self._send(client, questions, flight, index, tries)
