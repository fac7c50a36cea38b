//! What is to be known of the API's calls to tell whether a refused one is kept, and what it was about.
//!
//! All of it is read out of the API's own descriptors once, so a new call is in it at once. Of a request only those fields are
//! looked at that name something, on the wire and without decoding the rest: a request is read as far as it is there, also
//! when it is no request, and the beginning of a large one is enough.

use std::collections::HashMap;

use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use crate::proto::API_DESCRIPTOR_SET;
use crate::service::api::WRITES;

/// Every call of the API, by its path.
#[derive(Debug, Default)]
pub(super) struct Calls(HashMap<String, Call>);

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// It changes something: it is one of those that write, or takes a stream of what is to be recorded.
    pub(super) is_write: bool,
    /// Its request is a stream.
    pub(super) takes_stream: bool,
    /// Its status comes behind its answers, not instead of them.
    pub(super) answers_stream: bool,
    /// Where its request says what it is about, the first place first: `name`, `parent`, the `name` of the one resource that is
    /// in it, and the id of a workspace that is to be.
    about: Vec<Place>,
    request_id: Option<u32>,
    dry_run: Option<u32>,
}

/// What a request says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// What it is about, by name; empty: it does not say.
    pub(super) resource: String,
    pub(super) request_id: String,
    /// It asks what would happen.
    pub(super) is_dry_run: bool,
}

/// Where a name stands, by numbers of fields.
#[derive(Clone, Copy, Debug)]
enum Place {
    Field(u32),
    Within(u32, u32),
    WorkspaceId(u32),
}

/// One field on the wire.
enum Content<'a> {
    Number(u64),
    /// A text or a message; `is_cut`: its end is missing.
    Bytes {
        bytes: &'a [u8],
        is_cut: bool,
    },
    Other,
}

/// The prefix of a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

impl Calls {
    /// Reads the descriptors that the program was built with.
    ///
    /// # Errors
    /// They cannot be read: the program is broken.
    pub(super) fn load() -> Result<Self, prost_reflect::DescriptorError> {
        let pool = DescriptorPool::decode(API_DESCRIPTOR_SET)?;
        let mut calls = HashMap::new();
        for service in pool.services() {
            for method in service.methods() {
                let name = format!("{}/{}", service.full_name(), method.name());
                let call = Call::of(&method, WRITES.contains(&name.as_str()));
                calls.insert(format!("/{name}"), call);
            }
        }
        Ok(Self(calls))
    }

    pub(super) fn get(&self, path: &str) -> Option<&Call> {
        self.0.get(path)
    }
}

impl Call {
    fn of(method: &MethodDescriptor, writes: bool) -> Self {
        let request = method.input();
        let number = |name| field(&request, name, &Kind::String);
        let mut about = Vec::new();
        about.extend(number("name").map(Place::Field));
        about.extend(number("parent").map(Place::Field));
        about.extend(request.fields().find_map(|resource| resource_name(&resource)));
        about.extend(number("workspace_id").map(Place::WorkspaceId));
        Self {
            is_write: writes || method.is_client_streaming(),
            takes_stream: method.is_client_streaming(),
            answers_stream: method.is_server_streaming(),
            about,
            request_id: number("request_id"),
            dry_run: field(&request, "dry_run", &Kind::Bool),
        }
    }

    /// What a request says, of which the first bytes are there as they came, with what gRPC puts before a message. Of a
    /// compressed one nothing is read.
    pub(super) fn asked(&self, framed: &[u8]) -> Asked {
        match framed.split_at_checked(PREFIX_BYTES) {
            Some((&[0, a, b, c, d], rest)) => {
                let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                let whole = rest.get(..length);
                let mut asked = self.said(whole.unwrap_or(rest));
                // What is behind may say something else: of several values the last one counts.
                asked.is_dry_run &= whole.is_some();
                asked
            }
            _ => Asked::default(),
        }
    }

