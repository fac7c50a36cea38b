// The scenario of steps.md with `fetch` over gRPC-Web, as a page in a browser would: no gRPC library.
//
//     NODE_EXTRA_CA_CERTS=ca.pem node grpc_web.mjs ADDRESS WORKSPACE_ID PROTO_FOLDER
//
// maria.key and vera.key are in the working directory; calls.mjs (examples/subscribe/web) and details.mjs (examples/clients)
// lie beside this file.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import protobuf from 'protobufjs';

import { Refused, call } from './calls.mjs';
import { detailsOf } from './details.mjs';

const [address, id, protos] = process.argv.slice(2);
const workspace = `workspaces/${id}`;
const visitors = `${workspace}/kpis/visitors`;
const requestId = randomUUID();
// An upper bound: a call that takes longer has failed.
const PATIENCE_MS = 60_000;
const CODES = { 3: 'INVALID_ARGUMENT', 6: 'ALREADY_EXISTS', 7: 'PERMISSION_DENIED', 16: 'UNAUTHENTICATED' };

const folderOf = (name) => path.dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
const root = new protobuf.Root();
// Google's basic types come with protobufjs.
root.resolvePath = (_, target) => (path.isAbsolute(target) ? target
  : path.join(target.startsWith('google/protobuf/') ? folderOf('protobufjs') : protos, target));
root.loadSync([
  ...['kpi', 'progress', 'workspace'].map((service) => `binnacle/v1/${service}_service.proto`),
  path.join(folderOf('grpc-health-check'), 'proto/health/v1/health.proto'),
  path.join(folderOf('@grpc/reflection'), 'build/proto/grpc/reflection/v1/reflection.proto'),
], { keepCase: true }).resolveAll();

/** The messages of a call of who has the key: of nobody without one. */
async function* stream(key, method, request) {
  const { requestType, responseType } = root.lookupService(method.split('/')[0]).methods[method.split('/')[1]];
  const [Request, Response] = [root.lookupType(requestType), root.lookupType(responseType)];
  const bytes = Request.encode(Request.fromObject(request)).finish();
  const metadata = key ? { authorization: `Bearer ${fs.readFileSync(key, 'utf8').trim()}` } : {};
  for await (const answer of call(`https://${address}/${method}`, bytes, AbortSignal.timeout(PATIENCE_MS), metadata)) {
    yield Response.toObject(Response.decode(answer), { enums: String, longs: Number, arrays: true, oneofs: true });
  }
}

async function ask(key, method, request) {
  for await (const answer of stream(key, method, request)) return answer;
  throw new Error('there was no answer');
}

/** The name of the code of a refused call, and its details by their type. */
async function refusal(key, method, request) {
  try {
    await ask(key, method, request);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { code: CODES[error.code], ...detailsOf(error.details) };
  }
  throw new Error('it was not refused');
}

function isRefused({ code, ErrorInfo }, expectedCode, reason) {
  assert.deepEqual([code, ErrorInfo.reason, ErrorInfo.domain], [expectedCode, reason, 'binnacle']);
}

const KPIS = 'binnacle.v1.KpiService';
const WORKSPACES = 'binnacle.v1.WorkspaceService';
const [nobody, maria, vera] = [undefined, 'maria.key', 'vera.key'];
const measurement = (value, more) => ({ parent: visitors, measurement: { value }, ...more });
const subscribe = (start) => stream(vera, 'binnacle.v1.ProgressService/Subscribe', { parent: workspace, ...start });

