//! What the workspace knows that a board is about: its KPIs, members and objectives, and the cycle's days.

use std::collections::BTreeMap;

use super::when::Calendar;
use crate::domain::Id;
use crate::proto::api;

/// What a board is read against.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// `workspaces/{workspace}`.
    pub(super) workspace: String,
    /// The cycle's name.
    pub(super) cycle: String,
    /// The days of the cycle.
    pub(super) calendar: Calendar,
    /// The team of objectives that name none.
    pub(super) team: Option<Id>,
    /// The KPIs, by name.
    pub(super) kpis: Vec<api::Kpi>,
    /// The members, by name.
    pub(super) members: Vec<api::Member>,
    /// The objectives of all cycles, by name.
    pub(super) objectives: BTreeMap<String, api::Objective>,
}

impl Facts {
    /// A member by id, principal or title, in any case.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub(super) fn member(&self, owner: &str) -> Result<String, String> {
        let wanted = owner.to_lowercase();
        let is_called = |member: &&api::Member| {
            last(&member.name) == wanted
                || member.principal.to_lowercase() == wanted
                || member.title.to_lowercase() == wanted
        };
        let mut found: Vec<_> = self.members.iter().filter(is_called).collect();
        // An id is one member's alone.
        if let Some(by_id) = found.iter().find(|member| last(&member.name) == wanted) {
            found = vec![by_id];
        }
        match found[..] {
            [member] => Ok(member.name.clone()),
            [] => Err(format!(
                "nobody in the workspace is called @{owner}: write a member's id, or add the member first (WorkspaceService.CreateMember)"
            )),
            _ => Err(format!(
                "several members are called @{owner}: write one's id, {}",
                ids(found.iter().map(|member| member.name.as_str()))
            )),
        }
    }

    /// The KPI of this id or title, in any case; none: it is not known. Of one title it is the one that is in use.
    ///
    /// # Errors
    /// There is more than one.
    pub(super) fn kpi(&self, called: &str) -> Result<Option<&api::Kpi>, String> {
        let wanted = called.strip_prefix("kpis/").unwrap_or(called).to_lowercase();
        if let Some(by_id) = self.kpis.iter().find(|kpi| last(&kpi.name) == wanted) {
            return Ok(Some(by_id));
        }
        let by_title = self.kpis.iter().filter(|kpi| kpi.title.to_lowercase() == wanted);
        let (in_use, archived): (Vec<_>, Vec<_>) = by_title.partition(|kpi| is_in_use(kpi));
        one(if in_use.is_empty() { &archived } else { &in_use }, called)
    }

    /// The KPI that a title names: the one whose id or title stands in it, the longest that does. One that is archived is
    /// measured no more, so nothing begins where it stood unless it is called by its name.
    ///
    /// # Errors
    /// There are several of one length.
    pub(super) fn kpi_named_in(&self, title: &str) -> Result<Option<&api::Kpi>, String> {
        let words = folded(title);
        let mut longest = 0;
        let mut found: Vec<&api::Kpi> = Vec::new();
        for kpi in self.kpis.iter().filter(|kpi| is_in_use(kpi)) {
            let names = [folded(&kpi.title), folded(last(&kpi.name))];
            let length = names
                .iter()
                .filter(|name| name.len() > 2 && words.contains(name.as_str()))
                .map(String::len)
                .max();
            match length {
                Some(length) if length > longest => {
                    longest = length;
                    found = vec![kpi];
                }
                Some(length) if length == longest => found.push(kpi),
                _ => {}
            }
        }
        one(&found, title)
    }
}

fn is_in_use(kpi: &api::Kpi) -> bool {
    kpi.archive_time.is_none()
}

fn one<'k>(found: &[&'k api::Kpi], called: &str) -> Result<Option<&'k api::Kpi>, String> {
    match *found {
        [] => Ok(None),
        [kpi] => Ok(Some(kpi)),
        _ => Err(format!(
            "several KPIs fit {called:?}: say which with (KPI: ID), one of {}, or (no KPI)",
            ids(found.iter().map(|kpi| kpi.name.as_str()))
        )),
    }
}

fn ids<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(last).collect::<Vec<_>>().join(", ")
}

