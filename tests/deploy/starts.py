"""Starts the server as each deployment would, with its own flags, variables and files, and asks it as its surroundings would.

starts.py BINARY DEPLOY RENDERED WHAT, where WHAT is tls or mesh (of Kubernetes, rendered into RENDERED/WHAT.yaml), compose or
systemd. Folders become those of a scratch directory, and ports free ones. It does not know the sandbox around the server: it is no
kubelet, no Docker and no systemd.
"""

import contextlib
import datetime
import json
import pathlib
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

import grpc
import jwt
import trustme
import yaml
from binnacle.v1 import workspace_service_pb2, workspace_service_pb2_grpc
from cryptography.hazmat.primitives.asymmetric import rsa
from grpc_health.v1 import health_pb2, health_pb2_grpc

PATIENCE_S = 60
HOST = "binnacle.binnacle.svc"


class Place:
    """Where the server finds what the deployment promises: folders as below a root of their own, ports that are free."""

    def __init__(self, scratch):
        self.root = pathlib.Path(scratch)
        self.ports = {port: free_port() for port in ("7700", "9700")}

    def put(self, text):
        text = re.sub(r"(?<![\w.])/(var/lib/binnacle|etc/binnacle)", rf"{self.root}/\1", text)
        return re.sub(r":(7700|9700)\b", lambda port: f":{self.ports[port[1]]}", text)

    def path(self, inside):
        path = self.root / inside.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def address(self, host="127.0.0.1"):
        return f"{host}:{self.ports['7700']}"


def main(binary, deploy, rendered, what):
    with contextlib.ExitStack() as stack:
        place = Place(stack.enter_context(tempfile.TemporaryDirectory()))
        said = {"tls": tls, "mesh": mesh, "compose": compose, "systemd": systemd}[what](stack, binary, deploy, rendered, place)
    print(said)


def tls(stack, binary, deploy, rendered, place):
    ca = trustme.CA()
    folder = place.path("/etc/binnacle/tls")
    mount(folder, "first", secret(ca))
    server, container = pod(stack, binary, deploy, rendered / "tls.yaml", place)
    probe_until_ready(server, container, place)
    operator = ca.issue_cert("operator@example.com", common_name="operator")
    stranger = grpc.ssl_channel_credentials(ca.cert_pem.bytes())
    known = grpc.ssl_channel_credentials(
        ca.cert_pem.bytes(), operator.private_key_pem.bytes(), operator.cert_chain_pems[0].bytes()
    )
    options = [("grpc.ssl_target_name_override", HOST)]
    with grpc.secure_channel(place.address(), stranger, options) as channel:
        expect(create(channel), grpc.StatusCode.UNAUTHENTICATED)
    with grpc.secure_channel(place.address(), known, options) as channel:
        expect(create(channel), grpc.StatusCode.OK)
    # As the kubelet changes a secret: a new folder, and a link that is moved.
    before = certificate(place)
    mount(folder, "second", secret(ca))
    until("the new certificate is used", lambda: certificate(place) != before)
    end(server)
    return "started as in Kubernetes with TLS: ready by its probes, its operator creates, a stranger does not, a new certificate is used"


def mesh(stack, binary, deploy, rendered, place):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    jwks = {"keys": [public | {"kid": "cluster", "use": "sig", "alg": "RS256"}]}
    mount(place.path("/etc/binnacle/jwks"), "first", {"jwks.json": json.dumps(jwks).encode()})
    server, container = pod(stack, binary, deploy, rendered / "mesh.yaml", place)
    probe_until_ready(server, container, place)
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    claims = {
        "sub": variables["BINNACLE_OPERATOR"],
        "iss": variables["BINNACLE_JWT_ISSUER"],
        "aud": [variables["BINNACLE_JWT_AUDIENCE"]],
        "exp": datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1),
    }
    token = jwt.encode(claims, key, algorithm="RS256", headers={"kid": "cluster"})
    with grpc.insecure_channel(place.address()) as channel:
        expect(create(channel), grpc.StatusCode.UNAUTHENTICATED)
        expect(create(channel, token), grpc.StatusCode.OK)
    end(server)
    return "started as in Kubernetes behind a mesh: ready by its gRPC probes, its operator's service account creates, nobody else"


