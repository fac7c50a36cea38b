//! What filters are read as, and that no text breaks the reading.

use proptest::prelude::*;

use super::*;

/// A tree as text: what belongs together in parentheses.
fn shown(expression: &Expression<Term>) -> String {
    let all = |parts: &[Expression<Term>], sign: &str| {
        let parts: Vec<String> = parts.iter().map(shown).collect();
        format!("({})", parts.join(sign))
    };
    match expression {
        Expression::All(parts) => all(parts, " & "),
        Expression::Any(parts) => all(parts, " | "),
        Expression::Not(part) => format!("!{}", shown(part)),
        Expression::Term(term) => {
            let key = term
                .key
                .as_ref()
                .map(|key| format!(".{key:?}"))
                .unwrap_or_default();
            let value = match &term.value {
                Value::Anything => "*".to_owned(),
                Value::Text(text) => format!("{text:?}"),
            };
            format!("{}{key} {:?} {value}", term.field, term.operator)
        }
    }
}

fn read(text: &str) -> String {
    parse(text).unwrap().map(|tree| shown(&tree)).unwrap_or_default()
}

#[test]
fn a_filter_is_read_as_aip_160_says() {
    for (text, tree) in [
        ("", ""),
        (" \n\t", ""),
        ("a=b", r#"a Equal "b""#),
        ("a = \"b c\"", r#"a Equal "b c""#),
        (r#"a = 'it\'s \\ "so"'"#, r#"a Equal "it's \\ \"so\"""#),
        ("a:*", "a Has *"),
        ("a:\"*\"", r#"a Has "*""#),
        ("a<=-0.5", r#"a AtMost "-0.5""#),
        (
            "t >= 2026-01-01T00:00:00+01:00",
            r#"t AtLeast "2026-01-01T00:00:00+01:00""#,
        ),
        (
            "o = workspaces/acme/members/maria",
            r#"o Equal "workspaces/acme/members/maria""#,
        ),
        ("a=1 AND b!=2", r#"(a Equal "1" & b NotEqual "2")"#),
        ("a=1 b<2\nc>3", r#"(a Equal "1" & b Less "2" & c Greater "3")"#),
        (
            "a=1 AND b=2 OR c=3",
            r#"(a Equal "1" & (b Equal "2" | c Equal "3"))"#,
        ),
        (
            "a=1 OR b=2 AND c=3",
            r#"((a Equal "1" | b Equal "2") & c Equal "3")"#,
        ),
        (
            "(a=1 AND b=2) OR c=3",
            r#"((a Equal "1" & b Equal "2") | c Equal "3")"#,
        ),
        ("NOT a=1", r#"!a Equal "1""#),
        ("-a:*", "!a Has *"),
        ("NOT(a=1 b=2)", r#"!(a Equal "1" & b Equal "2")"#),
        ("a=1 OR -b=2", r#"(a Equal "1" | !b Equal "2")"#),
        ("((a=1))", r#"a Equal "1""#),
        ("a=1(b=2)", r#"(a Equal "1" & b Equal "2")"#),
        (
            "NOTE=1 ANDY=2 ORB=3",
            r#"(NOTE Equal "1" & ANDY Equal "2" & ORB Equal "3")"#,
        ),
        ("labels.env = prod", r#"labels."env" Equal "prod""#),
        (
            "labels.app.example/name:x",
            r#"labels."app.example/name" Has "x""#,
        ),
        ("labels.\"a b\" = c", r#"labels."a b" Equal "c""#),
        ("a = \"AND\"", r#"a Equal "AND""#),
    ] {
        assert_eq!(read(text), tree, "{text}");
    }
}

#[test]
fn what_is_no_filter_is_refused_with_its_place() {
    let deep = format!("{}a=1{}", "(".repeat(9), ")".repeat(9));
    let long = format!("a={}", "x".repeat(1999));
    let many = vec!["a=1"; 33].join(" ");
    for (text, at, sentence) in [
        ("a", 2, "an operator is missing behind \"a\""),
        ("a=1 and b=2", 9, "an operator is missing behind \"and\""),
        ("a=", 3, "a value is missing for \"a\""),
        ("a= AND b=2", 4, "a value is missing for \"a\""),
        ("a==1", 3, "there are two operators"),
        ("a=!1", 3, "there are two operators"),
        ("=1", 1, "a term is missing here"),
        ("ä=1", 1, "a term is missing here"),
        ("a=1 AND", 8, "a term is missing here"),
        ("AND a=1", 1, "a term is missing here"),
        ("a=1 OR OR b=2", 8, "a term is missing here"),
        ("a=ö AND AND b=2", 9, "a term is missing here"),
        ("NOT NOT a=1", 5, "a term is missing here"),
        ("()", 2, "a term is missing here"),
        ("a=1, b=2", 4, "a term is missing here"),
        ("\"a\"", 1, "a term is missing here"),
        ("a:'it''s'", 7, "a term is missing here"),
        ("a=(b OR c)", 3, "a value is missing for \"a\""),
        ("labels.=1", 8, "a key is missing"),
        ("a=1)", 4, "there is no ( for this )"),
        ("(a=1", 1, "this ( is never closed"),
        ("a=\"b", 3, "this quote is never closed"),
        ("a=\"b\\", 3, "this quote is never closed"),
        (&deep, 9, "8 deep at most"),
        (&long, 2001, "2000 characters at most"),
        (&many, 129, "32 terms at most"),
    ] {
        let fault = parse(text).unwrap_err();
        assert_eq!(fault.at, at, "{text}: {fault:?}");
        assert!(fault.sentence.contains(sentence), "{text}: {fault:?}");
    }
}

#[test]
fn what_is_at_the_limit_is_read() {
    let deep = format!("{}a=1{}", "(".repeat(8), ")".repeat(8));
    let long = format!("a={}", "ö".repeat(1998));
    let many = vec!["a=1"; 32].join(" ");
    for text in [deep, long, many] {
        assert!(parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_tree_holds_as_its_words_say() {
    let holds = |text: &str| {
        parse(text)
            .unwrap()
            .is_none_or(|tree| tree.holds(&|term: &Term| term.value == Value::Text("1".to_owned())))
    };
    for (text, expected) in [
        ("", true),
        ("a=1", true),
        ("a=0", false),
        ("a=1 b=0", false),
        ("a=1 OR b=0", true),
        ("-a=1", false),
        ("NOT a=0 AND b=1", true),
        ("a=0 AND b=1 OR c=1", false),
        ("(a=0 AND b=1) OR c=1", true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

/// Every term again, so that a tree can be taken apart and compared.
fn written(expression: &Expression<Term>) -> String {
    let all = |parts: &[Expression<Term>], sign: &str| {
        let parts: Vec<String> = parts.iter().map(written).collect();
        format!("({})", parts.join(sign))
    };
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    match expression {
        Expression::All(parts) => all(parts, " AND "),
        Expression::Any(parts) => all(parts, " OR "),
        Expression::Not(part) => format!("NOT ({})", written(part)),
        Expression::Term(term) => {
            let key = term
                .key
                .as_ref()
                .map(|key| format!(".{}", quoted(key)))
                .unwrap_or_default();
            let sign = OPERATORS
                .iter()
                .find(|(_, operator)| *operator == term.operator)
                .unwrap()
                .0;
            let value = match &term.value {
                Value::Anything => "*".to_owned(),
                Value::Text(text) => quoted(text),
            };
            format!("{}{key} {sign} {value}", term.field)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_text_breaks_the_reading_of_filters(text in "\\PC{0,80}") {
        if let Err(fault) = parse(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&fault.at), "{:?}", fault);
        }
    }

    #[test]
    fn what_is_read_means_the_same_when_it_is_written_again(
        text in "(a|state|labels\\.|AND|OR|NOT|-|=|!=|<|>=|:|\\*|\\(|\\)|\"|'|\\\\|x y| |1|ß){0,24}"
    ) {
        match parse(&text) {
            Err(fault) => prop_assert!((1..=text.chars().count() + 1).contains(&fault.at), "{:?}", fault),
            Ok(None) => prop_assert!(text.trim().is_empty()),
            Ok(Some(tree)) => {
                let again = written(&tree);
                prop_assert_eq!(shown(&parse(&again).unwrap().unwrap()), shown(&tree));
            }
        }
    }
}
