//! `kite completions`: a completion script for a shell.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{
    cli::Cli,
    error::{Error, Exit},
    render::Terminal,
};

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite completions bash > ~/.local/share/bash-completion/completions/kite
  kite completions zsh > ~/.zfunc/_kite
  kite completions fish > ~/.config/fish/completions/kite.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "kite", &mut script);
    terminal.verbatim(&script)?;
    Ok(Exit::Success)
}
