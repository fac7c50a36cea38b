"""Starts a server as docs/clients.md says, has every client run the scenario of steps.md, and runs the rest of the page and
the section of README.md that goes with it.

run.py [grpcurl]: grpcurl and what the pages say of it, or everything else. Its working directory is the folder that
docs/clients.md speaks of; binnacle, and the clients that are no libraries, are on the PATH.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import page

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
CLIENTS_PAGE, README = ROOT / "docs/clients.md", ROOT / "README.md"
STEPS = re.findall(r"^\d+\. \*\*(.+?)\*\*", (HERE / "steps.md").read_text(), re.MULTILINE)
# Upper bounds: what takes longer has failed.
PATIENCE_S = 60
CLIENT_PATIENCE_S = 120

SETTING_UP, README_SECTION = "A server to try it with", "Calling it with TLS and a token"


def clients(address):
    """Every client by its name, as a command; each has a workspace of its own."""
    def python(name, *more):
        return lambda workspace: [sys.executable, str(HERE / name), address, workspace, *more]

    def node(name):
        return lambda workspace: ["node", name, address, workspace, "proto"]

    if sys.argv[1:] == ["grpcurl"]:
        return {"grpcurl": python("command_line.py", "grpcurl", shutil.which("grpcurl"))}
    buf = shutil.which("buf")
    return {
        "python-grpcio": python("python_sync.py"),
        "python-asyncio": python("python_asyncio.py"),
        "python-reflection": python("python_reflection.py"),
        "grpc-js": node("grpc_js.mjs"),
        "fetch-grpc-web": node("grpc_web.mjs"),
        "buf-grpc": python("command_line.py", "buf-grpc", buf),
        "buf-grpc-web": python("command_line.py", "buf-grpc-web", buf),
    }


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def server(port):
    """What the page says about setting up, in its order. The server ends well when it is told to."""
    process = None
    try:
        for _, block in (found for found in page.blocks(page.section(CLIENTS_PAGE, SETTING_UP), port) if found[0] == "sh"):
            if block.startswith("binnacle serve "):
                with open("server.log", "w", encoding="utf-8") as log:
                    process = subprocess.Popen(["bash", "-c", f"exec {block}"], stdin=subprocess.DEVNULL, stderr=log)
                until_it_serves(process)
            else:
                done = page.shell(block)
                assert done.returncode == 0, done.stdout
        assert process, f"{CLIENTS_PAGE.name} starts no server"
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0, f"the server ended with {process.returncode}"
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            print("what the server said:", pathlib.Path("server.log").read_text()[-4000:], sep="\n", file=sys.stderr)
        raise
    finally:
        if process:
            process.kill()
            process.wait()


def until_it_serves(process):
    end = time.monotonic() + PATIENCE_S
    while " serving " not in pathlib.Path("server.log").read_text():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit("the server does not serve")
        time.sleep(0.05)


def run_all(commands):
    """Runs the clients, all at once. Yields for each step of each whether it was taken, with what went wrong."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "NODE_EXTRA_CA_CERTS": "ca.pem"}
    running = {name: subprocess.Popen(command(name), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
               for name, command in commands.items()}
    try:
        for name, process in running.items():
            said, error = process.communicate(timeout=CLIENT_PATIENCE_S)
            yield from judged(name, process.returncode, said, error[-2000:])
    finally:
        for process in running.values():
            process.kill()


def judged(name, code, said, error):
    """Every step of a client, in the order of steps.md, and how it ended."""
    taken = [line.removeprefix("ok ") for line in said.splitlines() if line.startswith("ok ")]
    for number, step in enumerate(STEPS):
        is_taken = taken[number:number + 1] == [step]
        yield f"{name}: {step}", "" if is_taken else f"it said {taken[number:number + 1]}; {error}"
    ends_well = taken == STEPS and code == 0
    yield f"{name}: ends well", "" if ends_well else f"exit code {code}, {len(taken)} steps of {len(STEPS)}; {error}"


def run_pages(port):
    only_grpcurl = sys.argv[1:] == ["grpcurl"]
    set_up = page.section(CLIENTS_PAGE, SETTING_UP)
    for source, text in ((CLIENTS_PAGE, CLIENTS_PAGE.read_text().replace(set_up, "")),
                         (README, page.section(README, README_SECTION))):
        ran = 0
        for what, wrong in page.run(text, port, lambda block: page.is_of_grpcurl(block) == only_grpcurl):
            ran += 1
            yield f"{source.name}: {what}", wrong
        yield f"{source.name} shows something to run", "" if ran else "nothing"


def main():
    assert len(STEPS) >= 10, "steps.md has lost its steps"
    port = free_port()
    passed = failed = 0
    with server(port):
        for results in (run_all(clients(f"localhost:{port}")), run_pages(port)):
            for what, wrong in results:
                print(f"FAILED  {what}: {wrong}" if wrong else f"ok      {what}", flush=True)
                passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
