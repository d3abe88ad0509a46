//! Files of a working copy as they are now.

use std::{
    fs,
    io::Read as _,
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::Path,
};

use rustix::fs::OFlags;

use super::{Budget, Content, FILE_BYTES_MAX};

/// What a path below `top` holds now. No link is followed, and nothing outside is read.
pub(super) fn read(top: &Path, path: &Path, budget: &mut Budget) -> Content {
    let file = top.join(path);
    let Ok(metadata) = file.symlink_metadata() else {
        return Content::Absent;
    };
    let inside = || {
        let above = file.parent()?.canonicalize().ok()?;
        Some(above.starts_with(top.canonicalize().ok()?))
    };
    if inside() != Some(true) {
        return Content::LeftOut("it is reached through a link out of the working copy");
    }
    if metadata.is_symlink() {
        return match fs::read_link(&file) {
            Ok(target) => {
                Content::Link(String::from_utf8_lossy(target.as_os_str().as_bytes()).into_owned())
            }
            Err(_) => Content::Absent,
        };
    }
    if metadata.is_dir() {
        return Content::LeftOut("it is a directory");
    }
    if !metadata.is_file() {
        return Content::LeftOut("it is no file");
    }
    if let Some(why) = budget.refuses(metadata.len()) {
        return Content::LeftOut(why);
    }
    // It may have become something else in the meantime.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(&file);
    let mut bytes = Vec::new();
    let read = opened.and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Content::of(bytes),
        Err(_) => Content::LeftOut("it cannot be read"),
    }
}
