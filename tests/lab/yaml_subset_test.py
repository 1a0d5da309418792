import unittest

from support import ROOT

import facts
from yaml_subset import YamlError, parse_yaml


class YamlSubset(unittest.TestCase):
    def test_reads_blocks_flows_scalars_and_comments(self):
        self.assertEqual(parse_yaml("""
# head
name: three   # tail
empty:
list:
  - a
  - {b: 1, c: [x, "y, z"]}
  - d: 2
    e:
      f: true
same_indent:
- 1
- -2
flow:
  {over: two,
   lines: 1.5}
quoted: "a # b: c"
"""), {"name": "three", "empty": None, "list": ["a", {"b": 1, "c": ["x", "y, z"]}, {"d": 2, "e": {"f": True}}],
       "same_indent": [1, -2], "flow": {"over": "two", "lines": 1.5}, "quoted": "a # b: c"})

    def test_keeps_addresses_whole(self):
        self.assertEqual(parse_yaml('u: [198.18.1.10, "2001:db8:1::10"]\nn: {neighbor: "2001:db8:1::1", asn: 65001}'),
                         {"u": ["198.18.1.10", "2001:db8:1::10"], "n": {"neighbor": "2001:db8:1::1", "asn": 65001}})

    def test_refuses_what_it_cannot_read(self):
        for text in ("a: 1\n   b: 2", "just words", "a: [1, 2", "a: {b 1}"):
            with self.assertRaises(YamlError, msg=text):
                parse_yaml(text)


class ThreeSites(unittest.TestCase):
    def test_is_read_as_the_lab_needs_it(self):
        read = facts.Facts(ROOT / "lab/scenarios/three-sites/topology.yaml")
        self.assertEqual(len(read.nodes), 9)
        self.assertEqual([site.client for site in read.sites], ["client-ams", "client-nyc", "client-sin"])
        self.assertEqual(read.dns_node(read.sites[0]).name, read.primary)
        self.assertTrue(all(":" in node.underlay6 and "." in node.underlay4 for node in read.nodes.values()))
        for site in read.sites:  # the underlay's plan of addresses
            for node in site.nodes:
                self.assertTrue(node.underlay4.startswith(site.address4("")), node.name)
                self.assertTrue(node.underlay6.startswith(site.address6("")), node.name)


if __name__ == "__main__":
    unittest.main()
