//! The real program and damage: what is changed, cut off, taken out or put back in a data directory, an archive or a proof is
//! refused by name or proven to be harmless; nothing else is ever served, restored or called right.

mod archives;
mod auditor;
mod backup;
mod cases;
mod company;
mod damage;
mod directory;
mod matrix;
mod pages;
#[path = "../common/patience.rs"]
mod patience;
mod prepared;
mod program;
mod reads;
mod restore;
mod rubbish;
