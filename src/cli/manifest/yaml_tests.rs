use proptest::prelude::*;

use super::*;

/// The documents and the faults in short: `line:text`, `[…]`, `{key: …}`, `! line: sentence`.
fn read(text: &str) -> Vec<String> {
    let (documents, faults) = documents(text.as_bytes());
    let documents = documents.iter().map(|document| shown(document));
    let faults = faults
        .iter()
        .map(|fault| format!("! {}: {}", fault.line, fault.sentence));
    documents.chain(faults).collect()
}

fn shown(node: &Node) -> String {
    let all = |parts: Vec<String>| parts.join(", ");
    match &node.content {
        Content::Scalar { text, plain: true } => format!("{}:{text}", node.line),
        Content::Scalar { text, plain: false } => format!("{}:{text:?}", node.line),
        Content::List(list) => format!("[{}]", all(list.iter().map(|node| shown(node)).collect())),
        Content::Map(map) => {
            let entries = map
                .iter()
                .map(|entry| format!("{}@{}={}", entry.key, entry.line, shown(&entry.value)));
            format!("{{{}}}", all(entries.collect()))
        }
    }
}

#[test]
fn every_value_knows_its_line_and_whether_it_was_quoted() {
    assert_eq!(
        read(
            "# a comment\nkind: Kpi\nlabels: {a: \"1\",\n  b: 2}\n---\n- 'x'\n-\n...\n---\n# nothing\n--- |\n  text\n"
        ),
        [
            "{kind@2=2:Kpi, labels@3={a@3=3:\"1\", b@4=4:2}}",
            "[6:\"x\", 7:]",
            "12:\"text\\n\"",
        ]
    );
}

#[test]
fn a_document_that_is_broken_hides_no_other() {
    assert_eq!(
        read("a: 1\n---\nb: [1\n---\nc: 3\na: x: y\n---\nd: 4\nd: 5\n"),
        [
            "{a@1=1:1}",
            "{d@8=8:4}",
            "! 4: it is no YAML: while parsing a flow sequence, expected ',' or ']'",
            "! 6: it is no YAML: mapping values are not allowed in this context",
            "! 9: \"d\" is there twice, first in line 8: keep one",
        ]
    );
}

#[test]
fn what_is_no_manifest_is_refused_in_a_sentence() {
    for (text, expect) in [
        (
            "a: !!str 1",
            "! 1: it has a tag (\"!…\"): leave it out, the field says what it is",
        ),
        ("? [a]\n: 1", "! 1: the key is a list or a map: write a word"),
    ] {
        assert_eq!(read(text), [expect], "{text}");
    }
    let (documents, faults) = documents(b"a: 1\nb: \xff\n");
    assert_eq!(documents, []);
    assert_eq!(faults, [Fault::new(2, "it is not UTF-8: save the file as UTF-8")]);
}

#[test]
fn nothing_grows_without_bound() {
    let too_deep = "! 1: it nests more than 32 deep: no resource does";
    assert_eq!(read(&"[".repeat(33)), [too_deep]);
    let blocks: String = (0..33)
        .map(|level| format!("{}- - \n", " ".repeat(4 * level)))
        .collect();
    assert!(read(&blocks)[0].ends_with("no resource does"), "{blocks}");
    // The library has a limit of its own, further out.
    assert_eq!(
        read(&"[".repeat(1_000)),
        ["! 1: it is no YAML: recursion limit exceeded"]
    );
    // Ten lists, each of ten aliases of the one before: ten thousand million values in ten lines.
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        laughs += &format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", "));
    }
    let read = read(&laughs);
    assert_eq!(
        read,
        ["! 7: the document has more than 2000000 values, aliases written out: split it"]
    );
    let (documents, faults) = documents(&vec![b'#'; BYTES_MAX + 1]);
    assert!(documents.is_empty() && faults.len() == 1, "{faults:?}");
}

#[test]
fn an_alias_is_what_its_anchor_was() {
    assert_eq!(read("a: &x {k: 1}\nb: *x\n"), ["{a@1={k@1=1:1}, b@2={k@1=1:1}}"]);
    assert_eq!(
        read("a: &x [*x]\n"),
        ["! 1: the alias names what has not ended: write it out"]
    );
}

proptest! {
    #[test]
    fn no_bytes_break_the_reading(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (documents, faults) = documents(&bytes);
        prop_assert!(documents.len() + faults.len() <= 200);
    }

    #[test]
    fn no_yaml_breaks_the_reading(
        text in "(---|\\.\\.\\.|\n|  |- |: |\\? |[a-z]|\\[|\\]|\\{|\\}|,|\"|'|&a|\\*a|!|%|#|\\||>|\\\\|\t|\\PC){0,60}"
    ) {
        let (documents, faults) = documents(text.as_bytes());
        prop_assert!(faults.iter().all(|fault| fault.line >= 1 && !fault.sentence.is_empty()));
        prop_assert!(documents.iter().all(|document| document.line >= 1));
    }
}