def compose(stack, binary, deploy, _rendered, place):
    image = variables_of_the_image(deploy)
    service = yaml.safe_load((deploy / "compose.yaml").read_text())["services"]["binnacle"]
    assert list(service["environment"]) == ["BINNACLE_OPERATOR"], service["environment"]
    variables = {name: place.put(value) for name, value in image.items()} | {"BINNACLE_OPERATOR": "maria"}
    command = [place.put(word) for word in service["command"]]
    place.path(image["BINNACLE_DATA_DIR"]).mkdir()
    refused = subprocess.run([binary, *command], env=variables, capture_output=True, text=True, timeout=PATIENCE_S)
    assert refused.returncode == 2 and "binnacle keys create" in refused.stderr, refused
    made = [binary, "keys", "create", "--principal", "maria"]
    key = subprocess.run(made, env=variables, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    server = run(stack, [binary, *command], variables)
    health = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", (deploy / "Dockerfile").read_text(), re.MULTILINE)[1]
    # The container's own port is 7700; here it is another.
    asked = [binary, *json.loads(health)[1:], "--server", f"http://{place.address()}"]
    until("the health check", lambda: alive(server) and subprocess.run(asked, env=variables).returncode == 0)
    with grpc.insecure_channel(place.address()) as channel:
        expect(create(channel), grpc.StatusCode.UNAUTHENTICATED)
        expect(create(channel, key), grpc.StatusCode.OK)
    end(server)
    assert subprocess.run(asked, env=variables).returncode == 1, "the health check finds a server that has ended"
    return "started as by compose: not without a key, healthy by the image's own check, its operator creates, nobody else"


def systemd(stack, binary, deploy, _rendered, place):
    unit = (deploy / "systemd/binnacle.service").read_text()
    command = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)[1])
    settings = (deploy / "systemd/binnacle.toml").read_text()
    place.path("/etc/binnacle/binnacle.toml").write_text(place.put(settings))
    heard = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    heard.bind(str(place.root / "notify"))
    heard.settimeout(0.1)
    variables = {"NOTIFY_SOCKET": str(place.root / "notify"), "WATCHDOG_USEC": "2000000"}
    server = run(stack, [binary, *map(place.put, command[1:])], variables)
    until("READY=1", lambda: alive(server) and "READY=1" in hear(heard))
    until("WATCHDOG=1", lambda: alive(server) and "WATCHDOG=1" in hear(heard))
    assert urllib.request.urlopen(f"http://127.0.0.1:{place.ports['9700']}/readyz").status == 200
    server.send_signal(signal.SIGTERM)
    until("STOPPING=1", lambda: "STOPPING=1" in hear(heard))
    end(server)
    return "started as by systemd: it says that it is ready, that it lives and that it stops"


def variables_of_the_image(deploy):
    return dict(re.findall(r"\b(BINNACLE_\w+)=(\S+)", (deploy / "Dockerfile").read_text()))


def pod(stack, binary, deploy, rendered, place):
    """The container of a pod, as the kubelet starts it."""
    documents = yaml.safe_load_all(rendered.read_text())
    (stateful,) = (document for document in documents if document["kind"] == "StatefulSet")
    (container,) = stateful["spec"]["template"]["spec"]["containers"]
    for mounted in container["volumeMounts"]:
        place.path(mounted["mountPath"]).mkdir(exist_ok=True)
    variables = variables_of_the_image(deploy) | {variable["name"]: variable["value"] for variable in container["env"]}
    variables = {name: place.put(value) for name, value in variables.items()}
    return run(stack, [binary, *map(place.put, container["args"])], variables), container


def probe_until_ready(server, container, place):
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        until(name, lambda: alive(server) and answers(container[name], place))


def answers(probe, place):
    if "grpc" in probe:
        with grpc.insecure_channel(f"127.0.0.1:{place.ports[str(probe['grpc']['port'])]}") as channel:
            asked = health_pb2.HealthCheckRequest(service=probe["grpc"].get("service", ""))
            try:
                serving = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=1)
            except grpc.RpcError:
                return False
            return serving.status == health_pb2.HealthCheckResponse.SERVING
    assert probe["httpGet"]["port"] == "metrics", probe
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{place.ports['9700']}{probe['httpGet']['path']}") as answer:
            return answer.status == 200
    except OSError:
        return False


def secret(ca):
    """What cert-manager puts into a secret."""
    server = ca.issue_cert(HOST)
    return {
        "tls.crt": server.cert_chain_pems[0].bytes(),
        "tls.key": server.private_key_pem.bytes(),
        "ca.crt": ca.cert_pem.bytes(),
    }


def mount(folder, version, files):
    """Files as the kubelet mounts them: links into a folder that is exchanged as a whole."""
    folder.mkdir(exist_ok=True)
    (folder / version).mkdir()
    for name, content in files.items():
        (folder / version / name).write_bytes(content)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..new").symlink_to(version)
    (folder / "..new").rename(folder / "..data")


def certificate(place):
    return ssl.get_server_certificate(("127.0.0.1", int(place.ports["7700"])))


def create(channel, token=None):
    """Who asks to create a workspace is answered with this code."""
    workspace = workspace_service_pb2.Workspace(title="Acme", time_zone="UTC")
    request = workspace_service_pb2.CreateWorkspaceRequest(workspace_id="acme", workspace=workspace)
    metadata = [("authorization", f"Bearer {token}")] if token else []
    try:
        stub = workspace_service_pb2_grpc.WorkspaceServiceStub(channel)
        stub.CreateWorkspace(request, metadata=metadata, timeout=PATIENCE_S)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def expect(code, wanted):
    assert code == wanted, f"{code}, not {wanted}"


def hear(heard):
    """What the server says next to who has started it, if it says something."""
    try:
        return heard.recv(4096).decode().splitlines()
    except TimeoutError:
        return []


def run(stack, command, variables):
    """A server that ends with the test, in an environment that holds nothing else."""
    server = subprocess.Popen(command, env=variables)

    def kill():
        server.kill()
        server.wait(PATIENCE_S)

    stack.callback(kill)
    return server


def alive(server):
    if server.poll() is not None:
        raise SystemExit(f"the server has ended with {server.returncode}")
    return True


def end(server):
    server.send_signal(signal.SIGTERM)
    code = server.wait(PATIENCE_S)
    assert code == 0, f"it ends with {code} when it is told to"


def until(what, is_so):
    last = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > last:
            raise SystemExit(f"not in time: {what}")
        time.sleep(0.1)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


if __name__ == "__main__":
    main(sys.argv[1], *map(pathlib.Path, sys.argv[2:4]), sys.argv[4])
