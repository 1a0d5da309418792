"""Whether a signed answer that says no proves it (RFC 4035 5.4, RFC 5155 8), judged apart from any server: the chains
that a zone should have, and the records that an answer brings."""
import base64
import hashlib

import dns_wire

_HEX32 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789abcdefghijklmnopqrstuv")


def labels(wire):
    """From the name's own to the top one."""
    out = []
    at = 0
    while wire[at]:
        out.append(wire[at + 1 : at + 1 + wire[at]])
        at += 1 + wire[at]
    return out


def parent(wire):
    return wire[1 + wire[0] :]


def canonical(wire):
    """Sorts as RFC 4034 6.1 wants."""
    return list(reversed(labels(wire)))


def nsec3_hash(wire, salt, iterations):
    digest = hashlib.sha1(wire + salt).digest()
    for _ in range(iterations):
        digest = hashlib.sha1(digest + salt).digest()
    return digest


def to_text(digest):
    return base64.b32encode(digest).decode().translate(_HEX32)


def _covers(owner, after, asked):
    """Whether `asked` lies strictly between; the last span of a chain wraps."""
    return owner < asked < after if owner < after else asked > owner or asked < after


def _types(bitmap):
    found = set()
    at = 0
    while at + 2 <= len(bitmap):
        window, length = bitmap[at], bitmap[at + 1]
        for index, octet in enumerate(bitmap[at + 2 : at + 2 + length]):
            found |= {window * 256 + index * 8 + bit for bit in range(8) if octet & 0x80 >> bit}
        at += 2 + length
    return found


class Nsec:
    def __init__(self, records):
        self.spans = []
        for owner, rtype, _, _, rdata in records:
            if rtype == dns_wire.TYPES["NSEC"]:
                after, at = dns_wire.read_name(rdata, 0)
                self.spans.append((owner, after, _types(rdata[at:])))

    def matches(self, name):
        return next((types for owner, _, types in self.spans if owner == name), None)

    def covers(self, name):
        return any(_covers(canonical(owner), canonical(after), canonical(name)) for owner, after, _ in self.spans)

    def ent(self, name):
        """A span that ends below `name` proves that it is empty but there."""
        return any(after != name and after.endswith(name) and self.covers(name) for _, after, _ in self.spans)


class Nsec3:
    def __init__(self, records):
        self.spans = []
        self.salt, self.iterations, self.opt_out = b"", 0, False
        for owner, rtype, _, _, rdata in records:
            if rtype == dns_wire.TYPES["NSEC3"]:
                self.opt_out = self.opt_out or bool(rdata[1] & 1)
                self.iterations = int.from_bytes(rdata[2:4], "big")
                end = 5 + rdata[4]
                self.salt = rdata[5:end]
                after = rdata[end + 1 : end + 1 + rdata[end]]
                hashed = base64.b32decode(
                    labels(owner)[0]
                    .decode()
                    .upper()
                    .translate(str.maketrans("0123456789ABCDEFGHIJKLMNOPQRSTUV", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
                )
                self.spans.append((hashed, after, _types(rdata[end + 1 + rdata[end] :])))

    def hash(self, name):
        return nsec3_hash(name, self.salt, self.iterations)

    def matches(self, name):
        hashed = self.hash(name)
        return next((types for owner, _, types in self.spans if owner == hashed), None)

    def covers(self, name):
        hashed = self.hash(name)
        return any(_covers(owner, after, hashed) for owner, after, _ in self.spans)


def fault(name, rtype, rcode, apex, records):
    """Why these authority records do not deny `name` and `rtype` in the zone `apex`; empty when they do. A referral,
    whose owner of NS is below the apex, must prove that there is no DS."""
    cut = next((owner for owner, kind, *_ in records if kind == dns_wire.TYPES["NS"] and owner != apex), None)
    if cut is not None:
        signed = any(kind == dns_wire.TYPES["DS"] for _, kind, *_ in records)
        return (
            ""
            if signed
            else fault(cut, dns_wire.TYPES["DS"], 0, apex, [one for one in records if one[1] != dns_wire.TYPES["NS"]])
        )
    nsec, nsec3 = Nsec(records), Nsec3(records)
    if not nsec.spans and not nsec3.spans:
        return "no NSEC and no NSEC3 record"
    chain = nsec if nsec.spans else nsec3
    types = chain.matches(name)
    if types is not None:
        return (
            "the type is said to exist" if rtype in types else "NXDOMAIN of a name that is there" if rcode == 3 else ""
        )
    if chain is nsec and nsec.ent(name):
        return "NXDOMAIN of an empty non-terminal" if rcode == 3 else ""
    return _absence(name, rtype, rcode, apex, chain, isinstance(chain, Nsec3))


def _absence(name, rtype, rcode, apex, chain, hashed):
    """No record at `name` itself: the closest encloser, the next closer name, and the wildcard."""
    nearer, encloser = name, parent(name)
    while hashed and chain.matches(encloser) is None:
        if encloser == apex or len(encloser) <= len(apex):
            return "no record matches an encloser"
        nearer, encloser = encloser, parent(encloser)
    if not hashed:
        if not chain.covers(name):
            return "no record covers the name"
        # The closest encloser is the longest common ancestor with either end of the span that covers the name.
        ends = [
            end
            for owner, after, _ in chain.spans
            if _covers(canonical(owner), canonical(after), canonical(name))
            for end in (owner, after)
        ]
        while encloser != apex and not any(end == encloser or end.endswith(encloser) for end in ends):
            nearer, encloser = encloser, parent(encloser)
    elif not chain.covers(nearer):
        return "no record covers the next closer name"
    elif chain.opt_out and rcode == 0:
        return ""  # an opt-out span: an insecure delegation may be there
    wildcard = b"\1*" + encloser
    at_wildcard = chain.matches(wildcard)
    if at_wildcard is not None:
        return (
            "the wildcard has the type" if rtype in at_wildcard else "NXDOMAIN beside a wildcard" if rcode == 3 else ""
        )
    if rcode == 0:
        return "" if not hashed and chain.ent(wildcard) else "no record matches the wildcard"
    return "" if chain.covers(wildcard) else "no record covers the wildcard"
