//! Reads an exposition of metrics strictly: whatever the formats do not allow, or what makes no sense, fails the test.

use std::collections::{BTreeMap, BTreeSet};

/// The families of an exposition by name; a counter's ends with `_total`.
pub(crate) type Families = BTreeMap<String, Family>;

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// With what a histogram appends.
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// One histogram of a family.
#[derive(Default)]
struct Histogram {
    /// Bound and cumulative count.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Prometheus,
    OpenMetrics,
}

/// Everything in an exposition.
pub(crate) fn read(text: &str, form: Form) -> Families {
    assert!(text.ends_with('\n') && !text.contains('\r'), "lines end with \\n");
    let text = match form {
        Form::Prometheus => text,
        Form::OpenMetrics => text.strip_suffix("# EOF\n").expect("the end of OpenMetrics"),
    };
    let mut families = Families::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) = head(line, "# HELP ");
        let (again, kind) = head(lines.next().expect("a type"), "# TYPE ");
        assert_eq!(name, again, "help and type are of one family");
        let name = match (form, kind) {
            (Form::OpenMetrics, "counter") => format!("{name}_total"),
            _ => name.to_owned(),
        };
        is_name(&name);
        assert!(name.starts_with("binnacle_"), "{name}");
        let mut samples = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            samples.push(sample(line));
        }
        let family = Family {
            kind: kind.to_owned(),
            help: help.to_owned(),
            samples,
        };
        check(&name, &family);
        assert!(
            families.insert(name.clone(), family).is_none(),
            "{name} is there twice"
        );
    }
    families
}

fn head<'a>(line: &'a str, begins: &str) -> (&'a str, &'a str) {
    let rest = line
        .strip_prefix(begins)
        .unwrap_or_else(|| panic!("not {begins:?}: {line}"));
    rest.split_once(' ')
        .unwrap_or_else(|| panic!("nothing behind it: {line}"))
}

fn is_name(name: &str) {
    let is_good = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    assert!(is_good, "{name:?} is no name");
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (
            name,
            labels_of(labels.strip_suffix('}').expect("an end of labels")),
        ),
        None => (series, BTreeMap::new()),
    };
    is_name(name);
    let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    assert!(value.is_finite(), "{line}");
    Sample {
        name: name.to_owned(),
        labels,
        value,
    }
}

fn labels_of(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, behind) = rest.split_once("=\"").expect("a label");
        is_name(name);
        let mut value = String::new();
        let mut chars = behind.char_indices();
        let end = loop {
            match chars.next().expect("an end of a value") {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match chars.next().expect("something escaped").1 {
                    'n' => '\n',
                    escaped @ ('\\' | '"') => escaped,
                    other => panic!("\\{other} is no escape"),
                }),
                (_, other) => value.push(other),
            }
        };
        assert!(
            !value.is_empty(),
            "{name} is empty: it is as if it were not there"
        );
        assert!(labels.insert(name.to_owned(), value).is_none(), "{name} twice");
        rest = &behind[end..];
        if !rest.is_empty() {
            rest = rest.strip_prefix(',').expect("a comma between labels");
        }
    }
    labels
}

/// What has to be true of each family.
fn check(name: &str, family: &Family) {
    let mut seen = BTreeSet::new();
    for sample in &family.samples {
        assert!(
            seen.insert((&sample.name, &sample.labels)),
            "{sample:?} is there twice"
        );
        assert!(sample.value >= 0.0 || family.kind == "gauge", "{sample:?}");
    }
    match family.kind.as_str() {
        "gauge" => assert!(family.samples.iter().all(|sample| sample.name == name), "{name}"),
        "counter" => {
            assert!(name.ends_with("_total"), "{name}");
            assert!(family.samples.iter().all(|sample| sample.name == name), "{name}");
        }
        "histogram" => check_histogram(name, family),
        kind => panic!("{name} is a {kind}"),
    }
}

fn check_histogram(name: &str, family: &Family) {
    let mut histograms: BTreeMap<_, Histogram> = BTreeMap::new();
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le");
        let histogram = histograms.entry(labels).or_default();
        match (sample.name.strip_prefix(name), bound) {
            (Some("_bucket"), Some(bound)) => {
                histogram
                    .buckets
                    .push((bound.parse().expect("a bound"), sample.value));
            }
            (Some("_count"), None) => histogram.count = Some(sample.value),
            (Some("_sum"), None) => histogram.sum = Some(sample.value),
            other => panic!("{sample:?}: {other:?}"),
        }
    }
    for (labels, histogram) in histograms {
        let Histogram { buckets, count, sum } = histogram;
        assert!(
            buckets
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1),
            "the buckets of {name} {labels:?} do not ascend: {buckets:?}"
        );
        let last = buckets.last().expect("buckets");
        assert_eq!(
            (last.0, Some(last.1)),
            (f64::INFINITY, count),
            "{name} {labels:?}"
        );
        assert!(sum.is_some(), "{name} {labels:?} has no sum");
    }
}

impl Family {
    /// The sample with a name and labels.
    pub(crate) fn sample(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels
            .iter()
            .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
            .collect();
        let found = self
            .samples
            .iter()
            .find(|sample| sample.name == name && sample.labels == labels);
        found.map(|sample| sample.value)
    }
}

#[test]
fn what_is_no_exposition_is_found_out() {
    let whole = "# HELP binnacle_a Some: \"of\" it.\n# TYPE binnacle_a gauge\nbinnacle_a{x=\"1\\\"2\"} 3\n";
    let families = read(whole, Form::Prometheus);
    assert_eq!(
        families["binnacle_a"].sample("binnacle_a", &[("x", "1\"2")]),
        Some(3.0)
    );
    let histogram = "# HELP binnacle_h H.\n# TYPE binnacle_h histogram\nbinnacle_h_sum 1.0\nbinnacle_h_count 2\n\
                     binnacle_h_bucket{le=\"1.0\"} 1\nbinnacle_h_bucket{le=\"+Inf\"} 2\n";
    assert_eq!(read(histogram, Form::Prometheus).len(), 1);
    for (wrong, broken) in [
        (whole.replace("} 3", "} three"), "no number"),
        (whole.replace(" 3\n", " 3"), "no end of a line"),
        (whole.replace("gauge", "counter"), "a counter without _total"),
        (whole.replace("\\\"", "\""), "a quote that is not escaped"),
        (whole.replace("x=", "9x="), "a label that begins with a digit"),
        (format!("{whole}{whole}"), "a family twice"),
        (format!("{whole}binnacle_a{{x=\"1\\\"2\"}} 4\n"), "a series twice"),
        (format!("{whole}# EOF\n"), "an end that is not of this form"),
        (
            histogram.replace("_count 2", "_count 3"),
            "a count that is not the last bucket",
        ),
        (histogram.replace("\"1.0\"} 1", "\"1.0\"} 3"), "buckets that fall"),
    ] {
        let read = std::panic::catch_unwind(|| read(&wrong, Form::Prometheus).len());
        assert!(read.is_err(), "not found out: {broken}");
    }
}
