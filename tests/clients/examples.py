"""Puts an example program through what a year does to it, and holds what it has stored against the server.

    examples.py BINARY STORE COMMAND…

COMMAND is started with the server's address, the workspace and STORE behind it. It is killed, the server is killed, told to
stop and started again while measurements stream in, and at last the server has lost its log. After each the stored figures
must be those of the server; a change that was stored or said may neither be missing nor be there twice.
"""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import grpc
from google.protobuf import empty_pb2
from google.type import date_pb2

from binnacle.v1 import (common_pb2, cycle_service_pb2, cycle_service_pb2_grpc, kpi_service_pb2, kpi_service_pb2_grpc,
                         objective_service_pb2, objective_service_pb2_grpc, progress_service_pb2,
                         progress_service_pb2_grpc, workspace_service_pb2, workspace_service_pb2_grpc)

BINARY, STORE, COMMAND = sys.argv[1], sys.argv[2], sys.argv[3:]
ACME = "workspaces/acme"
# An upper bound: what takes longer has failed.
PATIENCE_S = 60
LINE = re.compile(r"revision (\d+): (workspaces/\S+) ")


class Server:
    """The program, always at the address that it had first."""

    def __init__(self, folder):
        self.folder, self.address, self.logs = folder, "127.0.0.1:0", 0
        self.data = os.path.join(folder, "data")
        self.start()

    def start(self):
        self.logs += 1
        log = os.path.join(self.folder, f"server-{self.logs}.log")
        with open(log, "w", encoding="utf-8") as said:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--data-dir", self.data, "--listen", self.address, "--log-format", "json"],
                stdin=subprocess.DEVNULL, stderr=said)
        until(lambda: '"message":"listening"' in read_text(log) or self.process.poll() is not None)
        assert self.process.poll() is None, read_text(log)
        self.address = re.search(r'"message":"listening","address":"([^"]+)"', read_text(log)).group(1)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        assert self.process.wait(PATIENCE_S) == 0, "the server did not stop in good order"


class Example:
    """The program that is tested. What all its lives have said is in one file."""

    def __init__(self, server, folder):
        self.server, self.store, self.said = server, os.path.join(folder, STORE), os.path.join(folder, "said")
        self.start()

    def start(self):
        with open(self.said, "a", encoding="utf-8") as said:
            self.process = subprocess.Popen([*COMMAND, self.server.address, ACME, self.store],
                                            stdin=subprocess.DEVNULL, stdout=said, stderr=said)

    def kill(self):
        assert self.process.poll() is None, "it ended by itself:\n" + read_text(self.said)
        self.process.kill()
        self.process.wait()

    def figures(self):
        """What it has stored: the figure and its standing by name."""
        try:
            if self.store.endswith(".json"):
                with open(self.store, encoding="utf-8") as file:
                    stored = json.load(file)["figures"]
                return {name: (row["figure"], row["standing"]) for name, row in stored.items()}
            return {name: (figure, standing)
                    for name, figure, standing in self.rows("SELECT name, figure, standing FROM figures")}
        except (FileNotFoundError, sqlite3.OperationalError):
            return {}

    def rows(self, query):
        db = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=PATIENCE_S)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def told(self):
        """(revision, name) of every change that it has said."""
        return [(int(revision), name) for revision, name in LINE.findall(read_text(self.said))]


