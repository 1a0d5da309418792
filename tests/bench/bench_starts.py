"""Start-up time and resident memory of Navigator, alone and with pdns_server, for large stores."""
import json
import sqlite3
import time

import daemons
import dns_wire
import navigator_daemon
import powerdns_server
import worlds


def started(folder, **options):
    """A running Navigator, and the seconds until it was healthy."""
    navigator = navigator_daemon.Navigator(folder, **options)
    begin = time.monotonic()
    navigator.start(deadline=300)
    return navigator, time.monotonic() - begin


def bench_names(options, report):
    """One zone with many names."""
    folder = daemons.Folder(prefix="navigator-bench-names-")
    navigator = None
    try:
        navigator, _ = started(folder)
        empty = navigator.daemon.resident_bytes()
        navigator.stop()
        zone = folder.path("bench.zone")
        worlds.write_zone(zone, options.names)
        begin = time.monotonic()
        navigator.command("zone", "import", worlds.APEX, zone, timeout=1200)
        imported = time.monotonic() - begin
        navigator, seconds = started(folder)
        per_rrset = (navigator.daemon.resident_bytes() - empty) / (options.names + 2)
        report.add(f"{options.names:,} names in one zone: import of the zone file", f"{imported:.1f} s")
        # Small runs measure start-up itself, not names: the targets speak of a million.
        judged = options.names >= 1000000
        report.add(
            f"{options.names:,} names in one zone: Navigator's start",
            f"{seconds:.2f} s",
            "< 6 s",
            seconds < 6 if judged else None,
        )
        report.add(
            f"{options.names:,} names in one zone: resident octets per RRset",
            f"{per_rrset:.0f}",
            "<= 400",
            per_rrset <= 400 if judged else None,
        )
    finally:
        if navigator is not None:
            navigator.stop()
        folder.remove()


def write_zones(path, zones):
    """Rows as the store writes them (dns-backend/store/schema.cpp), because a request a zone would take most of the
    run."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("BEGIN")
    types = {"SOA": 6, "NS": 2, "A": 1}
    for number in range(zones):
        apex = f"z{number:06d}.test."
        zone = database.execute("INSERT INTO zone (apex, serial) VALUES (?, 1)", [apex]).lastrowid
        contents = {
            (apex, "SOA"): "ns1.bench.test. hostmaster.bench.test. 0 10800 3600 604800 300",
            (apex, "NS"): "ns1.bench.test.",
            ("www." + apex, "A"): worlds.address(number),
        }
        database.executemany(
            "INSERT INTO rrset (zone_id, owner, type, ttl, contents) VALUES (?, ?, ?, 3600, ?)",
            [(zone, owner, types[rtype], json.dumps([content])) for (owner, rtype), content in contents.items()],
        )
    database.execute("COMMIT")
    database.close()


def bench_zones(options, report):
    """Many small zones: PowerDNS wants all their names in one reply before it answers anything."""
    folder = daemons.Folder(prefix="navigator-bench-zones-")
    navigator = None
    try:
        navigator, _ = started(folder)
        navigator.stop()
        write_zones(folder.path("navigator.db"), options.zones)
        port = daemons.free_port() if navigator_daemon.has_http() else None
        navigator, seconds = started(folder, http_port=port)
        report.add(f"{options.zones:,} zones: Navigator's start", f"{seconds:.2f} s")
        report.add(f"{options.zones:,} zones: resident", f"{navigator.daemon.resident_bytes() / 1e6:.0f} MB")
        backends = {"unix": powerdns_server.unix(navigator.remote, 120000)}
        if port:
            backends["http"] = powerdns_server.http(port, 120000)
        if navigator_daemon.has_pipe():
            backends["pipe"] = powerdns_server.pipe(navigator_daemon.NAVIGATOR, navigator.remote, 120000)
        recommended = "pipe" if "pipe" in backends else "unix"
        for name, backend in backends.items():
            took = start_and_answer(folder, name, backend, options.zones)
            shown = f"{took:.2f} s" if took is not None else "none within 120 s"
            target = "answers" if name == recommended else ""
            report.add(
                f"{options.zones:,} zones: pdns_server's start to its first answer over {name}",
                shown,
                target,
                (took is not None) if target else None,
            )
    finally:
        if navigator is not None:
            navigator.stop()
        folder.remove()


def start_and_answer(folder, name, backend, zones):
    """Seconds from pdns_server's start to the address of the last zone; None when there is none."""
    server = powerdns_server.PowerDns(folder, "pdns-" + name, backend)
    begin = time.monotonic()
    try:
        server.start(120)
        question = dns_wire.Question(f"www.z{zones - 1:06d}.test.", 1)
        answer = dns_wire.Asker(server.port).ask([question])[0]
        assert answer is not None and answer.rcode == 0 and answer.sections[0], answer and answer.text()
        return time.monotonic() - begin
    except AssertionError as error:
        print(f"  {name}: {str(error).splitlines()[0]}", flush=True)
        return None
    finally:
        server.stop()
