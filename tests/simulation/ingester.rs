//! A client that streams rows: it goes on behind the last row that it was told is durable.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use futures_util::{StreamExt, stream};
use tonic::Status;

use super::network::{connect, within};
use super::trace::Trace;
use super::writer::may_pass;
use crate::common::{acme, time};

/// A stream of rows 1, 2, 3, ….
pub(crate) struct Ingester {
    pub(crate) name: String,
    pub(crate) rows: i64,
    pub(crate) rows_per_message: usize,
    pub(crate) pause: Duration,
    pub(crate) trace: Trace,
}

/// A server that says nothing to rows for so long is gone.
const PATIENCE: Duration = Duration::from_millis(1_500);

impl Ingester {
    /// Streams until every row is durable.
    pub(crate) async fn run(self, durable_through: Rc<Cell<i64>>) -> turmoil::Result {
        while durable_through.get() < self.rows {
            match self.attempt(&durable_through).await {
                Ok(()) => {}
                Err(refused) if !may_pass(refused.code()) => return Err(refused.into()),
                Err(lost) => {
                    self.trace.note(&self.name, format!("{:?}", lost.code()));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        Ok(())
    }

    /// One stream.
    async fn attempt(&self, durable_through: &Cell<i64>) -> Result<(), Status> {
        let channel = connect().await?;
        let rows: Vec<_> = (durable_through.get() + 1..=self.rows)
            .map(|number| self.row(number))
            .collect();
        let messages: Vec<_> = rows
            .chunks(self.rows_per_message)
            .map(|rows| api::IngestMeasurementsRequest {
                parent: acme("kpis/rows"),
                reason: String::new(),
                rows: rows.to_vec(),
            })
            .collect();
        let pause = self.pause;
        let messages = stream::iter(messages).then(move |message| async move {
            tokio::time::sleep(pause).await;
            message
        });
        let mut client = KpiServiceClient::new(channel);
        let mut answers = within(PATIENCE, client.ingest_measurements(messages))
            .await?
            .into_inner();
        while let Some(answer) = within(PATIENCE, answers.message()).await? {
            durable_through.set(answer.durable_through);
            let (through, refused) = (answer.durable_through, answer.refused_count);
            self.trace.note(
                &self.name,
                format!("durable through {through}, {refused} refused"),
            );
            if refused > 0 {
                return Err(Status::data_loss("a row was refused"));
            }
        }
        Ok(())
    }

    fn row(&self, number: i64) -> api::MeasurementRow {
        api::MeasurementRow {
            sequence: number,
            measurement: Some(api::Measurement {
                effective_time: time(-number),
                value: Some(1.0),
                source_id: source_of_row(number),
                ..Default::default()
            }),
        }
    }
}

/// The source id of a row's measurement.
pub(crate) fn source_of_row(number: i64) -> String {
    format!("row-{number}")
}
