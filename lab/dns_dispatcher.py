"""The validating resolver of the lab's certificate authority: hands each question to the next site's name server.

    python3 dns_dispatcher.py LISTEN_PORT SERVER...

So an authority asks all sites in turn, and a certificate is issued only when every site answers its challenge. UDP on
127.0.0.1; a question without an answer within 2 s is forgotten; at most 1,024 wait.
"""

import itertools
import select
import socket
import struct
import sys
import time

WAITING_MAX = 1024
SECONDS = 2.0


def main():
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    upstreams = []
    for server in sys.argv[2:]:
        upstream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        upstream.connect((server, 53))
        upstreams.append(upstream)
    turn = itertools.cycle(upstreams)
    waiting = {}  # (upstream, own message id) -> (client, its message id, moment)
    numbers = itertools.count()
    while True:
        for sock in select.select([listener, *upstreams], [], [], 1.0)[0]:
            try:
                data, sender = sock.recvfrom(4096)
            except OSError:
                continue
            if len(data) < 12:
                continue
            message_id = struct.unpack_from("!H", data)[0]
            if sock is listener:
                upstream, own = next(turn), next(numbers) & 0xFFFF
                if len(waiting) < WAITING_MAX:
                    waiting[(upstream, own)] = (sender, message_id, time.monotonic())
                    try:
                        upstream.send(struct.pack("!H", own) + data[2:])
                    except OSError:
                        pass
            elif (sock, message_id) in waiting:
                client, theirs, _ = waiting.pop((sock, message_id))
                listener.sendto(struct.pack("!H", theirs) + data[2:], client)
        edge = time.monotonic() - SECONDS
        for key in [key for key, (_, _, at) in waiting.items() if at < edge]:
            del waiting[key]


if __name__ == "__main__":
    main()
