//! Writing: a new note, or a text under a heading of one.
//!
//! A write is made whole or not at all, says in the note's front matter who made it, and marks the
//! note as unreviewed. The same operation, or the same text at the same place, changes nothing the
//! second time.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{
    error::Error,
    limits::{
        NOTE_BYTES_MAX, SAME_TITLE_MAX, TAGS_MAX, TEXT_BYTES_MAX, WRITE_ATTEMPTS_MAX, WRITE_WAIT,
        WRITES_TOLD_MAX,
    },
    names,
    note::{Front, FrontEdit, Place as Spot, append, body_of, keys},
    place::{Found, Place, Placed},
    provenance::{Author, Line},
    vaults::{Trust, Vault},
};

/// What is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub title: String,
    /// Markdown.
    pub text: String,
    pub tags: Vec<String>,
    pub target: Target,
}

/// Where it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// A new note; if another one has its name, a number makes it different.
    #[default]
    New,
    /// The end of the section with this heading, which is added where it is missing.
    Under {
        /// The note's path in the vault. Without one, the note that the title names, which is
        /// made where it is missing. An unreviewed note of another project is never added to:
        /// that would carry what it says into this one.
        note: Option<PathBuf>,
        heading: String,
    },
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub path: PathBuf,
    pub in_vault: PathBuf,
    pub outcome: Outcome,
    /// A note of the same name that is there already and says something else.
    pub similar: Option<PathBuf>,
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Created,
    Appended,
    /// It was there already: the same operation or the same text.
    Unchanged,
}

/// A note as it is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteText {
    pub text: String,
    /// SHA-256 of the text.
    pub hash: [u8; 32],
}

impl Vault {
    /// Writes. The vault's folder is made where it is missing; what is above it is not.
    ///
    /// # Errors
    ///
    /// If the draft does not fit its limits, the place leads out of the vault or through a link,
    /// another writer does not end in time, or the disk refuses. Nothing was written then.
    pub fn write(&self, draft: &Draft, author: &Author) -> Result<Written, Error> {
        check(draft)?;
        if self.trust() == Trust::Untrusted {
            return Err(Error::refused(
                "this repository's vault is not trusted; the person can run `kite trust`",
            ));
        }
        let place = self.open_or_make()?;
        let _alone = place.lock(WRITE_WAIT)?;
        let (in_vault, outcome, similar) = match &draft.target {
            Target::New => create(&place, draft, author)?,
            Target::Under { note, heading } => {
                let (note, outcome) = match note {
                    Some(note) => {
                        let outcome = append_to(&place, checked(note)?, heading, draft, author)?;
                        (
                            note.to_owned(),
                            outcome.ok_or_else(|| of_another_project(note))?,
                        )
                    }
                    None => append_by_title(&place, heading, draft, author)?,
                };
                (note, outcome, None)
            }
        };
        let path = |in_vault: &Path| self.folder().join(in_vault);
        Ok(Written {
            path: path(&in_vault),
            similar: similar.as_deref().map(path),
            in_vault,
            outcome,
        })
    }

    /// The text of a note, by its path in the vault.
    ///
    /// # Errors
    ///
    /// If there is none that can be read, or the path leads elsewhere.
    pub fn read(&self, in_vault: &Path) -> Result<NoteText, Error> {
        let none = |why: &str| Error::NoNote {
            path: in_vault.to_owned(),
            why: why.to_owned(),
        };
        if self.trust() == Trust::Untrusted {
            return Err(none("its vault is not trusted"));
        }
        let place = self.open()?.ok_or_else(|| none("its vault is not there"))?;
        let bytes = read(&place, checked(in_vault)?)?.ok_or_else(|| none("it is not there"))?;
        let hash = Sha256::digest(&bytes).into();
        let text = String::from_utf8(bytes).map_err(|_| none("it is not UTF-8"))?;
        Ok(NoteText { text, hash })
    }

