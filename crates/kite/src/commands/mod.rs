//! One file for each command: its arguments, and what it does with them.
//!
//! **Architecture Invariant:** commands do not print. They hand what they found to `render`.

pub(crate) mod agent;
pub(crate) mod agents;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod daemon;
pub(crate) mod demo;
pub(crate) mod dispatch;
pub(crate) mod dispatches;
pub(crate) mod doctor;
pub(crate) mod git_hook;
pub(crate) mod init;
pub(crate) mod lock;
pub(crate) mod log;
pub(crate) mod mcp;
pub(crate) mod review;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod sessions;
pub(crate) mod spawn;
pub(crate) mod status;
pub(crate) mod supervise;
pub(crate) mod task;
pub(crate) mod trust;
pub(crate) mod undo;
pub(crate) mod uninit;
pub(crate) mod vault;
pub(crate) mod worktree;

use std::process::ExitCode;

use crate::{cli::Command, error::Error, render::Terminal};

/// Runs one command.
pub(crate) fn run(command: Command, terminal: &mut Terminal) -> Result<ExitCode, Error> {
    let exit = match command {
        Command::Daemon(args) => return daemon::run(args, terminal),
        Command::Mcp(args) => return mcp::run(&args),
        Command::Serve(args) => return serve::run(&args, terminal),
        Command::Status(args) => status::run(&args, terminal),
        Command::Sessions(args) => sessions::run(&args, terminal),
        Command::Task(args) => task::run(args, terminal),
        Command::Review(args) => review::run(&args, terminal),
        Command::Lock(args) => lock::run(args, terminal),
        Command::Spawn(args) => spawn::run(args, terminal),
        Command::Agents(args) => agents::run(&args, terminal),
        Command::Agent(args) => agent::run(args, terminal),
        Command::Dispatch(args) => dispatch::run(args, terminal),
        Command::Dispatches(args) => dispatches::run(args, terminal),
        Command::Worktree(args) => worktree::run(args, terminal),
        Command::Run(args) => run::run(args, terminal),
        Command::Trust(args) => trust::run(&args, terminal),
        Command::Vault(args) => vault::run(args, terminal),
        Command::Log(args) => log::run(&args, terminal),
        Command::Undo(args) => undo::run(&args, terminal),
        Command::Init(args) => init::run(&args, terminal),
        Command::Uninit(args) => uninit::run(&args, terminal),
        Command::GitHook(args) => git_hook::run(&args, terminal),
        Command::Supervise(args) => supervise::run(&args),
        Command::Doctor(args) => doctor::run(&args, terminal),
        Command::Demo(args) => demo::run(&args, terminal),
        Command::Config(args) => config::run(&args, terminal),
        Command::Completions(args) => completions::run(&args, terminal),
    };
    exit.map(ExitCode::from)
}
