//! Notes searched, listed and read.

use std::{path::Path, path::PathBuf, rc::Rc, time::Duration};

use kite_store::Store;
use kite_vault::{Listed, Listing, NoteText, Query, Reach, Scope, Searcher, Vault};
use kite_wire::{
    reply::{
        Fault, ok_line,
        vault::{self, Answer, Answers, Note, Notes, Skipped},
    },
    request::{Envelope, VaultList, VaultRead, VaultSearch},
};

use super::{super::Engine, faults};
use crate::{doors::Connection, translate::words::rfc3339};

/// Answers of one search, where the caller does not say.
const ANSWERS: u32 = 8;
/// Notes of one list: usually, and at most.
const LISTED: u32 = 100;
const LISTED_MAX: u32 = 1_000;
/// Files shown of those that are not used.
const SKIPPED_MAX: usize = 200;
/// Most of a note's text that is answered, in bytes. Escaped it must fit on a line.
const TEXT_BYTES_MAX: usize = 128 << 10;
/// How long a question waits for what was written just before it to be found.
const CATCH_UP: Duration = Duration::from_millis(500);

impl<S: Store> Engine<S> {
    pub(in super::super) async fn vault_search(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: VaultSearch,
    ) -> Result<Vec<u8>, Fault> {
        let named = request.project.as_deref();
        let asker = self.vault_asker(connection, envelope, named).await?;
        let incomplete = self.incomplete().await;
        let limit = request.limit.unwrap_or(ANSWERS).clamp(1, 50);
        let query = Query {
            text: request.query,
            tags: request.tags,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        };
        let now_ms = self.now_ms();
        let found = self
            .asked(move |searcher| searcher.search(&query, &asker.reach, now_ms))
            .await?;
        let vaults = self.vaults.hand.named();
        let notes = found.into_iter().map(|answer| Answer {
            note: Note {
                vault: self.kind_of(&vaults, &answer.path),
                path: shown(&answer.path),
                title: answer.title,
                tags: answer.tags,
                modified: stamp(answer.modified_ms),
                age_s: age_s(answer.modified_ms, now_ms),
                reviewed: answer.reviewed,
                ..Note::default()
            },
            heading: answer.heading,
            matches: (answer.snippet.matches.iter())
                .map(|range| (range.start, range.end))
                .collect(),
            snippet: answer.snippet.text,
            // What comes after is noise.
            score: (answer.score * 1_000.0).round() / 1_000.0,
        });
        let notes = notes.collect();
        Ok(ok_line(envelope.id, &Answers { notes, incomplete }))
    }

    pub(in super::super) async fn vault_list(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: VaultList,
    ) -> Result<Vec<u8>, Fault> {
        let named = request.project.as_deref();
        let asker = self.vault_asker(connection, envelope, named).await?;
        let incomplete = self.incomplete().await;
        let limit = request.limit.unwrap_or(LISTED).clamp(1, LISTED_MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let listing = Listing {
            unreviewed: request.unreviewed,
            limit: Some(limit + 1),
            ..Listing::default()
        };
        let reach = asker.reach.clone();
        let look = move |searcher: &mut Searcher| {
            Ok((searcher.list(&reach, &listing)?, searcher.skipped()?))
        };
        let (mut listed, skipped) = self.asked(look).await?;
        let more = listed.len() > limit;
        listed.truncate(limit);
        let vaults: Vec<Vault> = self.vaults.hand.named();
        let within = |path: &Path| {
            let vault = vaults.iter().find(|it| path.starts_with(it.folder()));
            vault.is_some_and(|vault| self.is_within(vault, &asker.reach))
        };
        let skipped = skipped.into_iter().map(|it| (it.path, it.why));
        let mut skipped: Vec<Skipped> = skipped
            .filter(|(path, _)| within(path))
            .map(|(path, why)| not_used(&path, &why))
            .collect();
        skipped.extend(self.missing_folders());
        let unwatched = self.vaults.hand.state().unwatched;
        let unwatched = unwatched
            .iter()
            .filter(|(path, _)| within(path) && path.is_dir());
        let (now_ms, count) = (self.now_ms(), skipped.len());
        let body = Notes {
            notes: (listed.into_iter())
                .map(|note| self.note_shown(note, &vaults, now_ms))
                .collect(),
            more,
            unwatched: unwatched.map(|(path, why)| not_used(path, why)).collect(),
            skipped: skipped.into_iter().take(SKIPPED_MAX).collect(),
            skipped_count: count as u64,
            incomplete,
        };
        Ok(ok_line(envelope.id, &body))
    }

    pub(in super::super) async fn vault_read(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: VaultRead,
    ) -> Result<Vec<u8>, Fault> {
        let named = request.project.as_deref();
        let asker = self.vault_asker(connection, envelope, named).await?;
        let found = self.find_note(&request.path, &asker.reach).await?;
        let read = self.read_note(&found).await?;
        Ok(ok_line(envelope.id, &self.text_shown(&found, &read)))
    }

    /// The note at a path, whole or within its vault, if it is within reach.
    pub(super) async fn find_note(&self, path: &str, reach: &Reach) -> Result<Found, Fault> {
        self.incomplete().await;
        let listing = Listing {
            path: Some(PathBuf::from(path)),
            ..Listing::default()
        };
        let reach = reach.clone();
        let listed = self
            .asked(move |searcher| searcher.list(&reach, &listing))
            .await?;
        let vaults = self.vaults.hand.named();
        let found = listed.into_iter().filter_map(|listed| {
            let of = |vault: &&Vault| vault.folder().join(&listed.in_vault) == listed.path;
            let vault = vaults.iter().find(of)?.clone();
            Some(Found { listed, vault })
        });
        // Of several with that path within their vault, the project's own.
        let found = found.min_by_key(|found| *found.vault.scope() == Scope::Person);
        found.ok_or_else(|| {
            let path = crate::translate::words::quoted(path, 200);
            Fault::new(
                "unknown_note",
                format!("there is no note {path} among those that you may see"),
            )
            .hint("kite_vault_search gives the paths of notes")
        })
    }

    pub(super) async fn read_note(&self, found: &Found) -> Result<NoteText, Fault> {
        let (vault, path) = (found.vault.clone(), found.listed.in_vault.clone());
        let read = tokio::task::spawn_blocking(move || vault.read(&path)).await;
        read.map_err(|_| faults::broken("the note could not be read".to_owned()))?
            .map_err(|error| faults::of_vault(&error))
    }

    pub(super) fn text_shown(&self, found: &Found, read: &NoteText) -> vault::NoteText {
        let end = read.text.floor_char_boundary(TEXT_BYTES_MAX);
        let vaults = [found.vault.clone()];
        vault::NoteText {
            note: self.note_shown(found.listed.clone(), &vaults, self.now_ms()),
            text: read.text[..end].to_owned(),
            cut: end < read.text.len(),
            hash: hexadecimal(&read.hash),
        }
    }

    /// What the index answers; nothing where there is none yet.
    pub(super) async fn asked<T: Default + Send + 'static>(
        &self,
        question: impl FnOnce(&mut Searcher) -> Result<T, kite_vault::Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let answer = self.vaults.hand.ask(question).await;
        match answer.as_ref().map_err(faults::of_question) {
            Err(Some(fault)) => Err(fault),
            _ => Ok(answer.unwrap_or_default()),
        }
    }

