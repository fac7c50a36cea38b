//! What `docs/manifests.md` shows is what happens.

use crate::server::Server;

/// A block of the page: what stands behind the backquotes, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block does not end");
    blocks
}

/// A line of a shell, with words in double quotes.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(ToOwned::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

#[test]
fn every_example_of_the_page_does_what_it_says() {
    let page = include_str!("../../docs/manifests.md");
    let server = Server::start();
    let blocks = blocks(page);
    let mut commands = 0;
    for (at, (info, text)) in blocks.iter().enumerate() {
        if let Some(file) = info.strip_prefix("yaml ") {
            server.write(file, text);
            continue;
        }
        let Some(expected) = info.strip_prefix("sh") else {
            assert_eq!(info, "text", "no block of another kind is run");
            continue;
        };
        let code = expected
            .strip_prefix(" exit ")
            .map_or(0, |code| code.parse().expect("a code"));
        let words = words(
            text.trim()
                .strip_prefix("binnacle ")
                .expect("a command of the program"),
        );
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let run = server.run(&words, "");
        assert_eq!(run.code, Some(code), "{text}{}{}", run.stdout, run.stderr);
        commands += 1;
        if let Some((_, expected)) = blocks.get(at + 1).filter(|(info, _)| info == "text") {
            assert_eq!(format!("{}{}", run.stdout, run.stderr), *expected, "{text}");
        }
    }
    assert_eq!(commands, 13, "the page has another number of commands");
    assert!(
        server
            .read("backup.yaml")
            .starts_with("# binnacle apply --actor maria -f FILE\n---\nkind: Workspace\n")
    );
    let run = server.run(&["apply", "-f", "backup.yaml"], "");
    assert_eq!(run.good().changes(), [""; 0]);
}
