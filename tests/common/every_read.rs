//! Every call that reads, asked as its descriptor describes it: what it answers, to the byte, about whatever a workspace
//! holds. A call that the table of this file does not know is found by `reads`.

use std::collections::{BTreeMap, BTreeSet};

use binnacle::proto::{API_DESCRIPTOR_SET, api};
use prost::Message;
use prost::bytes::{Buf, BufMut};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ReflectMessage, Value};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

/// What a call answered: the message and the trailer that names a revision, or the refusal with its details. These are
/// compared as they are read: a refusal's metadata is a map, which has no order on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Message(Vec<u8>, Option<String>),
    Refusal(Code, String, String),
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) method: MethodDescriptor,
    pub(crate) request: DynamicMessage,
}

/// What each call is asked about: a field, and below the workspace the names that go there. `*` is any that there is.
const ABOUT: [(&str, &str, &[&str]); 33] = [
    ("GetWorkspace", "name", &[""]),
    ("GetTeam", "name", &["teams/*"]),
    ("ListTeams", "parent", &[""]),
    ("GetMember", "name", &["members/*"]),
    ("ListMembers", "parent", &[""]),
    ("GetScoringPolicy", "name", &["scoringPolicy"]),
    ("ListScoringPolicies", "parent", &[""]),
    ("GetCycle", "name", &["cycles/*"]),
    ("ListCycles", "parent", &[""]),
    ("GetReview", "name", &["cycles/*/reviews/*"]),
    ("ListReviews", "parent", &["cycles/-", "cycles/*"]),
    ("GetObjective", "name", &["objectives/*"]),
    ("ListObjectives", "parent", &[""]),
    ("GetKeyResult", "name", &["objectives/*/keyResults/*"]),
    ("ListKeyResults", "parent", &["objectives/-"]),
    ("GetInitiative", "name", &["objectives/*/initiatives/*"]),
    ("ListInitiatives", "parent", &["objectives/-"]),
    ("ListCheckIns", "parent", &["objectives/-/keyResults/-"]),
    ("GetObjectiveTree", "name", &["", "objectives/*"]),
    (
        "GetScoreSeries",
        "name",
        &["", "cycles/*", "objectives/*", "objectives/*/keyResults/*"],
    ),
    ("GetKpi", "name", &["kpis/*"]),
    ("ListKpis", "parent", &[""]),
    ("ListTargets", "parent", &["kpis/-"]),
    ("ListMeasurements", "parent", &["kpis/*"]),
    ("GetAlert", "name", &["kpis/*/alerts/*"]),
    ("ListAlerts", "parent", &["kpis/-"]),
    ("GetSeries", "name", &["kpis/*"]),
    ("BatchGetSeries", "parent", &[""]),
    ("SuggestTarget", "name", &["kpis/*"]),
    ("ForecastKpi", "name", &["kpis/*"]),
    ("ForecastKeyResult", "name", &["objectives/*/keyResults/*"]),
    ("GetOverview", "parent", &[""]),
    ("CheckHygiene", "parent", &[""]),
];

/// The calls that read and are about no moment, each with its reason.
pub(crate) const NO_MOMENT: [(&str, &str); 3] = [
    ("ListWorkspaces", "workspaces share no revision"),
    ("Subscribe", "it begins where its start says"),
    ("Simulate", "what is imagined follows from now"),
];

/// Every call that reads the state of a workspace: it has no request id, sends no rows, and is not about the log itself.
pub(crate) fn reads() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(API_DESCRIPTOR_SET).expect("the API");
    let services = pool.services().filter(|service| {
        service.full_name().starts_with("binnacle.v1.") && service.name() != "AuditService"
    });
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let reads = methods.filter(|method| {
        method.input().get_field_by_name("request_id").is_none() && !method.is_client_streaming()
    });
    reads
        .filter(|method| NO_MOMENT.iter().all(|(name, _)| *name != method.name()))
        .collect()
}

/// What `method` is asked about; none: nobody has said.
pub(crate) fn about(method: &MethodDescriptor) -> Option<(&'static str, &'static [&'static str])> {
    let found = ABOUT.iter().find(|(name, ..)| *name == method.name());
    found.map(|(_, field, patterns)| (*field, *patterns))
}

/// Whether a path is one of a pattern.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(&path)
            .all(|(wanted, part)| *wanted == "*" || wanted == part)
}

