//! The measurements of a KPI as a manifest holds them: a list of points, one in a line.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::civil::Date;

use super::emit::{number, quoted};
use super::kind::{nearest, shortened};
use super::scalar;
use super::yaml::{self, Content, Fault, Node};
use crate::domain::{TimeZoneRules, Timestamp, Value};

/// What a document of kind Series may say.
const KEYS: [&str; 3] = ["kind", "kpi", "points"];
/// What a point may say.
const POINT_KEYS: [&str; 5] = ["time", "date", "value", "source_id", "note"];

/// A measurement.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct Point {
    /// Its line.
    pub(in crate::cli) line: usize,
    /// When it was true.
    pub(in crate::cli) when: When,
    /// Tells two values of one moment apart.
    pub(in crate::cli) source_id: String,
    /// The value.
    pub(in crate::cli) value: f64,
    /// For the auditor; none: nothing is said of it.
    pub(in crate::cli) note: Option<String>,
}

/// A moment, or the beginning of a local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum When {
    /// A moment.
    At(Timestamp),
    /// A day.
    On(Date),
}

impl When {
    /// The moment in a time zone.
    pub(in crate::cli) fn moment(self, rules: &TimeZoneRules) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::On(date) => rules.start_of(date),
        }
    }
}

/// The points of a document of kind Series; `line` is where it begins.
pub(super) fn read(entries: &[yaml::Entry], line: usize, faults: &mut Vec<Fault>) -> Vec<Point> {
    for entry in entries {
        unknown(entry, "", &KEYS, faults);
    }
    let points = entries.iter().find(|entry| entry.key == "points");
    let Some(yaml::Entry { value, line, .. }) = points else {
        faults.push(Fault::new(line, "points is missing: list them below it"));
        return Vec::new();
    };
    let Content::List(list) = &value.content else {
        let sentence = "points: it has another form: write a list, each element {date: 2026-01-31, value: 3}";
        faults.push(Fault::new(*line, sentence));
        return Vec::new();
    };
    let mut points = Vec::with_capacity(list.len());
    let mut seen: BTreeMap<(When, String), usize> = BTreeMap::new();
    for (index, node) in list.iter().enumerate() {
        let Some(point) = point(index, node, faults) else {
            continue;
        };
        match seen.entry((point.when, point.source_id.clone())) {
            Entry::Vacant(vacant) => {
                vacant.insert(point.line);
                points.push(point);
            }
            Entry::Occupied(first) => {
                let sentence = format!(
                    "points[{index}]: the same time stands in line {} too: keep one, or tell them apart by source_id",
                    first.get()
                );
                faults.push(Fault::new(point.line, sentence));
            }
        }
    }
    points
}

fn unknown(entry: &yaml::Entry, path: &str, known: &[&'static str], faults: &mut Vec<Fault>) {
    if known.contains(&entry.key.as_str()) {
        return;
    }
    let key = shortened(&entry.key);
    let help = match nearest(&entry.key, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the fields are {}", known.join(", ")),
    };
    faults.push(Fault::new(
        entry.line,
        format!("there is no field {path}{key}: {help}"),
    ));
}

/// A single value of a point: its text, whether it has no quotes, and its line.
type Single<'n> = (&'n str, bool, usize);
/// What is wrong with a point: the line, the field, and the sentence.
type Wrong = (usize, &'static str, String);

fn point(index: usize, node: &Node, faults: &mut Vec<Fault>) -> Option<Point> {
    let at = format!("points[{index}]");
    let Content::Map(entries) = &node.content else {
        let sentence = format!("{at}: it has another form: write {{date: 2026-01-31, value: 3}}");
        faults.push(Fault::new(node.line, sentence));
        return None;
    };
    let before = faults.len();
    for entry in entries {
        check_key(entry, &at, faults);
    }
    let mut single = |keys: &[&str]| single(entries, keys, &at, faults);
    let (time, date, value) = (single(&["time"]), single(&["date"]), single(&["value"]));
    let (source_id, note) = (single(&["source_id", "sourceId"]), single(&["note"]));
    if faults.len() > before {
        return None;
    }
    let mut keep = |wrong: Wrong| {
        let (line, field, sentence) = wrong;
        faults.push(Fault::new(line, format!("{at}{field}: {sentence}")));
    };
    let when = when(time, date, node.line).map_err(&mut keep).ok();
    let number = number_of(value, node.line).map_err(&mut keep).ok();
    Some(Point {
        line: node.line,
        when: when?,
        source_id: source_id.map(|(text, ..)| text.to_owned()).unwrap_or_default(),
        value: number?,
        note: note.map(|(text, ..)| text.to_owned()),
    })
}

/// A point has short names for what the API calls otherwise.
fn check_key(entry: &yaml::Entry, at: &str, faults: &mut Vec<Fault>) {
    let short = match entry.key.as_str() {
        "sourceId" => return,
        "effective_time" | "effectiveTime" => "time",
        "effective_date" | "effectiveDate" => "date",
        _ => return unknown(entry, &format!("{at}."), &POINT_KEYS, faults),
    };
    let sentence = format!("{at}.{}: a point calls it {short}", entry.key);
    faults.push(Fault::new(entry.line, sentence));
}

fn single<'n>(
    entries: &'n [yaml::Entry],
    keys: &[&str],
    at: &str,
    faults: &mut Vec<Fault>,
) -> Option<Single<'n>> {
    let entry = entries.iter().find(|entry| keys.contains(&entry.key.as_str()))?;
    match &entry.value.content {
        _ if entry.value.is_null() => None,
        Content::Scalar { text, plain } => Some((text, *plain, entry.line)),
        Content::List(_) | Content::Map(_) => {
            let sentence = format!("{at}.{}: it has another form: write a single value", entry.key);
            faults.push(Fault::new(entry.line, sentence));
            None
        }
    }
}

fn when(time: Option<Single<'_>>, date: Option<Single<'_>>, line: usize) -> Result<When, Wrong> {
    match (time, date) {
        (Some((text, _, line)), None) => scalar::time(text)
            .map(When::At)
            .map_err(|sentence| (line, ".time", sentence)),
        (None, Some((text, _, line))) => scalar::date(text)
            .map(When::On)
            .map_err(|sentence| (line, ".date", sentence)),
        (None, None) => Err((
            line,
            "",
            "time or date is missing: say when it was true".to_owned(),
        )),
        (Some(_), Some((_, _, line))) => Err((line, ".date", "time is there too: keep one".to_owned())),
    }
}

fn number_of(value: Option<Single<'_>>, line: usize) -> Result<f64, Wrong> {
    let Some((text, plain, line)) = value else {
        let sentence = "value is missing: write a number, also when it is 0";
        return Err((line, "", sentence.to_owned()));
    };
    match scalar::float(text).filter(|_| plain) {
        Some(number) => Value::parse(number)
            .map(Value::get)
            .map_err(|invalid| (line, ".value", invalid.to_string())),
        None => {
            let shown = shortened(text);
            let sentence = format!("{shown:?} is not right here: write a number, without quotes or a unit");
            Err((line, ".value", sentence))
        }
    }
}

/// A measurement as a line of a manifest. Its note is the auditor's, and no list answers it.
pub(in crate::cli) fn line(moment: Timestamp, value: f64, source_id: &str) -> String {
    let source = match source_id {
        "" => String::new(),
        source_id => format!(", source_id: {}", quoted(source_id)),
    };
    format!("  - {{time: {moment}, value: {}{source}}}\n", number(value))
}
