"""What is asked and changed while tests/bench/powerdns.py measures: question files, dnsperf, a steady stream of
changes."""
import bisect
import itertools
import random
import re
import threading
import time

import daemons

SEED = 7
ZONE = "bench.test"


def host(number):
    return f"h{number:07d}.{ZONE}"


def write_questions(folder, kind, names, count):
    """A dnsperf file of `count` questions; the path."""
    draw = random.Random(SEED)
    if kind == "hit":
        asked = (host(draw.randrange(names)) for _ in range(count))
    elif kind == "miss":  # missing names that come again: negative caches may help
        asked = (f"m{draw.randrange(10000):07d}.{ZONE}" for _ in range(count))
    elif kind == "flood":  # missing names that never come again: nothing can help
        asked = (f"m{draw.getrandbits(64):016x}.{ZONE}" for _ in range(count))
    elif kind == "zipf":
        asked = (host(number) for number in zipf(names, count, draw))
    else:
        raise ValueError(kind)
    path = folder.path(f"{kind}.questions")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(name + " A\n" for name in asked)
    return path


def zipf(names, count, draw):
    """Ranks by Zipf's law with exponent 1, spread over the zone by a fixed multiplier."""
    sums = list(itertools.accumulate(1 / rank for rank in range(1, names + 1)))
    for _ in range(count):
        yield bisect.bisect_left(sums, draw.random() * sums[-1]) * 7919 % names


def dnsperf(port, questions, seconds, expected):
    """Queries per second. AssertionError when an answer had another code than `expected` or more than 1 % were lost."""
    out = daemons.run(
        "dnsperf",
        "-s",
        "127.0.0.1",
        "-p",
        str(port),
        "-d",
        questions,
        "-l",
        str(seconds),
        "-c",
        "8",
        "-q",
        "100",
        "-T",
        "1",
        "-t",
        "3",
        timeout=seconds + 60,
    ).stdout
    codes = re.search(r"Response codes: *(.*)", out)
    lost = re.search(r"Queries lost: *\d+ \(([\d.]+)%\)", out)
    rate = re.search(r"Queries per second: *([\d.]+)", out)
    assert codes and lost and rate, out
    found = {word.split()[0] for word in codes.group(1).split(", ") if word}
    assert found <= {expected} and float(lost.group(1)) <= 1, out
    return float(rate.group(1))


class Changes(threading.Thread):
    """Calls change(number) `rate` times a second, on time rather than on average, until stopped."""

    def __init__(self, change, rate):
        super().__init__(daemon=True)
        self.change = change
        self.rate = rate
        self.ended = threading.Event()
        self.done = 0
        self.seconds = 0.0
        self.failure = None

    def run(self):
        begin = time.monotonic()
        try:
            for number in itertools.count(1):
                if self.ended.wait(max(0.0, begin + number / self.rate - time.monotonic())):
                    break
                self.change(number)
                self.done = number
        except Exception as error:  # the measuring thread raises it
            self.failure = error
        self.seconds = time.monotonic() - begin

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(30)
        if self.failure is not None:
            raise self.failure