    /// Marks a note as reviewed by a person, who has seen the content with this hash.
    ///
    /// # Errors
    ///
    /// As for [`Vault::write`]; and if the note is not what the person has seen.
    pub fn review(&self, in_vault: &Path, seen: &[u8; 32]) -> Result<(), Error> {
        let note = self.read(in_vault)?;
        if note.hash != *seen {
            return Err(Error::NoNote {
                path: in_vault.to_owned(),
                why: "it has changed since it was shown; look at it again".to_owned(),
            });
        }
        let mut edit = FrontEdit::of(&note.text);
        edit.set(keys::REVIEWED, "true".to_owned());
        let text = edit.done().map_err(unfit(in_vault))?;
        let place = self.open_or_make()?;
        let _alone = place.lock(WRITE_WAIT)?;
        match place.replace(in_vault, note.text.as_bytes(), text.as_bytes())? {
            Placed::Done => Ok(()),
            Placed::Changed => Err(Error::Contended {
                path: in_vault.to_owned(),
            }),
        }
    }
}

fn check(draft: &Draft) -> Result<(), Error> {
    if draft.text.trim().is_empty() {
        return Err(Error::refused("a note needs a text"));
    }
    if draft.title.trim().is_empty() {
        return Err(Error::refused("a note needs a title"));
    }
    if draft.text.len() > TEXT_BYTES_MAX {
        return Err(Error::refused(format!(
            "the text has {} bytes; at most {TEXT_BYTES_MAX} are written at a time",
            draft.text.len()
        )));
    }
    if draft.tags.len() > TAGS_MAX {
        return Err(Error::refused(format!(
            "there are {} tags; at most {TAGS_MAX} are written",
            draft.tags.len()
        )));
    }
    if let Target::Under { heading, .. } = &draft.target
        && heading.trim().trim_start_matches('#').trim().is_empty()
    {
        return Err(Error::refused("an empty heading names no section"));
    }
    Ok(())
}

/// A path in the vault that is a note's.
fn checked(path: &Path) -> Result<&Path, Error> {
    let note = path
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("md"));
    match note {
        true => Ok(path),
        false => Err(Error::NoNote {
            path: path.to_owned(),
            why: "its name does not end with .md".to_owned(),
        }),
    }
}

/// The path of the `number`th note of this title.
fn named(title: &str, number: usize) -> PathBuf {
    let name = names::of_title(title);
    PathBuf::from(match number {
        1 => format!("{name}.md"),
        number => format!("{name} {number}.md"),
    })
}

type Made = (PathBuf, Outcome, Option<PathBuf>);

fn create(place: &Place, draft: &Draft, author: &Author) -> Result<Made, Error> {
    let text = fresh(draft, author, draft.text.trim_end());
    let mut similar = None;
    for number in 1..=SAME_TITLE_MAX {
        let path = named(&draft.title, number);
        if place.create(&path, text.as_bytes())? == Placed::Done {
            return Ok((path, Outcome::Created, similar));
        }
        if let Some(there) = read(place, &path)? {
            let there = String::from_utf8_lossy(&there);
            if is_elsewhere(&there, author) {
                continue;
            }
            if is_written(&there, author) || body_of(&there).trim() == draft.text.trim() {
                return Ok((path, Outcome::Unchanged, None));
            }
        }
        similar.get_or_insert(path);
    }
    Err(too_many_of_this_title())
}

fn too_many_of_this_title() -> Error {
    Error::refused(format!(
        "there are {SAME_TITLE_MAX} notes of this title already; choose another"
    ))
}

fn of_another_project(path: &Path) -> Error {
    Error::NoNote {
        path: path.to_owned(),
        why: "an agent of another project wrote it, and no person has reviewed it".to_owned(),
    }
}

/// Adds to the first note of the title that is this project's to add to.
fn append_by_title(
    place: &Place,
    heading: &str,
    draft: &Draft,
    author: &Author,
) -> Result<(PathBuf, Outcome), Error> {
    for number in 1..=SAME_TITLE_MAX {
        let path = named(&draft.title, number);
        if let Some(outcome) = append_to(place, &path, heading, draft, author)? {
            return Ok((path, outcome));
        }
    }
    Err(too_many_of_this_title())
}

