//! The rows of the matrix: each hazard is declared here and nowhere else.

/// One hazard.
pub(super) struct Row {
    /// In plain words, as the document has it.
    pub(super) hazard: &'static str,
    /// In fewer words, for the README; `None`: not in it.
    pub(super) short: Option<&'static str>,
    pub(super) verdict: Verdict,
    /// `path::function` of each test that shows it.
    pub(super) tests: &'static [&'static str],
}

/// What Kite does about a hazard.
#[derive(Clone, Copy, Default)]
pub(super) struct Verdict {
    /// It does not happen, or not unless somebody insists.
    pub(super) prevented: bool,
    /// Those whom it concerns are told.
    pub(super) noticed: bool,
    /// What it changed or took can be brought back.
    pub(super) undoable: bool,
}

impl Verdict {
    pub(super) fn words(self) -> String {
        let words = [
            (self.prevented, "prevented"),
            (self.noticed, "noticed"),
            (self.undoable, "undoable"),
        ];
        let words: Vec<&str> = words.iter().filter(|it| it.0).map(|it| it.1).collect();
        words.join(", ")
    }
}

const NOTHING: Verdict = Verdict {
    prevented: false,
    noticed: false,
    undoable: false,
};
const PREVENTED: Verdict = Verdict {
    prevented: true,
    ..NOTHING
};
const NOTICED: Verdict = Verdict {
    noticed: true,
    ..NOTHING
};
const UNDOABLE: Verdict = Verdict {
    undoable: true,
    ..NOTHING
};
const PREVENTED_AND_UNDOABLE: Verdict = Verdict {
    undoable: true,
    ..PREVENTED
};
const PREVENTED_AND_NOTICED: Verdict = Verdict {
    noticed: true,
    ..PREVENTED
};
const NOTICED_AND_UNDOABLE: Verdict = Verdict {
    undoable: true,
    ..NOTICED
};

/// Every judgement of a git command, held against git itself.
const GIT: &str = "crates/gitcall/tests/real_git.rs::judgement_and_alternative_hold_against_git";

/// Each verb in six spellings, run by real Claude Code beside another session's work.
const TABLE: &str =
    "crates/scenes/tests/scenes/git_table.rs::no_git_command_costs_another_session_its_work";

