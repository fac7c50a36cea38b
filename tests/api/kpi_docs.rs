//! What docs/kpis.md shows is what happens: every call is sent, and every field of an answer that is shown is there.

use binnacle::proto::{API_DESCRIPTOR_SET, api};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use serde_json::Value as Json;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status};

use crate::common::*;
use crate::steps::*;

/// A call as the page writes it, and what it shows of the answer.
struct Example {
    actor: Option<String>,
    body: String,
    method: String,
    shown: Option<Json>,
}

/// The calls of the page in their order.
fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for (index, part) in page.split("```").enumerate() {
        // Every other part is a block.
        match part.split_once('\n') {
            Some(("sh", text)) if index % 2 == 1 => examples.push(example(text)),
            Some(("json", text)) if index % 2 == 1 => {
                let shown = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
                examples.last_mut().expect("a call in front of it").shown = Some(shown);
            }
            other => assert!(index % 2 == 0, "no block of another kind is run: {other:?}"),
        }
    }
    examples
}

fn example(text: &str) -> Example {
    let quoted: Vec<&str> = text.split('\'').collect();
    let actor = quoted
        .iter()
        .find_map(|part| part.strip_prefix("binnacle-actor: "))
        .map(ToOwned::to_owned);
    let body = quoted
        .iter()
        .find(|part| part.starts_with('{'))
        .expect("-d and JSON");
    let method = text.split_whitespace().last().expect("a method");
    Example {
        actor,
        body: (*body).to_owned(),
        method: method.to_owned(),
        shown: None,
    }
}

/// Encodes any message, and decodes the answer of one method.
struct Described(MethodDescriptor);

impl Codec for Described {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(self.0.clone())
    }

    fn decoder(&mut self) -> Self {
        Self(self.0.clone())
    }
}

impl Encoder for Described {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).expect("room for it");
        Ok(())
    }
}

impl Decoder for Described {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        Ok(Some(
            DynamicMessage::decode(self.0.output(), buffer).expect("an answer"),
        ))
    }
}

async fn send(server: &Server, pool: &DescriptorPool, example: &Example) -> Json {
    let (service, method) = example.method.split_once('/').expect("a service and a method");
    let service = pool.get_service_by_name(service).expect("a service");
    let method = service
        .methods()
        .find(|known| known.name() == method)
        .expect("a method");
    let mut json = serde_json::Deserializer::from_str(&example.body);
    let body = DynamicMessage::deserialize(method.input(), &mut json)
        .unwrap_or_else(|error| panic!("{error}: {}", example.body));
    let mut request = Request::new(body);
    if let Some(actor) = &example.actor {
        let actor = actor.parse().expect("a principal");
        request.metadata_mut().insert("binnacle-actor", actor);
    }
    let path = format!("/{}", example.method).parse().expect("a path");
    let mut client = tonic::client::Grpc::new(server.channel.clone());
    client.ready().await.expect("a server");
    let answer = client.unary(request, path, Described(method)).await;
    let answer = answer.unwrap_or_else(|refused| panic!("{}: {refused}", example.body));
    serde_json::to_value(answer.into_inner()).expect("JSON")
}

/// Whether everything that is shown is there: of objects the fields that are shown, of lists the elements, in their order.
fn is_in(shown: &Json, found: &Json) -> bool {
    match (shown, found) {
        (Json::Object(shown), Json::Object(found)) => shown
            .iter()
            .all(|(field, shown)| found.get(field).is_some_and(|found| is_in(shown, found))),
        (Json::Array(shown), Json::Array(found)) => {
            let mut left = found.iter();
            shown.iter().all(|shown| left.any(|found| is_in(shown, found)))
        }
        (Json::Number(shown), Json::Number(found)) => shown.as_f64() == found.as_f64(),
        (shown, found) => shown == found,
    }
}

/// What the page says that the server has.
async fn with_what_is_there(server: &Server) {
    with_workspace(server).await;
    let mut maria = new_member("maria");
    maria.member.as_mut().expect("a member").principal = "maria".to_owned();
    server.workspaces().create_member(maria).await.expect("a member");
    let support = new_team("support", "");
    server.workspaces().create_team(support).await.expect("a team");
    server
        .cycles()
        .create_cycle(new_cycle("q1"))
        .await
        .expect("a cycle");
    let activate = named!(ActivateCycleRequest, acme("cycles/q1"));
    server
        .cycles()
        .activate_cycle(activate)
        .await
        .expect("an active cycle");
    let objective = new_objective("self-service");
    let mut objectives = server.objectives();
    objectives
        .create_objective(objective)
        .await
        .expect("an objective");
    let articles = new_key_result("self-service", "articles");
    objectives
        .create_key_result(articles)
        .await
        .expect("a key result");
    activate_objective(server, "self-service").await;
    server.clock.advance_to(at(19 * DAY_S + 3 * 3600));
    let written = value("self-service/articles", "first", 4.0);
    objectives.create_check_in(written).await.expect("a check-in");
}

#[tokio::test]
async fn every_call_of_the_page_is_answered_as_it_shows() {
    let server = Server::start().await;
    with_what_is_there(&server).await;
    let pool = DescriptorPool::decode(API_DESCRIPTOR_SET).expect("the API's descriptors");
    let examples = examples(include_str!("../../docs/kpis.md"));
    assert_eq!(examples.len(), 15, "the page has another number of calls");
    for example in &examples {
        let answer = send(&server, &pool, example).await;
        if let Some(shown) = &example.shown {
            assert!(
                is_in(shown, &answer),
                "{} answers\n{answer:#}\nand not\n{shown:#}",
                example.method
            );
        }
    }
    let shown = examples.iter().filter(|example| example.shown.is_some());
    assert_eq!(shown.count(), 12);
    let listed = api::ListKpisRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    let listed = server.kpis().list_kpis(listed).await.expect("KPIs").into_inner();
    assert_eq!(listed.kpis.len(), 2, "the page has really been run");
}
