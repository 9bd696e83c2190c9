"""Steps of a test inside a machine. argv: file with JSON.

{"ports": [[PATH_OF_NAMESPACE, INTERFACE], …], "watch": PATH_OF_NAMESPACE, "magic": HEX, "steps": […]}

A step is {"name", "shell"?, "send"?: [[PORT, HEX], …], "stream"?: {"from", "frame", "to", "shell": […]}}.
For each one line `> JSON` tells who saw which mark, and what of ours was readable on the wire.
"""
import ctypes
import json
import os
import select
import socket
import struct
import sys
import time

plan = json.load(open(sys.argv[1]))
magic = bytes.fromhex(plan["magic"])
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)


def enter(fd):
    if libc.setns(fd, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def open_socket(path, interface):
    inside = os.open(path, os.O_RDONLY)
    enter(inside)
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    opened.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
    if interface:
        opened.bind((interface, 0))
    opened.setblocking(False)
    os.close(inside)
    enter(home)
    return opened


ports = [open_socket(path, interface) for path, interface in plan["ports"]]
wire = open_socket(plan["watch"], None)
numbers = {entry.fileno(): number for number, entry in enumerate(ports)}


def collect(seconds, seen, kinds):
    """Reads until nothing more came for that long."""
    until = time.monotonic() + seconds
    while True:
        left = until - time.monotonic()
        readable, _, _ = select.select([*ports, wire], [], [], max(0, left))
        if not readable:
            return
        for entry in readable:
            try:
                for _ in range(100):
                    frame, address = entry.recvfrom(65536)
                    if entry is wire:
                        watch(frame, kinds)
                    elif address[2] != socket.PACKET_OUTGOING:
                        at = frame.find(magic)
                        if at >= 0:
                            seen.append([numbers[entry.fileno()], frame[at + 4:at + 8].hex()])
                            until = time.monotonic() + seconds
            except OSError:
                pass


def watch(frame, kinds):
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == 0x0800:
        name = {50: "esp", 17: "udp"}.get(frame[23], "ip")
    else:
        name = {0x88E5: "macsec", 0x0806: "arp", 0x86DD: "ipv6"}.get(kind, hex(kind))
    kinds[name] = kinds.get(name, 0) + 1
    if magic in frame:
        kinds["readable"] = kinds.get("readable", 0) + 1


def start(command):
    return os.posix_spawn("/bin/sh", ["sh", "-c", command], os.environ)


for step in plan["steps"]:
    seen, kinds = [], {}
    answer = {"name": step["name"]}
    if "shell" in step:
        answer["status"] = os.waitstatus_to_exitcode(os.waitpid(start(step["shell"]), 0)[1])
        collect(0, [], {})
    for number, frame in step.get("send", []):
        try:
            ports[number].send(bytes.fromhex(frame))
        except OSError as error:
            answer["error"] = str(error)
        collect(0, seen, kinds)
    if "stream" in step:
        stream = step["stream"]
        sent, statuses, running = 0, [], None
        commands = list(stream["shell"])
        head, tail = stream["frame"].split("@")
        while commands or running is not None:
            if running is None:
                running = start(commands.pop(0))
            ports[stream["from"]].send(bytes.fromhex(f"{head}{sent:08x}{tail}"))
            sent += 1
            collect(0.004, seen, kinds)
            ended, status = os.waitpid(running, os.WNOHANG)
            if ended:
                statuses.append(os.waitstatus_to_exitcode(status))
                running = None
        answer["sent"], answer["statuses"] = sent, statuses
    collect(step.get("quiet", 0.3), seen, kinds)
    if "stream" in step:
        answer["arrived"] = len({mark for number, mark in seen if number == step["stream"]["to"]})
    else:
        answer["seen"] = sorted({(number, mark) for number, mark in seen})
    answer["wire"] = kinds
    print("> " + json.dumps(answer), flush=True)
