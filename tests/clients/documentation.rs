//! The page about subscribing shows the programs that are tested, requests that are accepted, and refusals that there are.

use binnacle::proto::{API_DESCRIPTOR_SET, api};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

use crate::common::*;

const PAGE: &str = include_str!("../../docs/subscribe.md");
const PYTHON: &str = include_str!("../../examples/subscribe/python/subscribe.py");
const WEB: &str = include_str!("../../examples/subscribe/web/calls.mjs");
const STATUSES: [&str; 4] = [
    include_str!("../../src/domain/rejection.rs"),
    include_str!("../../src/service/status/mod.rs"),
    include_str!("../../src/service/status/load.rs"),
    include_str!("../../src/engine/refusal.rs"),
];

/// The page's blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let blocks = PAGE.split("```").skip(1).step_by(2);
    blocks
        .filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .collect()
}

#[test]
fn the_code_of_the_page_is_that_of_the_examples() {
    for (language, example) in [("python", PYTHON), ("js", WEB)] {
        let blocks = blocks(language);
        assert!(!blocks.is_empty(), "{language}");
        for block in blocks {
            assert!(example.contains(block), "it is not in the example: {block}");
        }
    }
}

#[tokio::test]
async fn every_request_of_the_page_is_accepted() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let sales = server.workspaces().create_team(new_team("sales", "")).await;
    sales.expect("a team");
    server
        .cycles()
        .create_cycle(new_cycle("q1"))
        .await
        .expect("a cycle");
    let pool = DescriptorPool::decode(API_DESCRIPTOR_SET).expect("descriptors");
    let of = pool
        .get_message_by_name("binnacle.v1.SubscribeRequest")
        .expect("its descriptor");
    let blocks = blocks("json");
    assert!(blocks.len() >= 8, "the page has lost its requests");
    for block in blocks {
        let mut json = serde_json::Deserializer::from_str(block);
        let written = DynamicMessage::deserialize(of.clone(), &mut json)
            .unwrap_or_else(|error| panic!("{error}: {block}"));
        let request =
            api::SubscribeRequest::decode(written.encode_to_vec().as_slice()).expect("the same message");
        let opened = server.progress().subscribe(request).await;
        let first = opened
            .unwrap_or_else(|refused| panic!("{refused}: {block}"))
            .into_inner()
            .message()
            .await;
        assert!(first.expect("no error").is_some(), "{block}");
    }
}

#[test]
fn every_reason_of_the_page_is_one_that_the_server_gives() {
    let table = PAGE
        .split_once("## What to do after each error")
        .and_then(|(_, rest)| rest.split_once("\n## "))
        .expect("the table of errors")
        .0;
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('|').nth(1));
    let mut found = 0;
    for reason in rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
        let quoted = format!("\"{reason}\"");
        assert!(
            STATUSES.iter().any(|source| source.contains(&quoted)),
            "nobody says {reason}"
        );
        found += 1;
    }
    assert!(found >= 10, "the table has lost its reasons: {found}");
}