/// The last part of a name.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Words in small letters with one space around each, so that only whole words are found.
fn folded(text: &str) -> String {
    let mut folded = " ".to_owned();
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        folded += &word.to_lowercase();
        folded.push(' ');
    }
    folded
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn facts(kpis: &[(&str, &str)], members: &[(&str, &str, &str)]) -> Facts {
        let kpi = |(id, title): &(&str, &str)| api::Kpi {
            name: format!("workspaces/acme/kpis/{id}"),
            title: (*title).to_owned(),
            ..api::Kpi::default()
        };
        let member = |(id, title, principal): &(&str, &str, &str)| api::Member {
            name: format!("workspaces/acme/members/{id}"),
            title: (*title).to_owned(),
            principal: (*principal).to_owned(),
            ..api::Member::default()
        };
        Facts {
            workspace: "workspaces/acme".to_owned(),
            cycle: "workspaces/acme/cycles/q3".to_owned(),
            calendar: Calendar {
                first: date(2026, 7, 1),
                last: date(2026, 9, 30),
                fiscal_first_month: 1,
            },
            team: None,
            kpis: kpis.iter().map(kpi).collect(),
            members: members.iter().map(member).collect(),
            objectives: BTreeMap::new(),
        }
    }

    #[test]
    fn a_title_names_the_longest_kpi_that_stands_in_it_as_whole_words() {
        let facts = facts(
            &[
                ("nps", "Net promoter score"),
                ("apparel-nps", "NPS of apparel"),
                ("revenue", "Revenue a day"),
                ("churn", "Churn"),
                ("uptime", "SLA"),
                ("sla-2", "SLA"),
            ],
            &[],
        );
        for (title, found) in [
            ("Increase NPS", Ok(Some("nps"))),
            ("Raise the net-promoter score", Ok(Some("nps"))),
            ("Raise apparel NPS", Ok(Some("apparel-nps"))),
            ("Revenue a day in Brazil", Ok(Some("revenue"))),
            ("SNPS", Ok(None)),
            ("Hire a manager", Ok(None)),
            ("Better SLA", Err("uptime, sla-2")),
            ("Better uptime and SLA", Ok(Some("uptime"))),
        ] {
            let named = facts
                .kpi_named_in(title)
                .map(|kpi| kpi.map(|kpi| last(&kpi.name)));
            match (named, found) {
                (Err(sentence), Err(ids)) => assert!(sentence.contains(ids), "{title}: {sentence}"),
                (named, found) => assert_eq!(named.ok(), found.ok(), "{title}"),
            }
        }
    }

    #[test]
    fn an_archived_kpi_is_found_only_where_it_is_called_by_name_and_no_other_is_called_so() {
        let mut facts = facts(
            &[
                ("old-nps", "NPS"),
                ("new-nps", "NPS"),
                ("mood", "Mood"),
                ("old-churn", "Churn of all"),
                ("churn", "Churn"),
            ],
            &[],
        );
        for kpi in &mut facts.kpis {
            let is_archived = ["old-nps", "mood", "old-churn"].contains(&last(&kpi.name));
            kpi.archive_time = is_archived.then(prost_types::Timestamp::default);
        }
        let id = |found: Result<Option<&api::Kpi>, String>| {
            found.map(|kpi| kpi.map(|kpi| last(&kpi.name).to_owned()))
        };
        for (title, expect) in [
            ("Raise NPS", Some("new-nps")),
            ("A better mood", None),
            ("Churn of all", Some("churn")),
        ] {
            let expect = Ok(expect.map(ToOwned::to_owned));
            assert_eq!(id(facts.kpi_named_in(title)), expect, "{title}");
        }
        for (called, expect) in [
            ("nps", "new-nps"),
            ("kpis/old-nps", "old-nps"),
            ("Mood", "mood"),
            ("churn of all", "old-churn"),
        ] {
            assert_eq!(id(facts.kpi(called)), Ok(Some(expect.to_owned())), "{called}");
        }
    }

    #[test]
    fn a_member_is_found_by_id_principal_or_title() {
        let facts = facts(
            &[],
            &[
                ("maria", "Maria", "maria@example.com"),
                ("ana", "Sam", "ana@example.com"),
                ("sam", "Samuel", "sam@example.com"),
                ("bob-1", "Bob", "bob1@example.com"),
                ("bob-2", "Bob", "bob2@example.com"),
            ],
        );
        for (owner, found) in [
            ("Maria", Some("workspaces/acme/members/maria")),
            ("maria@example.com", Some("workspaces/acme/members/maria")),
            ("sam", Some("workspaces/acme/members/sam")),
            ("bob", None),
            ("eve", None),
        ] {
            assert_eq!(facts.member(owner).ok().as_deref(), found, "{owner}");
        }
    }
}
