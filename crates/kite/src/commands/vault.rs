//! `kite vault`: notes that sessions learn from and write to.

mod review;

use std::io::{IsTerminal as _, Read as _};

use clap::{Args, Subcommand};
use kite_wire::{
    reply::vault::{Answers, Notes, Reindexed, Why, Written},
    request::{VaultList, VaultReindex, VaultSearch, VaultWhy, VaultWrite},
};

use crate::{
    connect::Daemon,
    error::{Error, Exit, Kind},
    render::{self, Terminal},
};

/// Longest text that is read for one note: the daemon takes no longer one.
const TEXT_BYTES_MAX: u64 = 64 << 10;

/// Search, write and review notes.
///
/// Notes are Markdown files: in `vault` below Kite's home, in folders named by `vaults` in the
/// configuration, and in `.kite/vault` of a trusted project. What agents write is marked as
/// unreviewed, and stays in its project until a person has looked at it.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  kite vault search token refresh
  kite vault write \"Token refresh\" --text \"The old one is void after its first use.\"
  kite vault review"
)]
pub(crate) struct VaultArgs {
    #[command(subcommand)]
    command: VaultCommand,
}

#[derive(Debug, Subcommand)]
enum VaultCommand {
    Search(SearchArgs),
    Write(WriteArgs),
    List(ListArgs),
    Review(review::ReviewArgs),
    Reindex(ReindexArgs),
    Why(WhyArgs),
}

/// Search notes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite vault search token refresh
  kite vault search '\"refresh token\" deploy*' --tag auth
  kite vault search argon2 --json | jq -r '.notes[].path'")]
struct SearchArgs {
    /// Words, "quoted phrases", beginnings (deploy*).
    #[arg(value_name = "WORD", required = true)]
    words: Vec<String>,
    /// Only notes with this tag; given again, with all of them.
    #[arg(short, long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Most notes.
    #[arg(short = 'n', long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=50))]
    limit: u32,
    /// Only what sessions in this directory's project find.
    #[arg(long, value_name = "DIR")]
    project: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Write a note, or add to one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite vault write \"Token refresh\" --text \"They rotate.\" --tag auth
  kite vault write \"Deploy\" --heading Rollback < notes.txt")]
struct WriteArgs {
    /// What it is about. The file is named after it.
    title: String,
    /// The text, in Markdown; without it, standard input.
    #[arg(long)]
    text: Option<String>,
    /// A tag; may be given again.
    #[arg(short, long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Add the text at the end of the section under this heading of the note with that title.
    #[arg(long)]
    heading: Option<String>,
    /// Into `.kite/vault` of this project, which must be there and trusted.
    #[arg(long)]
    in_project: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// List notes, and files that are not used.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite vault list
  kite vault list --unreviewed --json")]
struct ListArgs {
    /// Only notes that no person has reviewed.
    #[arg(short, long)]
    unreviewed: bool,
    /// Most notes.
    #[arg(short = 'n', long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Only what sessions in this directory's project find.
    #[arg(long, value_name = "DIR")]
    project: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Make the index anew. No note is touched.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite vault reindex")]
struct ReindexArgs {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Show which notes a session was given unasked: when, and for which words.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite vault why 3f2a91bc")]
struct WhyArgs {
    /// The session's id, or a unique prefix.
    session: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: VaultArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    match args.command {
        VaultCommand::Search(args) => search(args, terminal),
        VaultCommand::Write(args) => write(args, terminal),
        VaultCommand::List(args) => list(args, terminal),
        VaultCommand::Review(args) => review::run(&args, terminal),
        VaultCommand::Reindex(args) => reindex(&args, terminal),
        VaultCommand::Why(args) => why(args, terminal),
    }
}

fn search(args: SearchArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let found: Answers = Daemon::connect()?.ask(VaultSearch {
        query: args.words.join(" "),
        tags: args.tags,
        limit: Some(args.limit),
        project: args.project.as_deref().map(absolute).transpose()?,
    })?;
    if args.json {
        terminal.json(&found)?;
    } else {
        render::vault::print_found(terminal, &found)?;
    }
    Ok(Exit::Success)
}

fn write(args: WriteArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let text = match args.text {
        Some(text) => text,
        None => from_standard_input(terminal)?,
    };
    let written: Written = Daemon::connect()?.ask(VaultWrite {
        title: args.title,
        text,
        tags: args.tags,
        heading: args.heading,
        vault: args.in_project.then(|| "project".to_owned()),
        ..VaultWrite::default()
    })?;
    if args.json {
        terminal.json(&written)?;
    } else {
        render::vault::print_written(terminal, &written)?;
    }
    Ok(Exit::Success)
}

fn list(args: ListArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let listed: Notes = Daemon::connect()?.ask(VaultList {
        unreviewed: args.unreviewed,
        limit: Some(args.limit),
        project: args.project.as_deref().map(absolute).transpose()?,
    })?;
    if args.json {
        terminal.json(&listed)?;
    } else {
        render::vault::print_list(terminal, &listed)?;
    }
    Ok(Exit::Success)
}

fn reindex(args: &ReindexArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let made: Reindexed = Daemon::connect()?.ask(VaultReindex::default())?;
    if args.json {
        terminal.json(&made)?;
    } else {
        render::vault::print_reindexed(terminal, &made)?;
    }
    Ok(Exit::Success)
}

fn why(args: WhyArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let why: Why = Daemon::connect()?.ask(VaultWhy {
        session: args.session,
    })?;
    if args.json {
        terminal.json(&why)?;
    } else {
        render::vault::print_why(terminal, &why)?;
    }
    Ok(Exit::Success)
}

fn from_standard_input(terminal: &mut Terminal) -> Result<String, Error> {
    if std::io::stdin().is_terminal() {
        terminal.note("The text, then Ctrl-D:")?;
    }
    let mut text = Vec::new();
    let mut input = std::io::stdin().lock().take(TEXT_BYTES_MAX + 1);
    input
        .read_to_end(&mut text)
        .map_err(|error| Error::failed("standard input cannot be read").because(error))?;
    let too_long = text.len() as u64 > TEXT_BYTES_MAX;
    let text = String::from_utf8(text)
        .map_err(|_| Error::new(Kind::Usage, "the text is not UTF-8; nothing was written"))?;
    if too_long {
        return Err(Error::new(
            Kind::Usage,
            format!("the text has more than {TEXT_BYTES_MAX} bytes; nothing was written"),
        )
        .hinted("write several notes, or add to one under several headings"));
    }
    Ok(text)
}

fn absolute(directory: &str) -> Result<String, Error> {
    let path = std::path::absolute(directory)
        .map_err(|error| Error::failed("the directory cannot be resolved").because(error))?;
    path.into_os_string()
        .into_string()
        .map_err(|_| Error::new(Kind::Usage, "the directory's name is not UTF-8"))
}