const steps = {
  async 'the server says that it serves also to who shows no token'() {
    const request = { service: KPIS };
    for (const method of ['Check', 'Watch']) {
      assert.equal((await ask(nobody, `grpc.health.v1.Health/${method}`, request)).status, 'SERVING');
    }
  },
  async 'reflection names every service'() {
    // One question and one answer: gRPC-Web takes nothing more once the answer has begun.
    const answer = await ask(maria, 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo', { list_services: '' });
    const names = answer.list_services_response.service.map(({ name }) => name);
    for (const service of ['Audit', 'Cycle', 'Kpi', 'Objective', 'Progress', 'Workspace']) {
      assert(names.includes(`binnacle.v1.${service}Service`), names);
    }
    assert(names.includes('grpc.health.v1.Health'), names);
  },
  async 'who shows no token is turned away'() {
    isRefused(await refusal(nobody, `${WORKSPACES}/ListWorkspaces`, {}), 'UNAUTHENTICATED', 'CREDENTIALS_MISSING');
  },
  async 'the operator creates a workspace'() {
    const request = { workspace_id: id, workspace: { title: 'Acme', time_zone: 'UTC' } };
    const { name, revision } = await ask(maria, `${WORKSPACES}/CreateWorkspace`, request);
    assert.deepEqual([name, revision], [workspace, 1]);
  },
  async 'a viewer is added'() {
    const member = { title: 'Vera', principal: 'vera@acme.example', roles: ['ROLE_VIEWER'] };
    const { name } = await ask(maria, `${WORKSPACES}/CreateMember`, { parent: workspace, member_id: 'vera', member });
    assert.equal(name, `${workspace}/members/vera`);
  },
  async 'a KPI is created'() {
    const kpi = { title: 'Visitors a day', direction: 'DIRECTION_HIGHER_IS_BETTER', cadence: 'CADENCE_DAILY' };
    const { name, health } = await ask(maria, `${KPIS}/CreateKpi`, { parent: workspace, kpi_id: 'visitors', kpi });
    assert.deepEqual([name, health.health], [visitors, 'HEALTH_NO_DATA']);
  },
  async 'a measurement that is sent again is recorded once'() {
    const request = measurement(50, { request_id: requestId });
    const first = await ask(maria, `${KPIS}/RecordMeasurement`, request);
    assert.deepEqual(await ask(maria, `${KPIS}/RecordMeasurement`, request), first);
    const { measurements } = await ask(maria, `${KPIS}/ListMeasurements`, { parent: visitors });
    assert.deepEqual(measurements.map(({ value }) => value), [50]);
  },
  async 'another measurement with the same request id is refused'() {
    const refused = await refusal(maria, `${KPIS}/RecordMeasurement`, measurement(51, { request_id: requestId }));
    isRefused(refused, 'ALREADY_EXISTS', 'REQUEST_ID_REUSED');
  },
  async 'a bad request names each of its fields'() {
    const request = measurement(undefined, { request_id: 'no uuid' });
    const { code, BadRequest } = await refusal(maria, `${KPIS}/RecordMeasurement`, request);
    const fields = BadRequest.field_violations.map(({ field }) => field).sort();
    assert.deepEqual([code, ...fields], ['INVALID_ARGUMENT', 'measurement.value', 'request_id']);
  },
  async 'the viewer reads the KPI'() {
    const { health } = await ask(vera, `${KPIS}/GetKpi`, { name: visitors });
    assert.equal(health.latest_value, 50);
  },
  async 'the viewer may not measure'() {
    isRefused(await refusal(vera, `${KPIS}/RecordMeasurement`, measurement(52)), 'PERMISSION_DENIED', 'ROLE_MISSING');
  },
  async 'a subscriber goes on behind a token of the beginning'() {
    let token;
    for await (const { event, update, resume_token: resumeToken } of subscribe({ from_beginning: {} })) {
      if (event !== 'update') continue;
      assert.equal(update.commit.revision, 1);
      token = resumeToken;
      break;
    }
    const revisions = [];
    const types = [];
    for await (const { event, update } of subscribe({ after: token })) {
      if (event === 'caught_up') break;
      if (event !== 'update') continue;
      revisions.push(update.commit.revision);
      types.push(...update.events.map(({ type }) => type));
    }
    assert.deepEqual(revisions, revisions.map((_, index) => index + 2));
    assert(types.includes('MeasurementRecorded'), types);
  },
  async 'a subscriber hears of a change as it happens'() {
    let recorded;
    for await (const { event, update } of subscribe({ live: {} })) {
      if (event === 'caught_up') recorded = await ask(maria, `${KPIS}/RecordMeasurement`, measurement(60));
      if (event !== 'update' || update.commit.revision !== recorded?.revision) continue;
      const changes = update.derived_changes.filter(({ resource }) => resource === visitors);
      assert.deepEqual(changes.map(({ kpi }) => kpi.after.latest_value), [60]);
      return;
    }
    throw new Error('the stream ended');
  },
};

for (const [name, step] of Object.entries(steps)) {
  await step();
  console.log('ok', name);
}
// Connections stay open for the next call.
process.exit(0);
