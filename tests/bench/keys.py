#!/usr/bin/env python3
"""What a change of the master key costs who writes meanwhile: every tenant's data key is sealed anew.

  tests/bench/keys.py               10,000 tenants, half a minute
  tests/bench/keys.py --smoke       seconds: only shows that it runs

tenants_store.cpp (TENANTS_STORE, as for tenants.py) makes a store with so many tenants, each with a data key and a
certificate. Two writers change records over the API without a pause, before the change and while it runs. Measured are
the change (to the answer of POST /v1/acme/keys/rotate) and the writes. The table goes to stdout, all figures to
build/bench/keys.json.
"""
import argparse
import json
import os
import statistics
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "support")]
import navigator_daemon  # noqa: E402
import powerdns  # noqa: E402
import tenants  # noqa: E402


class Writer(threading.Thread):
    """Changes one name's address again and again: when each write began, and how long it took."""

    def __init__(self, navigator, number):
        super().__init__(daemon=True)
        self.navigator, self.name = navigator, f"w{number}.stream.example."
        self.writes, self.failure, self.stopping = [], None, threading.Event()
        self.start()

    def run(self):
        try:
            while not self.stopping.is_set():
                begin = time.monotonic()
                self.navigator.put("stream.example", self.name, "A", [f"192.0.2.{len(self.writes) % 250 + 1}"])
                self.writes.append((begin, time.monotonic() - begin))
        except (OSError, AssertionError) as error:
            self.failure = error


def rotate(navigator):
    """Seconds until the answer."""
    begin = time.monotonic()
    status, answer = navigator.call("POST", "/v1/acme/keys/rotate", json.dumps({"what": "master"}), timeout=600)
    assert status == 200, f"{status} {answer}"
    return begin, time.monotonic() - begin


def bench(options, report):
    bed = tenants.Bed(options.tenants)
    try:
        bed.make()
        bed.start()
        writers = [Writer(bed.navigator, number) for number in range(2)]
        rotations, quiet_s = [], []
        for _ in range(options.rounds):
            time.sleep(options.pause_s)  # the writers alone, to compare with
            begin, took_s = rotate(bed.navigator)
            rotations.append((begin, took_s))
        time.sleep(options.pause_s)
        for writer in writers:
            writer.stopping.set()
            writer.join(60)
            assert writer.failure is None, writer.failure
        beside_s = []
        for began, took_s in [write for writer in writers for write in writer.writes]:
            touches = any(began < begin + length and begin < began + took_s for begin, length in rotations)
            (beside_s if touches else quiet_s).append(took_s)
        state = json.loads(bed.navigator.call("GET", "/v1/acme/keys")[1])
        assert state["damaged"] == 0 and state["data_keys"] >= options.tenants, state
        lengths = [took_s for _, took_s in rotations]
        report.add(f"master key changed over {state['data_keys']} data keys, p50 / most", tenants.milliseconds(lengths),
                   seconds=lengths)
        report.add("a write beside it, p50 / most", tenants.milliseconds(beside_s), seconds=beside_s)
        report.add(f"a write otherwise ({len(quiet_s)}), p50 / most", tenants.milliseconds(quiet_s),
                   p50_s=statistics.median(quiet_s))
    finally:
        bed.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="seconds instead of minutes; the figures mean nothing")
    parser.add_argument("--tenants", type=int, default=10000)
    parser.add_argument("--out", default=os.path.join(ROOT, "build", "bench", "keys.json"))
    options = parser.parse_args()
    options.rounds, options.pause_s = (1, 0.3) if options.smoke else (10, 2)
    options.tenants = 50 if options.smoke else options.tenants
    if not os.path.exists(navigator_daemon.NAVIGATOR) or not os.path.exists(tenants.MAKER):
        parser.error("needs NAVIGATOR, TENANTS_STORE and openssl")
    report = powerdns.Report({**vars(options), "cores": os.cpu_count(), "load": os.getloadavg()})
    try:
        bench(options, report)
    finally:
        os.makedirs(os.path.dirname(options.out), exist_ok=True)
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(report.json, file, indent=1)
    print(report.text())


if __name__ == "__main__":
    main()
