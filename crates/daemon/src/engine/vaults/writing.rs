//! Notes written: cleaned of secrets, signed, once.

use std::{
    borrow::Cow,
    fs::DirBuilder,
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use kite_rules::{
    session::{Kind, Session, SessionId},
    task::TaskId,
};
use kite_store::Store;
use kite_vault::{Author, Draft, Outcome, Scope, Target, Trust, Vault};
use kite_wire::{
    reply::{Fault, ok_line, vault::Written},
    request::{Envelope, VaultWrite},
};
use sha2::{Digest, Sha256};

use super::{
    super::{Engine, retries, storage, trust::Purpose},
    asker, faults,
    looking::{hexadecimal, shown},
};
use crate::{doors::Connection, hands};

/// Digits shown of a commit, and kept of an operation's key.
const DIGITS: usize = 12;
/// How long a write waits until it is found. It is found soon in any case.
const FOUND_WAIT: Duration = Duration::from_millis(300);

/// What is to be written, by whom and about what.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) tags: Vec<String>,
    pub(super) heading: Option<String>,
    pub(super) task: Option<TaskId>,
    pub(super) op_id: Option<String>,
}

impl<S: Store> Engine<S> {
    pub(in super::super) async fn vault_write(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: VaultWrite,
    ) -> Result<Vec<u8>, Fault> {
        let owner = self.owner(connection, envelope).await?;
        let session = self.session_of(owner.session)?;
        let (project, worktree) = if session.kind == Kind::Person {
            let named = request.project.as_deref();
            let place = self.place(connection, envelope, None, named).await?;
            self.project_named(&place.directory).await?
        } else {
            if let Some(directory) = request.project.as_deref() {
                let (named, _) = self.project_named(directory).await?;
                if named != session.project {
                    return Err(asker::not_yours());
                }
            }
            (session.project.clone(), session.worktree.clone())
        };
        let task = match &request.task {
            Some(given) => Some(self.find(given)?),
            None => self.only_claim(session.id),
        };
        let entry = Entry {
            title: request.title,
            text: request.text,
            tags: request.tags,
            heading: request.heading,
            task,
            op_id: envelope.op_id.clone(),
        };
        self.know_vault(&project, worktree.as_deref()).await;
        let vault = match request.vault.as_deref() {
            None | Some("home") => self.open_home_vault().await?,
            Some("project") => self.project_vault(&project, worktree.as_deref()).await?,
            Some(_) => {
                return Err(Fault::new("invalid_field", "`vault` is unknown")
                    .hint("allowed: home, project"));
            }
        };
        let worktree = worktree.map(PathBuf::from);
        let written = self
            .write_note(&session, &project, worktree, vault, entry)
            .await?;
        let line = ok_line(None, &written);
        if let Some(op_id) = &envelope.op_id {
            let kept = self.store.remember(op_id, &line).await;
            kept.map_err(|error| storage(&error))?;
        }
        Ok(retries::with_id(&line, envelope.id))
    }

    /// Writes an entry for a session; has it indexed, and logs it.
    pub(super) async fn write_note(
        &self,
        session: &Session,
        project: &str,
        worktree: Option<PathBuf>,
        vault: Vault,
        entry: Entry,
    ) -> Result<Written, Fault> {
        let is_person = session.kind == Kind::Person;
        let (draft, redacted) = drafted(&entry);
        let mut author = Author {
            session: format!("{:.8}", session.id),
            task: entry.task.map(|task| format!("{task:.8}")),
            commit: None,
            // Of a project's own vault, everybody knows.
            project: (*vault.scope() == Scope::Person).then(|| project.to_owned()),
            wall_ms: i64::try_from(self.now().wall_ms).unwrap_or(i64::MAX),
            op: entry.op_id.as_deref().map(key_of).unwrap_or_default(),
            person: is_person,
        };
        let write = move || {
            let commit = worktree.and_then(|it| hands::vaults::head_of(&it));
            author.commit = commit.map(|it| it.chars().take(DIGITS).collect());
            vault.write(&draft, &author)
        };
        let written = tokio::task::spawn_blocking(write).await;
        let written = written
            .map_err(|_| faults::broken("the note could not be written".to_owned()))?
            .map_err(|error| faults::of_vault(&error))?;
        self.vaults.hand.changed(written.path.clone());
        self.vaults.hand.caught_up(FOUND_WAIT).await;
        let outcome = match written.outcome {
            Outcome::Created => "created",
            Outcome::Appended => "appended",
            Outcome::Unchanged => "unchanged",
        };
        let path = shown(&written.path);
        self.note_of(
            "vault",
            outcome,
            session.id,
            Some(path.clone()),
            redacted.then(|| "secrets were taken out".to_owned()),
        );
        Ok(Written {
            outcome: outcome.to_owned(),
            path,
            reviewed: is_person,
            similar: written.similar.as_deref().map(shown),
            redacted,
            why: None,
        })
    }