    fn said(&self, message: &[u8]) -> Asked {
        let mut asked = Asked::default();
        // The place of what was found so far: an earlier one wins, and at the same one what comes later, as in every decoder.
        let mut found = self.about.len();
        read(message, &mut |number, content| {
            for (rank, place) in self.about.iter().enumerate().take(found + 1) {
                if let Some(name) = place.name(number, &content) {
                    (asked.resource, found) = (name, rank);
                    break;
                }
            }
            if Some(number) == self.request_id
                && let Some(text) = content.text()
            {
                asked.request_id = text;
            }
            if Some(number) == self.dry_run
                && let Content::Number(number) = content
            {
                asked.is_dry_run = number != 0;
            }
        });
        asked
    }
}

impl Place {
    /// The name that a field says, if it stands here.
    fn name(self, number: u32, content: &Content<'_>) -> Option<String> {
        let name = match (self, content) {
            (Self::Field(here), content) if here == number => content.text(),
            (Self::WorkspaceId(here), content) if here == number => {
                content.text().map(|id| format!("workspaces/{id}"))
            }
            (Self::Within(here, within), Content::Bytes { bytes, is_cut: _ }) if here == number => {
                let mut name = None;
                read(bytes, &mut |number, content| {
                    if number == within {
                        name = content.text();
                    }
                });
                name
            }
            _ => None,
        };
        name.filter(|name| !name.is_empty())
    }
}

impl Content<'_> {
    fn text(&self) -> Option<String> {
        match self {
            Self::Bytes { bytes, is_cut: false } => std::str::from_utf8(bytes).ok().map(ToOwned::to_owned),
            _ => None,
        }
    }
}

/// The number of a field of this name and kind, which is no list.
fn field(message: &MessageDescriptor, name: &str, kind: &Kind) -> Option<u32> {
    let field = message.get_field_by_name(name)?;
    (field.kind() == *kind && !field.is_list()).then(|| field.number())
}

fn resource_name(resource: &FieldDescriptor) -> Option<Place> {
    let kind = resource.kind();
    let message = kind.as_message().filter(|_| !resource.is_list())?;
    let name = field(message, "name", &Kind::String)?;
    Some(Place::Within(resource.number(), name))
}

