// What a refused call says beside its code and its sentence: the details of `grpc-status-details-bin`, by their type.
//
// There are more types (PreconditionFailure, RetryInfo): google/rpc/error_details.proto has them all.

import protobuf from 'protobufjs';

const { root } = protobuf.parse(`syntax = "proto3"; package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message BadRequest {
    message FieldViolation { string field = 1; string description = 2; }
    repeated FieldViolation field_violations = 1;
  }`, { keepCase: true });

/** `{ ErrorInfo: { reason, domain, metadata }, BadRequest: … }` of the bytes of a `google.rpc.Status`. */
export function detailsOf(bytes) {
  const found = {};
  for (const { type_url: type, value } of root.lookupType('google.rpc.Status').decode(bytes).details) {
    const name = type.split('.').pop();
    if (root.lookup(`google.rpc.${name}`)) found[name] = root.lookupType(`google.rpc.${name}`).decode(value);
  }
  return found;
}
