"""The scenario of steps.md with Python's grpcio and nothing but the server: every message comes from its reflection.

python_reflection.py ADDRESS WORKSPACE_ID; ca.pem, maria.key and vera.key are in the working directory.
"""

import pathlib
import sys
import uuid

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
# Not asked for: reflection has the messages of the API, and those of errors are no part of it.
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

ADDRESS, ID = sys.argv[1:]
WORKSPACE, VISITORS = f"workspaces/{ID}", f"workspaces/{ID}/kpis/visitors"
REQUEST_ID = str(uuid.uuid4())
# An upper bound: a call that takes longer has failed.
PATIENCE_S = 60


def channel(key=None):
    tls = grpc.ssl_channel_credentials(pathlib.Path("ca.pem").read_bytes())
    if key is None:
        return grpc.secure_channel(ADDRESS, tls)
    token = grpc.access_token_call_credentials(pathlib.Path(key).read_text().strip())
    return grpc.secure_channel(ADDRESS, grpc.composite_channel_credentials(tls, token))


NOBODY, MARIA, VERA = channel(), channel("maria.key"), channel("vera.key")
REFLECTED = ProtoReflectionDescriptorDatabase(MARIA)
POOL = descriptor_pool.DescriptorPool(REFLECTED)


def prepare(who, method, request):
    """A call of who, and its request, both from what the server says of them."""
    service, name = method.split("/")
    described = POOL.FindServiceByName(f"binnacle.v1.{service}").FindMethodByName(name)
    message = message_factory.GetMessageClass(described.input_type)()
    answer = message_factory.GetMessageClass(described.output_type)
    kind = who.unary_stream if described.server_streaming else who.unary_unary
    call = kind(f"/binnacle.v1.{method}", type(message).SerializeToString, answer.FromString)
    return call, json_format.ParseDict(request, message)


def ask(who, method, request):
    call, message = prepare(who, method, request)
    return json_format.MessageToDict(call(message, timeout=PATIENCE_S), preserving_proto_field_name=True)


def refusal(who, method, request):
    """The code of a refused call, and its details by their type."""
    try:
        ask(who, method, request)
    except grpc.RpcError as error:
        found = {}
        for detail in rpc_status.from_call(error).details:
            for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
                message = kind()
                if detail.Unpack(message):
                    found[kind] = message
        return error.code(), found
    raise AssertionError("it was not refused")


def reason(details):
    assert details[error_details_pb2.ErrorInfo].domain == "binnacle", details
    return details[error_details_pb2.ErrorInfo].reason


def measurement(value, **more):
    return {"parent": VISITORS, "measurement": {"value": value}, **more}


def subscribe(**start):
    call, request = prepare(VERA, "ProgressService/Subscribe", {"parent": WORKSPACE, **start})
    return call(request, timeout=PATIENCE_S)


def the_server_says_that_it_serves_also_to_who_shows_no_token():
    health, request = health_pb2_grpc.HealthStub(NOBODY), health_pb2.HealthCheckRequest(service="binnacle.v1.KpiService")
    assert health.Check(request, timeout=PATIENCE_S).status == health_pb2.HealthCheckResponse.SERVING
    assert next(health.Watch(request, timeout=PATIENCE_S)).status == health_pb2.HealthCheckResponse.SERVING


def reflection_names_every_service():
    services = set(REFLECTED.get_services())
    ours = {f"binnacle.v1.{name}Service" for name in ("Audit", "Cycle", "Kpi", "Objective", "Progress", "Workspace")}
    assert ours | {"grpc.health.v1.Health"} <= services, services


def who_shows_no_token_is_turned_away():
    code, details = refusal(NOBODY, "WorkspaceService/ListWorkspaces", {})
    assert (code, reason(details)) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_MISSING")


def the_operator_creates_a_workspace():
    workspace = {"title": "Acme", "time_zone": "UTC"}
    created = ask(MARIA, "WorkspaceService/CreateWorkspace", {"workspace_id": ID, "workspace": workspace})
    # JSON has 64 bits as text.
    assert (created["name"], created["revision"]) == (WORKSPACE, "1"), created


