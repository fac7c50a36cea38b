//! One question over HTTP/1.1 on a plain connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// An upper bound: what takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks, for example, `GET /livez`, with some more lines of the head.
pub(crate) fn ask(address: &str, what: &str, headers: &str) -> Answer {
    send(address, what, headers, b"")
}

/// The same with a body.
pub(crate) fn send(address: &str, what: &str, headers: &str, body: &[u8]) -> Answer {
    let mut connection = TcpStream::connect(address).expect("a connection");
    connection.set_read_timeout(Some(PATIENCE)).expect("a connection");
    let head = format!("{what} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n");
    connection.write_all(head.as_bytes()).expect("a connection");
    connection.write_all(body).expect("a connection");
    let mut answer = String::new();
    // The server closes behind its answer.
    connection.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an end of the head");
    let (status, headers) = head.split_once("\r\n").expect("a status");
    let status = status.split(' ').nth(1).expect("a status");
    Answer {
        status: status.parse().expect("a number"),
        headers: headers.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}
