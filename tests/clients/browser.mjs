// A real browser shows what is recorded, goes on after the server was killed, and is not let in from another origin.
//
//     node browser.mjs BINARY CHROMIUM SCRATCH

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { chromium } from 'playwright-core';
import protobuf from 'protobufjs';

import { call } from './calls.mjs';

const [binary, executablePath, scratch] = process.argv.slice(2);
const PATIENCE_MS = 30_000;
const here = import.meta.dirname;
const root = protobuf.Root.fromJSON(JSON.parse(fs.readFileSync(path.join(here, 'api.json'))));

/** Gives the page out. */
async function pages() {
  const types = { '.html': 'text/html', '.mjs': 'text/javascript', '.js': 'text/javascript', '.json': 'application/json' };
  const server = http.createServer((request, response) => {
    const name = path.basename(new URL(request.url, 'http://page').pathname) || 'index.html';
    const file = path.join(here, name);
    if (!fs.existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': types[path.extname(name)] }).end(fs.readFileSync(file));
  });
  await new Promise((resume) => server.listen(0, '127.0.0.1', resume));
  return { port: server.address().port, close: () => server.close() };
}

/** The server, always at the address that it had first. */
class Binnacle {
  address = '127.0.0.1:0';

  async start(origin) {
    const log = path.join(scratch, `log-${randomUUID()}`);
    this.process = spawn(binary, ['serve', '--data-dir', path.join(scratch, 'data'), '--listen', this.address,
      '--log-format', 'json', '--web-origin', origin], { stdio: ['ignore', 'ignore', fs.openSync(log, 'w')] });
    const until = Date.now() + PATIENCE_MS;
    for (let found; !found; await sleep(50)) {
      assert(Date.now() < until, `it does not listen: ${fs.readFileSync(log)}`);
      found = /"message":"listening","address":"([^"]+)"/.exec(fs.readFileSync(log, 'utf8'));
      if (found) this.address = found[1];
    }
  }

  async kill() {
    const ended = new Promise((resume) => this.process.once('exit', resume));
    this.process.kill('SIGKILL');
    await ended;
  }

  /** One call, until it is answered: the server may still be reading its log. */
  async call(method, type, fields) {
    const Request = root.lookupType(`binnacle.v1.${type}`);
    const request = Request.encode(Request.fromObject({ requestId: randomUUID(), ...fields })).finish();
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      try {
        for await (const answer of call(`http://${this.address}/binnacle.v1.${method}`, request)) return answer;
      } catch (error) {
        if (error.code !== 14 || Date.now() > until) throw error;
        await sleep(50);
      }
    }
  }

  record(value) {
    return this.call('KpiService/RecordMeasurement', 'RecordMeasurementRequest',
      { parent: 'workspaces/acme/kpis/visitors', measurement: { value } });
  }
}

const served = await pages();
const origin = `http://localhost:${served.port}`;
const binnacle = new Binnacle();
let browser;
let passed = 0;
let failed = 0;

async function check(name, holds) {
  if (failed) return;
  try {
    await holds();
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.stack}`);
  }
}

const query = () => `?server=http://${binnacle.address}&workspace=workspaces/acme`;

try {
  await binnacle.start(origin);
  await binnacle.call('WorkspaceService/CreateWorkspace', 'CreateWorkspaceRequest',
    { workspaceId: 'acme', workspace: { title: 'Acme', timeZone: 'UTC' } });
  await binnacle.call('KpiService/CreateKpi', 'CreateKpiRequest', {
    parent: 'workspaces/acme', kpiId: 'visitors',
    kpi: { title: 'Visitors', direction: 'DIRECTION_HIGHER_IS_BETTER', cadence: 'CADENCE_DAILY' },
  });
  browser = await chromium.launchPersistentContext(path.join(scratch, 'profile'), {
    executablePath,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  const page = await browser.newPage();
  const shows = (text) => page.locator('#figures').getByText(text).waitFor({ timeout: PATIENCE_MS });

  await check('a page shows the state, and what is recorded as it is recorded', async () => {
    await page.goto(`${origin}/${query()}`);
    await shows('HEALTH_NO_DATA');
    await binnacle.record(42);
    await shows('42 HEALTH_NO_TARGET');
  });
  await check('a page comes back when the server was killed', async () => {
    await binnacle.kill();
    await binnacle.start(origin);
    await binnacle.record(43);
    await shows('43 HEALTH_NO_TARGET');
  });
  await check('a page of another origin is shown nothing', async () => {
    const foreign = await browser.newPage();
    const refused = foreign.waitForEvent('requestfailed', { timeout: PATIENCE_MS });
    await foreign.goto(`http://127.0.0.1:${served.port}/${query()}`);
    assert.match((await refused).url(), /Subscribe$/);
    assert.equal(await foreign.locator('#figures tr').count(), 0);
  });
  await check('a page of another origin that does not ask first writes nothing', async () => {
    const foreign = await browser.newPage();
    await foreign.goto(`http://127.0.0.1:${served.port}/calls.mjs`);
    const revision = async () => {
      const Workspace = root.lookupType('binnacle.v1.Workspace');
      const answer = await binnacle.call('WorkspaceService/GetWorkspace', 'GetWorkspaceRequest', { name: 'workspaces/acme' });
      return Workspace.toObject(Workspace.decode(answer), { longs: Number }).revision;
    };
    const before = await revision();
    const type = root.lookupType('binnacle.v1.RecordMeasurementRequest');
    const message = type.encode(type.fromObject(
      { parent: 'workspaces/acme/kpis/visitors', measurement: { value: 44 } })).finish();
    await foreign.evaluate(async ([address, bytes]) => {
      const frame = new Uint8Array([0, 0, 0, 0, bytes.length, ...bytes]);
      const url = `http://${address}/binnacle.v1.KpiService/RecordMeasurement`;
      // What needs no leave by itself: no answer can be read, and the request goes out.
      await fetch(url, { method: 'POST', mode: 'no-cors', body: new Blob([frame], { type: 'text/plain' }) });
    }, [binnacle.address, [...message]]);
    assert.equal(await revision(), before);
  });
} catch (error) {
  failed += 1;
  console.log(`FAILED  ${error.stack}`);
} finally {
  await browser?.close();
  binnacle.process?.kill('SIGKILL');
  served.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || passed < 4 ? 1 : 0);
