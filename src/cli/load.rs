//! How much `serve` takes on, as it was asked: of the queue of commands, of calls and of connections. There are never more
//! connections than the operating system lets the process have files.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Deserialize;

use super::{Failure, FailureKind};
use crate::engine::QueueLimits;
use crate::service::LoadLimits;

/// The settings. What is absent is set elsewhere or has its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args, Deserialize)]
pub(super) struct LoadSettings {
    /// Commands that wait or are being written before more are refused [default: 10000]
    #[arg(long, env = "BINNACLE_QUEUE_COMMANDS_MAX", value_name = "COUNT")]
    queue_commands_max: Option<NonZeroUsize>,
    /// The same of one workspace [default: half of --queue-commands-max]
    #[arg(long, env = "BINNACLE_WORKSPACE_COMMANDS_MAX", value_name = "COUNT")]
    workspace_commands_max: Option<NonZeroUsize>,
    /// Bytes of such commands [default: 67108864]
    #[arg(long, env = "BINNACLE_QUEUE_BYTES_MAX", value_name = "BYTES")]
    queue_bytes_max: Option<NonZeroUsize>,
    /// Milliseconds that the oldest command may have waited before more are refused, although there is room in the queue: the
    /// disk is slower than what comes in [default: 3000]
    #[arg(long, env = "BINNACLE_QUEUE_WAIT_MS_MAX", value_name = "MILLISECONDS")]
    queue_wait_ms_max: Option<NonZeroU64>,
    /// Calls of one principal a second; 0: any number. Where nobody has to show who they are there is no such limit
    /// [default: 10000]
    #[arg(long, env = "BINNACLE_PRINCIPAL_CALLS_PER_S", value_name = "COUNT")]
    principal_calls_per_s: Option<u32>,
    /// Calls of one principal that are open at once, streams among them; 0: any number [default: 1000]
    #[arg(long, env = "BINNACLE_PRINCIPAL_CALLS_OPEN_MAX", value_name = "COUNT")]
    principal_calls_open_max: Option<u32>,
    /// Calls a second from one address by callers whom nobody knows; 0: any number [default: 200]
    #[arg(long, env = "BINNACLE_STRANGER_CALLS_PER_S", value_name = "COUNT")]
    stranger_calls_per_s: Option<u32>,
    /// The same that are open at once; 0: any number [default: 200]
    #[arg(long, env = "BINNACLE_STRANGER_CALLS_OPEN_MAX", value_name = "COUNT")]
    stranger_calls_open_max: Option<u32>,
    /// Calls about one workspace a second; 0: any number [default: 0]
    #[arg(long, env = "BINNACLE_WORKSPACE_CALLS_PER_S", value_name = "COUNT")]
    workspace_calls_per_s: Option<u32>,
    /// Bytes of all requests that are being received and are not understood yet [default: 134217728]
    #[arg(long, env = "BINNACLE_REQUESTS_BYTES_MAX", value_name = "BYTES")]
    requests_bytes_max: Option<NonZeroUsize>,
    /// Bytes of all answers that are made and that whoever asked has not read yet, of one principal a quarter of them; 67108864 at
    /// least [default: 268435456]
    #[arg(long, env = "BINNACLE_ANSWERS_BYTES_MAX", value_name = "BYTES")]
    answers_bytes_max: Option<NonZeroUsize>,
    /// Connections open at once; never more than the process may open files, less 256 [default: 10000]
    #[arg(long, env = "BINNACLE_CONNECTIONS_MAX", value_name = "COUNT")]
    connections_max: Option<NonZeroUsize>,
    /// The same from one address, or from one IPv6 network of 64 bits [default: half of --connections-max]
    #[arg(long, env = "BINNACLE_CONNECTIONS_PER_ADDRESS_MAX", value_name = "COUNT")]
    connections_per_address_max: Option<NonZeroUsize>,
    /// Seconds that a handshake of TLS may take [default: 10]
    #[arg(long, env = "BINNACLE_HANDSHAKE_S_MAX", value_name = "SECONDS")]
    handshake_s_max: Option<NonZeroU64>,
    /// Largest header list of a call, in bytes; 1024 at least [default: 16384]
    #[arg(long, env = "BINNACLE_HEADER_LIST_BYTES_MAX", value_name = "BYTES")]
    header_list_bytes_max: Option<NonZeroU32>,
    /// Seconds after which a connection is closed on which nobody who is known has called [default: 60]
    #[arg(long, env = "BINNACLE_FIRST_CALL_S_MAX", value_name = "SECONDS")]
    first_call_s_max: Option<NonZeroU64>,
    /// Seconds that a call may take to come to its answer, or to the beginning of its stream [default: 60]
    #[arg(long, env = "BINNACLE_ANSWER_S_MAX", value_name = "SECONDS")]
    answer_s_max: Option<NonZeroU64>,
}

