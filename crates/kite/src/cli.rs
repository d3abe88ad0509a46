//! The command line as it is typed. What each command means stands in `commands/`.

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands::{
    agent, agents, completions, config, daemon, demo, dispatch, dispatches, doctor, git_hook, init,
    lock, log, mcp, review, run, serve, sessions, spawn, status, supervise, task, trust, undo,
    uninit, vault, worktree,
};

/// Coordinates coding agents that work in one checkout.
#[derive(Debug, Parser)]
#[command(
    name = "kite",
    version = crate::wiring::BUILD,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  kite init                     wire this project, start the daemon, prove that it works
  kite status                   what is going on, on one screen
  kite task create \"Add login\"  put a task in the queue
  kite log --follow             watch what sessions do
  kite undo 41                  bring back what an agent changed or lost

Exit codes:
  0 done   1 failed   2 wrong usage   3 refused   4 no daemon   5 not found

Environment:
  KITE_HOME   Kite's home directory (default: ~/.kite)
  NO_COLOR    no colour"
)]
pub(crate) struct Cli {
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    // On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Status(status::StatusArgs),
    Sessions(sessions::SessionsArgs),
    Task(task::TaskArgs),
    Review(review::ReviewArgs),
    Lock(lock::LockArgs),
    Spawn(spawn::SpawnArgs),
    Agents(agents::AgentsArgs),
    Agent(agent::AgentArgs),
    Dispatch(dispatch::DispatchArgs),
    Dispatches(dispatches::DispatchesArgs),
    Worktree(worktree::WorktreeArgs),
    Run(run::RunArgs),
    Trust(trust::TrustArgs),
    Vault(vault::VaultArgs),
    Log(log::LogArgs),
    Undo(undo::UndoArgs),
    Init(init::InitArgs),
    Uninit(uninit::UninitArgs),
    Doctor(doctor::DoctorArgs),
    Demo(demo::DemoArgs),
    Daemon(daemon::DaemonArgs),
    Config(config::ConfigArgs),
    Mcp(mcp::McpArgs),
    Serve(serve::ServeArgs),
    Completions(completions::CompletionsArgs),
    #[command(hide = true)]
    GitHook(git_hook::GitHookArgs),
    #[command(hide = true)]
    Supervise(supervise::SuperviseArgs),
}
