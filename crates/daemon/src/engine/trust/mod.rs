//! What a person trusts a repository to run.
//!
//! A person is shown all that a repository would have run by itself and says yes to it once. What
//! they saw stays trusted, by its hash; what is new or different asks again.
//!
//! **Architecture Invariant:** only a person trusts, and only what they were shown. Nothing here
//! runs any of the repository's code, and no word to an agent says how to trust by itself.

mod person;
mod record;
#[cfg(test)]
pub(super) mod stories;

use std::{path::PathBuf, rc::Rc};

use kite_store::{Document, Store};
use kite_wire::{
    reply::{self, Fault, trust},
    request::{Envelope, TrustSet, TrustShow},
};

use super::{Engine, callers::text, storage};
use crate::{
    doors::Connection,
    hands::{
        files,
        trust::{self as facts, Parts},
    },
    translate::words::{inline, rfc3339},
};
use record::Record;
pub(super) use record::State;

/// The kind of the documents of this room; the key is the project's.
const KIND: &str = "trust";
/// Parts named in one refusal.
const NAMED_MAX: usize = 3;

/// What trust is needed for. Tools are looked at one by one: [`Engine::trusts_tool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Running agents: all that the repository has run by itself is as the person saw it.
    Agents,
    /// Reading and writing the repository's vault.
    Vault,
}

impl<S: Store> Engine<S> {
    /// Whether the person trusts this project for that, as its main working copy is now.
    ///
    /// # Errors
    /// `not_trusted`, in words that also an agent may read.
    pub(super) async fn trusts(&self, project: &str, purpose: Purpose) -> Result<(), Fault> {
        let main = match project.strip_suffix("/.git") {
            Some(main) => main,
            None => project,
        };
        self.trusts_at(project, main, purpose).await
    }

    /// As [`Engine::trusts`], as the working copy at `directory` is now.
    ///
    /// # Errors
    /// As [`Engine::trusts`].
    pub(super) async fn trusts_at(
        &self,
        project: &str,
        directory: &str,
        purpose: Purpose,
    ) -> Result<(), Fault> {
        let record = self.trust_of(project).ok_or_else(never_trusted)?;
        if purpose != Purpose::Agents || record.is_for_everything() {
            return Ok(());
        }
        let found = self.look_at(directory).await?;
        let strange: Vec<String> = found
            .parts
            .iter()
            .filter(|part| ![facts::TOOL, facts::VAULT].contains(&part.kind))
            .filter(|part| record.state(part) != State::Trusted)
            .map(|part| inline(&part.what, 80))
            .collect();
        match strange.as_slice() {
            [] => Ok(()),
            strange => Err(changed(strange)),
        }
    }

    /// Whether the person trusts a tool of the project by this hash.
    ///
    /// # Errors
    /// As [`Engine::trusts`].
    pub(super) fn trusts_tool(&self, project: &str, name: &str, hash: &str) -> Result<(), Fault> {
        match self.tool_trust(project, name, hash) {
            State::Trusted => Ok(()),
            State::Changed => Err(Fault::new(
                "not_trusted",
                format!("The project's tool `{name}` is not the one that was trusted: its definition or its program changed since. Nothing was run."),
            )
            .hint(ASK)),
            State::New => Err(Fault::new(
                "not_trusted",
                format!("Nobody trusts the project's tool `{name}` yet. Nothing was run."),
            )
            .hint(ASK)),
        }
    }

    /// How a tool stands.
    pub(super) fn tool_trust(&self, project: &str, name: &str, hash: &str) -> State {
        let record = self.trust_of(project).unwrap_or_default();
        record.state_of(facts::TOOL, name, hash)
    }

    fn trust_of(&self, project: &str) -> Option<Record> {
        self.store.read(|ledger| {
            let body = ledger.documents.get(KIND, project)?;
            serde_json::from_str(body).ok()
        })
    }

    async fn look_at(&self, directory: &str) -> Result<Parts, Fault> {
        let home = self.identity.home.path().to_owned();
        facts::look(PathBuf::from(directory), home)
            .await
            .map_err(|why| {
                Fault::new(
                    "not_trusted",
                    format!("It cannot be said what this repository would run: {why}."),
                )
                .hint("Ask the person to look into it.")
            })
    }

    /// Trusts a project whatever it runs, for stories.
    #[cfg(test)]
    pub(super) async fn trust_as_it_is(&self, project: &str) {
        self.keep_trust(project, &Record::for_everything())
            .await
            .unwrap();
    }

