"""The scenario of steps.md with Python's grpcio and asyncio, and stubs that were generated from the protos.

python_asyncio.py ADDRESS WORKSPACE_ID; ca.pem, maria.key and vera.key are in the working directory.
"""

import asyncio
import pathlib
import sys
import uuid

import grpc
from google.protobuf import empty_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from binnacle.v1 import common_pb2
from binnacle.v1 import kpi_service_pb2 as kpis
from binnacle.v1 import progress_service_pb2 as progress
from binnacle.v1 import workspace_service_pb2 as workspaces
from binnacle.v1.kpi_service_pb2_grpc import KpiServiceStub
from binnacle.v1.progress_service_pb2_grpc import ProgressServiceStub
from binnacle.v1.workspace_service_pb2_grpc import WorkspaceServiceStub

ADDRESS, ID = sys.argv[1:]
WORKSPACE, VISITORS = f"workspaces/{ID}", f"workspaces/{ID}/kpis/visitors"
REQUEST_ID = str(uuid.uuid4())
# An upper bound: a call that takes longer has failed.
PATIENCE_S = 60


def channel(key=None):
    tls = grpc.ssl_channel_credentials(pathlib.Path("ca.pem").read_bytes())
    if key is None:
        return grpc.aio.secure_channel(ADDRESS, tls)
    token = grpc.access_token_call_credentials(pathlib.Path(key).read_text().strip())
    return grpc.aio.secure_channel(ADDRESS, grpc.composite_channel_credentials(tls, token))


async def refusal(method, request):
    """The code of a refused call, and its details by their type."""
    try:
        await method(request, timeout=PATIENCE_S)
    except grpc.aio.AioRpcError as error:
        found = {}
        # Not rpc_status.aio: that is for a call. An error has everything already.
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
    return kpis.RecordMeasurementRequest(parent=VISITORS, measurement=kpis.Measurement(value=value), **more)


def subscribe(vera, **start):
    request = progress.SubscribeRequest(parent=WORKSPACE, **start)
    return ProgressServiceStub(vera).Subscribe(request, timeout=PATIENCE_S)


async def the_server_says_that_it_serves_also_to_who_shows_no_token(nobody, _maria, _vera):
    health, request = health_pb2_grpc.HealthStub(nobody), health_pb2.HealthCheckRequest(service="binnacle.v1.KpiService")
    assert (await health.Check(request, timeout=PATIENCE_S)).status == health_pb2.HealthCheckResponse.SERVING
    watch = health.Watch(request, timeout=PATIENCE_S)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


async def reflection_names_every_service(_nobody, maria, _vera):
    # The descriptor database of grpcio-reflection blocks: here the call itself.
    reflection = reflection_pb2_grpc.ServerReflectionStub(maria)
    asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
    async for answer in reflection.ServerReflectionInfo(iter(asked), timeout=PATIENCE_S):
        services = {service.name for service in answer.list_services_response.service}
    ours = {f"binnacle.v1.{name}Service" for name in ("Audit", "Cycle", "Kpi", "Objective", "Progress", "Workspace")}
    assert ours | {"grpc.health.v1.Health"} <= services, services


async def who_shows_no_token_is_turned_away(nobody, _maria, _vera):
    code, details = await refusal(WorkspaceServiceStub(nobody).ListWorkspaces, workspaces.ListWorkspacesRequest())
    assert (code, reason(details)) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_MISSING")


async def the_operator_creates_a_workspace(_nobody, maria, _vera):
    workspace = workspaces.Workspace(title="Acme", time_zone="UTC")
    request = workspaces.CreateWorkspaceRequest(workspace_id=ID, workspace=workspace)
    created = await WorkspaceServiceStub(maria).CreateWorkspace(request, timeout=PATIENCE_S)
    assert (created.name, created.revision) == (WORKSPACE, 1), created


async def a_viewer_is_added(_nobody, maria, _vera):
    member = workspaces.Member(title="Vera", principal="vera@acme.example", roles=[workspaces.Member.ROLE_VIEWER])
    request = workspaces.CreateMemberRequest(parent=WORKSPACE, member_id="vera", member=member)
    added = await WorkspaceServiceStub(maria).CreateMember(request, timeout=PATIENCE_S)
    assert added.name == f"{WORKSPACE}/members/vera", added


