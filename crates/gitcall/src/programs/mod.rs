//! From simple commands to the programs they run, through wrappers, shells and changes of
//! directory.
//!
//! **Architecture Invariant:** what is not known here is a reason for doubt, never for certainty.

mod place;
mod shells;
mod strangers;
mod wrappers;

use crate::{
    Call, Reading, Verb, git,
    shell::{self, Event, Joint, Script, Simple, Word},
};
use place::Place;
pub(crate) use place::joined;
use shells::Input;
use wrappers::{Unwrapped, unwrap};

/// Scripts inside scripts (`bash -c 'bash -c …'`): deeper text is not read.
const MAX_SCRIPTS: usize = 8;
/// More calls than this in one text are not returned.
const MAX_CALLS: usize = 256;

/// Where and how sure a command runs.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) directory: Option<String>,
    pub(crate) adrift: bool,
    pub(crate) certain: bool,
    pub(crate) conditional: bool,
}

/// Reads a whole text.
pub(crate) fn find(text: &str) -> Reading {
    let mut finder = Finder::default();
    finder.script(shell::read(text), true);
    if finder.wrote_git && finder.ran_a_file {
        finder.reading.calls.push(Call {
            verb: Verb::Unknown,
            words: Vec::new(),
            sources: Vec::new(),
            directory: None,
            from_top: false,
            adrift: true,
            certain: false,
            conditional: true,
            stdin: None,
        });
    }
    if finder.broken {
        for call in &mut finder.reading.calls {
            call.certain = false;
        }
    }
    finder.reading.mentions_git = true;
    finder.reading.unparseable = finder.broken;
    finder.reading
}

#[derive(Default)]
struct Finder {
    reading: Reading,
    place: Place,
    scripts: usize,
    /// A GIT_* variable was set that changes what git works on.
    environment_changed: bool,
    /// Text with a git command in it was printed, perhaps into a file.
    wrote_git: bool,
    /// A script in a file was run.
    ran_a_file: bool,
    broken: bool,
}

/// What a list of commands remembers from one command to the next.
#[derive(Default, Clone, Copy)]
struct Chain {
    /// A `cd` ran in this chain of `&&` and `||`; behind `||` nobody knows whether it did.
    moved: bool,
    /// That `cd` stood behind `&&`: after the chain nobody knows whether it ran.
    moved_perhaps: bool,
}

struct Scope {
    around: shell::Around,
    place: Place,
    calls: usize,
    certain: bool,
    conditional: bool,
    chain: Chain,
}

impl Finder {
    fn script(&mut self, script: Script, certain: bool) {
        self.broken |= !script.whole;
        let mut scopes: Vec<Scope> = Vec::new();
        let mut now = (certain, false);
        let mut chain = Chain::default();
        let mut fed: Option<String> = None;
        for event in script.events {
            match event {
                Event::Open(around) => {
                    scopes.push(Scope {
                        around,
                        place: self.place.clone(),
                        calls: self.reading.calls.len(),
                        certain: now.0,
                        conditional: now.1,
                        chain,
                    });
                    chain = Chain::default();
                    now.0 &= around != shell::Around::Function;
                    now.1 |= matches!(around, shell::Around::Branch | shell::Around::Loop);
                }
                Event::Close => {
                    if let Some(scope) = scopes.pop() {
                        now = (scope.certain, scope.conditional);
                        chain = scope.chain;
                        self.leave(&scope);
                    }
                }
                Event::Simple(simple) => {
                    let input = fed.take().filter(|_| simple.joint == Joint::Pipe);
                    if simple.feeds {
                        fed = Some(output_of(&simple, input.as_deref()));
                    }
                    self.simple(&simple, now, &mut chain, input);
                }
            }
        }
    }

    fn leave(&mut self, scope: &Scope) {
        use shell::Around;
        match scope.around {
            Around::Group => {}
            Around::Subshell | Around::Function => self.place = scope.place.clone(),
            Around::Branch | Around::Loop if self.place == scope.place => {}
            Around::Branch => self.place = Place::Unknown,
            Around::Loop => {
                self.place = Place::Unknown;
                for call in &mut self.reading.calls[scope.calls..] {
                    call.certain = false;
                }
            }
        }
    }

