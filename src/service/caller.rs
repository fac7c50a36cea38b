//! Who calls, and whether they may: what the credentials of a call come to, held against the newest state of a workspace.
//!
//! Two layers. `Identified` stands outside of whatever keeps refused calls, so that these know who asked; `Admitted` stands
//! inside and turns away whom nobody knows. Whoever comes through is the caller of the task that answers.
//!
//! Invariant: a workspace is shown to nobody who is no member of it, in the same words as one that is not there; where no caller
//! is known, nothing is shown. Rights are those of the newest state, also for reads of the past, and a stream ends with them.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, Either, Ready, ready};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use tokio::sync::watch;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::connection::Connection;
use super::status;
use crate::domain::{Id, Right, Workspace, check_right};
use crate::engine::{Hosted, Refusal};
use crate::identity::{Authenticator, Identity, Unauthenticated};

/// Who calls. It is in a request's extensions, and that of the task which answers it.
#[derive(Clone)]
pub(super) struct Caller {
    authenticator: Arc<Authenticator>,
    who: Who,
}

#[derive(Clone)]
enum Who {
    /// Nobody has to show anything: everybody is who they say they are.
    Anybody,
    Known(Arc<Identity>),
    Refused(Unauthenticated),
}

tokio::task_local! {
    static CALLER: Caller;
}

/// Who is asked whether a caller may go on with a stream.
pub(super) struct Guard {
    caller: Caller,
    hosted: Arc<Hosted>,
    right: Right,
    /// Moves on when members change.
    members: watch::Receiver<()>,
    /// Moves on when credentials may have become worthless.
    credentials: watch::Receiver<u64>,
    ends: Option<Instant>,
}

/// The layer that finds out who calls.
#[derive(Clone)]
pub(super) struct Identified(Arc<Authenticator>);

/// The layer that turns away whom nobody knows.
#[derive(Clone, Copy)]
pub(super) struct Admitted;

/// A service whose calls have a caller.
#[derive(Clone)]
pub(super) struct WithCaller<S> {
    inner: S,
    authenticator: Arc<Authenticator>,
}

/// A service that is called by those alone who are known.
#[derive(Clone)]
pub(super) struct KnownOnly<S> {
    inner: S,
}

/// How often at least, and at most, it is looked whether a credential has expired.
const LOOK_MIN: Duration = Duration::from_millis(50);
const LOOK_MAX: Duration = Duration::from_secs(5);

/// What answers without credentials: an orchestrator that asks whether the server is well has none.
const OPEN: &str = "/grpc.health.v1.Health/";

impl Caller {
    /// The caller of this task.
    ///
    /// # Errors
    /// There is none: nothing is shown to nobody.
    pub(super) fn current() -> Result<Self, Status> {
        CALLER
            .try_with(Self::clone)
            .map_err(|_| status::unauthenticated(Unauthenticated::Missing))
    }

    /// Who it is, as far as that is known; none: who they say they are.
    pub(super) fn identity(&self) -> Option<&Identity> {
        match &self.who {
            Who::Known(identity) => Some(identity),
            Who::Anybody | Who::Refused(_) => None,
        }
    }

    /// Whether anybody is known at all, or nobody has to be.
    ///
    /// # Errors
    /// What they have shown is worth nothing.
    pub(super) fn check_known(&self) -> Result<(), Status> {
        match &self.who {
            Who::Anybody | Who::Known(_) => Ok(()),
            Who::Refused(refused) => Err(status::unauthenticated(*refused)),
        }
    }

    /// Whether nobody has to show anything here.
    pub(super) fn is_anybody(&self) -> bool {
        matches!(self.who, Who::Anybody)
    }

    /// Whether they have shown something that is worth nothing, or nothing.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.who, Who::Refused(_))
    }

    /// Whether what they are asked for is a matter of the server, and they run it.
    ///
    /// # Errors
    /// They do not.
    pub(super) fn check_operator(&self, what: &'static str) -> Result<(), Status> {
        match &self.who {
            Who::Anybody => Ok(()),
            Who::Known(identity) if identity.is_operator => Ok(()),
            Who::Known(_) => Err(status::not_an_operator(what)),
            Who::Refused(refused) => Err(status::unauthenticated(*refused)),
        }
    }

    /// Whether they may do something to a workspace as a whole, on a state of it.
    ///
    /// # Errors
    /// They are no member: then it is not there. Or no role of theirs allows it.
    pub(super) fn check(&self, id: &Id, workspace: &Workspace, right: Right) -> Result<(), Status> {
        let identity = match &self.who {
            Who::Anybody => return Ok(()),
            Who::Known(identity) => identity,
            Who::Refused(refused) => return Err(status::unauthenticated(*refused)),
        };
        let member = workspace.member_of(&identity.principal);
        let (_, member) = member.ok_or_else(|| Refusal::WorkspaceNotFound(id.clone()))?;
        Ok(check_right(member, right)?)
    }

    /// Whether a workspace is there for them.
    pub(super) fn sees(&self, workspace: &Workspace) -> bool {
        match &self.who {
            Who::Anybody => true,
            Who::Known(identity) => workspace.member_of(&identity.principal).is_some(),
            Who::Refused(_) => false,
        }
    }

    /// Who asks from now on whether they may go on.
    pub(super) fn guard(self, hosted: &Arc<Hosted>, right: Right) -> Guard {
        let expires = self.identity().and_then(|identity| identity.expires);
        let ends = expires.and_then(|expires| Instant::now().checked_add(until(expires)));
        Guard {
            members: hosted.members(),
            credentials: self.authenticator.changes(),
            hosted: Arc::clone(hosted),
            right,
            ends,
            caller: self,
        }
    }
}

