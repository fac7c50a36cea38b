// One gRPC-Web call with `fetch` and no library: in a browser, and in Node.
//
// A body is frames: a byte that is 0 for a message and 0x80 for the trailers, four bytes of length, and that many bytes.

/**
 * What a call ended with, if not with OK. `code` is gRPC's: 9 is FAILED_PRECONDITION, 14 UNAVAILABLE. `details` are the
 * bytes of a google.rpc.Status, empty where there is none.
 */
export class Refused extends Error {
  constructor(code, message, details = new Uint8Array()) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/**
 * The messages of one call, as bytes, each as soon as it is there. Throws when the call was refused or broke. Metadata is
 * for example `{ authorization: 'Bearer …' }`.
 */
export async function* call(url, request, signal, metadata = {}) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...metadata, 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' },
    body: framed(request),
    signal,
  });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
  // A refusal without a message comes in the headers. A page may read them: the server exposes them.
  check(answer.headers);
  const reader = answer.body.getReader();
  let held = new Uint8Array();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      held = joined(held, value);
      for (let length = frameLength(held); held.length >= length; length = frameLength(held)) {
        const frame = held.subarray(5, length);
        if (held[0] & 0x80) {
          check(trailersOf(frame));
          return;
        }
        held = held.subarray(length);
        yield frame;
      }
    }
  } finally {
    // Also when whoever reads has had enough: the server hears of it.
    await reader.cancel().catch(() => {});
  }
  throw new Refused(14, 'the connection broke within the answer');
}

function framed(message) {
  const frame = new Uint8Array(5 + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, 5);
  return frame;
}

/** How long the frame is that `held` begins with; more than anything while that is not known. */
function frameLength(held) {
  if (held.length < 5) return Infinity;
  return 5 + new DataView(held.buffer, held.byteOffset).getUint32(1);
}

function joined(one, other) {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

function trailersOf(frame) {
  const lines = new TextDecoder().decode(frame).split('\r\n').filter(Boolean);
  return new Map(lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
}

function check(trailers) {
  const status = trailers.get('grpc-status') ?? '0';
  if (status === '0') return;
  const message = decodeURIComponent(trailers.get('grpc-message') ?? '');
  const details = atob(trailers.get('grpc-status-details-bin') ?? '');
  throw new Refused(Number(status), message, Uint8Array.from(details, (letter) => letter.charCodeAt(0)));
}