/// Files that are open beside connections: the store, the log of checkpoints, the metrics.
pub(super) const OTHER_FILES: usize = 256;

/// The headers that a call has anyway, and a key: with less than that nobody could call.
const HEADER_LIST_BYTES_MIN: u32 = 1024;

/// A quarter of it holds as many of the largest pieces of one stream as the transport takes at once, and some more.
const ANSWERS_BYTES_MIN: usize = 64 * 1024 * 1024;

impl LoadSettings {
    /// What is wrong with values by themselves.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let wrong = |sentence| Err(Failure::new(FailureKind::Usage, sentence));
        if let Some(max) = self.header_list_bytes_max
            && max.get() < HEADER_LIST_BYTES_MIN
        {
            return wrong(format!(
                "--header-list-bytes-max {max} lets nobody call: give it {HEADER_LIST_BYTES_MIN} at least"
            ));
        }
        if let Some(max) = self.answers_bytes_max
            && max.get() < ANSWERS_BYTES_MIN
        {
            return wrong(format!(
                "--answers-bytes-max {max} cuts off whoever reads large answers one after the other: give it {ANSWERS_BYTES_MIN} at \
                 least"
            ));
        }
        Ok(())
    }

    /// These, and where they are silent the others.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            queue_commands_max: self.queue_commands_max.or(other.queue_commands_max),
            workspace_commands_max: self.workspace_commands_max.or(other.workspace_commands_max),
            queue_bytes_max: self.queue_bytes_max.or(other.queue_bytes_max),
            queue_wait_ms_max: self.queue_wait_ms_max.or(other.queue_wait_ms_max),
            principal_calls_per_s: self.principal_calls_per_s.or(other.principal_calls_per_s),
            principal_calls_open_max: self.principal_calls_open_max.or(other.principal_calls_open_max),
            stranger_calls_per_s: self.stranger_calls_per_s.or(other.stranger_calls_per_s),
            stranger_calls_open_max: self.stranger_calls_open_max.or(other.stranger_calls_open_max),
            handshake_s_max: self.handshake_s_max.or(other.handshake_s_max),
            header_list_bytes_max: self.header_list_bytes_max.or(other.header_list_bytes_max),
            workspace_calls_per_s: self.workspace_calls_per_s.or(other.workspace_calls_per_s),
            requests_bytes_max: self.requests_bytes_max.or(other.requests_bytes_max),
            answers_bytes_max: self.answers_bytes_max.or(other.answers_bytes_max),
            connections_max: self.connections_max.or(other.connections_max),
            connections_per_address_max: self
                .connections_per_address_max
                .or(other.connections_per_address_max),
            first_call_s_max: self.first_call_s_max.or(other.first_call_s_max),
            answer_s_max: self.answer_s_max.or(other.answer_s_max),
        }
    }

    /// The bounds of the queue.
    pub(super) fn queue(&self) -> QueueLimits {
        let default = QueueLimits::default();
        let commands_max = self
            .queue_commands_max
            .map_or(default.commands_max, NonZeroUsize::get);
        QueueLimits {
            commands_max,
            bytes_max: self.queue_bytes_max.map_or(default.bytes_max, NonZeroUsize::get),
            workspace_commands_max: self
                .workspace_commands_max
                .map_or(half(commands_max), NonZeroUsize::get),
            wait_ms_max: self
                .queue_wait_ms_max
                .map_or(default.wait_ms_max, NonZeroU64::get),
        }
    }

    /// The bounds of calls and connections.
    pub(super) fn calls(&self) -> LoadLimits {
        let default = LoadLimits::default();
        let connections_max = self
            .connections_max
            .map_or(default.connections_max, NonZeroUsize::get);
        LoadLimits {
            principal_calls_per_s: self
                .principal_calls_per_s
                .unwrap_or(default.principal_calls_per_s),
            principal_calls_open_max: self
                .principal_calls_open_max
                .unwrap_or(default.principal_calls_open_max),
            stranger_calls_per_s: self.stranger_calls_per_s.unwrap_or(default.stranger_calls_per_s),
            stranger_calls_open_max: self
                .stranger_calls_open_max
                .unwrap_or(default.stranger_calls_open_max),
            handshake_s_max: self
                .handshake_s_max
                .map_or(default.handshake_s_max, NonZeroU64::get),
            header_list_bytes_max: self
                .header_list_bytes_max
                .map_or(default.header_list_bytes_max, NonZeroU32::get),
            workspace_calls_per_s: self
                .workspace_calls_per_s
                .unwrap_or(default.workspace_calls_per_s),
            requests_bytes_max: self
                .requests_bytes_max
                .map_or(default.requests_bytes_max, NonZeroUsize::get),
            answers_bytes_max: self
                .answers_bytes_max
                .map_or(default.answers_bytes_max, NonZeroUsize::get),
            connections_max,
            connections_per_address_max: self
                .connections_per_address_max
                .map_or(half(connections_max), NonZeroUsize::get),
            first_call_s_max: self
                .first_call_s_max
                .map_or(default.first_call_s_max, NonZeroU64::get),
            answer_s_max: self.answer_s_max.map_or(default.answer_s_max, NonZeroU64::get),
        }
    }

    /// The same, with no more connections than this process may have: it may open as many files as the operating system lets
    /// it, which is more than it begins with.
    pub(super) fn calls_of_this_process(&self) -> LoadLimits {
        let limits = self.calls();
        let Some(files_max) = open_all_files() else {
            return limits;
        };
        let connections_max = limits
            .connections_max
            .min(files_max.saturating_sub(OTHER_FILES).max(1));
        if connections_max < limits.connections_max {
            tracing::warn!(
                files_max,
                connections_max,
                "fewer connections than asked for: the operating system lets the process open no more files (ulimit -n, LimitNOFILE=)"
            );
        }
        LoadLimits {
            connections_max,
            connections_per_address_max: match self.connections_per_address_max {
                Some(max) => max.get(),
                None => half(connections_max),
            },
            ..limits
        }
    }
}