def a_viewer_is_added():
    vera = {"title": "Vera", "principal": "vera@acme.example", "roles": ["ROLE_VIEWER"]}
    added = ask(MARIA, "WorkspaceService/CreateMember", {"parent": WORKSPACE, "member_id": "vera", "member": vera})
    assert added["name"] == f"{WORKSPACE}/members/vera", added


def a_kpi_is_created():
    kpi = {"title": "Visitors a day", "direction": "DIRECTION_HIGHER_IS_BETTER", "cadence": "CADENCE_DAILY"}
    created = ask(MARIA, "KpiService/CreateKpi", {"parent": WORKSPACE, "kpi_id": "visitors", "kpi": kpi})
    assert (created["name"], created["health"]["health"]) == (VISITORS, "HEALTH_NO_DATA"), created


def a_measurement_that_is_sent_again_is_recorded_once():
    request = measurement(50.0, request_id=REQUEST_ID)
    first, again = (ask(MARIA, "KpiService/RecordMeasurement", request) for _ in range(2))
    assert first == again, (first, again)
    listed = ask(MARIA, "KpiService/ListMeasurements", {"parent": VISITORS})
    assert [one["value"] for one in listed["measurements"]] == [50.0], listed


def another_measurement_with_the_same_request_id_is_refused():
    code, details = refusal(MARIA, "KpiService/RecordMeasurement", measurement(51.0, request_id=REQUEST_ID))
    assert (code, reason(details)) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


def a_bad_request_names_each_of_its_fields():
    code, details = refusal(MARIA, "KpiService/RecordMeasurement", measurement(None, request_id="no uuid"))
    fields = {violation.field for violation in details[error_details_pb2.BadRequest].field_violations}
    assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, {"measurement.value", "request_id"}), details


def the_viewer_reads_the_kpi():
    kpi = ask(VERA, "KpiService/GetKpi", {"name": VISITORS})
    assert kpi["health"]["latest_value"] == 50.0, kpi


def the_viewer_may_not_measure():
    code, details = refusal(VERA, "KpiService/RecordMeasurement", measurement(52.0))
    assert (code, reason(details)) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")


def a_subscriber_goes_on_behind_a_token_of_the_beginning():
    stream = subscribe(from_beginning={})
    first = next(message for message in stream if message.WhichOneof("event") == "update")
    stream.cancel()
    assert first.update.commit.revision == 1, first
    revisions, types = [], set()
    for message in subscribe(after=first.resume_token):
        if message.WhichOneof("event") == "caught_up":
            break
        if message.WhichOneof("event") == "update":
            revisions.append(message.update.commit.revision)
            types.update(event.type for event in message.update.events)
    assert revisions == list(range(2, 2 + len(revisions))) and "MeasurementRecorded" in types, (revisions, types)


def a_subscriber_hears_of_a_change_as_it_happens():
    stream = subscribe(live={})
    next(message for message in stream if message.WhichOneof("event") == "caught_up")
    recorded = ask(MARIA, "KpiService/RecordMeasurement", measurement(60.0))
    update = next(message.update for message in stream if message.WhichOneof("event") == "update"
                  and message.update.commit.revision == int(recorded["revision"]))
    assert [change.kpi.after.latest_value for change in update.derived_changes if change.resource == VISITORS] == [60.0], update


for step in (the_server_says_that_it_serves_also_to_who_shows_no_token, reflection_names_every_service,
             who_shows_no_token_is_turned_away, the_operator_creates_a_workspace, a_viewer_is_added, a_kpi_is_created,
             a_measurement_that_is_sent_again_is_recorded_once, another_measurement_with_the_same_request_id_is_refused,
             a_bad_request_names_each_of_its_fields, the_viewer_reads_the_kpi, the_viewer_may_not_measure,
             a_subscriber_goes_on_behind_a_token_of_the_beginning, a_subscriber_hears_of_a_change_as_it_happens):
    step()
    print("ok", step.__name__.replace("_", " ").replace("kpi", "KPI"), flush=True)