    pub(super) fn session_of(&self, id: SessionId) -> Result<Session, Fault> {
        let session = self.store.read(|ledger| ledger.sessions.get(&id).cloned());
        session.ok_or_else(|| Fault::new("unknown_session", "the session has just ended"))
    }

    /// The task that a session works on, where that is one.
    fn only_claim(&self, session: SessionId) -> Option<TaskId> {
        let claimed = self.store.read(|ledger| ledger.tasks.claimed_by(session));
        (claimed.len() == 1).then(|| claimed[0])
    }

    /// The person's vault, its folder made where it is missing, for their eyes only.
    pub(super) async fn open_home_vault(&self) -> Result<Vault, Fault> {
        let folder = self.home_vault();
        let made = folder.clone();
        let made = tokio::task::spawn_blocking(move || make_private(&made)).await;
        match made {
            Ok(Ok(())) => Ok(Vault::chosen(folder, Scope::Person)),
            Ok(Err(error)) => Err(faults::broken(format!(
                "the vault {} cannot be made: {error}",
                folder.display()
            ))),
            Err(_) => Err(faults::broken("the vault cannot be made".to_owned())),
        }
    }

    /// The project's own vault, which somebody has made and a person trusts.
    async fn project_vault(&self, project: &str, worktree: Option<&str>) -> Result<Vault, Fault> {
        self.trusts(project, Purpose::Vault).await?;
        let main = self.main_worktree(project, worktree).await;
        let main = main.ok_or_else(|| {
            Fault::new(
                "no_vault",
                "this project has no main worktree, so it has no vault of its own",
            )
            .hint("leave `vault` out: the note goes to the person's vault")
        })?;
        let look = main.clone();
        let there = tokio::task::spawn_blocking(move || is_vault(&look)).await;
        if !there.unwrap_or(false) {
            return Err(Fault::new(
                "no_vault",
                format!(
                    "the project has no vault: there is no folder {}",
                    main.join(".kite/vault").display()
                ),
            )
            .hint(
                "leave `vault` out: the note goes to the person's vault. A person who wants notes \
                 in the repository makes that folder",
            ));
        }
        Ok(Vault::of_project(main, project, Trust::Trusted))
    }
}

/// Both directories, none of them a link.
fn is_vault(main: &Path) -> bool {
    [".kite", ".kite/vault"]
        .iter()
        .all(|below| std::fs::symlink_metadata(main.join(below)).is_ok_and(|found| found.is_dir()))
}

/// The key of an operation as a note tells it: nobody can repeat the operation from that.
fn key_of(op_id: &str) -> String {
    let mut key = hexadecimal(&Sha256::digest(op_id.as_bytes()));
    key.truncate(DIGITS);
    key
}

/// The draft without secrets, and whether there were any.
fn drafted(entry: &Entry) -> (Draft, bool) {
    let mut redacted = false;
    let mut clean = |text: &str| match kite_redact::redact(text) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => {
            redacted = true;
            text
        }
    };
    let draft = Draft {
        title: clean(&entry.title),
        text: clean(&entry.text),
        tags: entry.tags.iter().map(|tag| clean(tag)).collect(),
        target: match &entry.heading {
            None => Target::New,
            Some(heading) => Target::Under {
                note: None,
                heading: clean(heading),
            },
        },
    };
    (draft, redacted)
}

/// Makes a directory that only its owner may enter, or makes one of ours so.
fn make_private(folder: &Path) -> io::Result<()> {
    const PRIVATE: u32 = 0o700;
    match DirBuilder::new().mode(PRIVATE).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = std::fs::metadata(folder)?;
            let open = found.mode() & 0o077 != 0;
            if open && found.uid() == rustix::process::geteuid().as_raw() {
                let private = std::fs::Permissions::from_mode(PRIVATE);
                std::fs::set_permissions(folder, private)?;
            }
            Ok(())
        }
        made => made,
    }
}
