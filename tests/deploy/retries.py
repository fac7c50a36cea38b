"""Holds the service config for clients against the API, and has gRPC's own client do what it says.

retries.py ROOT BINARY. Only what may be sent twice is: reads, and writes that have a request_id by which the second is known.
"""

import concurrent.futures
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pb2

PATIENCE_S = 60
OK = grpc.StatusCode.OK


def main(root: pathlib.Path, binary: str) -> None:
    text = (root / "deploy/client/service-config.json").read_text()
    methods = read_methods(root / "proto")
    wrong = faults_of(json.loads(text), methods, reads_of((root / "docs/security.md").read_text()))
    if wrong:
        raise SystemExit("\n".join(wrong))
    against_refusals(text)
    against_a_restart(text, binary)
    print(f"the service config says of {len(methods)} calls what is right, and a client does it")


def read_methods(protos):
    """Of each call: whether it is a stream, and whether its request has a request_id."""
    with tempfile.NamedTemporaryFile() as file:
        sources = [str(source.relative_to(protos)) for source in sorted((protos / "binnacle/v1").glob("*.proto"))]
        compile_them = [sys.executable, "-m", "grpc_tools.protoc", "-I.", "--include_imports", f"--descriptor_set_out={file.name}"]
        subprocess.run([*compile_them, *sources], cwd=protos, check=True)
        described = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(file.name).read_bytes())
    requests = {
        f".{source.package}.{message.name}": {field.name for field in message.field}
        for source in described.file
        for message in source.message_type
    }
    return {
        (f"{source.package}.{service.name}", method.name): {
            "stream": method.client_streaming or method.server_streaming,
            "known": "request_id" in requests[method.input_type],
        }
        for source in described.file
        for service in source.service
        for method in service.method
    }


def reads_of(page):
    """The calls that change nothing, as the page about rights lists them."""
    rows = re.findall(r"^\| (read|audit|be known) \| (`.*`) \|$", page, re.MULTILINE)
    assert len(rows) == 3, rows
    return {name for _, calls in rows for name in re.findall(r"`(\w+)`", calls)}


def faults_of(config, methods, reads):
    chosen = {}
    for said in config["methodConfig"]:
        for name in said["name"]:
            key = (name["service"], name.get("method"))
            if key in chosen:
                return [f"{key} is named twice"]
            chosen[key] = said
    services = {service for service, _ in methods}
    there = set(methods) | {(service, None) for service in services}
    wrong = [f"there is no {name}" for name in set(chosen) - there]
    for (service, method), has in methods.items():
        said = chosen.get((service, method), chosen.get((service, None)))
        if said is None:
            wrong.append(f"nothing is said of {service}/{method}")
        elif has["stream"] and ("retryPolicy" in said or "timeout" in said):
            wrong.append(f"{method} is a stream: it has no end, and whoever sends it again says from where")
        elif not has["stream"] and "retryPolicy" not in said:
            wrong.append(f"{method} is not sent again")
        elif not has["stream"] and method not in reads and not has["known"]:
            wrong.append(f"{method} changes something and has no request_id: it must not be sent again")
    return wrong


def against_refusals(config):
    """A server that refuses at first, as often as it is told."""
    attempts = []

    class Refusing(grpc.GenericRpcHandler):
        def service(self, details):
            code = getattr(grpc.StatusCode, dict(details.invocation_metadata)["refusal"])

            def answer(request, context):
                attempts.append(request)
                if len(attempts) <= 2:
                    context.abort(code, "not now")
                return b""

            def answers(request, context):
                yield answer(request, context)

            if details.method.endswith("/Subscribe"):
                return grpc.unary_stream_rpc_method_handler(answers)
            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=[Refusing()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.service_config", config)]) as channel:
        write = channel.unary_unary("/binnacle.v1.KpiService/RecordMeasurement")
        subscribe = channel.unary_stream("/binnacle.v1.ProgressService/Subscribe")
        for call, refusal, wanted in [
            (write, "UNAVAILABLE", 3),
            (write, "RESOURCE_EXHAUSTED", 3),
            (write, "INTERNAL", 1),
            (write, "ABORTED", 1),
            (lambda *given, **more: list(subscribe(*given, **more)), "UNAVAILABLE", 1),
        ]:
            attempts.clear()
            code = code_of(lambda: call(b"the same", metadata=[("refusal", refusal)]))
            assert attempts == [b"the same"] * wanted, f"{refusal}: {len(attempts)} attempts, not {wanted}"
            assert code == (OK if wanted > 1 else getattr(grpc.StatusCode, refusal)), code
    server.stop(None)


def code_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return OK


def against_a_restart(config, binary):
    """A call that is made while the server is away is answered when it is back."""
    with tempfile.TemporaryDirectory() as scratch:
        server, address = start(binary, scratch, "127.0.0.1:0")
        try:
            options = [("grpc.service_config", config), ("grpc.max_reconnect_backoff_ms", 1000)]
            with grpc.insecure_channel(address, options=options) as channel:
                listed = channel.unary_unary("/binnacle.v1.WorkspaceService/ListWorkspaces")
                assert code_of(lambda: listed(b"")) == OK
                end(server)
                call = listed.future(b"")
                server, _ = start(binary, scratch, address)
                code = code_of(lambda: call.result(PATIENCE_S))
                assert code == OK, code
        finally:
            end(server)


def start(binary, scratch, address):
    command = [binary, "serve", "--data-dir", f"{scratch}/data", "--listen", address, "--log-format", "json"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        fields = json.loads(line)["fields"]
        if fields["message"] == "serving":
            return server, fields["address"]
    raise SystemExit("the server ended before it served")


def end(server):
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=PATIENCE_S)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2])
