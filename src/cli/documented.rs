//! Commands that the documentation shows are commands that there are: each line of a fenced `sh` block that runs `binnacle` is read
//! as the program would read it.

use std::fs;
use std::path::Path;

use clap::Parser;

use super::Cli;

/// The lines of shell in a page, those that go on below put together.
fn shell_lines(page: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside = false;
    let mut begun = String::new();
    for line in page.lines().map(str::trim) {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => match line.strip_suffix('\\') {
                Some(part) => begun.push_str(part),
                None => lines.push(std::mem::take(&mut begun) + line),
            },
            _ => {}
        }
    }
    lines
}

/// The words of a line up to where it is no longer about one command: a comment, a pipe, a redirection.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '#' | '|' | '>' | '<' | ';' | '&') if word.is_none() => return words,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The command in a line that runs the program, behind variables that are set for it.
fn command(line: &str) -> Option<Vec<String>> {
    let words = words(line);
    let is_variable = |word: &&String| {
        word.split_once('=')
            .is_some_and(|(name, _)| name.starts_with("BINNACLE_"))
    };
    let at = words.iter().take_while(is_variable).count();
    let command = words.get(at..).unwrap_or_default();
    (command.first().map(String::as_str) == Some("binnacle")).then(|| command.to_vec())
}

/// The commands of a page, and what is wrong with each; none: nothing.
fn commands(page: &str) -> Vec<(String, Option<String>)> {
    let lines = shell_lines(page).into_iter();
    lines
        .filter_map(|line| {
            let refused = Cli::try_parse_from(command(&line)?).err();
            Some((line, refused.map(|error| error.to_string())))
        })
        .collect()
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_command_of_the_documentation_is_one_that_there_is() {
    let docs = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).expect("docs");
    let names = docs.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| format!("docs/{}", name.to_string_lossy()));
    let mut pages: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    pages.push("README.md".to_owned());
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages {
        for (line, refused) in commands(&read(&page)) {
            count += 1;
            wrong.extend(refused.map(|why| format!("{page}: {line}\n{why}")));
        }
    }
    assert!(count >= 50, "the pages are not read: {count} commands");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_runbook_has_the_sections_that_alerts_lead_to() {
    let page = read("docs/operations.md");
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let expected = [
        "Upgrade",
        "Backup",
        "Restore",
        "Full disk",
        "Damaged store",
        "Lost key",
        "Rotating certificates",
        "Overload",
        "The server is down",
    ];
    assert_eq!(headings, expected);
    for section in page.split("\n## ").skip(1) {
        let name = section.lines().next().unwrap_or_default();
        assert!(
            section.contains("It is over") || section.contains("It is done"),
            "{name} does not say when it is over"
        );
        assert!(
            !commands(&format!("## {section}")).is_empty(),
            "{name} says no command"
        );
    }
}

#[test]
fn a_command_or_a_flag_that_there_is_not_is_found_out() {
    let page = "```sh\nX=1 other --flag\nBINNACLE_TOKEN=x binnacle health --wait 5 > out   # done\nbinnacle healthy\nbinnacle \\\n  \
                backup --outputs x | cat\n```\nbinnacle nothing\n";
    let found: Vec<bool> = commands(page)
        .into_iter()
        .map(|(_, refused)| refused.is_some())
        .collect();
    assert_eq!(found, [false, true, true]);
    assert_eq!(words("a 'b c' \"d\"e #f"), ["a", "b c", "de"]);
}