/// Tells every field of a message, up to its end or to where it cannot be read.
fn read<'a>(mut message: &'a [u8], tell: &mut dyn FnMut(u32, Content<'a>)) {
    while message.has_remaining() {
        let Ok((number, wire)) = decode_key(&mut message) else {
            return;
        };
        let content = match wire {
            WireType::Varint => match decode_varint(&mut message) {
                Ok(number) => Content::Number(number),
                Err(_) => return,
            },
            WireType::LengthDelimited => {
                let Ok(length) = decode_varint(&mut message) else {
                    return;
                };
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let is_cut = length > message.len();
                let (bytes, rest) = message.split_at(length.min(message.len()));
                message = rest;
                Content::Bytes { bytes, is_cut }
            }
            WireType::SixtyFourBit | WireType::ThirtyTwoBit => {
                let length = if wire == WireType::SixtyFourBit { 8 } else { 4 };
                let Some(rest) = message.get(length..) else { return };
                message = rest;
                Content::Other
            }
            // Nobody writes groups any more; whoever does is read like everybody, also behind them.
            WireType::StartGroup => {
                let skipped = skip_field(wire, number, &mut message, DecodeContext::default());
                if skipped.is_err() {
                    return;
                }
                Content::Other
            }
            WireType::EndGroup => return,
        };
        tell(number, content);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use prost::Message;

    use super::*;
    use crate::proto::api;

    /// Read once: it takes its time.
    static CALLS: LazyLock<Calls> = LazyLock::new(|| Calls::load().expect("the descriptors"));

    fn call(path: &str) -> Call {
        CALLS
            .get(&format!("/binnacle.v1.{path}"))
            .expect("a call")
            .clone()
    }

    fn asked(path: &str, message: &impl Message) -> Asked {
        call(path).asked(&framed(&message.encode_to_vec()))
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).expect("a length");
        [&[0], &length.to_be_bytes()[..], message].concat()
    }

    fn about(resource: &str, request_id: &str) -> Asked {
        Asked {
            resource: resource.to_owned(),
            request_id: request_id.to_owned(),
            is_dry_run: false,
        }
    }

    #[test]
    fn what_reads_is_told_from_what_writes() {
        let reads = [
            "Get",
            "List",
            "BatchGet",
            "Diff",
            "Export",
            "Subscribe",
            "Check",
            "Simulate",
            "Suggest",
            "Forecast",
        ];
        for (path, call) in &CALLS.0 {
            let name = path.rsplit('/').next().expect("a name");
            let is_read = reads.iter().any(|read| name.starts_with(read));
            assert_eq!(call.is_write, !is_read, "{path}");
            assert!(
                !call.is_write || !call.about.is_empty(),
                "{path} is about nothing"
            );
        }
        let writes = CALLS.0.values().filter(|call| call.is_write).count();
        assert_eq!(writes, WRITES.len() + 1, "each that writes has its path");
    }

    #[test]
    fn a_request_is_about_its_name_or_else_its_parent_or_else_its_resource() {
        let name = "workspaces/acme/kpis/nps".to_owned();
        let request_id = "7".to_owned();
        let delete = api::DeleteKpiRequest {
            name: name.clone(),
            request_id: request_id.clone(),
            ..Default::default()
        };
        assert_eq!(asked("KpiService/DeleteKpi", &delete), about(&name, "7"));
        let update = api::UpdateKpiRequest {
            kpi: Some(api::Kpi {
                name: name.clone(),
                title: "x".to_owned(),
                ..Default::default()
            }),
            request_id: request_id.clone(),
            ..Default::default()
        };
        assert_eq!(asked("KpiService/UpdateKpi", &update), about(&name, "7"));
        // What is created has a name only in its parent: what somebody writes there counts as little as for the server.
        let create = api::CreateKpiRequest {
            parent: "workspaces/acme".to_owned(),
            kpi: Some(api::Kpi {
                name: "workspaces/other/kpis/x".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(
            asked("KpiService/CreateKpi", &create),
            about("workspaces/acme", "")
        );
        let workspace = api::CreateWorkspaceRequest {
            workspace_id: "acme".to_owned(),
            workspace: Some(api::Workspace::default()),
            request_id,
        };
        assert_eq!(
            asked("WorkspaceService/CreateWorkspace", &workspace),
            about("workspaces/acme", "7")
        );
        let rows = api::IngestMeasurementsRequest {
            parent: name.clone(),
            ..Default::default()
        };
        assert_eq!(asked("KpiService/IngestMeasurements", &rows), about(&name, ""));
    }

    #[test]
    fn a_dry_run_says_so() {
        let close = |dry_run| api::CloseCycleRequest {
            name: "workspaces/acme/cycles/q1".to_owned(),
            dry_run,
            ..Default::default()
        };
        assert!(asked("CycleService/CloseCycle", &close(true)).is_dry_run);
        assert!(!asked("CycleService/CloseCycle", &close(false)).is_dry_run);
    }

    #[test]
    fn the_beginning_of_a_large_request_is_enough_and_of_a_compressed_one_nothing_is_read() {
        let batch = api::BatchRecordMeasurementsRequest {
            parent: "workspaces/acme/kpis/nps".to_owned(),
            measurements: vec![
                api::Measurement {
                    note: "x".repeat(100),
                    ..Default::default()
                };
                1000
            ],
            request_id: "7".to_owned(),
            ..Default::default()
        };
        let call = call("KpiService/BatchRecordMeasurements");
        let mut bytes = framed(&batch.encode_to_vec());
        assert_eq!(call.asked(&bytes), about("workspaces/acme/kpis/nps", "7"));
        for length in 0..2000 {
            let asked = call.asked(&bytes[..length]);
            let is_whole = length >= PREFIX_BYTES + 2 + batch.parent.len();
            assert_eq!(asked.resource.is_empty(), !is_whole, "{length} bytes");
        }
        bytes[0] = 1;
        assert_eq!(call.asked(&bytes), Asked::default());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for path in ["KpiService/UpdateKpi", "CycleService/CloseCycle", "KpiService/IngestMeasurements"] {
                let call = call(path);
                let _asked = (call.asked(&bytes), call.asked(&framed(&bytes)));
            }
        }
    }
}
