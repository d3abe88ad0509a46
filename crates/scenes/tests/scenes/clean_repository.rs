//! `git status` does not notice Kite.

use std::{collections::BTreeMap, fs, path::Path};

use kite_scenes::{
    model::{Call, Script},
    stage::{Fault, SESSION_MAX, Scene, Stage},
};
use serde_json::json;

#[test]
fn git_status_is_the_same_before_and_after_everything() -> Scene {
    let settings = "{\n   \"permissions\": {\"allow\": [\"Bash(ls:*)\"]}\n}\n";
    let Some(stage) = Stage::set(&[("a.txt", "one\n")])? else {
        return Ok(());
    };
    stage.project.write("untracked.txt", "mine\n")?;
    stage
        .project
        .write(".claude/settings.local.json", settings)?;
    let (status, wiring) = (stage.project.status()?, wiring(&stage)?);

    stage.init()?;
    // Kite also hides the personal settings file, which was visible before.
    let hidden = "?? .claude/settings.local.json\n";
    let expected = status.replace(hidden, "");
    assert_eq!(
        stage.project.status()?.replace(hidden, ""),
        expected,
        "after init"
    );
    let file = stage.project.file("a.txt");
    let script = Script::new("worker")
        .call(Call::kite("kite_file_lock", json!({"file": file})))
        .call(Call::read(&file))
        .call(Call::edit(&file, "one", "two"))
        .call(Call::edit(&file, "two", "one"));
    stage.session("Work", script).start()?.finish(SESSION_MAX)?;
    stage.check_model()?;
    let errors = stage
        .model
        .results("worker")
        .into_iter()
        .filter(|result| result.is_error);
    assert_eq!(errors.collect::<Vec<_>>(), []);
    assert_eq!(
        stage.project.status()?.replace(hidden, ""),
        expected,
        "after work"
    );

    stage.kite(["uninit"])?;
    assert_eq!(stage.project.status()?, status, "after uninit");
    assert_eq!(
        self::wiring(&stage)?,
        wiring,
        "uninit did not put back what was there"
    );
    Ok(())
}

#[test]
fn a_second_init_changes_nothing() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[])? else {
        return Ok(());
    };
    assert_eq!(stage.project.status()?, "");
    let once = wiring(&stage)?;
    stage.init()?;
    assert_eq!(wiring(&stage)?, once);
    stage.kite(["uninit"])?;
    assert_eq!(stage.project.status()?, "");
    Ok(())
}

/// Every file that wiring may change, with its text.
fn wiring(stage: &Stage) -> Result<BTreeMap<String, String>, Fault> {
    let mut files = BTreeMap::new();
    let mut keep = |path: &Path| -> Scene {
        if path.is_file() {
            files.insert(
                path.to_string_lossy().into_owned(),
                fs::read_to_string(path)?,
            );
        }
        Ok(())
    };
    keep(&stage.project.path().join(".git/info/exclude"))?;
    keep(&stage.project.path().join(".mcp.json"))?;
    let settings = stage.project.path().join(".claude");
    for entry in settings
        .is_dir()
        .then(|| fs::read_dir(settings))
        .transpose()?
        .into_iter()
        .flatten()
    {
        keep(&entry?.path())?;
    }
    Ok(files)
}
