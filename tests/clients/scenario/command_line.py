"""The scenario of steps.md with a command line: grpcurl, buf over gRPC, or buf over gRPC-Web.

command_line.py ADDRESS WORKSPACE_ID grpcurl|buf-grpc|buf-grpc-web TOOL; ca.pem, maria.key and vera.key are in the working
directory. The tools know of the server what its reflection says.
"""

import base64
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import uuid

from google.protobuf import json_format
from google.rpc import error_details_pb2

ADDRESS, ID, WAY, TOOL = sys.argv[1:]
WORKSPACE, VISITORS = f"workspaces/{ID}", f"workspaces/{ID}/kpis/visitors"
REQUEST_ID = str(uuid.uuid4())
# An upper bound: a call that takes longer has failed.
PATIENCE_S = 60
NOBODY, MARIA, VERA = None, "maria.key", "vera.key"


def grpcurl(key, method, request):
    """Headers with ${TOKEN} in place of the token: whoever lists the processes of the machine sees no token."""
    # Reflection takes a token also where the call is to have none.
    headers = ["-H", "authorization: Bearer ${TOKEN}"] if key else ["-reflect-header", "authorization: Bearer ${TOKEN}"]
    command = [TOOL, "-cacert", "ca.pem", "-expand-headers", *headers, "-format-error"]
    if method is None:
        return [*command, ADDRESS, "list"]
    return [*command, "-d", json.dumps(request), ADDRESS, method]


def buf(key, method, request):
    """Headers in a file: whoever lists the processes of the machine sees no token."""
    for name in (MARIA, VERA):
        pathlib.Path(f"{name}.{WAY}").write_text(f"authorization: Bearer {pathlib.Path(name).read_text().strip()}\n")
    # Headers of the call are not those of reflection unless one says so.
    headers = ["-H", f"@{key}.{WAY}", "--reflect-header", "*"] if key else ["--reflect-header", f"@{MARIA}.{WAY}"]
    command = [TOOL, "curl", "--cacert", "ca.pem", "--protocol", WAY.replace("buf-", "").replace("-", ""), *headers]
    if method is None:
        return [*command, "--list-services", f"https://{ADDRESS}"]
    return [*command, "-d", json.dumps(request), f"https://{ADDRESS}/{method}"]


def start(key, method, request):
    command = (grpcurl if WAY == "grpcurl" else buf)(key, method, request)
    token = pathlib.Path(key or MARIA).read_text().strip()
    # A group of its own: the buf of npm is a script around the real one, and both are to end together.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "TOKEN": token}, start_new_session=True)


def run(key, method=None, request=None):
    process = start(key, method, request)
    said, error = process.communicate(timeout=PATIENCE_S)
    return process.returncode, said, error


def ask(key, method, request):
    code, said, error = run(key, f"binnacle.v1.{method}", request)
    assert code == 0, error
    return json.loads(said)


def refusal(key, method, request):
    """The code of a refused call as a number, and its details by their type."""
    status, said, error = run(key, f"binnacle.v1.{method}", request)
    assert status != 0, said
    told, found = json.loads(error), {}
    for detail in told["details"]:
        name = detail.get("type", detail.get("@type", "")).split("/")[-1]
        kind = getattr(error_details_pb2, name.removeprefix("google.rpc."))
        if "value" in detail:
            # buf has the bytes in base64, and beside them what they mean.
            encoded = detail["value"]
            found[kind] = kind.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
        else:
            fields = {field: value for field, value in detail.items() if field != "@type"}
            found[kind] = json_format.ParseDict(fields, kind())
    return str(told["code"]), found


def reason(details):
    assert details[error_details_pb2.ErrorInfo].domain == "binnacle", details
    return details[error_details_pb2.ErrorInfo].reason


def is_code(code, name, number):
    """buf says a word, grpcurl the number; gRPC has both."""
    return code in (name.lower(), str(number))


@contextlib.contextmanager
def stream(key, method, request):
    """The messages of a stream, each as soon as it was written. The stream is left when the block is."""
    process = start(key, method, request)

    def messages():
        decoder, held = json.JSONDecoder(), ""
        # Not line by line: buf ends a line when the next message begins.
        while piece := os.read(process.stdout.fileno(), 65536):
            held = (held + piece.decode()).lstrip()
            with contextlib.suppress(json.JSONDecodeError):
                while held:
                    message, end = decoder.raw_decode(held)
                    held = held[end:].lstrip()
                    yield message
        raise AssertionError(f"the stream ended: {process.stderr.read()}")

    try:
        yield messages()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def subscribe(**begin):
    # A stream that nobody reads to its end stays open for as long as the tool does.
    return stream(VERA, "binnacle.v1.ProgressService/Subscribe", {"parent": WORKSPACE, **begin})


def measurement(value=None, **more):
    return {"parent": VISITORS, "measurement": {} if value is None else {"value": value}, **more}


def the_server_says_that_it_serves_also_to_who_shows_no_token():
    request = {"service": "binnacle.v1.KpiService"}
    code, said, error = run(NOBODY, "grpc.health.v1.Health/Check", request)
    assert code == 0 and json.loads(said) == {"status": "SERVING"}, error
    with stream(NOBODY, "grpc.health.v1.Health/Watch", request) as watch:
        assert next(watch) == {"status": "SERVING"}


