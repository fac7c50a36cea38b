// Keeps the newest figures of objectives and KPIs in a JSON file.
//
//     node subscribe.mjs PROTO_FOLDER 127.0.0.1:7700 workspaces/acme figures.json
//
// The file holds the resume token beside the data and is replaced as a whole, so that after any crash, of this program or
// of the server, it goes on exactly behind what is stored. Ctrl-C ends it.

import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const [protos, address, workspace, file] = process.argv.slice(2);

// Both ends notice within 40 s that the other is silently gone.
const CHANNEL = {
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.max_reconnect_backoff_ms': 5_000,
};
// Shorter than what a proxy on the way takes for a dead connection.
const CHECKPOINT_INTERVAL = { seconds: 20 };
const DELAY_MIN_MS = 500;
const DELAY_MAX_MS = 30_000;
// A token belongs to the filter it was given for: another filter needs another file.
const FILTER = { resource_kinds: ['RESOURCE_KIND_OBJECTIVE', 'RESOURCE_KIND_KPI'] };

const { status } = grpc;
// The server does not know the token: it is another log now, or restored from an older copy, or another filter.
const BEGIN_ANEW = [status.FAILED_PRECONDITION, status.OUT_OF_RANGE, status.INVALID_ARGUMENT];
// The same request may be welcome later. UNKNOWN, INTERNAL and CANCELLED are broken connections.
const MAY_PASS = [
  status.UNAVAILABLE, status.RESOURCE_EXHAUSTED, status.UNKNOWN, status.INTERNAL, status.CANCELLED,
  status.DEADLINE_EXCEEDED,
];

const definition = protoLoader.loadSync('binnacle/v1/progress_service.proto', {
  includeDirs: [protos],
  keepCase: true, // names as in the protos
  longs: Number, // revisions stay far below 2^53
  enums: String,
  oneofs: true, // `event` says which one a message is
  arrays: true, // a list is there also when it is empty
});
const { ProgressService } = grpc.loadPackageDefinition(definition).binnacle.v1;

/** What is known, as of the token that lies beside it. */
class Store {
  constructor() {
    this.stored = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : { token: '', figures: {} };
    this.giveUpUnfinished();
  }

  /**
   * Takes a message in. Nothing of it is stored before a message with a token has been taken in: what a large commit or
   * a snapshot brings in several messages is seen as a whole or not at all.
   */
  apply(message) {
    const { event, resume_token: token } = message;
    if (event === 'started' && !token) {
      // Only a snapshot begins without a token: the whole state comes, and replaces what was known.
      this.figures = {};
      this.changed = true;
    } else if (event === 'snapshot') {
      message.snapshot.resources.forEach((resource) => this.keep(resource));
    } else if (event === 'update') {
      this.update(message.update);
    } else if (event === 'snapshot_end') {
      const count = Object.keys(this.figures).length;
      this.said.push(`revision ${message.snapshot_end.revision}: ${count} figures to begin with`);
    }
    if (token) this.write(token);
  }

  /** The stream broke: what came behind the newest token comes again. */
  giveUpUnfinished() {
    this.figures = this.stored.figures;
    this.changed = false;
    this.said = [];
  }

  update({ commit, entered, derived_changes: changes, left }) {
    entered.forEach((resource) => this.keep(resource));
    for (const { resource, figure, objective, kpi } of changes) {
      if (figure === 'objective') this.set(resource, ofObjective(objective.after));
      else if (figure === 'kpi') this.set(resource, ofKpi(kpi.after));
      else continue;
      const { figure: now, standing } = this.figures[resource];
      this.said.push(`revision ${commit.revision}: ${resource} ${now} ${standing}`);
    }
    for (const name of left) {
      this.begin();
      delete this.figures[name];
    }
  }

  keep({ resource, objective, kpi }) {
    if (resource === 'objective') this.set(objective.name, ofObjective(objective.progress));
    else if (resource === 'kpi') this.set(kpi.name, ofKpi(kpi.health));
  }

  set(name, row) {
    this.begin();
    this.figures[name] = row;
  }

  /** What is stored stays as it is until it is replaced. */
  begin() {
    if (!this.changed) this.figures = { ...this.figures };
    this.changed = true;
  }

  /** Data and token in one file, which is there whole or as it was, also after a power cut. */
  write(token) {
    const next = { token, figures: this.figures };
    const written = `${file}.new`;
    const fd = fs.openSync(written, 'w');
    fs.writeSync(fd, JSON.stringify(next, null, 1));
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fs.renameSync(written, file);
    const folder = fs.openSync(path.dirname(path.resolve(file)), 'r');
    fs.fsyncSync(folder);
    fs.closeSync(folder);
    this.said.forEach((line) => console.log(line));
    this.stored = next;
    this.giveUpUnfinished();
  }
}

/** The score and the status. A draft has neither. */
function ofObjective(progress) {
  return { figure: progress?.score ?? null, standing: progress?.status ?? 'STATUS_UNSPECIFIED' };
}

/** The newest value and how it stands against its target. */
function ofKpi(health) {
  return { figure: health?.latest_value ?? null, standing: health?.health ?? 'HEALTH_UNSPECIFIED' };
}

/** Reads one stream until it ends. Says whether it has brought the store forward, and what it broke with. */
async function read(client, store) {
  const { token } = store.stored;
  const start = token ? { after: token } : { snapshot: {} };
  const request = { parent: workspace, filter: FILTER, checkpoint_interval: CHECKPOINT_INTERVAL, ...start };
  let forward = false;
  try {
    // Reading message by message: a slow store slows the stream down, and nothing is queued here.
    for await (const message of client.Subscribe(request)) {
      store.apply(message);
      forward ||= Boolean(message.resume_token) && message.event !== 'started';
      if (message.event === 'fell_behind' || message.event === 'going_away') {
        console.log(`the server says ${message.event}`);
      }
    }
    return { forward };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { forward, error };
  } finally {
    store.giveUpUnfinished();
  }
}

process.on('SIGINT', () => process.exit(0));

const store = new Store();
const client = new ProgressService(address, grpc.credentials.createInsecure(), CHANNEL);
let delayMs = DELAY_MIN_MS;
for (;;) {
  const { forward, error } = await read(client, store);
  if (error) {
    console.log(`the stream broke: ${status[error.code]}: ${error.details}`);
    if (store.stored.token && BEGIN_ANEW.includes(error.code)) {
      // The figures stay as they are until the snapshot is complete.
      store.stored = { ...store.stored, token: '' };
    } else if (!MAY_PASS.includes(error.code)) {
      console.error('somebody has to look at that');
      process.exit(1);
    }
  }
  delayMs = forward ? DELAY_MIN_MS : Math.min(2 * delayMs, DELAY_MAX_MS);
  // Not all clients of a server that comes back at the same moment.
  await sleep(delayMs * (0.5 + Math.random() / 2));
}
