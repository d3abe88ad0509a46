//! The checkout in which the rows are played, and what becomes of the other's work in it.

use std::{fs, path::Path};

use kite_scenes::stage::{Fault, Repository, Scene};

use super::rows::{Row, Served};

/// What becomes of one content of the other session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// As its session left it, in the work tree and in the index.
    Whole,
    /// In place, but staged or committed by somebody else.
    SweptUp,
    /// In place, but no longer staged.
    Unstaged,
    /// Not in place; a stash or a commit has it.
    TakenAway,
    /// Not in place, and in nothing that has a name.
    Lost,
}

/// The three contents of the other session: changed, new, staged.
pub(super) type Fates = [Fate; 3];

/// A repository for these rows, with branches to go to and a remote.
pub(super) struct Checkout<'a> {
    repository: &'a Repository,
}

/// The other's files: changed and tracked, new, new and staged.
const THEIRS: [&str; 3] = ["theirs.txt", "new.txt", "staged.txt"];
pub(super) const COMMITTED: &str = "one\n";
pub(super) const MINE: &str = "my work\n";

impl<'a> Checkout<'a> {
    /// Gives a repository of [`files`] its branches, aliases and remote. `side` differs from
    /// `main` in nobody's file, `topic` in the row's tracked file of the other session.
    pub(super) fn prepare(repository: &'a Repository, rows: &[Row]) -> Result<Checkout<'a>, Fault> {
        let aliases = rows
            .iter()
            .map(|row| format!("\t{} = {}\n", row.label, row.alias));
        let aliases: String = aliases.collect();
        let config = repository.path().join(".git/config");
        let before = fs::read_to_string(&config)?;
        let who = "[user]\n\tname = Scene\n\temail = scene@localhost\n";
        fs::write(&config, format!("{before}{who}[alias]\n{aliases}"))?;
        let exclude = repository.path().join(".git/info/exclude");
        let excluded = fs::read_to_string(&exclude).unwrap_or_default();
        fs::write(&exclude, format!("{excluded}\n/trees/\n"))?;
        let checkout = Checkout { repository };
        checkout.script(
            "git branch side && git tag start
             echo more > more.txt && git add more.txt && git commit -qm more
             git checkout -q side && echo side > side.txt && git add side.txt && git commit -qm side
             git checkout -q main
             for each in main side; do git tag start-$each $each; done
             git init -q --bare ../$(basename $PWD).git
             git remote add origin ../$(basename $PWD).git",
        )?;
        Ok(checkout)
    }

    /// Everything as in the beginning, except Kite's own refs.
    pub(super) fn reset(&self, row: &Row) -> Scene {
        let tree = match row.elsewhere {
            true => format!("git worktree add -q --detach trees/{}", row.label),
            false => String::new(),
        };
        self.script(&format!(
            "rm -rf trees .git/rebase-* .git/sequencer .git/*_HEAD .git/MERGE_* .git/index.lock
             git checkout -q -f -B topic start && git reset -q --hard && git clean -ffdq
             echo 'by topic' > {label}/theirs.txt && git commit -qam topic
             git checkout -q -f -B main start-main
             git stash clear && git branch -qf side start-side
             git branch -qD again 2>/dev/null || true
             git push -qf origin topic:refs/heads/main && git worktree prune
             {tree}",
            label = row.label,
        ))
    }

    /// The other's files, relative to the top, with their contents.
    pub(super) fn theirs(&self, row: &Row) -> [(String, String); 3] {
        let place = place(row);
        THEIRS.map(|name| {
            let text = format!("{name} by another session, {}\n", row.label);
            (format!("{place}{}/{name}", row.label), text)
        })
    }

    /// Does the other's work by hand.
    pub(super) fn work(&self, row: &Row) -> Scene {
        for (name, text) in self.theirs(row) {
            self.repository.write(&name, &text)?;
        }
        let add = self.add(row);
        self.script(&add)
    }

    /// The command by which the other stages a file.
    pub(super) fn add(&self, row: &Row) -> String {
        let at = match row.elsewhere {
            true => format!("-C {} ", place(row).trim_end_matches('/')),
            false => String::new(),
        };
        format!("git {at}add {}/{}", row.label, THEIRS[2])
    }

    /// What has become of the other's work.
    pub(super) fn fates(&self, row: &Row) -> Result<Fates, Fault> {
        let place = place(row);
        let tree = self.repository.path().join(&place);
        let mut fates = [Fate::Whole; 3];
        for (at, (path, text)) in self.theirs(row).into_iter().enumerate() {
            let id = self.id(&text)?;
            let name = &path[place.len()..];
            let index = self.in_tree(&tree, &format!("git ls-files -s -- {name}"))?;
            let head = self.in_tree(&tree, &format!("git ls-tree HEAD -- {name}"))?;
            let there = fs::read_to_string(self.repository.path().join(&path)).ok();
            fates[at] = match there == Some(text) {
                true if head.contains(&id) => Fate::SweptUp,
                true if at != 2 && index.contains(&id) => Fate::SweptUp,
                true if at == 2 && !index.contains(&id) => Fate::Unstaged,
                true => Fate::Whole,
                false if self.is_named(&id)? => Fate::TakenAway,
                false => Fate::Lost,
            };
        }
        Ok(fates)
    }

    /// Whether the one who ran the command got what it wanted for its own files.
    pub(super) fn is_served(&self, row: &Row) -> Result<bool, Fault> {
        let top = self.repository.path();
        let name = format!("{}/mine.txt", row.label);
        let mine = fs::read_to_string(top.join(&name)).ok();
        let id = self.id(MINE)?;
        Ok(match row.served {
            Served::Reverted => mine.as_deref() == Some(COMMITTED),
            Served::Cleaned => !top.join(&row.label).join("mine-new.txt").exists(),
            Served::Committed => self
                .in_tree(top, &format!("git ls-tree HEAD -- {name}"))?
                .contains(&id),
            Served::Staged => self
                .in_tree(top, &format!("git ls-files -s -- {name}"))?
                .contains(&id),
            Served::Removed => mine.is_none(),
            Served::Nothing | Served::NotForced => true,
        })
    }

    /// Whether a branch, a tag or a stash has this content. Kite's own refs do not count.
    fn is_named(&self, id: &str) -> Result<bool, Fault> {
        let named = "git rev-list --objects --exclude='refs/kite/*' --all --reflog";
        let objects = self.in_tree(self.repository.path(), named)?;
        Ok(objects.lines().any(|line| line.starts_with(id)))
    }

    fn id(&self, text: &str) -> Result<String, Fault> {
        let said = self.in_tree(
            self.repository.path(),
            &format!("printf %s '{text}' | git hash-object --stdin"),
        )?;
        Ok(said.trim().to_owned())
    }

    /// What a command printed; nothing where it fails, as in a tree that is gone.
    fn in_tree(&self, tree: &Path, command: &str) -> Result<String, Fault> {
        let text = format!("cd '{}' && {command}", tree.display());
        Ok(String::from_utf8(self.repository.shell(&text)?.stdout)?)
    }

    fn script(&self, text: &str) -> Scene {
        let output = self.repository.shell(&format!("set -e\n{text}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("{text}: {}", String::from_utf8_lossy(&output.stderr)).into()),
        }
    }
}

/// The committed files of all rows.
pub(super) fn files(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .flat_map(|row| ["theirs.txt", "mine.txt"].map(|name| format!("{}/{name}", row.label)))
        .collect()
}

/// Where the other's working copy is: empty, or a path that ends with a slash.
fn place(row: &Row) -> String {
    match row.elsewhere {
        true => format!("trees/{}/", row.label),
        false => String::new(),
    }
}