class Api:
    def __init__(self, address):
        # A call that finds no server waits for one, and knocks often.
        channel = grpc.insecure_channel(address, options=[("grpc.max_reconnect_backoff_ms", 100),
                                                          ("grpc.initial_reconnect_backoff_ms", 100),
                                                          ("grpc.min_reconnect_backoff_ms", 100)])
        self.workspaces = workspace_service_pb2_grpc.WorkspaceServiceStub(channel)
        self.cycles = cycle_service_pb2_grpc.CycleServiceStub(channel)
        self.objectives = objective_service_pb2_grpc.ObjectiveServiceStub(channel)
        self.kpis = kpi_service_pb2_grpc.KpiServiceStub(channel)
        self.progress = progress_service_pb2_grpc.ProgressServiceStub(channel)

    def call(self, method, request):
        """Sends it until it is answered: the request's id makes it run once."""
        request.request_id = str(uuid.uuid4())
        ends = time.monotonic() + PATIENCE_S
        while True:
            try:
                return method(request, timeout=PATIENCE_S, wait_for_ready=True)
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL):
                    raise
                assert time.monotonic() < ends, error
                time.sleep(0.05)

    def subscription(self, **start):
        request = progress_service_pb2.SubscribeRequest(parent=ACME, **start)
        return self.progress.Subscribe(request, timeout=PATIENCE_S, wait_for_ready=True)

    def figures(self):
        """What a snapshot says now, by name."""
        found = {}
        for message in self.subscription(snapshot=empty_pb2.Empty()):
            for resource in message.snapshot.resources:
                if resource.WhichOneof("resource") == "objective":
                    progress = resource.objective.progress
                    found[resource.objective.name] = (progress.score if progress.HasField("score") else None,
                                                      common_pb2.Status.Name(progress.status))
                elif resource.WhichOneof("resource") == "kpi":
                    health = resource.kpi.health
                    found[resource.kpi.name] = (health.latest_value if health.HasField("latest_value") else None,
                                                common_pb2.Health.Name(health.health))
            if message.WhichOneof("event") == "snapshot_end":
                return found
        raise AssertionError("the snapshot has no end")

    def changes(self):
        """(revision, name) of every change of an objective or a KPI there ever was."""
        found = []
        for message in self.subscription(from_beginning=empty_pb2.Empty()):
            for change in message.update.derived_changes:
                if change.WhichOneof("figure") in ("objective", "kpi"):
                    found.append((message.update.commit.revision, change.resource))
            if message.WhichOneof("event") == "caught_up":
                return found
        raise AssertionError("the log has no end")

    def found_company(self):
        self.call(self.workspaces.CreateWorkspace, workspace_service_pb2.CreateWorkspaceRequest(
            workspace_id="acme", workspace=workspace_service_pb2.Workspace(title="Acme", time_zone="UTC")))
        self.call(self.workspaces.CreateMember, workspace_service_pb2.CreateMemberRequest(
            parent=ACME, member_id="maria", member=workspace_service_pb2.Member(
                title="Maria", principal="maria@example.com", roles=[workspace_service_pb2.Member.ROLE_OWNER])))
        year = time.gmtime().tm_year
        self.call(self.cycles.CreateCycle, cycle_service_pb2.CreateCycleRequest(
            parent=ACME, cycle_id="year", cycle=cycle_service_pb2.Cycle(
                title="The year", first_date=date_pb2.Date(year=year, month=1, day=1),
                last_date=date_pb2.Date(year=year, month=12, day=31))))
        self.call(self.cycles.ActivateCycle, cycle_service_pb2.ActivateCycleRequest(name=f"{ACME}/cycles/year"))
        for number in range(3):
            self.create_kpi(f"kpi-{number}")
            self.create_objective(f"objective-{number}", f"kpi-{number}")

    def create_kpi(self, kpi):
        self.call(self.kpis.CreateKpi, kpi_service_pb2.CreateKpiRequest(
            parent=ACME, kpi_id=kpi, kpi=kpi_service_pb2.Kpi(
                title=kpi, owner=f"{ACME}/members/maria", direction=common_pb2.DIRECTION_HIGHER_IS_BETTER,
                cadence=common_pb2.CADENCE_DAILY)))

    def create_objective(self, objective, kpi):
        name = f"{ACME}/objectives/{objective}"
        self.call(self.objectives.CreateObjective, objective_service_pb2.CreateObjectiveRequest(
            parent=ACME, objective_id=objective, objective=objective_service_pb2.Objective(
                title=objective, cycle=f"{ACME}/cycles/year", owner=f"{ACME}/members/maria")))
        self.call(self.objectives.CreateKeyResult, objective_service_pb2.CreateKeyResultRequest(
            parent=name, key_result_id="more", key_result=objective_service_pb2.KeyResult(
                title="More", kpi=f"{ACME}/kpis/{kpi}",
                metric=objective_service_pb2.Metric(baseline=0.0, target=1e6))))
        self.call(self.objectives.ActivateObjective, objective_service_pb2.ActivateObjectiveRequest(name=name))

    def record(self, kpi, value):
        self.call(self.kpis.RecordMeasurement, kpi_service_pb2.RecordMeasurementRequest(
            parent=f"{ACME}/kpis/{kpi}", measurement=kpi_service_pb2.Measurement(value=value, source_id="load")))

    def record_much(self):
        """One commit of about 3 MiB, which comes in several messages."""
        measurements = [kpi_service_pb2.Measurement(
            value=float(number), effective_date=date_pb2.Date(year=2020 + number // 300, month=1 + number % 300 // 28,
                                                              day=1 + number % 28), note="why " * 700)
                        for number in range(1000)]
        self.call(self.kpis.BatchRecordMeasurements, kpi_service_pb2.BatchRecordMeasurementsRequest(
            parent=f"{ACME}/kpis/kpi-0", measurements=measurements))


class Load:
    """Measurements one after the other, until it is ended."""

    def __init__(self, api):
        self.api, self.over, self.failed = api, threading.Event(), None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def run(self):
        value = 1.0
        try:
            while not self.over.wait(0.005):
                self.api.record(f"kpi-{int(value) % 3}", value)
                value += 1.0
        except Exception as error:  # pylint: disable=broad-except
            self.failed = error

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(PATIENCE_S)
        assert self.failed is None, self.failed
        assert not self.thread.is_alive(), "a write has not ended"


