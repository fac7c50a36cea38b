"""Starts a server, makes some calls, lets Prometheus scrape it and asks Prometheus what it has seen.

prometheus.py BINARY SCRATCH; promtool and prometheus are on the PATH. The calls are made by the program itself.
"""

import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

PATIENCE_S = 60
MANIFEST = """\
kind: Workspace
name: workspaces/acme
title: Acme
time_zone: UTC
"""


def main(binary: str, scratch: pathlib.Path) -> None:
    with contextlib.ExitStack() as stack:
        address, metrics = start_server(stack, binary, scratch)
        make_calls(binary, address)
        check(metrics)
        url = start_prometheus(stack, metrics, scratch)
        until("the scrape", lambda: query(url, "up") == {"up": 1.0})
        expect(url, 'sum(binnacle_rpc_total{method="binnacle.v1.WorkspaceService/CreateWorkspace",code="OK"})', 1.0)
        expect(url, "binnacle_ready", 1.0)
        expect(url, 'binnacle_workspace_revision{workspace="acme"} >= bool 1', 1.0)
        expect(url, "count(binnacle_rpc_duration_seconds_bucket) > bool 0", 1.0)
        expect(url, "binnacle_group_commits_count >= bool 1", 1.0)
        expect(url, "histogram_quantile(0.99, binnacle_commit_duration_seconds_bucket) > bool 0", 1.0)
        types = ask(url, "/api/v1/metadata")["data"]
        found = {types[name][0]["type"] for name in ("binnacle_ready", "binnacle_group_commits")}
        assert found == {"gauge", "histogram"}, found
        counter = [name for name in types if name in ("binnacle_rpc", "binnacle_rpc_total")]
        assert counter and types[counter[0]][0]["type"] == "counter", counter
    print("9 passed: promtool, a scrape, six queries, and the types")


def start_server(stack, binary, scratch):
    """The address of the API and that of the metrics."""
    command = [binary, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--metrics-workspaces"]
    command += ["--log-format", "json", "--data-dir", str(scratch / "data")]
    server = run(stack, command, stderr=subprocess.PIPE, text=True)
    addresses = {}
    for line in server.stderr:
        fields = json.loads(line)["fields"]
        addresses[fields["message"]] = fields.get("address")
        if fields["message"] == "serving":
            return addresses["listening"], addresses["metrics are served"]
    raise SystemExit("the server ended before it served")


def make_calls(binary, address):
    subprocess.run(
        [binary, "apply", "-f", "-", "--server", f"http://{address}"], input=MANIFEST, text=True, check=True
    )


def check(metrics):
    """promtool finds nothing to say about the text format. The other form is what Prometheus itself asks for."""
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=PATIENCE_S) as answer:
        exposition = answer.read()
    said = subprocess.run(["promtool", "check", "metrics"], input=exposition, check=True, capture_output=True)
    assert not said.stdout + said.stderr, said


def start_prometheus(stack, metrics, scratch):
    configuration = scratch / "prometheus.yml"
    job = {"job_name": "binnacle", "static_configs": [{"targets": [metrics]}]}
    # JSON is YAML.
    configuration.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}))
    port = free_port()
    command = ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={scratch / 'tsdb'}"]
    run(stack, [*command, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
    return f"http://127.0.0.1:{port}"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def run(stack, command, **options):
    """A process that ends with the test."""
    process = subprocess.Popen(command, **options)

    def end():
        process.terminate()
        process.wait(PATIENCE_S)

    stack.callback(end)
    return process


def ask(url, path):
    with urllib.request.urlopen(url + path, timeout=PATIENCE_S) as answer:
        return json.load(answer)


def query(url, expression):
    """The values of the series, by name."""
    try:
        found = ask(url, "/api/v1/query?query=" + urllib.parse.quote(expression))["data"]["result"]
    except OSError:
        # It starts.
        return {}
    return {series["metric"].get("__name__", ""): float(series["value"][1]) for series in found}


def until(what, is_so):
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit(f"not in time: {what}")
        time.sleep(0.1)


def expect(url, expression, value):
    found = list(query(url, expression).values())
    assert found == [value], f"{expression} is {found}, not {value}"


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
