//! What `docs/kpi-import.md` shows is what happens.

use crate::Server;

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
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.trim().chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().expect("a word").push(c),
        }
    }
    words
}

#[test]
fn every_example_of_the_page_does_what_it_says() {
    let server = Server::start();
    let blocks = blocks(include_str!("../../docs/kpi-import.md"));
    let mut commands = 0;
    for (at, (info, text)) in blocks.iter().enumerate() {
        if let Some(file) = info.strip_prefix("csv ") {
            std::fs::write(server.files.path().join(file), text).expect("a file");
            continue;
        }
        let Some(expected) = info.strip_prefix("sh") else {
            assert_eq!(info, "text", "no block of another kind is run");
            continue;
        };
        let code = expected
            .strip_prefix(" exit ")
            .map_or(0, |code| code.parse().expect("a code"));
        let words = words(text);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let [
            "binnacle",
            "import",
            "kpi",
            file,
            "--workspace",
            "acme",
            rest @ ..,
        ] = words.as_slice()
        else {
            panic!("no command of this page: {text}");
        };
        let run = server.import(&[&[*file], rest].concat());
        let said = format!("{}{}", run.stdout, run.stderr);
        let (_, expected) = &blocks[at + 1];
        assert_eq!(
            (run.code, said.as_str()),
            (Some(code), expected.as_str()),
            "{text}"
        );
        commands += 1;
    }
    assert_eq!(commands, 6, "the page has another number of commands");
}
