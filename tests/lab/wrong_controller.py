"""A controller of a test's own: it has the real one's certificate and, when asked, its signing key, and says to agents
whatever the test wants said. For tests of what an agent believes."""

import base64
import http.client
import http.server
import json
import pathlib
import queue
import socket
import ssl
import subprocess
import threading
import time
from email.utils import formatdate

from small_mesh import CONTROLLER, UNDERLAY

DOMAIN = b"sovereign world 1\n"  # mesh/signed_world: what is signed begins with it
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")  # of an Ed25519 seed (RFC 8410)


class SigningKey:
    """Ed25519 by the openssl program; `seed` are 32 octets."""

    def __init__(self, folder, seed):
        self.key = pathlib.Path(folder) / f"sign-{seed[:4].hex()}.pem"
        text = base64.encodebytes(_PKCS8 + seed).decode()
        self.key.write_text(f"-----BEGIN PRIVATE KEY-----\n{text}-----END PRIVATE KEY-----\n", encoding="ascii")

    def sign(self, text):
        message = self.key.with_suffix(".message")
        message.write_bytes(DOMAIN + text.encode())
        done = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", str(self.key), "-rawin", "-in", str(message)],
                              capture_output=True, check=True)
        return done.stdout.hex()


def signed(document, key):
    """The text of a world as it travels."""
    text = json.dumps(document)
    return json.dumps({"signed": text, "signature": key.sign(text)})


def controllers_key(mesh):
    seed = pathlib.Path(mesh.path(CONTROLLER, "state", "controller", "world.key")).read_text(encoding="ascii")
    return SigningKey(mesh.path(CONTROLLER), bytes.fromhex(seed.strip()))


def world_of(mesh, node):
    """What the real controller tells this node now, as a document."""
    context = ssl.create_default_context(cafile=mesh.path(node, "state", "ca.crt"))
    context.load_cert_chain(mesh.path(node, "state", "node.crt"), mesh.path(node, "state", "node.key"))
    with mesh.spaces.socket(CONTROLLER, socket.AF_INET, socket.SOCK_STREAM) as plain:
        plain.connect((f"{UNDERLAY}.100", mesh.port))
        with context.wrap_socket(plain, server_hostname="controller") as stream:
            stream.sendall(b"GET /v1/world?since=-1&wait_ms=0 HTTP/1.1\r\nHost: controller\r\n"
                           b"Connection: close\r\n\r\n")
            answer = http.client.HTTPResponse(stream)
            answer.begin()
            return json.loads(json.loads(answer.read())["signed"])


class WrongController:
    """Answers where the real one did, which must have been stopped. `say` queues an answer to the next poll of `node`;
    without one, and to other nodes, nothing is new. `ahead_s`: its clock against this machine's."""

    def __init__(self, mesh, node, ahead_s=0, idle_s=0.2):
        folder = pathlib.Path(mesh.path(CONTROLLER, "state", "controller"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(folder / "controller.crt"), str(folder / "controller.key"))
        nobody, address = queue.Queue(), mesh.underlay(node)
        said, polls, streams = queue.Queue(), [], []
        self.said, self.polls, self.streams = said, polls, streams

        class Answer(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                streams.append(self.request)

            def date_time_string(self, timestamp=None):
                return formatdate(time.time() + ahead_s, usegmt=True)

            def log_message(self, *_):
                pass

            def reply(self, status, body=b"", length=None):
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                asked = self.client_address[0] == address
                if asked:
                    polls.append(self.path)
                try:
                    body, length = (said if asked else nobody).get(timeout=idle_s)
                except queue.Empty:
                    self.reply(204)
                    return
                self.reply(200, body, length)
                self.close_connection = length is not None

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.reply(204)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # an agent that does not like the certificate hangs up

        self.server = Server((f"{UNDERLAY}.100", mesh.port), Answer, bind_and_activate=False)
        self.server.socket.close()
        plain = mesh.spaces.socket(CONTROLLER, socket.AF_INET, socket.SOCK_STREAM)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        plain.bind((f"{UNDERLAY}.100", mesh.port))
        plain.listen(16)
        self.server.socket = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def say(self, text, length=None):
        """`length`: what the header says of it, which a connection that breaks does not keep."""
        self.said.put((text.encode(), length))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for stream in self.streams:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # has ended before
        self.thread.join(5)