fn half(whole: usize) -> usize {
    whole.div_ceil(2)
}

/// Takes all files that the operating system would give; how many these are, where there is a limit.
fn open_all_files() -> Option<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    let files_max = match setrlimit(Resource::Nofile, all) {
        Ok(()) => maximum,
        Err(_) => current,
    };
    files_max.and_then(|files| usize::try_from(files).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> LoadSettings {
        toml::from_str(text).expect("settings")
    }

    #[test]
    fn a_workspace_has_half_of_the_queue_and_an_address_half_of_the_connections() {
        let default = settings("");
        assert_eq!(default.queue().workspace_commands_max, 5_000);
        assert_eq!(default.calls(), LoadLimits::default());
        let small = settings("queue_commands_max = 3\nconnections_max = 10");
        assert_eq!(small.queue().workspace_commands_max, 2);
        assert_eq!(small.calls().connections_per_address_max, 5);
        let said = settings("workspace_commands_max = 7\nconnections_per_address_max = 9");
        assert_eq!(said.queue().workspace_commands_max, 7);
        assert_eq!(said.calls().connections_per_address_max, 9);
    }

    #[test]
    fn headers_have_room_for_a_call_and_answers_for_a_stream() {
        assert!(settings("header_list_bytes_max = 1024").check().is_ok());
        let small = settings("header_list_bytes_max = 1023").check();
        assert!(small.is_err_and(|failure| failure.to_string().contains("1024 at least")));
        assert!(settings("answers_bytes_max = 67108864").check().is_ok());
        let small = settings("answers_bytes_max = 67108863").check();
        assert!(small.is_err_and(|failure| failure.to_string().contains("67108864 at least")));
    }

    #[test]
    fn there_are_no_more_connections_than_files() {
        let wanted = usize::MAX >> 1;
        let limits = settings(&format!("connections_max = {wanted}")).calls_of_this_process();
        // Without a limit there is none to keep to.
        let expected = open_all_files().map_or(wanted, |files_max| files_max - OTHER_FILES);
        assert_eq!(limits.connections_max, expected);
        assert_eq!(limits.connections_per_address_max, half(expected));
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let flags = settings("principal_calls_per_s = 1");
        let both = flags.or(settings("principal_calls_per_s = 2\nanswer_s_max = 3"));
        assert_eq!(
            (both.calls().principal_calls_per_s, both.calls().answer_s_max),
            (1, 3)
        );
    }
}
