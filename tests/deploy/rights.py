"""Holds what the server does against the rights that its sandboxes leave it: which calls of the kernel it makes, where it writes.

rights.py BINARY UNIT. strace and systemd-analyze are on the PATH. The unit has to let through all system calls and kinds of
sockets from the server's start over some writes and a scrape to its end; no memory may be written and executed; and what is opened
for writing has to be below the data directory, because the rest is read-only there and in a container.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request

PATIENCE_S = 60
MANIFEST = "kind: Workspace\nname: workspaces/acme\ntitle: Acme\ntime_zone: UTC\n"


def main(binary: str, unit: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        traced = trace(binary, pathlib.Path(scratch).resolve())
        calls = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", traced, re.MULTILINE))
        assert {"fdatasync", "sendto", "exit_group"} <= calls and len(calls) > 30, f"the trace is not read: {calls}"
        refused = calls - let_through(unit.read_text())
        families = set(re.findall(r" socket\((AF_\w+)", traced)) - families_of(unit.read_text())
        executable = re.findall(r" (mprotect\(.*PROT_EXEC|mmap\(.*PROT_WRITE\|PROT_EXEC)", traced)
        opened = re.findall(r'open(?:at)?\([^"]*"([^"]+)", ([A-Z_|]+)', traced)
        written = {path for path, flags in opened if re.search("O_WRONLY|O_RDWR|O_CREAT", flags)}
        assert written, "the trace is not read"
        outside = {path for path in written if not path.startswith(f"{scratch}/data/")}
    wrong = [f"the unit refuses the system call {call}" for call in sorted(refused)]
    wrong += [f"the unit refuses sockets of {family}" for family in sorted(families)]
    wrong += ["the unit refuses memory that is written and executed"] if executable else []
    wrong += [f"it writes {path}, outside of its data directory" for path in sorted(outside)]
    if wrong:
        raise SystemExit("\n".join(wrong))
    print(f"all {len(calls)} system calls of the server and its sockets are let through, and it writes into its data directory alone")


def trace(binary, scratch):
    command = ["strace", "-f", "-qq", "-o", scratch / "trace", binary, "serve", "--data-dir", scratch / "data"]
    command += ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log-format", "json"]
    # Who has started it listens, so that it tells.
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(scratch / "notify"))
    variables = os.environ | {"NOTIFY_SOCKET": str(scratch / "notify")}
    server = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)
    try:
        addresses = {}
        for line in server.stderr:
            said = re.search(r'"message":"([^"]+)"(?:,"address":"([^"]+)")?', line)
            addresses[said[1]] = said[2]
            if said[1] == "serving":
                break
        apply = [binary, "apply", "-f", "-", "--server", f"http://{addresses['listening']}"]
        subprocess.run(apply, input=MANIFEST, text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        urllib.request.urlopen(f"http://{addresses['metrics are served']}/metrics").read()
    finally:
        # strace hands a signal on only where it comes from a terminal: the server is its child.
        children = pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGTERM)
        server.communicate(timeout=PATIENCE_S)
        manager.close()
    return (scratch / "trace").read_text()


def let_through(unit):
    """The system calls that the lines of the unit leave: the first says which, one with ~ takes some away."""
    left = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        named = {call for word in line.lstrip("~").split() for call in members(word)}
        left = left - named if line.startswith("~") else left | named
    assert left, "the unit has no filter"
    return left


def families_of(unit):
    return set(re.search(r"^RestrictAddressFamilies=(.*)$", unit, re.MULTILINE)[1].split())


def members(word):
    if not word.startswith("@"):
        return {word}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True).stdout
    inner = [line.strip() for line in listed.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return {call for word in inner for call in members(word)}


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
