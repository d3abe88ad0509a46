//! Two sessions edit one file at the same moment, and both edits survive.

use std::{
    path::Path,
    sync::{Barrier, mpsc},
    thread,
    time::Duration,
};

use crate::{
    demo::{Play, actor::Actor, expect, stage},
    error::Error,
    hook::Verdict,
};

/// How long each edit takes from reading the file to writing it.
const EDIT: Duration = Duration::from_millis(300);

pub(in crate::demo) fn play(play: &mut Play<'_>) -> Result<(), Error> {
    play.act("Two sessions edit the same file at the same moment")?;
    let file = play
        .stage
        .file("prices.txt", "apple 1\nbread 2\ncheese 3\n")?;
    let ada = play.stage.enter("Ada", "Raise the price of apples")?;
    let ben = play.stage.enter("Ben", "Raise the price of cheese")?;

    let (told, heard) = mpsc::channel();
    let start = Barrier::new(2);
    let waits = thread::scope(|scope| {
        let edits = [
            (&ada, "apple 1", "apple 11"),
            (&ben, "cheese 3", "cheese 33"),
        ];
        let threads = edits.map(|(actor, old, new)| {
            let (told, start, file) = (told.clone(), &start, &file);
            scope.spawn(move || edit(actor, file, (old, new), start, &told))
        });
        drop(told);
        for (who, what) in heard {
            play.tell(who, what)?;
        }
        let join = |thread: thread::ScopedJoinHandle<'_, Result<Duration, Error>>| {
            thread
                .join()
                .unwrap_or_else(|_| Err(Error::failed("a scripted session gave up")))
        };
        let [ada, ben] = threads.map(join);
        Ok::<_, Error>([ada?, ben?])
    })?;

    let text = stage::read(&file)?;
    expect(
        text == "apple 11\nbread 2\ncheese 33\n",
        "one of two edits was lost",
    )?;
    let [first, second] = if waits[0] < waits[1] {
        waits
    } else {
        [waits[1], waits[0]]
    };
    expect(
        second >= EDIT && first < EDIT,
        "the second edit did not wait for the first",
    )?;
    play.outcome(format!(
        "Both edits are there. One went on after {} ms, the other waited {} ms and was not refused.",
        first.as_millis(),
        second.as_millis()
    ))
}

/// One edit by its tool: ask, read, change, write, say so. Returns how long asking took.
fn edit(
    actor: &Actor,
    file: &Path,
    (old, new): (&str, &str),
    start: &Barrier,
    told: &mpsc::Sender<(&'static str, String)>,
) -> Result<Duration, Error> {
    let say = |what: String| {
        // Nobody listens any more where the demo was interrupted.
        let _ = told.send((actor.name, what));
    };
    let call = format!("toolu_demo_race_{}", actor.name);
    start.wait();
    say(format!(
        "wants to change \"{old}\" to \"{new}\" in prices.txt"
    ));
    let answer = actor.before("Edit", &call, file)?;
    expect(
        answer.verdict == Verdict::Allowed,
        "an edit was refused where it should have waited",
    )?;
    say(format!(
        "may go on, {} ms after asking",
        answer.took.as_millis()
    ));
    let text = stage::read(file)?;
    thread::sleep(EDIT);
    std::fs::write(file, text.replace(old, new))
        .map_err(|cause| Error::failed("cannot write prices.txt").because(cause))?;
    say("has written the file".to_owned());
    actor.after("Edit", &call, file)?;
    Ok(answer.took)
}