impl Guard {
    /// Another one of the same stream.
    pub(super) fn again(&self) -> Self {
        self.caller.clone().guard(&self.hosted, self.right)
    }

    /// Whether the caller may go on. It costs next to nothing as long as nothing has changed.
    ///
    /// # Errors
    /// They may not: the stream ends with it.
    pub(super) fn check(&mut self) -> Result<(), Status> {
        let is_over = self.ends.is_some_and(|ends| Instant::now() >= ends);
        // A sender that is gone has nothing more to say.
        let credentials = self.credentials.has_changed().unwrap_or(false);
        let members = self.members.has_changed().unwrap_or(false);
        if !is_over && !credentials && !members {
            return Ok(());
        }
        self.credentials.mark_unchanged();
        self.members.mark_unchanged();
        self.judge()
    }

    /// Judges anew.
    pub(super) fn judge(&self) -> Result<(), Status> {
        match &self.caller.who {
            Who::Anybody => return Ok(()),
            Who::Known(identity) if self.caller.authenticator.holds(identity) => {}
            Who::Known(_) => return Err(status::unauthenticated(Unauthenticated::Expired)),
            Who::Refused(refused) => return Err(status::unauthenticated(*refused)),
        }
        let published = self.hosted.published();
        self.caller
            .check(self.hosted.id(), published.state.workspace(), self.right)
    }

    /// Waits until the caller may not go on any more.
    pub(super) async fn denied(&mut self) -> Status {
        loop {
            if let Err(status) = self.judge() {
                return status;
            }
            let expires = self.caller.identity().and_then(|identity| identity.expires);
            let over = async {
                match expires {
                    // Looked at anew every now and then: the clock may be set meanwhile.
                    Some(expires) => tokio::time::sleep(until(expires).clamp(LOOK_MIN, LOOK_MAX)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.members.changed() => if changed.is_err() { std::future::pending::<()>().await },
                changed = self.credentials.changed() => if changed.is_err() { std::future::pending::<()>().await },
                () = over => {}
            }
        }
    }
}

/// How long it is until a moment of the clock.
fn until(expires: jiff::Timestamp) -> Duration {
    let left = expires.duration_since(jiff::Timestamp::now());
    left.try_into().unwrap_or_default()
}

impl Identified {
    pub(super) fn new(authenticator: Arc<Authenticator>) -> Self {
        Self(authenticator)
    }
}

impl<S> Layer<S> for Identified {
    type Service = WithCaller<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithCaller {
            inner,
            authenticator: Arc::clone(&self.0),
        }
    }
}

impl<S, B> Service<Request<B>> for WithCaller<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let who = if self.authenticator.is_open() {
            Who::Anybody
        } else {
            let header = request.headers().get(AUTHORIZATION);
            let certificate = request
                .extensions()
                .get::<Connection>()
                .and_then(|connection| connection.certificate.as_deref());
            let identified = self
                .authenticator
                .identify(header.map(http::HeaderValue::as_bytes), certificate);
            match identified {
                Ok(identity) => Who::Known(Arc::new(identity)),
                Err(refused) => Who::Refused(refused),
            }
        };
        let caller = Caller {
            authenticator: Arc::clone(&self.authenticator),
            who,
        };
        request.extensions_mut().insert(caller);
        self.inner.call(request)
    }
}

impl<S> Layer<S> for Admitted {
    type Service = KnownOnly<S>;

    fn layer(&self, inner: S) -> Self::Service {
        KnownOnly { inner }
    }
}

impl<S> Service<Request<Body>> for KnownOnly<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<
        Ready<Result<Response<Body>, Infallible>>,
        BoxFuture<'static, Result<Response<Body>, Infallible>>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let caller = request.extensions().get::<Caller>().cloned();
        let is_open = request.uri().path().starts_with(OPEN);
        let refused = match caller.as_ref().map(|caller| &caller.who) {
            Some(Who::Anybody | Who::Known(_)) => None,
            Some(Who::Refused(refused)) => Some(*refused),
            None => Some(Unauthenticated::Missing),
        };
        match (caller, refused) {
            (_, Some(refused)) if !is_open => {
                Either::Left(ready(Ok(status::unauthenticated(refused).into_http())))
            }
            (Some(caller), _) => Either::Right(Box::pin(CALLER.scope(caller, self.inner.call(request)))),
            (None, _) => Either::Right(Box::pin(self.inner.call(request))),
        }
    }
}
