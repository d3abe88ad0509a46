//! A lock refuses another session's write, and following the words of the refusal leads on.

use std::{thread, time::Duration};

use kite_wire::{
    reply::Locks,
    request::{Lock, Unlock},
};

use crate::{
    demo::{Play, expect, stage},
    error::Error,
    hook::Verdict,
};

/// How long the first session goes on working under its lock.
const WORK: Duration = Duration::from_millis(700);
/// How long the second is ready to wait.
const WAIT_S: u64 = 20;

pub(in crate::demo) fn play(play: &mut Play<'_>) -> Result<(), Error> {
    play.act("A session locks a file, and another wants to write it")?;
    let file = play.stage.file("login.txt", "password\n")?;
    let paths = vec![file.to_string_lossy().into_owned()];
    let mut ada = play.stage.enter("Ada", "Add OAuth login")?;
    let mut ben = play.stage.enter("Ben", "Mention passkeys")?;

    let lock = Lock {
        paths: paths.clone(),
        reason: Some("several steps".to_owned()),
        ..Lock::default()
    };
    let granted: Locks = ada.tools.ask(lock)?;
    expect(
        granted.outcome == "granted",
        "a free file could not be locked",
    )?;
    play.tell(ada.name, "locks login.txt")?;

    let answer = ben.before("Write", "toolu_demo_refused", &file)?;
    let Verdict::Denied(words) = answer.verdict else {
        return expect(false, "a write to a locked file was not refused");
    };
    play.tell(ben.name, "wants to write login.txt, and is told:")?;
    play.kite(words)?;

    play.tell(
        ben.name,
        "does as it says: asks for the lock and waits in the queue",
    )?;
    let (waited_ms, mut ben) = thread::scope(|scope| {
        let lock = Lock {
            paths: paths.clone(),
            wait_s: Some(WAIT_S),
            ..Lock::default()
        };
        let waiting = scope.spawn(move || ben.tools.ask::<Locks>(lock).map(|locks| (locks, ben)));
        ada.before("Edit", "toolu_demo_locked", &file)?;
        thread::sleep(WORK);
        stage::replace(&file, "password", "password or OAuth")?;
        ada.after("Edit", "toolu_demo_locked", &file)?;
        play.tell(ada.name, "finishes its steps and unlocks login.txt")?;
        ada.tools.ask::<Locks>(Unlock {
            paths: paths.clone(),
            ..Unlock::default()
        })?;
        let (locks, ben) = waiting
            .join()
            .unwrap_or_else(|_| Err(Error::failed("a scripted session gave up")))?;
        expect(
            locks.outcome == "granted",
            "the one who waited did not get the lock",
        )?;
        Ok::<_, Error>((locks.waited_ms, ben))
    })?;
    play.tell(
        ben.name,
        format!("has the lock after {waited_ms} ms in the queue, and reads the file again"),
    )?;
    ben.after("Read", "toolu_demo_read", &file)?;
    let answer = ben.before("Write", "toolu_demo_written", &file)?;
    expect(
        answer.verdict == Verdict::Allowed,
        "the holder's own write was refused",
    )?;
    stage::replace(&file, "OAuth", "OAuth or passkey")?;
    ben.after("Write", "toolu_demo_written", &file)?;
    ben.tools.ask::<Locks>(Unlock {
        paths,
        ..Unlock::default()
    })?;
    expect(
        stage::read(&file)? == "password or OAuth or passkey\n",
        "an edit was lost",
    )?;
    play.outcome("Both changes are there, and the words of the refusal were enough.")
}