    fn simple(
        &mut self,
        simple: &Simple,
        (certain, conditional): (bool, bool),
        chain: &mut Chain,
        piped: Option<String>,
    ) {
        if simple.joint == Joint::Next {
            if chain.moved_perhaps {
                self.place = Place::Unknown;
            }
            *chain = Chain::default();
        }
        let before = self.place.clone();
        let mut setting = Setting {
            directory: None,
            adrift: false,
            certain,
            conditional: conditional || matches!(simple.joint, Joint::And | Joint::Or),
        };
        if simple.joint == Joint::Or && chain.moved {
            setting.certain = false;
        }
        self.run(simple, &simple.words, setting, piped);
        if self.place != before {
            if simple.feeds || simple.joint == Joint::Pipe {
                self.place = before;
            } else {
                chain.moved = true;
                chain.moved_perhaps |= simple.joint == Joint::And;
                if simple.joint == Joint::Or {
                    self.place = Place::Unknown;
                }
            }
        }
    }

    /// Runs words in a setting: the heart of the matter.
    fn run(
        &mut self,
        simple: &Simple,
        words: &[Word],
        mut setting: Setting,
        piped: Option<String>,
    ) {
        let unwrapped = unwrap(words);
        let Unwrapped { words, .. } = unwrapped;
        if unwrapped.sets.iter().any(|name| redirects_git(name)) {
            setting.adrift = true;
            self.environment_changed |= words.is_empty();
        }
        setting.adrift |= self.environment_changed;
        setting.certain &= unwrapped.certain && !setting.adrift;
        let moved = unwrapped.directory;
        let Some((program, rest)) = words.split_first() else {
            return;
        };
        if !program.literal {
            return self.perhaps_git(rest, setting, simple);
        }
        let name = base_name(&program.text);
        match name {
            "git" => self.git(rest, setting, moved, simple),
            "cd" | "chdir" | "pushd" => self.place = self.place.after_cd(rest),
            "popd" => self.place = Place::Unknown,
            "export" | "declare" | "typeset" | "local" | "readonly" => {
                let names = rest.iter().filter_map(|word| word.text.split('=').next());
                self.environment_changed |= names.into_iter().any(redirects_git);
            }
            "." | "source" => self.ran_a_file = true,
            "eval" => self.text(&joined_text(rest), None),
            "trap" => self.text(rest.first().map_or("", |word| &word.text), None),
            "bash" | "sh" | "zsh" | "dash" | "ksh" | "ash" => {
                match shells::input(rest, simple, piped) {
                    Input::Nothing => self.ran_a_file |= !rest.is_empty(),
                    Input::Script(text) if moved.is_none() => self.text(&text, Some(setting)),
                    Input::Script(text) | Input::Perhaps(text) => self.text(&text, None),
                }
            }
            "xargs" | "find" | "fd" | "parallel" => {
                if let Some(words) = strangers::command_of(name, rest) {
                    setting.certain = false;
                    let mut words = words.to_vec();
                    if name != "find" {
                        words.push(strangers::added());
                    }
                    self.run(simple, &words, setting, None);
                }
            }
            _ if name.eq_ignore_ascii_case("git") || name.eq_ignore_ascii_case("git.exe") => {
                setting.certain = false;
                self.git(rest, setting, moved, simple);
            }
            _ => self.stranger(name, program, rest, setting, simple),
        }
    }

    fn git(&mut self, rest: &[Word], mut setting: Setting, moved: Option<String>, at: &Simple) {
        match &self.place {
            Place::Start => {}
            Place::Known(directory) => setting.directory = Some(directory.clone()),
            Place::Unknown => setting.adrift = true,
        }
        if let Some(moved) = moved {
            setting.directory = Some(joined(setting.directory.as_deref(), &moved));
        }
        let stdin = at.stdin.as_ref().map(|stdin| stdin.source.clone());
        if let Some(call) = git::call(rest, setting, stdin) {
            if self.reading.calls.len() >= MAX_CALLS {
                self.broken = true;
            } else {
                self.reading.calls.push(call);
            }
        }
    }

