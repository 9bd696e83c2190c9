"""Sends and receives frames in many network namespaces at once; a test's peer, never the product.

Reads JSON a line: {"open": [{"name", "namespace", "device"}]}, {"send": [[name, hex]], "wait": s},
{"probe": [[name, hex]], "interval": s}, {"stop": true}. Answers each with a line. Every frame bears
eight bytes of magic and four of id; a receipt is [id, name of the receiver].
"""
import ctypes, json, os, select, socket, sys, time

MAGIC = b"TAPLINE!"
libc = ctypes.CDLL(None, use_errno=True)
home = os.open("/proc/self/ns/net", os.O_RDONLY)


def open_socket(namespace, device):
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if libc.setns(fd, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), f"setns {namespace}")
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
        sock.bind((device, 0))
        sock.setblocking(False)
        return sock
    finally:
        libc.setns(home, 0x40000000)
        os.close(fd)


class Peer:
    def __init__(self):
        self.sockets, self.names, self.poll = {}, {}, select.poll()
        self.poll.register(0, select.POLLIN)
        self.probe, self.interval, self.due, self.seen = [], 0.0, 0.0, {}

    def open(self, endpoints):
        for endpoint in endpoints:
            sock = open_socket(endpoint["namespace"], endpoint["device"])
            old = self.sockets.pop(endpoint["name"], None)
            if old is not None:
                self.poll.unregister(old)
                del self.names[old.fileno()]
                old.close()
            self.sockets[endpoint["name"]] = sock
            self.names[sock.fileno()] = endpoint["name"]
            self.poll.register(sock, select.POLLIN)

    def send(self, frames):
        for name, frame in frames:
            try:
                self.sockets[name].send(bytes.fromhex(frame))
            except OSError:
                pass  # The device is down or gone: nothing is sent.

    def receive(self, fd):
        sock, name = self.sockets[self.names[fd]], self.names[fd]
        while True:
            try:
                frame = sock.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                return  # The device went away; a new one is opened by name.
            if frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 3:
                continue  # "Port unreachable" quotes what it answers.
            if frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 1:
                continue
            at = frame.find(MAGIC)
            if at >= 0:
                key = (int.from_bytes(frame[at + 8 : at + 12], "big"), name)
            elif frame[12:14] == b"\x08\x06" and frame[20:22] == b"\x00\x02":
                key = (-int.from_bytes(frame[28:32], "big"), name)  # An ARP reply of that address.
            else:
                continue
            first, last, count = self.seen.get(key, (time.time(), 0, 0))
            self.seen[key] = (first, time.time(), count + 1)

    def turn(self, timeout):
        lines = False
        for fd, _ in self.poll.poll(timeout * 1000):
            if fd == 0:
                lines = True
            elif fd in self.names:
                self.receive(fd)
        return lines

    def take(self):
        seen, self.seen = self.seen, {}
        return [[key[0], key[1], *value] for key, value in seen.items()]

    def run(self):
        buffer = b""
        while True:
            now = time.time()
            if self.probe and now >= self.due:
                self.send(self.probe)
                self.due = now + self.interval
            if not self.turn(max(0.0, self.due - now) if self.probe else 1.0):
                continue
            chunk = os.read(0, 1 << 20)
            if not chunk:
                return
            buffer += chunk
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                print(json.dumps(self.answer(json.loads(line))), flush=True)

    def answer(self, request):
        if "open" in request:
            self.open(request["open"])
            return {}
        if "send" in request:
            self.seen = {}
            for start in range(0, len(request["send"]), 64):
                self.send(request["send"][start : start + 64])
                self.turn(0)
            end = time.time() + request["wait"]
            while time.time() < end:
                for fd, _ in self.poll.poll(max(0, end - time.time()) * 1000):
                    if fd in self.names:
                        self.receive(fd)
            return {"received": self.take()}
        if "probe" in request:
            self.seen, self.probe, self.interval = {}, request["probe"], request["interval"]
            return {}
        self.probe = []
        return {"received": self.take()}


Peer().run()