/// In the order of the documents: edits, tasks, git, shell, Kite itself.
pub(super) const ROWS: &[Row] = &[
    Row {
        hazard: "Two sessions edit one file at the same moment, and one edit is lost",
        short: Some("two sessions edit one file at the same moment"),
        verdict: PREVENTED_AND_UNDOABLE,
        tests: &[
            "crates/scenes/tests/scenes/racing_edits.rs::four_sessions_edit_one_file_at_the_same_moment",
            "crates/kite/tests/cli/undo.rs::one_edit_is_taken_back_and_later_ones_stay",
        ],
    },
    Row {
        hazard: "A session writes a whole file over what another has changed since",
        short: Some("a whole-file write over another's change"),
        verdict: PREVENTED_AND_UNDOABLE,
        tests: &[
            "crates/scenes/tests/scenes/stale_write.rs::a_stale_whole_file_write_is_refused_once_and_accepted_after_reading_again",
            "crates/daemon/src/engine/git_stories.rs::what_an_edit_replaced_can_be_brought_back",
        ],
    },
    Row {
        hazard: "A session builds on a function, type or table that another has changed since it was read",
        short: Some("building on a signature that another has changed"),
        verdict: PREVENTED_AND_NOTICED,
        tests: &[
            "crates/scenes/tests/scenes/contracts.rs::a_changed_signature_is_told_once_and_an_edit_with_the_old_name_is_refused_once",
            "crates/daemon/src/engine/contract_stories.rs::bodies_additions_and_prose_are_silent",
        ],
    },
    Row {
        hazard: "A session edits what another needs alone (a lock)",
        short: Some("editing what another has locked"),
        verdict: PREVENTED,
        tests: &[
            "crates/scenes/tests/scenes/locks.rs::a_lock_refuses_a_second_session_whose_model_learns_why_and_what_now",
        ],
    },
    Row {
        hazard: "Two sessions do the same task",
        short: Some("the same task done twice"),
        verdict: PREVENTED,
        tests: &["crates/scenes/tests/scenes/claims.rs::two_claim_one_task_at_once_and_one_has_it"],
    },
    Row {
        hazard: "A session finishes a task that was taken from it meanwhile",
        short: None,
        verdict: PREVENTED,
        tests: &[
            "crates/daemon/src/engine/stories.rs::an_attempt_that_was_taken_away_changes_nothing_and_its_result_is_kept",
        ],
    },
    Row {
        hazard: "A dead session's locks, edits and tasks keep the others waiting",
        short: Some("locks and tasks of a dead session"),
        verdict: PREVENTED,
        tests: &[
            "crates/scenes/tests/scenes/holder_death.rs::what_a_killed_session_held_is_free_within_two_seconds",
        ],
    },
    Row {
        hazard: "Two processes are resumed from one session and take each other's work for their own",
        short: None,
        verdict: PREVENTED,
        tests: &[
            "crates/scenes/tests/scenes/resumed_twice.rs::two_resumes_of_one_id_are_two_sessions",
        ],
    },
    Row {
        hazard: "`git stash` over another's uncommitted work",
        short: Some(
            "`git stash`, `reset --hard`, `checkout`, `restore`, `clean`, `rm` over another's work",
        ),
        verdict: PREVENTED_AND_UNDOABLE,
        tests: &[
            "crates/scenes/tests/scenes/git_guard.rs::what_would_take_anothers_work_is_refused_and_the_alternative_leaves_it_alone",
            TABLE,
            GIT,
            "crates/undo/tests/runner/undos.rs::after_a_stash",
        ],
    },
    Row {
        hazard: "`git reset --hard` over another's uncommitted work",
        short: None,
        verdict: PREVENTED_AND_UNDOABLE,
        tests: &[
            TABLE,
            GIT,
            "crates/undo/tests/runner/undos.rs::after_a_reset",
        ],
    },
    Row {
        hazard: "`git checkout`, `git switch`, `git restore` over another's uncommitted work",
        short: None,
        verdict: PREVENTED_AND_UNDOABLE,
        tests: &[
            TABLE,
            GIT,
            "crates/undo/tests/runner/undos.rs::after_checkout_and_restore",
        ],
    },
    Row {
        hazard: "`git clean` and `git rm` over another's uncommitted work",
        short: None,
        verdict: PREVENTED_AND_UNDOABLE,
        tests: &[
            TABLE,
            GIT,
            "crates/undo/tests/runner/undos.rs::after_clean_and_rm",
        ],
    },
    Row {
        hazard: "`git add -A && git commit` sweeps up another's uncommitted work",
        short: Some("`git add -A && git commit` with another's work"),
        verdict: PREVENTED_AND_UNDOABLE,
        tests: &[
            "crates/daemon/src/engine/git_stories.rs::sweeping_anothers_work_into_a_commit_is_refused_and_ones_own_is_not",
            TABLE,
            GIT,
            "crates/undo/tests/runner/undos.rs::after_a_sweeping_add_or_commit",
        ],
    },
    Row {
        hazard: "A script, a Makefile or an agent without hooks commits another's uncommitted work (with `kite init --git-hooks`)",
        short: Some("the same in a script or a Makefile (`kite init --git-hooks`)"),
        verdict: PREVENTED,
        tests: &[
            "crates/kite/tests/git_hooks/commits.rs::a_script_that_sweeps_up_anothers_work_is_refused_and_the_way_on_loses_nothing",
            "crates/kite/tests/git_hooks/commits.rs::a_makefile_is_a_script_too",
        ],
    },
    Row {
        hazard: "`git rebase`, `git merge`, `git pull` and what Kite cannot judge, over another's uncommitted work",
        short: Some("`git rebase`, `merge`, `pull`, and what cannot be judged"),
        verdict: NOTICED_AND_UNDOABLE,
        tests: &[
            TABLE,
            "crates/scenes/tests/scenes/git_guard.rs::what_is_not_certain_is_let_go_in_one_line_and_all_comes_back",
            "crates/daemon/src/engine/git_stories.rs::a_verb_that_only_the_shell_knows_goes_on_with_a_snapshot_and_one_line",
        ],
    },
    Row {
        hazard: "`git worktree remove` of a worktree with another's uncommitted work",
        short: None,
        verdict: PREVENTED,
        tests: &[
            TABLE,
            "crates/daemon/src/engine/git_stories.rs::a_working_copy_with_anothers_work_is_not_removed",
        ],
    },
    Row {
        hazard: "`git branch -D`, `git reset`, `git commit --amend`, `git rebase`: commits that no branch has any more (with `kite init --git-hooks`)",
        short: Some(
            "commits lost by `branch -D`, `reset`, `--amend`, `rebase` (`kite init --git-hooks`)",
        ),
        verdict: UNDOABLE,
        tests: &[
            "crates/kite/tests/git_hooks/losses.rs::a_commit_that_its_branch_loses_is_kept",
            "crates/kite/tests/git_hooks/losses.rs::a_deleted_branch_comes_back_by_its_number",
        ],
    },
    Row {
        hazard: "`git push --force` into a working copy (with `kite init --git-hooks` there; in other repositories nothing is kept)",
        short: None,
        verdict: UNDOABLE,
        tests: &[
            "crates/kite/tests/git_hooks/losses.rs::a_force_push_into_a_checkout_is_kept_there",
        ],
    },
    Row {
        hazard: "An agent's git command takes a person's uncommitted work",
        short: None,
        verdict: UNDOABLE,
        tests: &[
            "crates/daemon/src/engine/git_stories.rs::a_session_alone_hears_nothing_but_its_work_is_kept",
        ],
    },
    Row {
        hazard: "A shell command (`sed -i`, a heredoc, `mv`, `rm`, a formatter) changes another's file",
        short: Some("`sed -i`, `mv`, `rm`, a formatter on another's file"),
        verdict: NOTICED_AND_UNDOABLE,
        tests: &[
            "crates/scenes/tests/scenes/aftermath.rs::what_a_shell_command_does_to_anothers_work_is_told_once_and_comes_back",
            "crates/daemon/src/engine/aftermath_stories/telling.rs::both_sides_are_told_once_where_it_was_anothers_work",
            "crates/daemon/src/engine/aftermath_stories/recorded.rs::what_a_command_changes_is_attributed_and_comes_back_byte_for_byte",
        ],
    },
    Row {
        hazard: "A shell command writes a file that another session has locked",
        short: None,
        verdict: NOTICED_AND_UNDOABLE,
        tests: &[
            "crates/daemon/src/engine/aftermath_stories/telling.rs::a_locked_file_is_not_put_back_but_both_are_told",
        ],
    },
    Row {
        hazard: "The changes in two worktrees would conflict, and nobody knows before the merge",
        short: Some("worktrees whose changes would conflict"),
        verdict: NOTICED,
        tests: &[
            "crates/scenes/tests/scenes/worktree_conflict.rs::what_would_conflict_between_worktrees_is_told_both_once",
            "crates/daemon/src/engine/worktree_stories.rs::changes_that_go_together_say_nothing",
        ],
    },
    Row {
        hazard: "An undo takes newer work",
        short: None,
        verdict: PREVENTED_AND_UNDOABLE,
        tests: &[
            "crates/undo/tests/runner/undos.rs::what_came_after_the_command_is_merged",
            "crates/undo/tests/runner/undos.rs::an_undo_can_be_undone_and_that_too",
            "crates/undo/tests/runner/histories.rs::whatever_was_written_can_be_brought_back",
        ],
    },
    Row {
        hazard: "An agent that Kite started, its supervisor or the daemon is killed: processes stay, or the task is never done",
        short: Some("an agent that Kite started is killed"),
        verdict: PREVENTED,
        tests: &[
            "crates/scenes/tests/scenes/planner.rs::agents_do_five_tasks_in_order_though_one_and_the_daemon_are_killed",
            "crates/kite/tests/agents/deaths.rs::a_killed_agent_is_lost_and_another_run_does_its_task",
            "crates/kite/tests/agents/deaths.rs::a_killed_supervisor_leaves_no_process_and_its_task_goes_on",
        ],
    },
    Row {
        hazard: "An agent's worktree is removed with work that is nowhere else",
        short: Some("removing an agent's worktree with work in it"),
        verdict: PREVENTED_AND_UNDOABLE,
        tests: &[
            "crates/kite/tests/agents/faces.rs::a_worktree_is_listed_with_its_losses_and_goes_when_there_are_none",
            "crates/worktree/tests/runner/removing.rs::files_that_are_not_committed_are_named_and_stay",
            "crates/worktree/tests/runner/removing.rs::on_request_uncommitted_work_is_kept_first",
        ],
    },
    Row {
        hazard: "Agents deploy, or run another tool of the project, at the same moment",
        short: Some("two deploys at the same moment (a tool with a lock)"),
        verdict: PREVENTED,
        tests: &[
            "crates/kite/tests/cli/project_tools.rs::one_lock_serves_tool_command_line_and_agents",
        ],
    },
    Row {
        hazard: "A repository has its own code run by starting an agent or a tool in it",
        short: None,
        verdict: PREVENTED,
        tests: &[
            "crates/kite/tests/agents/faces.rs::where_nobody_said_trust_an_agent_is_refused_in_words_that_lead_on",
            "crates/kite/tests/cli/project_tools.rs::nothing_runs_before_a_person_has_looked",
            "crates/worktree/tests/runner/hostile.rs::no_operation_rings_a_bell",
        ],
    },
    Row {
        hazard: "The daemon is killed: what was granted or claimed is forgotten, or given twice",
        short: Some("the daemon is killed"),
        verdict: PREVENTED,
        tests: &[
            "crates/kite/tests/endurance/kill.rs::kill_9_of_the_daemon_loses_nothing_that_was_acknowledged",
            "crates/scenes/tests/scenes/daemon_death.rs::a_killed_daemon_comes_back_and_the_next_edits_are_guarded",
        ],
    },
    Row {
        hazard: "Kite does not answer, and the agent's work stands still",
        short: None,
        verdict: PREVENTED_AND_NOTICED,
        tests: &[
            "crates/hook/tests/hook.rs::a_silent_daemon_is_not_waited_for",
            "crates/kite/tests/endurance/hook_faults.rs::whatever_the_hook_is_given_it_ends_with_zero",
            "crates/kite/tests/wiring/git_hooks.rs::only_a_refusal_stops_git",
        ],
    },
    Row {
        hazard: "The disk is full: state is lost, or nothing can be freed",
        short: Some("a full disk"),
        verdict: PREVENTED,
        tests: &[
            "crates/kite/tests/endurance/full_disk.rs::a_full_disk_refuses_what_is_new_and_loses_nothing",
            "crates/store/tests/full.rs::what_takes_is_refused_and_what_frees_goes_on",
        ],
    },
    Row {
        hazard: "Kite leaves its files in the repository, or other programs' hooks do not run any more",
        short: None,
        verdict: PREVENTED,
        tests: &[
            "crates/scenes/tests/scenes/clean_repository.rs::git_status_is_the_same_before_and_after_everything",
            "crates/kite/tests/wiring/git_hooks.rs::a_hook_that_was_there_is_kept_and_comes_back_as_it_was",
        ],
    },
    Row {
        hazard: "Secrets of known kinds stand in Kite's files",
        short: None,
        verdict: PREVENTED,
        tests: &[
            "crates/kite/tests/endurance/secrets.rs::planted_secrets_are_in_no_file_of_the_home",
        ],
    },
];
