"""Raw frames at the ends of ports, in whatever namespaces: one process, one socket for each.

argv: PATH_OF_NAMESPACE INTERFACE pairs. Input lines: `NUMBER HEX` sends a frame. Output lines:
`ready`, then `NUMBER HEX` for each frame that came in.
"""
import ctypes
import os
import select
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
sockets = []
for path, interface in zip(sys.argv[1::2], sys.argv[2::2]):
    inside = os.open(path, os.O_RDONLY)
    if libc.setns(inside, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), path)
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    opened.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
    opened.bind((interface, 0))
    opened.setblocking(False)
    sockets.append(opened)
    os.close(inside)
libc.setns(home, 0x40000000)
print("ready", flush=True)

numbers = {entry.fileno(): number for number, entry in enumerate(sockets)}
pending = b""
while True:
    readable, _, _ = select.select([0, *sockets], [], [])
    lines = []
    for entry in readable:
        if entry == 0:
            chunk = os.read(0, 1 << 20)
            if not chunk:
                sys.exit(0)
            *commands, pending = (pending + chunk).split(b"\n")
            for command in commands:
                number, frame = command.split()
                try:
                    sockets[int(number)].send(bytes.fromhex(frame.decode()))
                except OSError as error:
                    lines.append(f"error {error}")
            continue
        try:
            for _ in range(200):
                frame, address = entry.recvfrom(65536)
                if address[2] != socket.PACKET_OUTGOING:
                    lines.append(f"{numbers[entry.fileno()]} {frame.hex()}")
        except OSError:
            # Nothing more for now, or the interface has gone with its node.
            pass
    if lines:
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
