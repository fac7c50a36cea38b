"""Keeps the newest figures of objectives and KPIs in an SQLite file, and every change of them with its revision.

    python subscribe.py 127.0.0.1:7700 workspaces/acme figures.sqlite

The file holds the resume token beside the data: both are written in one transaction, so that after any crash, of this
program or of the server, it goes on exactly behind what is stored. Ctrl-C ends it.
"""

import random
import sqlite3
import sys
import time

import grpc
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2

from binnacle.v1 import common_pb2, progress_service_pb2, progress_service_pb2_grpc

# Both ends notice within 40 s that the other is silently gone.
CHANNEL = [("grpc.keepalive_time_ms", 30_000), ("grpc.keepalive_timeout_ms", 10_000),
           ("grpc.max_reconnect_backoff_ms", 5_000)]
# Shorter than what a proxy on the way takes for a dead connection.
CHECKPOINT_INTERVAL = duration_pb2.Duration(seconds=20)
DELAY_MIN_S, DELAY_MAX_S = 0.5, 30.0

Filter = progress_service_pb2.SubscriptionFilter
# A token belongs to the filter it was given for: another filter needs another file.
FILTER = Filter(resource_kinds=[Filter.RESOURCE_KIND_OBJECTIVE, Filter.RESOURCE_KIND_KPI])

SCHEMA = """
CREATE TABLE IF NOT EXISTS figures (name TEXT PRIMARY KEY, figure REAL, standing TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS changes (
    revision INTEGER, name TEXT, recorded_time TEXT NOT NULL, figure REAL, standing TEXT NOT NULL,
    PRIMARY KEY (revision, name));
CREATE TABLE IF NOT EXISTS token (only INTEGER PRIMARY KEY CHECK (only = 1), token TEXT NOT NULL);
"""


class Store:
    """What is known, as of the token that lies beside it."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(SCHEMA)
        self.said = []

    def token(self):
        row = self.db.execute("SELECT token FROM token").fetchone()
        return row[0] if row else ""

    def apply(self, message):
        """Takes a message in. Nothing of it is there for good before a message with a token has been taken in: what a
        large commit or a snapshot brings in several messages is seen as a whole or not at all."""
        if not self.db.in_transaction:
            self.db.execute("BEGIN IMMEDIATE")
        kind = message.WhichOneof("event")
        if kind == "started" and not message.resume_token:
            # Only a snapshot begins without a token: the whole state comes, and replaces what was known. A change that
            # was told before may come from a log that is no more.
            self.db.execute("DELETE FROM figures")
            self.db.execute("DELETE FROM changes")
        elif kind == "snapshot":
            for resource in message.snapshot.resources:
                self.keep(resource)
        elif kind == "update":
            self.update(message.update)
        elif kind == "snapshot_end":
            count, = self.db.execute("SELECT count(*) FROM figures").fetchone()
            self.said.append(f"revision {message.snapshot_end.revision}: {count} figures to begin with")
        if message.resume_token:
            self.db.execute("INSERT INTO token VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET token = excluded.token",
                            (message.resume_token,))
            self.db.execute("COMMIT")
            for line in self.said:
                print(line, flush=True)
            self.said.clear()

    def give_up_unfinished(self):
        """The stream broke: what came behind the newest token comes again."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self.said.clear()

    def update(self, update):
        for resource in update.entered:
            self.keep(resource)
        for change in update.derived_changes:
            kind = change.WhichOneof("figure")
            if kind == "objective":
                self.change(update.commit, change.resource, *of_objective(change.objective.after))
            elif kind == "kpi":
                self.change(update.commit, change.resource, *of_kpi(change.kpi.after))
        for name in update.left:
            self.db.execute("DELETE FROM figures WHERE name = ?", (name,))

    def keep(self, resource):
        kind = resource.WhichOneof("resource")
        if kind == "objective":
            self.set(resource.objective.name, *of_objective(resource.objective.progress))
        elif kind == "kpi":
            self.set(resource.kpi.name, *of_kpi(resource.kpi.health))

    def change(self, commit, name, figure, standing):
        self.set(name, figure, standing)
        # A change that came twice would fail here: its revision and name are the key.
        self.db.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?)",
                        (commit.revision, name, commit.recorded_time.ToJsonString(), figure, standing))
        self.said.append(f"revision {commit.revision}: {name} {figure} {standing}")

    def set(self, name, figure, standing):
        self.db.execute("INSERT INTO figures VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                        "figure = excluded.figure, standing = excluded.standing", (name, figure, standing))


def of_objective(progress):
    """The score and the status. A draft has neither."""
    score = progress.score if progress.HasField("score") else None
    return score, common_pb2.Status.Name(progress.status)


def of_kpi(health):
    """The newest value and how it stands against its target."""
    value = health.latest_value if health.HasField("latest_value") else None
    return value, common_pb2.Health.Name(health.health)


def read(address, workspace, store):
    """Reads one stream until it ends. Says whether it has brought the store forward."""
    request = progress_service_pb2.SubscribeRequest(
        parent=workspace, filter=FILTER, checkpoint_interval=CHECKPOINT_INTERVAL)
    token = store.token()
    if token:
        request.after = token
    else:
        request.snapshot.SetInParent()
    forward = False
    with grpc.insecure_channel(address, options=CHANNEL) as channel:
        try:
            for message in progress_service_pb2_grpc.ProgressServiceStub(channel).Subscribe(request):
                store.apply(message)
                kind = message.WhichOneof("event")
                forward |= bool(message.resume_token) and kind != "started"
                if kind in ("fell_behind", "going_away"):
                    print(f"the server says {kind}", flush=True)
        except grpc.RpcError as error:
            return forward, error
        finally:
            store.give_up_unfinished()
    return forward, None


def may_begin_anew(error, token):
    """The server does not know the token: it is another log now, or restored from an older copy, or another filter."""
    refused = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.INVALID_ARGUMENT)
    return token and error.code() in refused


def may_pass(error):
    """Whether the same request may be welcome later. UNKNOWN, INTERNAL and CANCELLED are broken connections."""
    return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNKNOWN,
                            grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)


def asked_delay_s(error):
    """How long the server wants to be left alone: RetryInfo, where it says so."""
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    retry = error_details_pb2.RetryInfo()
    for detail in status_pb2.Status.FromString(packed).details:
        if detail.Unpack(retry):
            return retry.retry_delay.ToTimedelta().total_seconds()
    return 0.0


def main(address, workspace, path):
    store = Store(path)
    delay_s = DELAY_MIN_S
    while True:
        token = store.token()
        forward, error = read(address, workspace, store)
        asked_s = 0.0
        if error:
            print(f"the stream broke: {error.code().name}: {error.details()}", flush=True)
            if may_begin_anew(error, token):
                # The table stays as it is until the snapshot is complete.
                store.db.execute("DELETE FROM token")
            elif may_pass(error):
                asked_s = asked_delay_s(error)
            else:
                sys.exit("somebody has to look at that")
        delay_s = DELAY_MIN_S if forward else min(2 * delay_s, DELAY_MAX_S)
        # Not all clients of a server that comes back at the same moment.
        time.sleep(asked_s + random.uniform(0.5, 1.0) * delay_s)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