    async fn keep_trust(&self, project: &str, record: &Record) -> Result<(), Fault> {
        let body = serde_json::to_string(record).unwrap_or_default();
        self.store
            .keep_documents(&[Document::put(KIND, project, body)], self.now())
            .await
            .map_err(|error| storage(&error))
    }

    pub(super) async fn trust_show(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: TrustShow,
    ) -> Result<Vec<u8>, Fault> {
        let place = self
            .place(connection, envelope, None, request.project.as_deref())
            .await?;
        let directory = working_copy(&place.directory).await;
        let found = self.look_at(&directory).await?;
        let shown = self.trust_shown(&place.project, &directory, &found);
        Ok(reply::ok_line(envelope.id, &shown))
    }

    pub(super) async fn trust_set(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: TrustSet,
    ) -> Result<Vec<u8>, Fault> {
        let owner = self.person(connection, envelope).await?;
        let named = request.project.as_deref();
        let place = self
            .place(connection, envelope, Some(owner.session), named)
            .await?;
        let directory = working_copy(&place.directory).await;
        let found = self.look_at(&directory).await?;
        if request.fingerprint.is_empty() {
            let gone = Document::forget(KIND, &place.project);
            let kept = self.store.keep_documents(&[gone], self.now()).await;
            kept.map_err(|error| storage(&error))?;
        } else if request.fingerprint == fingerprint(&place.project, &found) {
            let mut record = self.trust_of(&place.project).unwrap_or_default();
            record.add(&found.parts, self.now().wall_ms);
            self.keep_trust(&place.project, &record).await?;
        } else {
            return Err(Fault::new(
                "definition_changed",
                "The repository changed while it was looked at; nothing is trusted by this.",
            )
            .hint("Run `kite trust` again and look at what is new."));
        }
        let ended = request.fingerprint.is_empty();
        let (what, project) = (if ended { "trust ended" } else { "trusted" }, place.project);
        self.note_of("trust", what, owner.session, Some(project.clone()), None);
        let shown = self.trust_shown(&project, &directory, &found);
        Ok(reply::ok_line(envelope.id, &shown))
    }

    fn trust_shown(&self, project: &str, directory: &str, found: &Parts) -> trust::Trust {
        let known = self.trust_of(project);
        let record = known.clone().unwrap_or_default();
        let part = |part: &facts::Part| trust::Part {
            kind: part.kind.to_owned(),
            what: part.what.clone(),
            text: kite_redact::redact(&part.text).into_owned(),
            hash: part.hash.clone(),
            state: record.state(part).word().to_owned(),
        };
        let parts: Vec<trust::Part> = found.parts.iter().map(part).collect();
        let state = match &known {
            None => "untrusted",
            Some(_) if parts.iter().all(|part| part.state == "trusted") => "trusted",
            Some(_) => "changed",
        };
        trust::Trust {
            project: project.to_owned(),
            directory: directory.to_owned(),
            state: state.to_owned(),
            fingerprint: fingerprint(project, found),
            since: known.map(|record| rfc3339(record.since_ms)),
            parts,
            problems: found.problems.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What an agent is told to do: it cannot trust by itself.
const ASK: &str = "Ask the person to look at it and to run `kite trust` here.";

fn never_trusted() -> Fault {
    Fault::new(
        "not_trusted",
        "This project is not trusted yet: nobody has looked at what its repository would run. Nothing was done.",
    )
    .hint(ASK)
}

fn changed(strange: &[String]) -> Fault {
    let named: Vec<String> = (strange.iter().take(NAMED_MAX))
        .map(|it| format!("`{it}`"))
        .collect();
    let more = match strange.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Fault::new(
        "not_trusted",
        format!(
            "What this repository would run is new or changed since it was trusted: {}{more}. Nothing was done.",
            named.join(", ")
        ),
    )
    .hint(ASK)
}

/// Names all that was found, and for which project.
fn fingerprint(project: &str, found: &Parts) -> String {
    use sha2::{Digest as _, Sha256};
    let mut hasher = Sha256::new_with_prefix(project);
    for part in &found.parts {
        for word in [part.kind, &part.what, &part.hash] {
            hasher.update([0]);
            hasher.update(word);
        }
    }
    crate::config::tools::hex(&hasher.finalize())
}

/// The top of the working copy that a directory lies in.
pub(super) async fn working_copy(directory: &str) -> String {
    match files::project(PathBuf::from(directory)).await {
        Some(project) => text(&project.worktree),
        None => directory.to_owned(),
    }
}
