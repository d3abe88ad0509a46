//! Builds `kite-hook` and lays it at `$OUT_DIR/kite-hook`, so that `kite` can carry it and
//! install it. Also sets `KITE_BUILD`, by which a newer build is told from an older one.
//!
//! The hook needs what a profile and a package cannot ask for within one Cargo build: no
//! unwinding and static linking, while the rest of the workspace has neither. Hence a second
//! Cargo, with a target directory of its own so that the two do not wait for each other.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::UNIX_EPOCH,
};

/// Tests, which are no part of the program.
const NOT_BUILT: &str = "scenes";

/// Links the C library into the hook: starting without a dynamic linker saves a third of its time.
const STATIC_FLAGS: &str = "-Ctarget-feature=+crt-static";

fn main() {
    let root = workspace_root();
    let mut newest = 0;
    for path in watched(&root) {
        println!("cargo:rerun-if-changed={}", path.display());
        newest = newest.max(newest_change(&path));
    }
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    if let Some(set) = env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| text.parse().ok())
    {
        newest = set;
    }
    println!(
        "cargo:rustc-env=KITE_BUILD={}+{newest}",
        variable("CARGO_PKG_VERSION")
    );
    build_hook(&root);
}

fn workspace_root() -> PathBuf {
    let package = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    package
        .ancestors()
        .nth(2)
        .expect("crates/kite lies two folders below the workspace")
        .to_owned()
}

fn watched(root: &Path) -> Vec<PathBuf> {
    let mut paths = vec![
        root.join("Cargo.toml"),
        root.join("Cargo.lock"),
        root.join("crates/kite/build.rs"),
    ];
    let crates = fs::read_dir(root.join("crates")).into_iter().flatten();
    for folder in crates.flatten().map(|entry| entry.path()) {
        if !folder.ends_with(NOT_BUILT) {
            paths.extend([folder.join("Cargo.toml"), folder.join("src")]);
        }
    }
    paths.retain(|path| path.exists());
    paths
}

/// When the newest file at or below `path` was changed, in seconds since 1970.
fn newest_change(path: &Path) -> u64 {
    if path.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        return entries
            .map(|entry| newest_change(&entry.path()))
            .max()
            .unwrap_or(0);
    }
    let changed = fs::metadata(path).and_then(|file| file.modified()).ok();
    changed
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_secs())
}

/// One way to build the hook.
struct Attempt {
    target: String,
    rustflags: &'static str,
}

fn build_hook(root: &Path) {
    let out = PathBuf::from(variable("OUT_DIR"));
    let directory = out.join("hook");
    let mut errors = String::new();
    for attempt in attempts() {
        let output = run_cargo(root, &directory, &attempt);
        if output.status.success() {
            let hook = directory
                .join(&attempt.target)
                .join("hook")
                .join("kite-hook");
            fs::copy(&hook, out.join("kite-hook"))
                .unwrap_or_else(|error| panic!("copying {} failed: {error}", hook.display()));
            if !errors.is_empty() {
                let (target, flags) = (attempt.target, attempt.rustflags);
                println!(
                    "cargo:warning=faster ways to build kite-hook failed; it is built for {target} with `{flags}`"
                );
            }
            return;
        }
        errors.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    panic!("building kite-hook failed:\n{errors}");
}

/// Fastest to start first. musl is about twice as fast as glibc, which asks the processor for its
/// features; the last works wherever `kite` itself can be built.
fn attempts() -> Vec<Attempt> {
    let target = variable("TARGET");
    let mut attempts = Vec::new();
    if variable("CARGO_CFG_TARGET_OS") == "linux" {
        let musl = target.replace("-linux-gnu", "-linux-musl");
        if musl != target && is_installed(&musl) {
            attempts.push(Attempt {
                target: musl,
                rustflags: STATIC_FLAGS,
            });
        }
        attempts.push(Attempt {
            target: target.clone(),
            rustflags: STATIC_FLAGS,
        });
    }
    attempts.push(Attempt {
        target,
        rustflags: "",
    });
    attempts
}

/// True where the standard library of a target is there, as after `rustup target add`.
fn is_installed(target: &str) -> bool {
    let output = Command::new(variable("RUSTC"))
        .args(["--print", "target-libdir", "--target", target])
        .output();
    output
        .is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim_end()).is_dir())
}

fn run_cargo(root: &Path, directory: &Path, attempt: &Attempt) -> Output {
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(root)
        .args([
            "build",
            "--package",
            "kite-hook",
            "--profile",
            "hook",
            "--quiet",
        ])
        // Naming the target keeps the flags away from build scripts. Everything the hook needs
        // has been locked and fetched for the build that runs this script.
        .args(["--target", &attempt.target, "--locked", "--offline"])
        .arg("--target-dir")
        .arg(directory);
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_the_outer_build(name)) {
        cargo.env_remove(name);
    }
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", attempt.rustflags)
        .env("CARGO_BUILD_BUILD_DIR", directory)
        .output()
        .expect("cargo runs, since it runs this script")
}

/// Flags, profiles and wrappers that are meant for the outer build: coverage, sanitizers, Clippy.
fn is_of_the_outer_build(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.ends_with("RUSTFLAGS")
        || name.starts_with("CARGO_PROFILE_")
        || name.starts_with("CARGO_BUILD_")
        || name.ends_with("WORKSPACE_WRAPPER")
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}
