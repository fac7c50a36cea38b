//! Manifests: the resources of a workspace as YAML documents, one a resource. `binnacle apply` reads them, `binnacle
//! export` writes them; `docs/manifests.md` describes them for a stranger.
//!
//! `yaml` knows lines and no meaning, `schema` knows the API's fields, `read` and `scalar` bring the two together, `parse`
//! makes a document of them, `document` is what all files come to, `emit` is the way back. Nothing here knows a server.

pub(super) mod document;
pub(super) mod emit;
pub(super) mod kind;
mod parse;
pub(super) mod read;
pub(super) mod scalar;
pub(super) mod schema;
pub(super) mod series;
pub(super) mod yaml;
