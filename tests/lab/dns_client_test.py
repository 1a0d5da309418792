import struct
import unittest

import support  # noqa: F401

import dns_client


def answer(question, rcode=0, records=b"", count=0, additional=b"", additional_count=0):
    header = question[:2] + struct.pack("!HHHHH", 0x8400 | rcode, 1, count, 0, additional_count)
    end = question.index(b"\0", 12) + 5
    return header + question[12:end] + records + additional


class Messages(unittest.TestCase):
    def test_a_question_asks_for_the_servers_identifier(self):
        query = dns_client.question("a.example.", "AAAA", message_id=0x1234)
        self.assertEqual(query, b"\x12\x34\0\0\0\1\0\0\0\0\0\1" b"\1a\7example\0\0\x1c\0\1"
                         b"\0\0\x29\x04\xd0\0\0\0\0\0\4\0\3\0\0")

    def test_an_answer_gives_addresses_in_order_and_who_answered(self):
        query = dns_client.question("a.example", "A", message_id=7)
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4"
        nsid = b"\0\0\x29\4\xd0\0\0\0\0\0\x0b\0\3\0\x07dns-ams"
        parsed = dns_client.parse(answer(query, 0, record + b"\xc6\x12\1\x0b" + record + b"\xc6\x12\1\x0c", 2, nsid, 1))
        self.assertEqual((parsed.message_id, parsed.rcode, parsed.authoritative), (7, 0, True))
        self.assertEqual(parsed.values, ["198.18.1.11", "198.18.1.12"])
        self.assertEqual(parsed.server, "dns-ams")

    def test_damage_is_a_value_error(self):
        query = dns_client.question("a.example", "A", message_id=7)
        whole = answer(query, 0, b"\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\xc6\x12\1\x0b", 1)
        for size in range(len(whole)):
            with self.subTest(size=size):
                try:
                    dns_client.parse(whole[:size])
                except ValueError:
                    continue
                self.assertGreaterEqual(size, len(whole) - 4)  # only the address itself may be cut
        with self.assertRaises(ValueError):
            dns_client.parse(query)


if __name__ == "__main__":
    unittest.main()
