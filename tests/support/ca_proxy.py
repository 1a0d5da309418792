"""A TLS proxy before an ACME server: it counts what is asked by kind, and at the next request of a chosen kind does
something, either before the CA hears of it or after the CA acted and before the client learns it."""
import base64
import http.client
import http.server
import json
import ssl
import threading

# pebble's paths, and those of scripted_ca.cpp.
KINDS = ("nonce-plz", "sign-me-up", "order-plz", "authZ", "chalZ", "my-order", "finalize-order", "certZ")
SCRIPTED_KINDS = ("new-order", "authz", "challenge", "order", "finalize", "cert")


class CaProxy:
    """Serves with `certificate` and `key`, believes `authority`; `ca_port` is set before anything is asked."""

    def __init__(self, port, certificate, key, authority):
        self.ca_port = None
        self.port = port
        self.lock = threading.Lock()
        self.trap = None
        self.orders = {}  # names of an order -> the ids that the CA gave it
        self.finalized = 0
        self.upstream = ssl.create_default_context(cafile=authority)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler(), bind_and_activate=True)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.handle_error = lambda *_: None  # a client that is killed in the middle is what this is for
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def set_trap(self, kind, after, action):
        """An event that is set when the trap was sprung."""
        sprung = threading.Event()
        with self.lock:
            self.trap = (kind, after, action, sprung)
        return sprung

    def _sprung(self, kind, after):
        with self.lock:
            if self.trap is None or self.trap[:2] != (kind, after):
                return False
            _, _, action, event = self.trap
            self.trap = None
        action()
        event.set()
        return True

    def _count(self, kind, body, status, headers):
        if kind in ("order-plz", "new-order") and status == 201:
            payload = json.loads(body)["payload"]
            order = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            names = tuple(sorted(one["value"] for one in order["identifiers"]))
            with self.lock:
                self.orders.setdefault(names, []).append(dict(headers)["Location"].rsplit("/", 1)[1])
        if kind in ("finalize-order", "finalize") and status == 200:
            with self.lock:
                self.finalized += 1

    def _forward(self, method, path, headers, body):
        connection = http.client.HTTPSConnection("localhost", self.ca_port, timeout=30, context=self.upstream)
        try:
            # Host names the proxy: the CA makes its addresses of it.
            connection.request(method, path, body, {k: v for k, v in headers.items() if k.lower() != "connection"})
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _handler(self):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kind = self.path.strip("/").split("/")[0]
                if proxy._sprung(kind, after=False):
                    self.close_connection = True
                    return
                status, headers, answer = proxy._forward(self.command, self.path, self.headers, body or None)
                proxy._count(kind, body, status, headers)
                # A refused nonce is answered by asking again: it is no step of an order.
                if status < 400 and proxy._sprung(kind, after=True):
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            do_GET = do_POST = do_HEAD = pass_on

            def log_message(self, *_):
                pass

        return Handler