async def a_kpi_is_created(_nobody, maria, _vera):
    kpi = kpis.Kpi(title="Visitors a day", direction=common_pb2.DIRECTION_HIGHER_IS_BETTER, cadence=common_pb2.CADENCE_DAILY)
    request = kpis.CreateKpiRequest(parent=WORKSPACE, kpi_id="visitors", kpi=kpi)
    created = await KpiServiceStub(maria).CreateKpi(request, timeout=PATIENCE_S)
    assert (created.name, created.health.health) == (VISITORS, common_pb2.HEALTH_NO_DATA), created


async def a_measurement_that_is_sent_again_is_recorded_once(_nobody, maria, _vera):
    stub, request = KpiServiceStub(maria), measurement(50.0, request_id=REQUEST_ID)
    first, again = [await stub.RecordMeasurement(request, timeout=PATIENCE_S) for _ in range(2)]
    assert first == again, (first, again)
    listed = await stub.ListMeasurements(kpis.ListMeasurementsRequest(parent=VISITORS), timeout=PATIENCE_S)
    assert [one.value for one in listed.measurements] == [50.0], listed


async def another_measurement_with_the_same_request_id_is_refused(_nobody, maria, _vera):
    code, details = await refusal(KpiServiceStub(maria).RecordMeasurement, measurement(51.0, request_id=REQUEST_ID))
    assert (code, reason(details)) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def a_bad_request_names_each_of_its_fields(_nobody, maria, _vera):
    code, details = await refusal(KpiServiceStub(maria).RecordMeasurement, measurement(None, request_id="no uuid"))
    fields = {violation.field for violation in details[error_details_pb2.BadRequest].field_violations}
    assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, {"measurement.value", "request_id"}), details


async def the_viewer_reads_the_kpi(_nobody, _maria, vera):
    kpi = await KpiServiceStub(vera).GetKpi(kpis.GetKpiRequest(name=VISITORS), timeout=PATIENCE_S)
    assert kpi.health.latest_value == 50.0, kpi


async def the_viewer_may_not_measure(_nobody, _maria, vera):
    code, details = await refusal(KpiServiceStub(vera).RecordMeasurement, measurement(52.0))
    assert (code, reason(details)) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")


async def a_subscriber_goes_on_behind_a_token_of_the_beginning(_nobody, _maria, vera):
    stream = subscribe(vera, from_beginning=empty_pb2.Empty())
    first = await anext(message async for message in stream if message.WhichOneof("event") == "update")
    stream.cancel()
    assert first.update.commit.revision == 1, first
    revisions, types = [], set()
    async for message in subscribe(vera, after=first.resume_token):
        if message.WhichOneof("event") == "caught_up":
            break
        if message.WhichOneof("event") == "update":
            revisions.append(message.update.commit.revision)
            types.update(event.type for event in message.update.events)
    assert revisions == list(range(2, 2 + len(revisions))) and "MeasurementRecorded" in types, (revisions, types)


async def a_subscriber_hears_of_a_change_as_it_happens(_nobody, maria, vera):
    stream = subscribe(vera, live=empty_pb2.Empty())
    await anext(message async for message in stream if message.WhichOneof("event") == "caught_up")
    recorded = await KpiServiceStub(maria).RecordMeasurement(measurement(60.0), timeout=PATIENCE_S)
    update = await anext(message.update async for message in stream
                         if message.WhichOneof("event") == "update" and message.update.commit.revision == recorded.revision)
    assert [change.kpi.after.latest_value for change in update.derived_changes if change.resource == VISITORS] == [60.0], update


async def main():
    async with channel() as nobody, channel("maria.key") as maria, channel("vera.key") as vera:
        for step in (the_server_says_that_it_serves_also_to_who_shows_no_token, reflection_names_every_service,
                     who_shows_no_token_is_turned_away, the_operator_creates_a_workspace, a_viewer_is_added,
                     a_kpi_is_created, a_measurement_that_is_sent_again_is_recorded_once,
                     another_measurement_with_the_same_request_id_is_refused, a_bad_request_names_each_of_its_fields,
                     the_viewer_reads_the_kpi, the_viewer_may_not_measure,
                     a_subscriber_goes_on_behind_a_token_of_the_beginning, a_subscriber_hears_of_a_change_as_it_happens):
            await step(nobody, maria, vera)
            print("ok", step.__name__.replace("_", " ").replace("kpi", "KPI"), flush=True)


asyncio.run(main())
