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
sys.path.insert(0, HERE)
import navigator_daemon  # noqa: E402  (tenants adds tests/support)  # isort: skip
import powerdns  # noqa: E402
import tenants  # noqa: E402


class Writer(threading.Thread):
    """Changes one name's address again and again; when each write began and how long it took."""

    def __init__(self, bed, number):
        super().__init__(daemon=True)
        self.bed, self.name = bed, f"w{number}.stream.example."
        self.writes, self.failure, self.stopping = [], None, threading.Event()

    def run(self):
        count = 0
        try:
            while not self.stopping.is_set():
                count += 1
                begin = time.monotonic()
                rows = {"ttl": 60, "records": [f"192.0.2.{count % 250 + 1}"]}
                self.bed.call("PUT", f"/v1/zones/stream.example/rrsets/{self.name}/A", rows, (200, 201, 204))
                self.writes.append((begin, time.monotonic() - begin))
        except (OSError, AssertionError) as error:
            self.failure = error
