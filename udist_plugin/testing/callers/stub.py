"""The process that a client starts as its plugin: it hands its standard streams to the runner, and then does
what it is told.

    python -I -S stub.py SOCKET

It tells the runner of a TERM, which it does not obey, and ends when the runner does. Descriptors that it is
given it holds open, and tells their numbers. Only what starts fast is imported: one is started for each case.
"""

import _socket
import os
import signal
import sys


def main() -> None:
    """Hands over the streams, and waits for ``exit STATUS`` or ``kill SIGNAL``; until then, for ``hold``."""
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: connection.send(b"term\n"))
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    connection.sendmsg([b"\n"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    for number in range(3):
        os.close(number)
    connection.send(b"started\n")
    word = "hold"
    while word == "hold":
        data, given, *_ = connection.recvmsg(64, _socket.CMSG_SPACE(4))
        word, _, value = data.decode().partition(" ")
        for *_, descriptor in given:
            connection.send(b"holds %d\n" % int.from_bytes(descriptor, sys.byteorder))
    if word == "kill":
        os.kill(os.getpid(), int(value))
    os._exit(int(value or 1))


if __name__ == "__main__":
    main()
