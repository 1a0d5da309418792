import socket
import struct
import threading
import unittest

import support  # noqa: F401

import report
from probe_stream import Stream


class Deaf(threading.Thread):
    """Answers the probes a test lets through."""

    def __init__(self, hears):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.hears = hears
        self.start()

    def run(self):
        while True:
            data, sender = self.socket.recvfrom(64)
            number = struct.unpack("!I", data)[0]
            if number == 0xFFFFFFFF:
                return
            if self.hears(number):
                self.socket.sendto(data, sender)

    def stop(self):
        self.socket.sendto(struct.pack("!I", 0xFFFFFFFF), self.socket.getsockname())
        self.join()
        self.socket.close()


def stream_to(server, count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(server.socket.getsockname())
    enough = threading.Event()

    def message(number):
        if number >= count:
            enough.set()
        return struct.pack("!I", number)

    stream = Stream(sock, message, lambda data: (struct.unpack("!I", data)[0], "server"), interval=0.002)
    stream.start()
    enough.wait(20)
    return stream.stop()


class Streams(unittest.TestCase):
    def test_lost_probes_and_the_longest_gap_are_counted(self):
        server = Deaf(lambda number: number not in (10, 11, 12, 20))
        stream = stream_to(server, 40)
        server.stop()
        self.assertEqual(stream.lost(), [10, 11, 12, 20])
        self.assertEqual(stream.lost(since=stream.sent[13]), [20])
        self.assertAlmostEqual(stream.longest_gap(), 3 * stream.interval)
        self.assertEqual(stream.first(lambda who: who == "server", stream.sent[10]), stream.answered[13][0])

    def test_nobody_answering_loses_everything(self):
        server = Deaf(lambda number: False)
        stream = stream_to(server, 5)
        server.stop()
        self.assertEqual(len(stream.lost()), len(stream.sent))
        self.assertIsNone(stream.who())


class Table(unittest.TestCase):
    def test_says_what_holds(self):
        told = report.Report(lambda text: None)
        told.within("a", "quick", 0.5, 1.0)
        told.within("a", "slow", 1.5, 1.0)
        told.holds("b", "all", "6 of 6", True, "6 of 6")
        self.assertEqual([row.what for row in told.failed], ["slow"])
        table = told.table().splitlines()
        self.assertEqual(len(table), 5)
        self.assertTrue(table[2].endswith("ok") and table[3].endswith("FAIL"))
        self.assertIn("500 ms", table[2])


if __name__ == "__main__":
    unittest.main()