def read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def until(holds, otherwise=lambda: "it took too long"):
    ends = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < ends, otherwise()
        time.sleep(0.05)


def a_moment():
    time.sleep(random.uniform(0.2, 0.8))


def agree(example, api):
    """Waits until what is stored is what the server says."""
    expected = api.figures()
    assert len(expected) >= 2, expected
    until(lambda: example.figures() == expected,
          lambda: f"stored: {example.figures()}\nthe server says: {expected}\nit has said:\n{read_text(example.said)[-2000:]}")


def the_figures_are_there_and_follow(server, example, api):
    agree(example, api)
    api.record("kpi-0", 0.5)
    agree(example, api)


def it_is_killed_in_the_middle_and_loses_nothing(server, example, api):
    with Load(api):
        for kill in range(5):
            a_moment()
            if kill % 2:
                # So that the kill meets a commit of several messages now and then.
                api.record_much()
            example.kill()
            a_moment()
            example.start()
    agree(example, api)


def the_server_is_killed_in_the_middle_and_nothing_is_lost(server, example, api):
    with Load(api):
        for _ in range(3):
            a_moment()
            server.kill()
            a_moment()
            server.start()
    agree(example, api)


def the_server_stops_in_good_order_and_it_comes_back(server, example, api):
    # Whoever has this is there: behind the last kill it had everything, and may still have been waiting before it comes back.
    api.record("kpi-0", 4711.0)
    agree(example, api)
    with Load(api):
        a_moment()
        server.stop()
        server.start()
    agree(example, api)
    assert "going_away" in read_text(example.said), read_text(example.said)[-2000:]


def what_is_created_enters_and_what_is_deleted_leaves(server, example, api):
    api.create_kpi("new")
    api.create_objective("new", "new")
    api.record("new", 7.0)
    agree(example, api)
    api.call(api.objectives.DeleteObjective, objective_service_pb2.DeleteObjectiveRequest(
        name=f"{ACME}/objectives/new"))
    agree(example, api)
    assert f"{ACME}/objectives/new" not in example.figures()


def no_change_is_missing_and_none_is_there_twice(server, example, api):
    there_were = api.changes()
    began = int(re.search(r"revision (\d+): \d+ figures to begin with", read_text(example.said)).group(1))
    after_the_snapshot = [change for change in there_were if change[0] > began]
    assert len(after_the_snapshot) > 200, "there was hardly a change"
    told = example.told()
    assert len(set(told)) == len(told), "a change was said twice"
    assert [revision for revision, _ in told] == sorted(revision for revision, _ in told), "changes were said out of order"
    assert set(told) <= set(after_the_snapshot), "a change was said that there never was"
    if not example.store.endswith(".json"):
        stored = [tuple(row) for row in example.rows("SELECT revision, name FROM changes ORDER BY revision, name")]
        assert stored == sorted(after_the_snapshot), "the stored changes are not those of the log"


def a_server_that_has_lost_its_log_is_taken_as_it_is_now(server, example, api):
    server.kill()
    os.rename(server.data, server.data + "-lost")
    server.start()
    api.found_company()
    api.record("kpi-1", 11.0)
    agree(example, api)
    # Its token was refused, as one of another log or of a workspace that was not there yet.
    until(lambda: "FAILED_PRECONDITION" in read_text(example.said).upper().replace("FAILEDPRECONDITION", "FAILED_PRECONDITION"))


def it_ends_with_ctrl_c(server, example, api):
    example.process.send_signal(signal.SIGINT)
    assert example.process.wait(PATIENCE_S) == 0, "exit code " + str(example.process.returncode)


CHECKS = [the_figures_are_there_and_follow, it_is_killed_in_the_middle_and_loses_nothing,
          the_server_is_killed_in_the_middle_and_nothing_is_lost, the_server_stops_in_good_order_and_it_comes_back,
          what_is_created_enters_and_what_is_deleted_leaves, no_change_is_missing_and_none_is_there_twice,
          a_server_that_has_lost_its_log_is_taken_as_it_is_now, it_ends_with_ctrl_c]


def main():
    passed = 0
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        api = Api(server.address)
        api.found_company()
        example = Example(server, folder)
        try:
            # Each goes on with what the one before has left: the first failure is the one that counts.
            for check in CHECKS:
                name, began = check.__name__.replace("_", " "), time.monotonic()
                try:
                    check(server, example, api)
                except Exception as error:  # pylint: disable=broad-except
                    print(f"FAILED  {STORE}: {name}: {type(error).__name__}: {error}", flush=True)
                    break
                passed += 1
                print(f"ok      {STORE}: {name} ({time.monotonic() - began:.1f} s)", flush=True)
        finally:
            for process in (example.process, server.process):
                process.kill()
    print(f"{passed} passed, {len(CHECKS) - passed} failed", flush=True)
    sys.exit(0 if passed == len(CHECKS) else 1)


if __name__ == "__main__":
    main()
