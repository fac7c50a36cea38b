// The scenario of steps.md with @grpc/grpc-js, and the protos as they are.
//
//     node grpc_js.mjs ADDRESS WORKSPACE_ID PROTO_FOLDER
//
// ca.pem, maria.key and vera.key are in the working directory; details.mjs (examples/clients) lies beside this file.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';

import { detailsOf } from './details.mjs';

const [address, id, protos] = process.argv.slice(2);
const workspace = `workspaces/${id}`;
const visitors = `${workspace}/kpis/visitors`;
const requestId = randomUUID();
// An upper bound: a call that takes longer has failed.
const PATIENCE_MS = 60_000;

const reflectionPackage = path.dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
const files = [
  ...['kpi', 'progress', 'workspace'].map((service) => `binnacle/v1/${service}_service.proto`),
  healthProto, path.join(reflectionPackage, 'build/proto/grpc/reflection/v1/reflection.proto'),
];
const api = grpc.loadPackageDefinition(protoLoader.loadSync(files, {
  includeDirs: [protos], keepCase: true, longs: Number, enums: String, oneofs: true, arrays: true,
}));

/** The clients with which calls are made by who has the key: by nobody without one. */
function as(key) {
  const tls = grpc.credentials.createSsl(fs.readFileSync('ca.pem'));
  const credentials = key ? grpc.credentials.combineChannelCredentials(tls, bearer(key)) : tls;
  const { KpiService, ProgressService, WorkspaceService } = api.binnacle.v1;
  const { Health } = api.grpc.health.v1;
  const { ServerReflection } = api.grpc.reflection.v1;
  const services = { KpiService, ProgressService, WorkspaceService, Health, ServerReflection };
  return Object.fromEntries(Object.entries(services).map(([name, Client]) => [name, new Client(address, credentials)]));
}

function bearer(key) {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${fs.readFileSync(key, 'utf8').trim()}`);
  return grpc.credentials.createFromMetadataGenerator((_, done) => done(null, metadata));
}

const deadline = () => ({ deadline: Date.now() + PATIENCE_MS });

function ask(client, method, request) {
  return new Promise((resolve, reject) => {
    client[method](request, deadline(), (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

/** The name of the code of a refused call, and its details by their type. */
async function refusal(client, method, request) {
  try {
    await ask(client, method, request);
  } catch (error) {
    const [packed] = error.metadata.get('grpc-status-details-bin');
    return { code: grpc.status[error.code], ...detailsOf(packed) };
  }
  throw new Error('it was not refused');
}

function isRefused({ code, ErrorInfo }, expectedCode, reason) {
  assert.deepEqual([code, ErrorInfo.reason, ErrorInfo.domain], [expectedCode, reason, 'binnacle']);
}

const measurement = (value, more) => ({ parent: visitors, measurement: { value }, ...more });

const nobody = as(undefined);
const maria = as('maria.key');
const vera = as('vera.key');
const subscribe = (start) => vera.ProgressService.Subscribe({ parent: workspace, ...start }, deadline());

const steps = {
  async 'the server says that it serves also to who shows no token'() {
    const request = { service: 'binnacle.v1.KpiService' };
    assert.equal((await ask(nobody.Health, 'Check', request)).status, 'SERVING');
    for await (const { status } of nobody.Health.Watch(request, deadline())) {
      assert.equal(status, 'SERVING');
      break;
    }
  },
  async 'reflection names every service'() {
    const stream = maria.ServerReflection.ServerReflectionInfo(deadline());
    stream.end({ list_services: '' });
    const names = [];
    for await (const { list_services_response: list } of stream) names.push(...list.service.map(({ name }) => name));
    for (const service of ['Audit', 'Cycle', 'Kpi', 'Objective', 'Progress', 'Workspace']) {
      assert(names.includes(`binnacle.v1.${service}Service`), names);
    }
    assert(names.includes('grpc.health.v1.Health'), names);
  },
  async 'who shows no token is turned away'() {
    const refused = await refusal(nobody.WorkspaceService, 'ListWorkspaces', {});
    isRefused(refused, 'UNAUTHENTICATED', 'CREDENTIALS_MISSING');
  },
  async 'the operator creates a workspace'() {
    const request = { workspace_id: id, workspace: { title: 'Acme', time_zone: 'UTC' } };
    const { name, revision } = await ask(maria.WorkspaceService, 'CreateWorkspace', request);
    assert.deepEqual([name, revision], [workspace, 1]);
  },
  async 'a viewer is added'() {
    const member = { title: 'Vera', principal: 'vera@acme.example', roles: ['ROLE_VIEWER'] };
    const { name } = await ask(maria.WorkspaceService, 'CreateMember', { parent: workspace, member_id: 'vera', member });
    assert.equal(name, `${workspace}/members/vera`);
  },
  async 'a KPI is created'() {
    const kpi = { title: 'Visitors a day', direction: 'DIRECTION_HIGHER_IS_BETTER', cadence: 'CADENCE_DAILY' };
    const { name, health } = await ask(maria.KpiService, 'CreateKpi', { parent: workspace, kpi_id: 'visitors', kpi });
    assert.deepEqual([name, health.health], [visitors, 'HEALTH_NO_DATA']);
  },
  async 'a measurement that is sent again is recorded once'() {
    const request = measurement(50, { request_id: requestId });
    const first = await ask(maria.KpiService, 'RecordMeasurement', request);
    assert.deepEqual(await ask(maria.KpiService, 'RecordMeasurement', request), first);
    const { measurements } = await ask(maria.KpiService, 'ListMeasurements', { parent: visitors });
    assert.deepEqual(measurements.map(({ value }) => value), [50]);
  },
  async 'another measurement with the same request id is refused'() {
    const refused = await refusal(maria.KpiService, 'RecordMeasurement', measurement(51, { request_id: requestId }));
    isRefused(refused, 'ALREADY_EXISTS', 'REQUEST_ID_REUSED');
  },
  async 'a bad request names each of its fields'() {
    const request = measurement(undefined, { request_id: 'no uuid' });
    const { code, BadRequest } = await refusal(maria.KpiService, 'RecordMeasurement', request);
    const fields = BadRequest.field_violations.map(({ field }) => field).sort();
    assert.deepEqual([code, ...fields], ['INVALID_ARGUMENT', 'measurement.value', 'request_id']);
  },
  async 'the viewer reads the KPI'() {
    const { health } = await ask(vera.KpiService, 'GetKpi', { name: visitors });
    assert.equal(health.latest_value, 50);
  },
  async 'the viewer may not measure'() {
    isRefused(await refusal(vera.KpiService, 'RecordMeasurement', measurement(52)), 'PERMISSION_DENIED', 'ROLE_MISSING');
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
      if (event === 'caught_up') recorded = await ask(maria.KpiService, 'RecordMeasurement', measurement(60));
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
// Streams that were left are still being closed.
process.exit(0);
