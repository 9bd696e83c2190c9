"""Hands of a test inside a machine: argv is the port to its host, one JSON object a line each way.

{"id", "kind": "run", "netns", "argv", "stdin"} runs a program in a namespace.
{"id", "kind": "ports", "ports": [[PATH_OF_NAMESPACE, INTERFACE], …], "watch": PATH, "magic": HEX} listens.
{"id", "kind": "send", "send": [[PORT, HEX], …], "quiet", "keep"} tells who saw which mark, and whether
what was seen before counts, too.
{"id", "kind": "stream-start", "from", "frame"} and {"id", "kind": "stream-stop", "to"} count frames
that are sent all the time meanwhile. "wire" is what was seen between the nodes, and whether it was
readable. {"kind": "end"} ends.
"""
import _socket as socket
import _thread
import ctypes
import os
import select
import struct
import sys
import time
# The modules json, socket and threading are text of which Python makes code at each start: seconds here.
from _json import encode_basestring_ascii

libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
host = os.open(sys.argv[1], os.O_RDWR)
writing = _thread.allocate_lock()
ports, numbers, wire, magic = [], {}, None, b""
seen, answers, kinds = [], [], {}


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


class Absent:
    """A port that is not there: nothing comes out of it, and what is sent to it goes nowhere."""

    def __init__(self):
        self.fd = os.eventfd(0)

    def fileno(self):
        return self.fd

    def close(self):
        os.close(self.fd)

    def send(self, frame):
        pass


def open_port(path, interface):
    try:
        return open_socket(path, interface)
    except OSError:
        enter(home)
        return Absent()


def json(value):
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json(key)}:{json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(json, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def answer(message):
    with writing:
        data = (json(message) + "\n").encode()
        while data:
            data = data[os.write(host, data):]


def run(request):
    argv, path = request["argv"], "/run/netns/" + request["netns"]
    # Programs that Debian has and busybox has otherwise.
    is_new = argv[:2] == ["unshare", "--net"]
    if is_new:
        argv = argv[2:]
    if argv[0] == "nsenter":
        path, argv = argv[1].removeprefix("--net="), argv[2:]
    # A thread has a namespace of its own, which what it spawns inherits; a fork would take long here.
    inside = os.open(path, os.O_RDONLY)
    files = [os.memfd_create(name) for name in ("in", "out", "err")]
    try:
        enter(inside)
        if is_new and libc.unshare(0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        os.write(files[0], request["stdin"].encode())
        os.lseek(files[0], 0, os.SEEK_SET)
        actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(files)]
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = [os.pread(fd, os.fstat(fd).st_size, 0).decode() for fd in files[1:]]
        result = {"code": code, "stdout": texts[0], "stderr": texts[1]}
    except OSError as error:
        result = {"code": 127, "stdout": "", "stderr": str(error)}
    finally:
        for fd in [inside, *files]:
            os.close(fd)
    answer({"id": request["id"], **result})


def listen(request):
    global ports, numbers, wire, magic
    for entry in [*ports, *([wire] if wire else [])]:
        entry.close()
    magic = bytes.fromhex(request["magic"])
    ports = [open_port(path, interface) for path, interface in request["ports"]]
    numbers = {entry.fileno(): number for number, entry in enumerate(ports)}
    wire = open_socket(request["watch"], None)


def take(entry):
    """Whether a frame of ours came."""
    found = False
    try:
        for _ in range(100):
            frame, address = entry.recvfrom(65536)
            if entry is wire:
                watch(frame)
            elif address[2] != socket.PACKET_OUTGOING:
                at = frame.find(magic)
                if at >= 0:
                    seen.append((numbers[entry.fileno()], frame[at + 4:at + 8].hex()))
                    found = True
                elif frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2":
                    answers.append((numbers[entry.fileno()], frame[22:28].hex(":"), socket.inet_ntoa(frame[28:32])))
                    found = True
    except OSError:
        pass
    return found


def watch(frame):
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == 0x0800:
        name = {50: "esp", 17: "udp"}.get(frame[23], "ip")
    else:
        name = {0x88E5: "macsec", 0x0806: "arp", 0x86DD: "ipv6"}.get(kind, hex(kind))
    kinds[name] = kinds.get(name, 0) + 1
    if magic in frame:
        kinds["readable"] = kinds.get("readable", 0) + 1


def collect(seconds):
    """Reads until nothing of ours came for that long."""
    until = time.monotonic() + seconds
    while True:
        readable, _, _ = select.select([*ports, wire], [], [], max(0, until - time.monotonic()))
        if not readable:
            return
        for entry in readable:
            if take(entry):
                until = time.monotonic() + seconds


def send(request):
    if not request.get("keep"):
        collect(0)
        seen.clear()
        answers.clear()
        kinds.clear()
    for number, frame in request["send"]:
        try:
            ports[number].send(bytes.fromhex(frame))
        except OSError:
            pass  # Its device is down, or gone since.
        collect(0)
    collect(request["quiet"])
    answer({"id": request["id"], "seen": sorted(set(seen)), "answers": sorted(set(answers)), "wire": kinds})


stream, sent, rest = None, 0, b""
answer({"ready": True})
while True:
    readable, _, _ = select.select([host, *ports, *([wire] if wire else [])], [], [], 0.004 if stream else 1)
    for entry in readable:
        if entry != host:
            take(entry)
    if host in readable:
        rest += os.read(host, 65536)
    *lines, rest = rest.split(b"\n")
    for line in lines:
        # Its host's, of texts, numbers, lists and objects: those are written as Python writes them.
        request = eval(line)
        kind = request["kind"]
        if kind == "end":
            sys.exit(0)
        elif kind == "run":
            _thread.start_new_thread(run, (request,))
        elif kind == "ports":
            listen(request)
            answer({"id": request["id"]})
        elif kind == "send":
            send(request)
        elif kind == "stream-start":
            collect(0)
            seen.clear()
            kinds.clear()
            stream, sent = request, 0
            answer({"id": request["id"]})
        elif kind == "stream-stop":
            stream = None
            collect(0.3)
            arrived = len({mark for number, mark in seen if number == request["to"]})
            answer({"id": request["id"], "sent": sent, "arrived": arrived, "wire": kinds})
    if stream:
        head, tail = stream["frame"].split("@")
        ports[stream["from"]].send(bytes.fromhex(f"{head}{sent:08x}{tail}"))
        sent += 1
