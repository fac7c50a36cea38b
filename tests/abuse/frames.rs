//! HTTP/2 frames as bytes, right and wrong ones, for peers that keep to nothing (RFC 9113, RFC 7541).

/// What a client says first, and empty settings.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a length").to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn literal(bytes: &mut Vec<u8>, text: &[u8]) {
    // A length of seven bits, then what is over in groups of seven (RFC 7541, 5.1).
    if text.len() < 127 {
        bytes.push(u8::try_from(text.len()).expect("a length"));
    } else {
        bytes.push(127);
        let mut left = text.len() - 127;
        while left >= 128 {
            bytes.push(u8::try_from(left % 128).expect("seven bits") | 128);
            left /= 128;
        }
        bytes.push(u8::try_from(left).expect("seven bits"));
    }
    bytes.extend(text);
}

/// The header block of a call.
pub(crate) fn call_block(path: &str) -> Vec<u8> {
    // :method POST and :scheme http stand in the static table, so do the names of :path and :authority.
    let mut block = vec![0x83, 0x86, 0x04];
    literal(&mut block, path.as_bytes());
    block.push(0x01);
    literal(&mut block, b"localhost");
    field(&mut block, "content-type", b"application/grpc");
    field(&mut block, "te", b"trailers");
    block
}

/// Puts a field into a header block, without an entry in any table.
pub(crate) fn field(block: &mut Vec<u8>, name: &str, value: &[u8]) {
    block.push(0);
    literal(block, name.as_bytes());
    literal(block, value);
}

/// Opens a stream.
pub(crate) fn headers(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, block)
}

/// Opens one whose header block goes on.
pub(crate) fn beginning_of_headers(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, 0, stream, block)
}

/// Goes on with a header block.
pub(crate) fn continuation(stream: u32, block: &[u8], is_last: bool) -> Vec<u8> {
    frame(CONTINUATION, if is_last { END_HEADERS } else { 0 }, stream, block)
}

pub(crate) fn data(stream: u32, bytes: &[u8], is_last: bool) -> Vec<u8> {
    frame(DATA, if is_last { END_STREAM } else { 0 }, stream, bytes)
}

pub(crate) fn reset(stream: u32) -> Vec<u8> {
    // CANCEL.
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}

pub(crate) fn settings() -> Vec<u8> {
    // A window of 65,535 bytes, as it is anyway.
    frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255])
}

/// Lets nothing of any answer come.
pub(crate) fn no_window() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])
}

pub(crate) fn ping() -> Vec<u8> {
    frame(PING, 0, 0, &[7; 8])
}

/// A message of gRPC that says that it has so many bytes.
pub(crate) fn message(length: u32, bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![0];
    message.extend(length.to_be_bytes());
    message.extend(bytes);
    message
}
