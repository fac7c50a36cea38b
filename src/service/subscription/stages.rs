//! How a stream goes on from its place: from the ring while it is live, from the log while it is behind, or from state to
//! state when it is coalesced.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::{Position, Subscription, whole};
use crate::engine::{Refusal, Tail, Update};
use crate::projection::State;
use crate::proto::api;
use crate::proto::api::subscribe_response::Event;
use crate::service::api::wire;

/// What a stream is at.
pub(super) enum Stage {
    /// Reads the ring. `announced`: the client knows that it is live.
    Live {
        announced: bool,
    },
    /// Reads the log.
    Behind,
    /// Goes from state to state.
    Coalesced(Coalescing),
    Over,
}

/// A stream with a `min_interval`.
pub(super) struct Coalescing {
    every: Duration,
    /// What the reader has seen.
    shown: Arc<State>,
    /// Before this moment nothing is sent.
    due: Instant,
    announced: bool,
}

impl Coalescing {
    pub(super) fn new(every: Duration, shown: Arc<State>) -> Self {
        Self {
            every,
            shown,
            due: Instant::now(),
            announced: false,
        }
    }
}

impl Subscription {
    /// Puts what comes next into `ready`, or waits for it.
    pub(super) async fn go_on(&mut self) -> Result<(), Status> {
        // Whatever is told from here on ends a wait below.
        self.head.mark_unchanged();
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Over => Ok(()),
            Stage::Behind => self.catch_up().await,
            Stage::Live { announced } => self.live(announced).await,
            Stage::Coalesced(coalescing) => self.coalesce(coalescing).await,
        }
    }

    /// Takes a stretch of the log, as far as readers were told; where the ring begins it takes over.
    async fn catch_up(&mut self) -> Result<(), Status> {
        if self.hosted.feed().told() <= self.position.revision {
            self.stage = Stage::Behind;
            return self.wait_for_news(true).await;
        }
        let updates = self
            .engine
            .updates_after(&self.hosted, self.position.revision)
            .await?
            .up_to(self.hosted.feed().told());
        self.deliver(updates).await?;
        self.stage = if self.hosted.feed().reaches(self.position.revision) {
            Stage::Live { announced: false }
        } else {
            Stage::Behind
        };
        Ok(())
    }

    /// Takes what the ring has, or waits for the next.
    async fn live(&mut self, announced: bool) -> Result<(), Status> {
        match self.hosted.feed().told_after(self.position.revision) {
            Tail::Gone => {
                // Who never was live has not fallen behind.
                if announced {
                    self.goal = self.hosted.published().state.workspace().revision();
                    let fell_behind = api::FellBehind {
                        revision: wire(self.position.revision),
                        head_revision: wire(self.goal),
                    };
                    self.say(Event::FellBehind(fell_behind), self.token());
                }
                self.stage = Stage::Behind;
            }
            Tail::Updates(updates) if !updates.is_empty() => {
                self.deliver(updates).await?;
                self.stage = Stage::Live { announced };
            }
            Tail::Updates(_) => {
                // Readers may have been told of less than there was when this one began.
                let has_caught_up = announced || self.position.revision >= self.goal;
                self.stage = Stage::Live {
                    announced: has_caught_up,
                };
                self.wait_for_news(announced || !has_caught_up).await?;
            }
        }
        Ok(())
    }

    /// One net change from what the reader has seen to the newest state, no more often than it wants.
    async fn coalesce(&mut self, mut coalescing: Coalescing) -> Result<(), Status> {
        let published = self.hosted.published();
        let revision = published.state.workspace().revision();
        if revision <= self.position.revision {
            let announced = std::mem::replace(&mut coalescing.announced, true);
            self.stage = Stage::Coalesced(coalescing);
            return self.wait_for_news(announced).await;
        }
        if Instant::now() < coalescing.due {
            let due = coalescing.due;
            // What was the head has been sent: where something happens all the time, there is no other moment to say so.
            let announced = std::mem::replace(&mut coalescing.announced, true);
            self.stage = Stage::Coalesced(coalescing);
            if announced {
                return self.rest_until(due).await;
            }
            self.say_caught_up();
            return Ok(());
        }
        let (before, after) = (Arc::clone(&coalescing.shown), Arc::clone(&published.state));
        let change = self
            .net_changes
            .between(&self.engine, self.hosted.log(), before, after)
            .await?;
        coalescing.shown = Arc::clone(&published.state);
        coalescing.due = Instant::now() + coalescing.every;
        self.move_to(Position {
            revision,
            root: published.root,
        });
        let audience = Arc::clone(&self.audience);
        self.whole = Some(whole::net_change(audience, change, published.root));
        self.stage = Stage::Coalesced(coalescing);
        Ok(())
    }

    /// Moves on over updates by a page. The rest stays where all readers share it. Without room for the page it is let go, with
    /// the updates, and made again when there is.
    async fn deliver(&mut self, updates: impl Deref<Target = [Arc<Update>]>) -> Result<(), Status> {
        let Some(page) = self.audience.page(&updates) else {
            return Ok(());
        };
        let bytes = page.framed.len();
        if bytes > 0 && !self.room.try_reserve(bytes) {
            drop((updates, page));
            self.reserve(bytes).await?;
            return Ok(());
        }
        self.move_to(page.last);
        if bytes > 0 {
            self.ready.extend(self.room.fill(page.framed));
        } else if self.spoke.elapsed() >= self.checkpoint_interval {
            self.say_checkpoint();
        }
        Ok(())
    }

    /// Says that the stream is live, if that is news; else waits until something happens, and says where the stream stands
    /// when nothing does.
    async fn wait_for_news(&mut self, announced: bool) -> Result<(), Status> {
        if !announced {
            self.say_caught_up();
            return Ok(());
        }
        // Any news: a coalesced stream goes to the newest state, of which readers may be told much later.
        tokio::select! {
            biased;
            _ = self.head.changed() => return Ok(()),
            ending = drain(&mut self.draining) => return ending,
            () = sleep_until(self.spoke + self.checkpoint_interval) => {}
        }
        self.say_checkpoint();
        Ok(())
    }

    fn say_caught_up(&mut self) {
        let caught_up = api::CaughtUp {
            revision: wire(self.position.revision),
        };
        self.say(Event::CaughtUp(caught_up), self.token());
    }

    /// Waits for a moment, and says where the stream stands when that is long.
    async fn rest_until(&mut self, moment: Instant) -> Result<(), Status> {
        tokio::select! {
            biased;
            () = sleep_until(moment) => return Ok(()),
            ending = drain(&mut self.draining) => return ending,
            () = sleep_until(self.spoke + self.checkpoint_interval) => {}
        }
        self.say_checkpoint();
        Ok(())
    }
}

/// Waits until the server drains. A server that is gone without a word, as after an error of its disk, is an error: waiting
/// on would not be waiting any more.
pub(super) async fn drain(draining: &mut watch::Receiver<bool>) -> Result<(), Status> {
    match draining.wait_for(|draining| *draining).await {
        Ok(_) => Ok(()),
        Err(_gone) => Err(Refusal::Stopped.into()),
    }
}
