//! The figures, beside what was asked, on the screen and as JSON.

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

#[derive(Default)]
pub(crate) struct Report(Map<String, Value>);

impl Report {
    pub(crate) fn remark(&mut self, text: &str) {
        println!("{text}\n");
    }

    /// A figure; `asked`: what it should be.
    pub(crate) fn figure(&mut self, name: &str, value: f64, unit: &str, asked: &str) {
        let digits = if value < 100.0 { 2 } else { 0 };
        let asked_for = if asked.is_empty() {
            String::new()
        } else {
            format!("  (asked: {asked})")
        };
        println!("{name}: {value:.digits$} {unit}{asked_for}");
        self.0.insert(
            name.to_owned(),
            json!({ "value": value, "unit": unit, "asked": asked }),
        );
    }

    /// Percentiles of times in microseconds.
    pub(crate) fn times(&mut self, name: &str, times: &Histogram<u64>, asked: &str) {
        let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
        let (p50, p99, max) = (ms(0.5), ms(0.99), times.max() as f64 / 1000.0);
        let asked_for = if asked.is_empty() {
            String::new()
        } else {
            format!("  (asked: {asked})")
        };
        println!("{name}: p50 {p50:.2}  p99 {p99:.2}  max {max:.2} ms{asked_for}");
        let value =
            json!({ "p50_ms": p50, "p99_ms": p99, "max_ms": max, "count": times.len(), "asked": asked });
        self.0.insert(name.to_owned(), value);
    }

    pub(crate) fn write(self) {
        std::fs::create_dir_all("target/bench").expect("a directory");
        let json = serde_json::to_string_pretty(&Value::Object(self.0)).expect("JSON");
        std::fs::write("target/bench/history.json", json).expect("the figures");
        println!("\nwritten to target/bench/history.json");
    }
}