/// All questions about a workspace that holds, or will hold, or held, these paths.
pub(crate) fn questions(workspace: &str, paths: &BTreeSet<String>) -> Vec<Question> {
    let mut questions = Vec::new();
    for method in reads() {
        let (field, patterns) = about(&method).unwrap_or_else(|| panic!("what is {} about?", method.name()));
        let names = patterns.iter().flat_map(|pattern| match *pattern {
            "" => vec![workspace.to_owned()],
            fixed if !fixed.contains('*') => vec![format!("{workspace}/{fixed}")],
            pattern => {
                let found = paths.iter().filter(|path| matches(pattern, path));
                found.map(|path| format!("{workspace}/{path}")).collect()
            }
        });
        for name in names {
            let mut request = DynamicMessage::new(method.input());
            request.set_field_by_name(field, Value::String(name));
            if method.input().get_field_by_name("show_deleted").is_some() {
                request.set_field_by_name("show_deleted", Value::Bool(true));
            }
            if method.input().get_field_by_name("page_size").is_some() {
                request.set_field_by_name("page_size", Value::I32(1000));
            }
            if method.name() == "BatchGetSeries" {
                let kpis = paths.iter().filter(|path| matches("kpis/*", path));
                let kpis = kpis.map(|path| Value::String(format!("{workspace}/{path}")));
                request.set_field_by_name("names", Value::List(kpis.collect()));
            }
            let method = method.clone();
            questions.push(Question { method, request });
        }
    }
    questions
}

impl Question {
    /// The same question about a moment.
    pub(crate) fn as_of(&self, moment: api::as_of::Moment) -> Self {
        let mut asked = self.clone();
        let as_of = api::AsOf { moment: Some(moment) };
        let described = asked.method.input().get_field_by_name("as_of").expect("an as_of");
        let described = described.kind().as_message().expect("a message").clone();
        let value = DynamicMessage::decode(described, &*as_of.encode_to_vec()).expect("an AsOf");
        asked.request.set_field_by_name("as_of", Value::Message(value));
        asked
    }

    pub(crate) async fn ask(&self, channel: &Channel) -> Answer {
        let path = format!(
            "/{}/{}",
            self.method.parent_service().full_name(),
            self.method.name()
        );
        let mut client = tonic::client::Grpc::new(channel.clone()).max_decoding_message_size(64 << 20);
        client.ready().await.expect("a connection");
        let request = Request::new(self.request.encode_to_vec());
        match client.unary(request, path.parse().expect("a path"), Bytes).await {
            Ok(answer) => {
                let trailer = answer.metadata().get("binnacle-revision");
                let trailer = trailer.map(|value| value.to_str().expect("a number").to_owned());
                Answer::Message(answer.into_inner(), trailer)
            }
            Err(status) => Answer::Refusal(status.code(), status.message().to_owned(), details(&status)),
        }
    }

    /// An answer as a person reads it.
    pub(crate) fn text(&self, answer: &Answer) -> String {
        match answer {
            Answer::Message(bytes, trailer) => {
                let message = DynamicMessage::decode(self.method.output(), bytes.as_slice());
                format!("{} at {trailer:?}", message.expect("an answer"))
            }
            refusal => format!("{refusal:?}"),
        }
    }

    /// The names of what a list answered, below the workspace.
    pub(crate) fn names_in(&self, answer: &Answer) -> Vec<String> {
        let Answer::Message(bytes, _) = answer else {
            return Vec::new();
        };
        let message = DynamicMessage::decode(self.method.output(), bytes.as_slice()).expect("an answer");
        let lists = message
            .fields()
            .filter_map(|(_, value)| value.as_list().map(<[Value]>::to_vec));
        let items = lists.flatten().filter_map(|item| {
            let item = item.as_message()?;
            item.descriptor().get_field_by_name("name")?;
            Some(item.get_field_by_name("name")?.as_str()?.to_owned())
        });
        items
            .filter_map(|name| Some(name.splitn(3, '/').nth(2)?.to_owned()))
            .collect()
    }
}

fn details(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().map(|info| {
        let metadata: BTreeMap<_, _> = info.metadata.iter().collect();
        format!("{} {metadata:?}", info.reason)
    });
    format!(
        "{info:?} {:?} {:?} {:?}",
        details.bad_request(),
        details.precondition_failure(),
        details.retry_info()
    )
}

/// Messages as they are on the wire.
pub(crate) struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}