/// `None`: the note is another project's, and was left alone.
fn append_to(
    place: &Place,
    path: &Path,
    heading: &str,
    draft: &Draft,
    author: &Author,
) -> Result<Option<Outcome>, Error> {
    let heading = heading.trim().trim_start_matches('#').trim();
    let heading = crate::escape::line(heading);
    for _ in 0..WRITE_ATTEMPTS_MAX {
        let Some(before) = read(place, path)? else {
            let section = format!("## {heading}\n\n{}", draft.text.trim_end());
            let text = fresh(draft, author, &section);
            match place.create(path, text.as_bytes())? {
                Placed::Done => return Ok(Some(Outcome::Created)),
                Placed::Changed => continue,
            }
        };
        let text = std::str::from_utf8(&before).map_err(|_| Error::NoNote {
            path: path.to_owned(),
            why: "it is not UTF-8".to_owned(),
        })?;
        if is_elsewhere(text, author) {
            return Ok(None);
        }
        if is_written(text, author) {
            return Ok(Some(Outcome::Unchanged));
        }
        let Some(longer) = append(
            text,
            &Spot {
                heading: &heading,
                text: &draft.text,
            },
        ) else {
            return Ok(Some(Outcome::Unchanged));
        };
        let after = signed(&longer, draft, author).map_err(unfit(path))?;
        if after.len() as u64 > NOTE_BYTES_MAX {
            return Err(Error::refused(format!(
                "{path:?} would be larger than {} KiB; write a new note",
                NOTE_BYTES_MAX >> 10
            )));
        }
        if place.replace(path, &before, after.as_bytes())? == Placed::Done {
            return Ok(Some(Outcome::Appended));
        }
    }
    Err(Error::Contended {
        path: path.to_owned(),
    })
}

/// A whole new note.
fn fresh(draft: &Draft, author: &Author, body: &str) -> String {
    let title = draft.title.trim();
    let mut edit = FrontEdit::of("");
    if names::of_title(title) != title {
        edit.set("title", quoted(&crate::escape::line(title)));
    }
    sign(&mut edit, draft, author);
    edit.over(&format!("\n{}\n", body.trim_start_matches(['\n', '\r'])))
}

/// A note with the signature of this write.
fn signed(text: &str, draft: &Draft, author: &Author) -> Result<String, String> {
    let mut edit = FrontEdit::of(text);
    sign(&mut edit, draft, author);
    edit.done()
}

fn sign(edit: &mut FrontEdit<'_>, draft: &Draft, author: &Author) {
    let mut tags = edit.front().tags();
    for tag in &draft.tags {
        let tag = crate::escape::line(tag.trim().trim_start_matches('#')).replace(' ', "-");
        if !tag.is_empty() && !tags.iter().any(|it| it.eq_ignore_ascii_case(&tag)) {
            tags.push(tag);
        }
    }
    if tags.len() > edit.front().tags().len() {
        let tags: Vec<String> = tags.iter().map(|tag| quoted(tag)).collect();
        edit.set("tags", format!("[{}]", tags.join(", ")));
    }
    let reviewed = author.person && !edit.front().written().unreviewed;
    edit.set(keys::REVIEWED, reviewed.to_string());
    let mut lines = edit.front().lines();
    lines.push(Line::of(author));
    let newest = lines.len().saturating_sub(WRITES_TOLD_MAX);
    let lines: String = lines[newest..]
        .iter()
        .map(|line| format!("\n  - {}", quoted(line)))
        .collect();
    edit.set(keys::WRITTEN, lines);
}

fn is_written(text: &str, author: &Author) -> bool {
    let lines = Front::of(text).lines();
    lines.iter().any(|line| Line::is_of(line, &author.op))
}

/// Whether an agent of another project than the author's wrote a note that nobody has reviewed.
fn is_elsewhere(text: &str, author: &Author) -> bool {
    let written = Front::of(text).written();
    !author.person
        && written.unreviewed
        && author.project.is_some()
        && written.project != author.project
}

/// A text as YAML reads it back: a string of JSON is one of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn read(place: &Place, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let none = |why: &str| Error::NoNote {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    match place.read(path, NOTE_BYTES_MAX)? {
        Found::Absent => Ok(None),
        Found::File { bytes, .. } => Ok(Some(bytes)),
        Found::TooLarge { .. } => Err(none("it is too large")),
        Found::Other => Err(Error::Escapes {
            path: path.to_owned(),
        }),
    }
}

fn unfit(path: &Path) -> impl FnOnce(String) -> Error {
    let path = path.to_owned();
    move |why| Error::NoNote { path, why }
}