    /// Why notes may be missing from what is answered now.
    async fn incomplete(&self) -> Option<String> {
        let caught_up = self.vaults.hand.caught_up(CATCH_UP).await;
        let state = self.vaults.hand.state();
        match state.fault {
            Some(fault) => Some(fault),
            None if !caught_up => Some("the vaults are still being looked through".to_owned()),
            None => None,
        }
    }

    /// Folders that the person named and that cannot be used.
    fn missing_folders(&self) -> Vec<Skipped> {
        let absent = self.vaults.folders.iter().filter(|it| !it.is_dir());
        let absent = absent.map(|it| not_used(it, "`vaults` names it, but it is no folder"));
        let wrong = self.vaults.not_folders.iter();
        let wrong = wrong.map(|(name, why)| not_used(Path::new(name), why));
        absent.chain(wrong).collect()
    }

    fn is_within(&self, vault: &Vault, reach: &Reach) -> bool {
        match vault.scope() {
            Scope::Person => true,
            Scope::Project(key) => {
                *reach == Reach::everything() || *reach == Reach::project(key.as_str())
            }
        }
    }

    fn note_shown(&self, note: Listed, vaults: &[Vault], now_ms: i64) -> Note {
        Note {
            vault: self.kind_of(vaults, &note.path),
            path: shown(&note.path),
            title: note.title,
            tags: note.tags,
            modified: stamp(note.modified_ms),
            age_s: age_s(note.modified_ms, now_ms),
            reviewed: note.reviewed,
            pinned: note.pinned,
            remark: note.remark,
        }
    }

    /// `home`, `project` or `folder`.
    fn kind_of(&self, vaults: &[Vault], path: &Path) -> String {
        let vault = vaults.iter().find(|it| path.starts_with(it.folder()));
        let kind = match vault.map(Vault::scope) {
            Some(Scope::Project(_)) => "project",
            _ if path.starts_with(self.home_vault()) => "home",
            _ => "folder",
        };
        kind.to_owned()
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.now().wall_ms).unwrap_or(i64::MAX)
    }
}

/// A note and its vault.
pub(super) struct Found {
    pub(super) listed: Listed,
    pub(super) vault: Vault,
}

pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(super) fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn not_used(path: &Path, why: &str) -> Skipped {
    Skipped {
        path: shown(path),
        why: why.to_owned(),
    }
}

fn stamp(ms: i64) -> String {
    rfc3339(u64::try_from(ms).unwrap_or(0))
}

fn age_s(modified_ms: i64, now_ms: i64) -> u64 {
    u64::try_from(now_ms.saturating_sub(modified_ms)).unwrap_or(0) / 1_000
}