def reflection_names_every_service():
    code, said, error = run(MARIA)
    assert code == 0, error
    ours = {f"binnacle.v1.{name}Service" for name in ("Audit", "Cycle", "Kpi", "Objective", "Progress", "Workspace")}
    assert ours | {"grpc.health.v1.Health"} <= set(said.split()), said


def who_shows_no_token_is_turned_away():
    code, details = refusal(NOBODY, "WorkspaceService/ListWorkspaces", {})
    assert is_code(code, "UNAUTHENTICATED", 16) and reason(details) == "CREDENTIALS_MISSING", (code, details)


def the_operator_creates_a_workspace():
    workspace = {"title": "Acme", "timeZone": "UTC"}
    created = ask(MARIA, "WorkspaceService/CreateWorkspace", {"workspaceId": ID, "workspace": workspace})
    # JSON has 64 bits as text.
    assert (created["name"], created["revision"]) == (WORKSPACE, "1"), created


def a_viewer_is_added():
    vera = {"title": "Vera", "principal": "vera@acme.example", "roles": ["ROLE_VIEWER"]}
    added = ask(MARIA, "WorkspaceService/CreateMember", {"parent": WORKSPACE, "memberId": "vera", "member": vera})
    assert added["name"] == f"{WORKSPACE}/members/vera", added


def a_kpi_is_created():
    kpi = {"title": "Visitors a day", "direction": "DIRECTION_HIGHER_IS_BETTER", "cadence": "CADENCE_DAILY"}
    created = ask(MARIA, "KpiService/CreateKpi", {"parent": WORKSPACE, "kpiId": "visitors", "kpi": kpi})
    assert (created["name"], created["health"]["health"]) == (VISITORS, "HEALTH_NO_DATA"), created


def a_measurement_that_is_sent_again_is_recorded_once():
    request = measurement(50, requestId=REQUEST_ID)
    first, again = (ask(MARIA, "KpiService/RecordMeasurement", request) for _ in range(2))
    assert first == again, (first, again)
    listed = ask(MARIA, "KpiService/ListMeasurements", {"parent": VISITORS})
    assert [one["value"] for one in listed["measurements"]] == [50], listed


def another_measurement_with_the_same_request_id_is_refused():
    code, details = refusal(MARIA, "KpiService/RecordMeasurement", measurement(51, requestId=REQUEST_ID))
    assert is_code(code, "ALREADY_EXISTS", 6) and reason(details) == "REQUEST_ID_REUSED", (code, details)


def a_bad_request_names_each_of_its_fields():
    code, details = refusal(MARIA, "KpiService/RecordMeasurement", measurement(requestId="no uuid"))
    fields = {violation.field for violation in details[error_details_pb2.BadRequest].field_violations}
    assert is_code(code, "INVALID_ARGUMENT", 3) and fields == {"measurement.value", "request_id"}, (code, details)


def the_viewer_reads_the_kpi():
    kpi = ask(VERA, "KpiService/GetKpi", {"name": VISITORS})
    assert kpi["health"]["latestValue"] == 50, kpi


def the_viewer_may_not_measure():
    code, details = refusal(VERA, "KpiService/RecordMeasurement", measurement(52))
    assert is_code(code, "PERMISSION_DENIED", 7) and reason(details) == "ROLE_MISSING", (code, details)


def a_subscriber_goes_on_behind_a_token_of_the_beginning():
    with subscribe(fromBeginning={}) as messages:
        first = next(message for message in messages if "update" in message)
    assert first["update"]["commit"]["revision"] == "1", first
    revisions, types = [], set()
    with subscribe(after=first["resumeToken"]) as messages:
        for message in messages:
            if "caughtUp" in message:
                break
            if "update" in message:
                revisions.append(int(message["update"]["commit"]["revision"]))
                types.update(event["type"] for event in message["update"]["events"])
    assert revisions == list(range(2, 2 + len(revisions))) and "MeasurementRecorded" in types, (revisions, types)


def a_subscriber_hears_of_a_change_as_it_happens():
    with subscribe(live={}) as messages:
        next(message for message in messages if "caughtUp" in message)
        recorded = ask(MARIA, "KpiService/RecordMeasurement", measurement(60))
        update = next(message["update"] for message in messages
                      if "update" in message and message["update"]["commit"]["revision"] == recorded["revision"])
    values = [change["kpi"]["after"]["latestValue"] for change in update["derivedChanges"] if change["resource"] == VISITORS]
    assert values == [60], update


for step in (the_server_says_that_it_serves_also_to_who_shows_no_token, reflection_names_every_service,
             who_shows_no_token_is_turned_away, the_operator_creates_a_workspace, a_viewer_is_added, a_kpi_is_created,
             a_measurement_that_is_sent_again_is_recorded_once, another_measurement_with_the_same_request_id_is_refused,
             a_bad_request_names_each_of_its_fields, the_viewer_reads_the_kpi, the_viewer_may_not_measure,
             a_subscriber_goes_on_behind_a_token_of_the_beginning, a_subscriber_hears_of_a_change_as_it_happens):
    step()
    print("ok", step.__name__.replace("_", " ").replace("kpi", "KPI"), flush=True)
