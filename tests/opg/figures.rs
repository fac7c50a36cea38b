//! The published figures, as the files beside the repository have them. See their README for what they are.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::Date;

/// Both services, and the file of each.
pub(crate) const SERVICES: [(&str, &str); 2] = [
    ("use-an-lpa", "use_a_lasting_power_of_attorney_service.json"),
    ("deputy-reporting", "complete_the_deputy_report_service.json"),
];
/// The five answers, from the best to the worst.
pub(crate) const ANSWERS: [&str; 5] = [
    "very-satisfied",
    "satisfied",
    "neither",
    "dissatisfied",
    "very-dissatisfied",
];
/// The newest month that both services have published.
pub(crate) const NEWEST: Date = Date::constant(2026, 6, 1);

/// A figure of a service by the first day of its month.
pub(crate) type Months = BTreeMap<Date, f64>;

/// Where a file lies.
pub(crate) fn path(file: &str) -> String {
    format!("{}/../shared/data/opg/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// All figures of both services, by the ids that their KPIs get: `use-an-lpa-satisfied`.
pub(crate) fn published() -> &'static BTreeMap<String, Months> {
    static PUBLISHED: LazyLock<BTreeMap<String, Months>> = LazyLock::new(read);
    &PUBLISHED
}

fn read() -> BTreeMap<String, Months> {
    let mut published: BTreeMap<String, Months> = BTreeMap::new();
    for (service, file) in SERVICES {
        let text = std::fs::read_to_string(path(file)).expect("the published figures");
        let rows: Vec<serde_json::Value> = serde_json::from_str(&text).expect("rows");
        for row in &rows {
            let text = |key: &str| row[key].as_str().expect(key);
            assert_eq!((text("service"), text("period")), (service, "month"));
            let (day, time) = text("_timestamp").split_at(10);
            assert_eq!(time, "T00:00:00+00:00");
            let month: Date = day.parse().expect("a day");
            assert_eq!(month.day(), 1);
            let id = format!("{service}-{}", text("dataType"));
            let value = row["count"].as_f64().expect("a number");
            let known = published.entry(id).or_default().insert(month, value);
            assert_eq!(known, None, "a figure is published once");
        }
    }
    published
}

/// The id of the KPI of a service's published percent.
pub(crate) fn percent(service: &str) -> String {
    format!("{service}-user-satisfaction-percent")
}

/// Whether fewer are better.
pub(crate) fn lower_is_better(id: &str) -> bool {
    ["neither", "dissatisfied"]
        .iter()
        .any(|answer| id.ends_with(answer))
}

/// The first day of the month that is so many months later.
pub(crate) fn later(month: Date, months: i32) -> Date {
    month.checked_add(months.months()).expect("a month")
}

/// `2023-02`.
pub(crate) fn name(month: Date) -> String {
    month.strftime("%Y-%m").to_string()
}
