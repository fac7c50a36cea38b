"""Calls a running server as a stranger would: with stubs generated from the protos, with buf over reflection and over
gRPC-Web, and with fetch.

    client.py ADDRESS PID_OF_THE_SERVER BUF PROTO_FOLDER SCRIPT_WITH_FETCH
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid

import grpc
from google.protobuf import duration_pb2, empty_pb2, field_mask_pb2
from google.rpc import error_details_pb2, status_pb2
from google.type import date_pb2

from binnacle.v1 import (audit_service_pb2_grpc, common_pb2, cycle_service_pb2, cycle_service_pb2_grpc, kpi_service_pb2,
                         kpi_service_pb2_grpc, objective_service_pb2, objective_service_pb2_grpc, progress_service_pb2,
                         progress_service_pb2_grpc, workspace_service_pb2, workspace_service_pb2_grpc, audit_service_pb2)

ADDRESS, SERVER, BUF, PROTOS, FETCH = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]
ACME = "workspaces/acme"
VISITORS = f"{ACME}/kpis/visitors"
GROW = f"{ACME}/objectives/grow"
# An upper bound: a call that takes longer has failed.
PATIENCE_S = 60

CHECKS = []


def check(function):
    """Registers a check; they run in the order they are written, each on what the ones before have left."""
    CHECKS.append(function)
    return function


class Api:
    def __init__(self, channel):
        self.workspaces = workspace_service_pb2_grpc.WorkspaceServiceStub(channel)
        self.cycles = cycle_service_pb2_grpc.CycleServiceStub(channel)
        self.objectives = objective_service_pb2_grpc.ObjectiveServiceStub(channel)
        self.kpis = kpi_service_pb2_grpc.KpiServiceStub(channel)
        self.progress = progress_service_pb2_grpc.ProgressServiceStub(channel)
        self.audit = audit_service_pb2_grpc.AuditServiceStub(channel)
        self.health = channel.unary_unary("/grpc.health.v1.Health/Check")


def call(method, request):
    """The answer, and the revision in its trailer."""
    answer, ended = method.with_call(request, timeout=PATIENCE_S)
    trailer = dict(ended.trailing_metadata() or ())
    return answer, int(trailer["binnacle-revision"]) if "binnacle-revision" in trailer else None


def refusal(method, request):
    """The code, and the details by their type."""
    try:
        method(request, timeout=PATIENCE_S)
    except grpc.RpcError as error:
        packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
        status = status_pb2.Status.FromString(packed)
        assert status.code == error.code().value[0], (status.code, error.code())
        assert status.message == error.details()
        found = {}
        for detail in status.details:
            for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.PreconditionFailure):
                message = kind()
                if detail.Unpack(message):
                    found[kind.DESCRIPTOR.name] = message
        assert found["ErrorInfo"].domain == "binnacle", found
        return error.code(), found
    raise AssertionError("it was not refused")


class Stream:
    """A subscription that is read by a thread, so that a test can wait for a message with an upper bound."""

    def __init__(self, api, **start):
        request = progress_service_pb2.SubscribeRequest(
            parent=ACME, checkpoint_interval=duration_pb2.Duration(seconds=1), **start)
        self.call = api.progress.Subscribe(request)
        self.messages = queue.Queue()
        self.token = ""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for message in self.call:
                self.messages.put(message)
            self.messages.put(None)
        except grpc.RpcError as error:
            self.messages.put(error)

    def next(self):
        message = self.messages.get(timeout=PATIENCE_S)
        if isinstance(message, grpc.RpcError):
            raise message
        if message is not None and message.resume_token:
            self.token = message.resume_token
        return message

    def until(self, kind):
        """The messages up to the first of a kind."""
        passed = []
        while True:
            message = self.next()
            assert message is not None, f"the stream ended before {kind}"
            passed.append(message)
            if message.WhichOneof("event") == kind:
                return passed


def date(year, month, day):
    return date_pb2.Date(year=year, month=month, day=day)


def this_year():
    return time.gmtime().tm_year


@check
def every_service_says_that_it_serves(api):
    for service in ("", "binnacle.v1.KpiService", "binnacle.v1.ProgressService", "binnacle.v1.AuditService"):
        # HealthCheckRequest{service = 1}; HealthCheckResponse{status = 1}: 1 is SERVING, 2 is NOT_SERVING.
        request = b"" if not service else bytes((10, len(service))) + service.encode()
        for _ in range(PATIENCE_S * 20):
            answer = api.health(request, timeout=PATIENCE_S)
            if answer == b"\x08\x01":
                break
            time.sleep(0.05)
        assert answer == b"\x08\x01", (service, answer)


@check
def a_workspace_a_member_a_kpi_and_its_target_are_created(api):
    workspace, revision = call(api.workspaces.CreateWorkspace, workspace_service_pb2.CreateWorkspaceRequest(
        workspace_id="acme", workspace=workspace_service_pb2.Workspace(title="Acme", time_zone="America/Sao_Paulo")))
    assert workspace.name == ACME and workspace.revision == revision == 1, (workspace, revision)
    call(api.workspaces.CreateMember, workspace_service_pb2.CreateMemberRequest(
        parent=ACME, member_id="maria", member=workspace_service_pb2.Member(
            title="Maria", principal="maria@example.com", roles=[workspace_service_pb2.Member.ROLE_OWNER])))
    kpi, revision = call(api.kpis.CreateKpi, kpi_service_pb2.CreateKpiRequest(
        parent=ACME, kpi_id="visitors", kpi=kpi_service_pb2.Kpi(
            title="Visitors a day", owner=f"{ACME}/members/maria", direction=common_pb2.DIRECTION_HIGHER_IS_BETTER,
            cadence=common_pb2.CADENCE_DAILY, labels={"stage": "seed"})))
    assert kpi.name == VISITORS and kpi.etag == f"r{revision}", kpi
    assert kpi.health.health == common_pb2.HEALTH_NO_DATA, kpi.health
    target, _ = call(api.kpis.SetTarget, kpi_service_pb2.SetTargetRequest(
        parent=VISITORS, target=kpi_service_pb2.Target(effective_date=date(2020, 1, 1), at_least=100.0)))
    assert target.name == f"{VISITORS}/targets/2020-01-01", target


@check
def a_cycle_an_objective_and_a_key_result_are_created_and_activated(api):
    cycle = f"{ACME}/cycles/year"
    call(api.cycles.CreateCycle, cycle_service_pb2.CreateCycleRequest(
        parent=ACME, cycle_id="year", cycle=cycle_service_pb2.Cycle(
            title="The year", first_date=date(this_year(), 1, 1), last_date=date(this_year(), 12, 31))))
    call(api.cycles.ActivateCycle, cycle_service_pb2.ActivateCycleRequest(name=cycle))
    call(api.objectives.CreateObjective, objective_service_pb2.CreateObjectiveRequest(
        parent=ACME, objective_id="grow", objective=objective_service_pb2.Objective(
            title="Grow", cycle=cycle, owner=f"{ACME}/members/maria")))
    call(api.objectives.CreateKeyResult, objective_service_pb2.CreateKeyResultRequest(
        parent=GROW, key_result_id="visitors", key_result=objective_service_pb2.KeyResult(
            title="200 visitors a day", kpi=VISITORS, metric=objective_service_pb2.Metric(baseline=0.0, target=200.0))))
    objective, _ = call(api.objectives.ActivateObjective, objective_service_pb2.ActivateObjectiveRequest(name=GROW))
    assert objective.state == objective_service_pb2.Objective.STATE_ACTIVE, objective
    assert objective.HasField("progress"), objective


@check
def measurements_are_recorded_alone_and_in_a_batch(api):
    one, revision = call(api.kpis.RecordMeasurement, kpi_service_pb2.RecordMeasurementRequest(
        parent=VISITORS, measurement=kpi_service_pb2.Measurement(value=50.0, source_id="web")))
    assert one.revision == revision and one.kpi == VISITORS, (one, revision)
    batch, revision = call(api.kpis.BatchRecordMeasurements, kpi_service_pb2.BatchRecordMeasurementsRequest(
        parent=VISITORS, measurements=[
            kpi_service_pb2.Measurement(value=float(day), effective_date=date(2024, 2, day)) for day in range(1, 6)]))
    assert batch.recorded_count == 5 and batch.revision == revision, batch
    listed = api.kpis.ListMeasurements(kpi_service_pb2.ListMeasurementsRequest(parent=VISITORS), timeout=PATIENCE_S)
    assert [point.value for point in listed.measurements] == [1.0, 2.0, 3.0, 4.0, 5.0, 50.0], listed


@check
def a_bad_request_names_every_field_and_its_reason(api):
    code, details = refusal(api.kpis.BatchRecordMeasurements, kpi_service_pb2.BatchRecordMeasurementsRequest(
        parent=VISITORS, request_id="no uuid",
        measurements=[kpi_service_pb2.Measurement(value=1.0), kpi_service_pb2.Measurement(value=float("nan"))]))
    assert code == grpc.StatusCode.INVALID_ARGUMENT, code
    assert details["ErrorInfo"].reason, details
    fields = {violation.field for violation in details["BadRequest"].field_violations}
    assert fields == {"measurements[1].value", "request_id"}, fields


@check
def what_does_not_exist_is_not_found_by_name(api):
    code, details = refusal(api.kpis.GetKpi, kpi_service_pb2.GetKpiRequest(name=f"{ACME}/kpis/none"))
    assert code == grpc.StatusCode.NOT_FOUND, code
    assert "none" in str(details["ErrorInfo"]), details


@check
def a_request_that_is_sent_again_is_answered_again_and_runs_once(api):
    request = kpi_service_pb2.RecordMeasurementRequest(
        parent=VISITORS, request_id=str(uuid.uuid4()),
        measurement=kpi_service_pb2.Measurement(value=60.0, source_id="retried"))
    first, revision = call(api.kpis.RecordMeasurement, request)
    again, same_revision = call(api.kpis.RecordMeasurement, request)
    assert (first, revision) == (again, same_revision), (first, again)
    listed = api.kpis.ListMeasurements(kpi_service_pb2.ListMeasurementsRequest(parent=VISITORS), timeout=PATIENCE_S)
    assert [point.source_id for point in listed.measurements].count("retried") == 1, listed
    request.measurement.value = 61.0
    code, details = refusal(api.kpis.RecordMeasurement, request)
    assert code == grpc.StatusCode.ALREADY_EXISTS and details["ErrorInfo"].reason == "REQUEST_ID_REUSED", details


@check
def an_edit_of_an_old_version_is_aborted_and_a_measurement_disturbs_no_edit(api):
    read = api.kpis.GetKpi(kpi_service_pb2.GetKpiRequest(name=VISITORS), timeout=PATIENCE_S)
    call(api.kpis.RecordMeasurement, kpi_service_pb2.RecordMeasurementRequest(
        parent=VISITORS, measurement=kpi_service_pb2.Measurement(value=70.0, source_id="web")))

    def rename(title):
        return kpi_service_pb2.UpdateKpiRequest(
            kpi=kpi_service_pb2.Kpi(name=VISITORS, title=title, etag=read.etag),
            update_mask=field_mask_pb2.FieldMask(paths=["title"]))
    renamed, revision = call(api.kpis.UpdateKpi, rename("Visitors"))
    assert renamed.title == "Visitors" and renamed.etag == f"r{revision}" != read.etag, renamed
    code, details = refusal(api.kpis.UpdateKpi, rename("Guests"))
    assert code == grpc.StatusCode.ABORTED and details["ErrorInfo"].reason, details


@check
def a_subscriber_gets_the_state_then_each_change_with_what_followed_from_it(api):
    stream = Stream(api, snapshot=empty_pb2.Empty())
    passed = stream.until("snapshot_end")
    kinds = {resource.WhichOneof("resource")
             for message in passed if message.WhichOneof("event") == "snapshot" for resource in message.snapshot.resources}
    assert {"workspace", "member", "kpi", "target", "cycle", "objective", "key_result"} <= kinds, kinds
    assert passed[0].WhichOneof("event") == "started" and passed[-1].resume_token, passed[0]
    _, revision = call(api.kpis.RecordMeasurement, kpi_service_pb2.RecordMeasurementRequest(
        parent=VISITORS, measurement=kpi_service_pb2.Measurement(value=120.0, source_id="live")))
    update = stream.until("update")[-1].update
    assert update.commit.revision == revision and update.events[0].type == "MeasurementRecorded", update
    changes = {change.WhichOneof("figure"): change for change in update.derived_changes}
    kpi = changes["kpi"].kpi
    assert kpi.after.latest_value == 120.0 and kpi.before.latest_value == 70.0, kpi
    assert (kpi.before.health, kpi.after.health) == (common_pb2.HEALTH_BREACHED, common_pb2.HEALTH_HEALTHY), kpi
    key_result = changes["key_result"].key_result
    assert (key_result.before.score, key_result.after.score) == (0.35, 0.6), key_result
    objective = changes["objective"].objective
    assert (objective.before.score, objective.after.score) == (0.35, 0.6), objective
    assert stream.until("checkpoint")[-1].checkpoint.revision == revision
    stream.call.cancel()


@check
def a_subscriber_who_comes_back_with_its_token_misses_and_repeats_nothing(api):
    stream = Stream(api, live=empty_pb2.Empty())
    stream.until("caught_up")
    stream.call.cancel()
    expected = []
    for value in (121.0, 122.0, 123.0):
        _, revision = call(api.kpis.RecordMeasurement, kpi_service_pb2.RecordMeasurementRequest(
            parent=VISITORS, measurement=kpi_service_pb2.Measurement(value=value, source_id="live")))
        expected.append(revision)
    again = Stream(api, after=stream.token)
    seen = [message.update.commit.revision
            for message in again.until("caught_up") if message.WhichOneof("event") == "update"]
    assert seen == expected, (seen, expected)
    again.call.cancel()


@check
def a_token_of_no_subscription_is_refused(api):
    request = progress_service_pb2.SubscribeRequest(parent=ACME, after="garbage")
    try:
        next(iter(api.progress.Subscribe(request, timeout=PATIENCE_S)))
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        return
    raise AssertionError("it was not refused")


@check
def the_audit_log_has_no_gap_and_says_who_and_what(api):
    events, token = [], ""
    while True:
        page = api.audit.ListEvents(
            audit_service_pb2.ListEventsRequest(parent=ACME, page_size=7, page_token=token), timeout=PATIENCE_S)
        events += page.events
        token = page.next_page_token
        if not token:
            break
    revisions = sorted({event.commit.revision for event in events})
    assert revisions == list(range(1, page.revision + 1)), revisions
    assert all(event.commit.principal in ("anonymous", "binnacle") for event in events)
    assert events[0].type == "WorkspaceCreated" and events[0].commit.method.endswith("CreateWorkspace"), events[0]


def buf_curl(method, request=None, *more):
    command = [BUF, "curl", "--http2-prior-knowledge", "--protocol", "grpc", "--reflect", *more]
    if request is not None:
        command += ["--data", json.dumps(request)]
    command.append(f"http://{ADDRESS}{method}")
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


@check
def buf_finds_every_service_over_reflection_v1_and_v1alpha(api):
    for protocol in ("grpc-v1", "grpc-v1alpha"):
        listed = buf_curl("", None, "--reflect-protocol", protocol, "--list-services").split()
        for service in ("Audit", "Cycle", "Kpi", "Objective", "Progress", "Workspace"):
            assert f"binnacle.v1.{service}Service" in listed, (protocol, listed)
        assert "grpc.health.v1.Health" in listed, listed


@check
def buf_creates_and_reads_without_the_protos(api):
    for protocol in ("grpc-v1", "grpc-v1alpha"):
        team = protocol.removeprefix("grpc-")
        more = ("--reflect-protocol", protocol)
        created = json.loads(buf_curl("/binnacle.v1.WorkspaceService/CreateTeam",
                                      {"parent": ACME, "teamId": team, "team": {"title": "Sales"}}, *more))
        read = json.loads(buf_curl("/binnacle.v1.WorkspaceService/GetTeam", {"name": f"{ACME}/teams/{team}"}, *more))
        assert created == read and read["title"] == "Sales", (created, read)


def buf_curl_over_grpc_web(method, request):
    """A buf that speaks gRPC-Web over HTTP/1.1, from the protos: reflection needs HTTP/2."""
    return [BUF, "curl", "--protocol", "grpcweb", "--schema", PROTOS, "--data", json.dumps(request),
            f"http://{ADDRESS}{method}"]


@check
def buf_reads_over_grpc_web(api):
    command = buf_curl_over_grpc_web("/binnacle.v1.KpiService/GetKpi", {"name": VISITORS})
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == VISITORS, done.stdout


class Lines:
    """A program whose lines are read as they come."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=lambda: [self.lines.put(line) for line in self.process.stdout], daemon=True).start()

    def until(self, *texts):
        """Reads on until all of these were seen."""
        seen = ""
        while not all(text in seen for text in texts):
            seen += self.lines.get(timeout=PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


@check
def a_subscription_over_grpc_web_is_read_as_it_comes(api):
    by_buf = buf_curl_over_grpc_web("/binnacle.v1.ProgressService/Subscribe", {"parent": ACME, "live": {}})
    by_fetch = ["node", FETCH, PROTOS, ADDRESS, ACME]
    for command, source in ((by_buf, "web-buf"), (by_fetch, "web-fetch")):
        with Lines(command) as reader:
            reader.until("caughtUp")
            for number in range(2):
                call(api.kpis.RecordMeasurement, kpi_service_pb2.RecordMeasurementRequest(
                    parent=VISITORS, measurement=kpi_service_pb2.Measurement(
                        value=130.0 + number, source_id=f"{source}-{number}")))
                # The stream goes on: nothing on the way waits for its end.
                reader.until(f"{source}-{number}", "derivedChanges")


@check
def a_server_that_is_told_to_stop_says_so_and_ends_its_streams(api):
    stream = Stream(api, live=empty_pb2.Empty())
    stream.until("caught_up")
    os.kill(SERVER, signal.SIGTERM)
    assert stream.until("going_away")[-1].resume_token
    assert stream.next() is None


def main():
    failed = 0
    channel = grpc.insecure_channel(ADDRESS)
    grpc.channel_ready_future(channel).result(timeout=PATIENCE_S)
    api = Api(channel)
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        try:
            function(api)
            print(f"ok      {name}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
    print(f"{len(CHECKS) - failed} passed, {failed} failed", flush=True)
    channel.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
