//! Branches: made where there is none, deleted where nobody has moved them, counted against what has
//! their commits.

use kite_undo::{Git, Oid};

use crate::{error::Error, plan::Plan};

/// The commit that a name means. The name is ours, or was looked at before.
pub(crate) fn commit(git: &Git, name: &str) -> Result<Option<Oid>, Error> {
    let said = git
        .call("rev-parse")
        .args(["--verify", "--quiet", "--end-of-options"])
        .args([format!("{name}^{{commit}}")])
        .run();
    match said {
        Ok(said) => Ok(oid(&said)),
        // Quiet: it is no name of a commit.
        Err(kite_undo::Error::Git { said, .. }) if said.is_empty() => Ok(None),
        Err(error) => Err(Error::of_git(error, git.top())),
    }
}

/// The full name of the ref that a name means, if it is one: that of the branch for `HEAD`.
pub(crate) fn full_name(git: &Git, name: &str) -> Result<Option<String>, Error> {
    let said = git
        .call("rev-parse")
        .args(["--symbolic-full-name", name])
        .run()
        .map_err(|error| Error::of_git(error, git.top()))?;
    let name = text(&said);
    Ok((!name.is_empty()).then_some(name))
}

/// Makes the plan's branch, with a note in its log that says whose it is. Git's settings are not
/// touched: the branch follows no other.
pub(crate) fn create(git: &Git, plan: &Plan) -> Result<(), Error> {
    let made = git
        .call("update-ref")
        .args(["--create-reflog", "-m", &note(plan), "--stdin"])
        .input(format!("create {} {}\n", plan.branch_ref(), plan.base).into_bytes())
        .run();
    match made {
        Ok(_) => Ok(()),
        Err(kite_undo::Error::Git { said, .. })
            if said.contains("already exists") || said.contains("exists; cannot create") =>
        {
            Err(Error::BranchInTheWay {
                branch: plan.branch.clone(),
                said,
            })
        }
        Err(error) => Err(Error::of_git(error, plan.common_dir())),
    }
}

/// Whether the plan's branch was made by [`create`] for this plan, and is where it was then.
pub(crate) fn is_untouched(git: &Git, plan: &Plan) -> Result<bool, Error> {
    if commit(git, &plan.branch_ref())?.as_ref() != Some(&plan.base) {
        return Ok(false);
    }
    let said = git
        .call("reflog")
        .args(["show", "--format=%gs", "-n", "1", &plan.branch_ref(), "--"])
        .run()
        .map_err(|error| Error::of_git(error, plan.common_dir()))?;
    Ok(text(&said) == note(plan))
}

/// Deletes the plan's branch if it is still at `at`.
pub(crate) fn delete(git: &Git, plan: &Plan, at: &Oid) -> Result<(), Error> {
    git.call("update-ref")
        .args(["--stdin"])
        .input(format!("delete {} {at}\n", plan.branch_ref()).into_bytes())
        .run()
        .map_err(|error| Error::of_git(error, plan.common_dir()))?;
    // What it followed, if somebody pushed it. Most have no such section.
    let section = format!("branch.{}", plan.branch);
    let _ = git
        .call("config")
        .args(["--local", "--remove-section", &section])
        .run();
    Ok(())
}

/// Whether some working copy has the plan's branch checked out.
pub(crate) fn is_checked_out(git: &Git, plan: &Plan) -> Result<bool, Error> {
    let said = about(git, &plan.branch_ref(), "%(worktreepath)")?;
    Ok(!said.is_empty())
}

/// Where the project's main working copy stands, from any of its worktrees.
const MAIN: &str = "main-worktree/HEAD";

/// How many commits of the plan's branch are neither in the branch that it came from, nor in that
/// one's upstream, nor in its own, nor in what the project's main working copy stands on: a worktree
/// may come from a branch that was merged and removed since. 0 where the branch is gone.
pub(crate) fn unmerged(git: &Git, plan: &Plan) -> Result<u64, Error> {
    let branch = plan.branch_ref();
    let Some(tip) = commit(git, &branch)? else {
        return Ok(0);
    };
    let mut holders = vec![MAIN.to_owned(), about(git, &branch, "%(upstream)")?];
    if let Some(base) = &plan.base_ref {
        holders.push(base.clone());
        holders.push(about(git, base, "%(upstream)")?);
    }
    let mut held = vec![plan.base.clone()];
    for holder in holders.iter().filter(|name| !name.is_empty()) {
        held.extend(commit(git, holder)?);
    }
    // One that was moved to other commits no longer has to have those it began with.
    count(git, &tip, held.iter().map(Oid::as_str))
}

/// How many commits lead to `head` that no branch, remote branch or tag has.
pub(crate) fn on_no_branch(git: &Git, head: &Oid) -> Result<u64, Error> {
    count(git, head, ["--branches", "--tags", "--remotes"])
}

/// The refs that only this working copy has.
pub(crate) fn own(git: &Git) -> Result<Vec<String>, Error> {
    let said = git
        .call("for-each-ref")
        .args([
            "--format=%(refname)",
            "refs/worktree",
            "refs/bisect",
            "refs/rewritten",
        ])
        .run()
        .map_err(|error| Error::of_git(error, git.top()))?;
    Ok(text(&said).lines().map(str::to_owned).collect())
}

fn count<'a>(
    git: &Git,
    of: &Oid,
    without: impl IntoIterator<Item = &'a str>,
) -> Result<u64, Error> {
    let said = git
        .call("rev-list")
        .args(["--count", of.as_str(), "--not"])
        .args(without)
        .args(["--"])
        .run()
        .map_err(|error| Error::of_git(error, git.top()))?;
    text(&said).parse().map_err(|_| {
        Error::Git(kite_undo::Error::Unexpected {
            command: "rev-list".to_owned(),
            why: "it says no number".to_owned(),
        })
    })
}

fn about(git: &Git, name: &str, what: &str) -> Result<String, Error> {
    let said = git
        .call("for-each-ref")
        .args([format!("--format={what}"), name.to_owned()])
        .run()
        .map_err(|error| Error::of_git(error, git.top()))?;
    Ok(text(&said))
}

fn note(plan: &Plan) -> String {
    format!("kite: worktree {}", plan.id)
}

fn oid(said: &[u8]) -> Option<Oid> {
    Oid::try_from(text(said)).ok()
}

fn text(said: &[u8]) -> String {
    String::from_utf8_lossy(said).trim_end().to_owned()
}
