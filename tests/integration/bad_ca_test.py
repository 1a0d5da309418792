#!/usr/bin/env python3
"""A CA that answers rubbish, accepts and never answers, or moves what its directory names.

Each time: `cert why` says what is wrong and of which class it is, the CA is asked a bounded number of times, the
certificate in use stays in use, and issuing goes on by itself when the CA is well again. Rubbish comes from a proxy
before pebble, silence from a socket that nobody accepts at, the moves from a small CA of our own (pebble's places are
fixed), which issues with openssl and checks no signature.
"""
import base64
import http.server
import json
import os
import secrets
import socket
import ssl
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import certificate_stack  # noqa: E402
import daemons  # noqa: E402
import domain_stack  # noqa: E402

LONG = os.environ.get("SOVEREIGN_LONG") == "1"
NAME = "first.stream.example"
HTML = b"<html><body><h1>Down for maintenance</h1></body></html>"
MEGABYTE = b"[" * 1000000


def instead(body, status=200):
    return lambda forward: (status, [("Content-Type", "text/html")], body)


def changed(change):
    def behave(forward):
        status, headers, body = forward()
        return status, headers, change(body)
    return behave


HALF = changed(lambda body: body[:len(body) // 2])
CREATED = lambda forward: (201, [("Location", "https://localhost:1/my-order/1")], b"")  # noqa: E731
# What is asked for, what comes instead, of which class the failure is, a word of the reason. A CA that answers
# something is not away: the two do not understand each other, and the pause grows as after a refusal.
RUBBISH = [("order-plz", "HTML", instead(HTML), "protocol", "not a JSON object"),
           ("order-plz", "nothing, created", CREATED, "protocol", "not a JSON object"),
           ("authZ", "half of its JSON", HALF, "protocol", "not a JSON object"),
           ("finalize-order", "a megabyte", instead(MEGABYTE), "protocol", "larger than"),
           ("certZ", "HTML", instead(HTML), "protocol", "no certificate"),
           ("certZ", "half of the chain", HALF, "protocol", "damaged")]
if LONG:  # more than is read: like an answer that was lost, so it is asked for again, five times, and never was there
    UNREAD = lambda forward: (201, [], 3 * MEGABYTE)  # noqa: E731
    RUBBISH.insert(0, ("order-plz", "three megabytes", UNREAD, "transient", "does not answer"))


class MovingCa:
    """Just as much of RFC 8555 as an order needs; everything but directory and accounts lies below `place`."""

    def __init__(self, files, port):
        self.files, self.port = files, port
        self.place, self.orders, self.lost, self.server = "v1", [], 0, None

    def start(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.files.path("server.pem"), self.files.path("server.key"))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def url(self, *parts):
        return f"https://localhost:{self.port}/" + "/".join(str(part) for part in (self.place, *parts))

    def order(self, number):
        order = self.orders[number]
        proved = len(order["proved"]) == len(order["names"])
        status = "valid" if order["chain"] else "ready" if proved else "pending"
        shown = {"status": status, "identifiers": [{"type": "dns", "value": name} for name in order["names"]],
                 "authorizations": [self.url("authz", number, at) for at in range(len(order["names"]))],
                 "finalize": self.url("finalize", number)}
        return {**shown, "certificate": self.url("chain", number)} if order["chain"] else shown

    def authorization(self, number, at):
        order = self.orders[number]
        name, status = order["names"][at], "valid" if at in order["proved"] else "pending"
        shown = {"status": status, "identifier": {"type": "dns", "value": name.removeprefix("*.")}, "challenges": [
            {"type": "dns-01", "url": self.url("challenge", number, at), "status": status, "token": order["token"]}]}
        return {**shown, "wildcard": True} if name.startswith("*.") else shown

    def issue(self, number, csr):
        order, path = self.orders[number], self.files.path
        with open(path("moving.csr"), "wb") as file:
            file.write(csr)
        names = self.files.write("moving.ext", "subjectAltName=" + ",".join("DNS:" + one for one in order["names"]))
        daemons.run("openssl", "x509", "-req", "-inform", "DER", "-in", path("moving.csr"), "-CA", path("ca.pem"),
                    "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "30", "-extfile", names, "-out",
                    path("moving.pem"))
        order["chain"] = self.files.log("moving.pem") + self.files.log("ca.pem")

    def answer(self, path, payload):
        """Status, body and Location of a POST."""
        parts = path.strip("/").split("/")
        if parts == ["accounts"]:
            return 201, {"status": "valid"}, f"https://localhost:{self.port}/accounts/1"
        if parts[0] != self.place:
            self.lost += 1
            return 404, {"type": "urn:ietf:params:acme:error:malformed", "detail": "nothing is here"}, None
        numbers = [int(part) for part in parts[2:]]
        if parts[1] == "orders":
            names = [one["value"] for one in payload["identifiers"]]
            self.orders.append({"names": names, "proved": set(), "chain": "", "token": secrets.token_urlsafe(24)})
            numbers = [len(self.orders) - 1]
            return 201, self.order(numbers[0]), self.url("order", numbers[0])
        if parts[1] == "challenge":
            self.orders[numbers[0]]["proved"].add(numbers[1])
            return 200, self.authorization(*numbers)["challenges"][0], None
        if parts[1] == "finalize":
            self.issue(numbers[0], base64.urlsafe_b64decode(payload["csr"] + "=="))
        if parts[1] == "chain":
            return 200, self.orders[numbers[0]]["chain"], None
        shown = self.authorization if parts[1] == "authz" else self.order
        return 200, shown(*numbers), None

    def _handler(self):
        ca = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def say(self, status, body, location=None):
                octets = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Replay-Nonce", secrets.token_urlsafe(16))
                self.send_header("Content-Length", str(len(octets)))
                if location:
                    self.send_header("Location", location)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(octets)

            def do_GET(self):
                if self.path == "/dir":
                    self.say(200, {"newNonce": ca.url("nonce"), "newOrder": ca.url("orders"),
                                   "newAccount": f"https://localhost:{ca.port}/accounts"})
                else:
                    self.say(200 if self.path == f"/{ca.place}/nonce" else 404, "")

            do_HEAD = do_GET

            def do_POST(self):
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["payload"]
                text = base64.urlsafe_b64decode(sent + "=" * (-len(sent) % 4))
                self.say(*ca.answer(self.path, json.loads(text) if text else None))

            def log_message(self, *_):
                pass

        return Handler


@unittest.skipUnless(certificate_stack.programs_are_there(), "needs NAVIGATOR, pebble, pdns_server and openssl")
class BadCa(unittest.TestCase):
    def in_use(self, stack, fingerprint):
        [one] = [one for one in stack.json("cert", "list")["certificates"] if one["name"] == NAME]
        self.assertEqual(one["fingerprint"], fingerprint)
        self.assertIn(one["state"], ("valid", "renewing"))
        self.assertEqual([bundle["fingerprint"] for bundle in stack.bundles()], [fingerprint])

    def failure(self, stack, since_ms):
        """The first attempt since then that failed."""
        def look():
            failed = [one for one in stack.why(NAME)["attempts"]
                      if one["at_ms"] > since_ms and one["outcome"] != "issued"]
            return failed[-1] if failed else None

        try:
            return daemons.wait_for("an attempt fails", look, 60, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{stack.files.log('navigator.log')[-2000:]}") from None

    def last_attempt(self, stack):
        return max((one["at_ms"] for one in stack.why(NAME)["attempts"]), default=0)

    def test_rubbish(self):
        stack = domain_stack.DomainStack()
        self.addCleanup(stack.close)
        stack.start()
        stack.proxy.behave = lambda kind, forward: (200, [], HTML) if kind == "dir" else forward()
        stack.create("first")
        failed = self.failure(stack, 0)
        self.assertEqual((failed["outcome"], stack.why(NAME)["state"]), ("transient", "failed"), failed)
        stack.proxy.behave = None
        present = stack.certificate(NAME)["fingerprint"]
        for kind, what, answer, outcome, words in RUBBISH:
            with self.subTest(f"{kind} is answered by {what}"):
                since, asked = self.last_attempt(stack), stack.proxy.asked.get(kind, 0)
                stack.proxy.behave = lambda one, forward, kind=kind, answer=answer: (
                    answer(forward) if one == kind else forward())
                stack.command("cert", "order", NAME)
                failed = self.failure(stack, since)
                more = stack.proxy.asked[kind] - asked
                self.in_use(stack, present)
                stack.proxy.behave = None
                self.assertEqual(failed["outcome"], outcome, failed)
                self.assertIn(words, failed["detail"])
                self.assertLess(len(failed["detail"]), 1000, "a megabyte is not for a status")
                self.assertLessEqual(more, 8)
                present = stack.certificate(NAME, 40, lambda one, old=present: one["fingerprint"] != old)["fingerprint"]
                self.assertEqual(stack.why(NAME)["last_error"], "")
        # The same after the CA acted: the order is found in the account's list, and nothing has failed.
        lost = changed(lambda body: 3 * MEGABYTE)
        stack.proxy.behave = lambda one, forward: lost(forward) if one == "order-plz" else forward()
        since = self.last_attempt(stack)
        stack.command("cert", "order", NAME)
        stack.certificate(NAME, 40, lambda one: one["fingerprint"] != present)
        self.assertEqual([one["outcome"] for one in stack.why(NAME)["attempts"] if one["at_ms"] > since], ["issued"])
        stack.proxy.behave = None
        daemons.wait_for("no TXT value is left", lambda: not stack.challenges_in("stream.example"))

    def test_places_that_moved(self):
        port = daemons.free_port()
        stack = domain_stack.DomainStack(ca_port=port, proxied=False)
        self.addCleanup(stack.close)
        ca = MovingCa(stack.files, port)
        self.addCleanup(ca.stop)
        ca.start()
        stack.start()
        stack.create("first")
        present = stack.certificate(NAME)["fingerprint"]
        for place in ("v2", "v3"):
            ca.stop()
            ca.place, ca.lost = place, 0
            ca.start()
            since = self.last_attempt(stack)
            stack.command("cert", "order", NAME)
            failed = self.failure(stack, since)
            self.assertIn("nothing is here", failed["detail"])
            present = stack.certificate(NAME, 40, lambda one, old=present: one["fingerprint"] != old)["fingerprint"]
            self.assertLessEqual(ca.lost, 3, "it looks at the directory again")
        self.assertEqual(len(ca.orders), 3)

    def test_an_account_whose_place_moved(self):
        """Directory and everything it names are under another host's name, the account's URL among them."""
        stack = domain_stack.DomainStack()
        self.addCleanup(stack.close)
        moved = self.proxy(stack, daemons.free_port())
        self.addCleanup(moved.close)
        stack.start()
        stack.create("first")
        present = stack.certificate(NAME)["fingerprint"]
        former, later = (f":{port}/".encode() for port in (stack.proxy.port, moved.port))

        def behave(kind, forward):
            if kind != "dir":
                return 404, [], b"{}"
            status, headers, body = forward()
            return status, headers, body.replace(former, later)

        stack.proxy.behave = behave
        since = self.last_attempt(stack)
        stack.command("cert", "order", NAME)
        stack.certificate(NAME, 60, lambda one: one["fingerprint"] != present)
        failed = [one for one in stack.why(NAME)["attempts"] if one["at_ms"] > since and one["outcome"] != "issued"]
        self.assertLessEqual(len(failed), 1, failed)

    @staticmethod
    def proxy(stack, port):
        path = stack.files.path
        proxy = domain_stack.UnrulyCa(port, path("server.pem"), path("server.key"), path("ca.pem"))
        proxy.ca_port = stack.pebble.port
        return proxy

    def silenced(self, silence, speak):
        stack = domain_stack.DomainStack()
        self.addCleanup(stack.close)
        stack.start()
        stack.create("first")
        present = stack.certificate(NAME)["fingerprint"]
        since = self.last_attempt(stack)
        stack.navigator.stop()  # what it knows of the CA's directory goes with it
        silence(stack)
        stack.navigator.start()
        daemons.wait_for("it issues", lambda: stack.command("cert", "order", NAME, check=False).returncode == 0)
        failed = self.failure(stack, since)
        self.assertEqual(failed["outcome"], "transient", failed)
        self.assertIn("timed out", failed["detail"])
        self.in_use(stack, present)
        self.assertEqual(stack.navigator.call("GET", "/healthz")[0], 200)
        speak(stack)
        stack.certificate(NAME, 60, lambda one: one["fingerprint"] != present)

    def test_silence(self):
        """Connections are made and nothing is ever said on them."""
        def silence(stack):
            stack.proxy.close()
            self.silent = socket.create_server(("127.0.0.1", stack.proxy.port), backlog=64)
            self.addCleanup(self.silent.close)

        def speak(stack):
            self.silent.close()
            stack.proxy = self.proxy(stack, stack.proxy.port)

        self.silenced(silence, speak)

    @unittest.skipUnless(LONG, "half a minute: SOVEREIGN_LONG=1")
    def test_silence_after_the_question(self):
        """The CA takes a whole request and never answers it."""
        ended = threading.Event()
        self.addCleanup(ended.set)

        def silence(stack):
            stack.proxy.behave = lambda kind, forward: (503, [], b"") if ended.wait(100) else forward()

        def speak(stack):
            stack.proxy.behave = None
            ended.set()

        self.silenced(silence, speak)


if __name__ == "__main__":
    unittest.main(verbosity=2)
