#!/usr/bin/env python3
"""DNS goes first, also when Navigator is killed in between.

A tenant is deleted while a site has not heard of it yet, and the primary dies by kill -9 right afterwards. What it knows
of edges after that is what they acknowledged: the edge keeps the bundle until the site has acknowledged the deletion,
then the bundle goes, then the rows with the key.
"""
import json
import os
import signal
import ssl
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_sites  # noqa: E402
import certificate_stack  # noqa: E402
import daemons  # noqa: E402


class Edge:
    """Asks over mTLS as the node edge-ams-1."""

    def __init__(self, files, port):
        self.port = port
        path = files.path
        daemons.run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=edge-ams-1", "-keyout", path("edge.key"), "-out", path("edge.csr"))
        extensions = files.write("extensions", "subjectAltName=DNS:edge-ams-1\n")
        daemons.run("openssl", "x509", "-req", "-in", path("edge.csr"), "-CA", path("ca.pem"), "-CAkey",
                    path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", path("edge.pem"))
        self.context = ssl.create_default_context(cafile=path("ca.pem"))
        self.context.check_hostname = False
        self.context.load_cert_chain(path("edge.pem"), path("edge.key"))

    def call(self, method, target, body=None):
        return certificate_stack.ask("127.0.0.1", self.port, self.context, method, target, body)

    def bundles(self):
        status, text = self.call("GET", "/v1/edge/bundles?since=0&delta=1")
        assert status == 200, text
        return json.loads(text)["bundles"]

    def acknowledge(self, bundle):
        status, text = self.call("POST", "/v1/edge/acknowledgments",
                                 {key: bundle[key] for key in ("id", "fingerprint", "sequence")})
        assert status == 204, text


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class CertificateDepartureTest(certificate_sites.SitesTestCase):
    def test_a_bundle_stays_until_the_last_site_has_heard_although_the_primary_was_killed(self):
        self.up(1)
        self.create("leaver")
        self.wait_for_certificates(["leaver"], 60)
        edge = Edge(self.shared, self.port)
        bundle = daemons.wait_for("the edge's bundle", edge.bundles)[0]
        edge.acknowledge(bundle)
        replica = self.sites[1].navigator.daemon
        # The site stands still: it is in service, answers the tenant, and hears nothing.
        os.kill(replica.pid, signal.SIGSTOP)
        try:
            self.primary.command("tenant", "delete", "leaver")
            self.primary.stop(signal.SIGKILL)
            self.primary.start()
            self.assertEqual([one["id"] for one in edge.bundles()], [bundle["id"]])
            self.assertEqual(edge.call("GET", f"/v1/edge/bundles/{bundle['id']}")[0], 200, "its key is there yet")
            self.assertEqual(len(self.certificates()), 1)
        finally:
            os.kill(replica.pid, signal.SIGCONT)
        daemons.wait_for("the bundle leaves the edge", lambda: not edge.bundles(), 30)
        daemons.wait_for("certificate and key are gone", lambda: not self.certificates(), 30)
        log = self.sites[0].files.log("navigator.log")
        self.assertNotIn("defect", log)


if __name__ == "__main__":
    unittest.main(verbosity=2)
