//! What people write about a resource: its fields, a partial change of them, and when and at which revision it was
//! last written.

use serde::Serialize;
use smol_str::SmolStr;

use super::{Rejection, ResourceName, Revision, Stamp, Timestamp};

/// When a resource was created and its own fields last changed. Derived figures never touch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Authorship {
    /// When it was created.
    pub created: Timestamp,
    /// When its own fields last changed.
    pub updated: Timestamp,
    /// The revision of the last change: its etag.
    pub revision: Revision,
}

/// Who recorded something, when and at which revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Who.
    pub principal: SmolStr,
    /// When.
    pub recorded_time: Timestamp,
    /// At which revision.
    pub revision: Revision,
}

impl Provenance {
    /// Of what a commit records.
    #[must_use]
    pub fn of(stamp: &Stamp) -> Self {
        Self {
            principal: stamp.principal.clone(),
            recorded_time: stamp.recorded_time,
            revision: stamp.revision,
        }
    }
}

/// The version of a resource that a caller has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Etag {
    /// Whatever is the newest.
    #[default]
    Any,
    /// Just this one.
    Exactly(Revision),
    /// Something that is no etag of this server, so it matches nothing.
    Unknown,
}

impl Authorship {
    /// Of a resource that is being created.
    #[must_use]
    pub fn created(stamp: &Stamp) -> Self {
        Self {
            created: stamp.recorded_time,
            updated: stamp.recorded_time,
            revision: stamp.revision,
        }
    }

    /// The resource's own fields change.
    pub fn touch(&mut self, stamp: &Stamp) {
        self.updated = stamp.recorded_time;
        self.revision = stamp.revision;
    }

    /// Refuses a change that was made to an older version than the newest.
    ///
    /// # Errors
    /// The etag is another one.
    pub fn check(&self, etag: Etag, name: impl FnOnce() -> ResourceName) -> Result<(), Rejection> {
        match etag {
            Etag::Any => Ok(()),
            Etag::Exactly(revision) if revision == self.revision => Ok(()),
            Etag::Exactly(_) | Etag::Unknown => Err(Rejection::EtagMismatch(name())),
        }
    }
}

/// Declares a resource's fields and, with the same names, a patch in which each of them may be absent.
macro_rules! authored {
    (
        $(#[$meta:meta])*
        pub struct $Fields:ident, $(#[$patch_meta:meta])* $Patch:ident {
            $( $(#[$field_meta:meta])* pub $field:ident: $Type:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $Fields { $( $(#[$field_meta])* pub $field: $Type, )* }

        $(#[$patch_meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $Patch { $( $(#[$field_meta])* pub $field: Option<$Type>, )* }

        impl $Patch {
            /// The fields, if every one is present.
            #[must_use]
            pub fn complete(self) -> Option<$Fields> {
                Some($Fields { $( $field: self.$field?, )* })
            }

            /// `fields` with what is present replaced.
            #[must_use]
            pub fn applied_to(&self, fields: &$Fields) -> $Fields {
                $Fields { $( $field: self.$field.clone().unwrap_or_else(|| fields.$field.clone()), )* }
            }
        }
    };
}

pub(crate) use authored;
