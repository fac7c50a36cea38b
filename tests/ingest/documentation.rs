//! The page about streams of rows shows the client that the tests use, and names the bounds that hold.

const PAGE: &str = include_str!("../../docs/ingest.md");
const CLIENT: &str = include_str!("client.rs");

#[test]
fn the_client_of_the_page_is_the_one_that_is_tested() {
    let shown = PAGE
        .split("```rust\n")
        .nth(1)
        .expect("a client")
        .split("```")
        .next();
    let code = CLIENT.split_once("\n\n").expect("a head").1;
    assert_eq!(shown.expect("its end"), code.replace("pub(crate) ", ""));
}
