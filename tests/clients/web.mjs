// Reads a subscription over HTTP/1.1 with `fetch`, and prints each message as a line of JSON as soon as it is there.
//
//     node web.mjs PROTO_FOLDER ADDRESS WORKSPACE

import path from 'node:path';
import { fileURLToPath } from 'node:url';

import protobuf from 'protobufjs';

import { call } from './calls.mjs';

const [protos, address, workspace] = process.argv.slice(2);
const root = new protobuf.Root();
// Google's basic types come with protobufjs.
const library = fileURLToPath(new URL('node_modules/protobufjs', import.meta.url));
root.resolvePath = (_, target) => path.join(target.startsWith('google/protobuf/') ? library : protos, target);
root.loadSync('binnacle/v1/progress_service.proto');
const Request = root.lookupType('binnacle.v1.SubscribeRequest');
const Response = root.lookupType('binnacle.v1.SubscribeResponse');

const request = Request.encode(Request.fromObject({ parent: workspace, live: {} })).finish();
for await (const bytes of call(`http://${address}/binnacle.v1.ProgressService/Subscribe`, request)) {
  console.log(JSON.stringify(Response.toObject(Response.decode(bytes), { enums: String, longs: Number })));
}
console.log('"the end"');