    /// Words that may be git's, as in `$GIT stash`: the verb decides whether they are worth a look.
    fn perhaps_git(&mut self, words: &[Word], mut setting: Setting, at: &Simple) {
        setting.certain = false;
        let call = git::call(words, setting.clone(), None);
        if call.is_some_and(|call| call.verb.is_known_danger()) {
            self.git(words, setting, None, at);
        }
    }

    /// A program that nothing is known about: it may run git with its words.
    fn stranger(
        &mut self,
        name: &str,
        program: &Word,
        rest: &[Word],
        mut setting: Setting,
        simple: &Simple,
    ) {
        if let Some(verb) = name.strip_prefix("git-")
            && Verb::of(verb).is_known_danger()
        {
            let mut words = vec![Word {
                text: verb.to_owned(),
                ..program.clone()
            }];
            words.extend_from_slice(rest);
            return self.git(&words, setting, None, simple);
        }
        if strangers::never_runs(name) {
            let stdin = simple.stdin.iter().map(|stdin| stdin.text.clone());
            let text: String = [joined_text(rest)].into_iter().chain(stdin).collect();
            self.wrote_git |= strangers::verb_within(&text).is_some();
            return;
        }
        self.ran_a_file |= program.text.contains('/');
        setting.certain = false;
        if let Some(at) = rest.iter().position(|word| base_name(&word.text) == "git") {
            return self.perhaps_git(&rest[at + 1..], setting, simple);
        }
        let stdin = simple.stdin.iter().map(|stdin| stdin.text.as_str());
        let words = [program].into_iter().chain(rest);
        let texts = words.map(|word| word.text.as_str()).chain(stdin);
        for verb in texts.filter_map(strangers::verb_within) {
            let word = Word {
                text: verb.to_owned(),
                literal: true,
                source: verb.to_owned(),
            };
            self.git(&[word], setting.clone(), None, simple);
        }
    }

    /// Text that is a script of its own. Without a setting nothing in it is certain.
    fn text(&mut self, text: &str, setting: Option<Setting>) {
        if !crate::mentions_git(text) {
            return;
        }
        if self.scripts >= MAX_SCRIPTS {
            self.broken = true;
            return;
        }
        let (place, known) = (self.place.clone(), self.reading.calls.len());
        let conditional = setting.as_ref().is_some_and(|setting| setting.conditional);
        self.scripts += 1;
        self.script(
            shell::read(text),
            setting.is_some_and(|setting| setting.certain),
        );
        self.scripts -= 1;
        self.place = place;
        for call in &mut self.reading.calls[known..] {
            call.conditional |= conditional;
        }
    }
}

/// What a command that only prints hands to the next one, roughly.
fn output_of(simple: &Simple, input: Option<&str>) -> String {
    let mut text = match simple.words.first().map(|word| base_name(&word.text)) {
        Some("echo" | "printf") => joined_text(&simple.words[1..]),
        _ => String::new(),
    };
    text.push_str(input.unwrap_or_default());
    if let Some(stdin) = &simple.stdin {
        text.push_str(&stdin.text);
    }
    text
}

fn joined_text(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Variables of git that change which repository, index or files a command works on.
fn redirects_git(name: &str) -> bool {
    const HARMLESS: [&str; 9] = [
        "GIT_PAGER",
        "GIT_EDITOR",
        "GIT_SEQUENCE_EDITOR",
        "GIT_TERMINAL_PROMPT",
        "GIT_MERGE_AUTOEDIT",
        "GIT_OPTIONAL_LOCKS",
        "GIT_ASKPASS",
        "GIT_PS1_SHOWDIRTYSTATE",
        "GIT_ADVICE",
    ];
    const HARMLESS_STARTS: [&str; 6] = [
        "GIT_AUTHOR_",
        "GIT_COMMITTER_",
        "GIT_TRACE",
        "GIT_SSH",
        "GIT_HTTP",
        "GIT_CURL",
    ];
    (name.starts_with("GIT_") || name == "HOME")
        && !HARMLESS.contains(&name)
        && !HARMLESS_STARTS.iter().any(|start| name.starts_with(start))
}
