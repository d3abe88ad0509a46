use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn store(limits: Limits) -> (tempfile::TempDir, Images) {
    let directory = tempfile::tempdir().expect("a directory");
    let images = Images::at(directory.path(), limits);
    (directory, images)
}

#[test]
fn what_is_put_comes_back_and_is_kept_once() {
    let (directory, images) = store(Limits::default());
    for bytes in [
        &b""[..],
        b"x",
        "line\n".repeat(10_000).as_bytes(),
        &[0xff; 300],
    ] {
        let hash = images.put(bytes).expect("put");
        assert_eq!(images.put(bytes).expect("again"), hash);
        assert_eq!(images.get(&hash).expect("get"), bytes);
    }
    let left = images.prune(SystemTime::now()).expect("prune");
    assert_eq!(left.removed, 0);
    assert!(left.left_bytes < 2000, "it is compressed: {left:?}");
    let mode = |path: &Path| fs::metadata(path).expect("it").permissions().mode() & 0o777;
    assert_eq!(mode(&directory.path().join("blobs")), 0o700);
    assert_eq!(mode(&images.file(&Hash::of(b"x"))), 0o600);
}

#[test]
fn too_large_is_not_kept() {
    let (_directory, images) = store(Limits {
        file_bytes_max: 10,
        ..Limits::default()
    });
    assert!(matches!(images.put(&[1; 11]), Err(Error::NotKept { .. })));
    assert!(images.put(&[1; 10]).is_ok());
}

#[test]
fn damage_and_links_are_seen() {
    let (directory, images) = store(Limits::default());
    let hash = images.put(b"precious").expect("put");
    let file = images.file(&hash);
    fs::write(&file, b"\0forged").expect("write");
    assert!(matches!(images.get(&hash), Err(Error::NotKept { .. })));
    fs::write(&file, b"\x01\xff\xff\xff\xff").expect("write");
    assert!(matches!(images.get(&hash), Err(Error::NotKept { .. })));
    let elsewhere = directory.path().join("elsewhere");
    fs::write(&elsewhere, b"\0precious").expect("write");
    fs::remove_file(&file).expect("remove");
    symlink(&elsewhere, &file).expect("link");
    assert!(matches!(images.get(&hash), Err(Error::NotKept { .. })));
    // Put again, it takes the link's place and leaves alone what the link named.
    images.put(b"precious").expect("put");
    assert_eq!(images.get(&hash).expect("get"), b"precious");
    assert_eq!(fs::read(&elsewhere).expect("read"), b"\0precious");
}

#[test]
fn the_oldest_go_first() {
    let (directory, images) = store(Limits::default());
    let now = SystemTime::now();
    let hashes: Vec<Hash> = (0..4_u8)
        .map(|n| {
            let hash = images.put(&noise(n)).expect("put");
            let file = File::options()
                .append(true)
                .open(images.file(&hash))
                .expect("it");
            let age = Duration::from_secs(200 - u64::from(n) * 50);
            file.set_modified(now - age).expect("time");
            hash
        })
        .collect();
    // 200 and 150 s old: too old. 100 and 50 s old, 601 bytes each: one too many.
    let limits = Limits {
        bytes_max: 1000,
        age_max: Duration::from_secs(120),
        ..Limits::default()
    };
    let images = Images::at(directory.path(), limits);
    let pruned = images.prune(now).expect("prune");
    assert_eq!((pruned.removed, pruned.left_bytes), (3, 601));
    assert!(images.has(&hashes[3]));
}

#[test]
fn the_store_prunes_itself() {
    let (_directory, images) = store(Limits {
        bytes_max: 3000,
        ..Limits::default()
    });
    for n in 0..100 {
        images.put(&noise(n)).expect("put");
    }
    let left = images.prune(SystemTime::now()).expect("prune");
    assert!(left.removed <= 1, "{left:?}");
}

#[test]
fn one_store_for_each_content_keeps_the_limit_too() {
    let limits = Limits {
        bytes_max: 30_000,
        ..Limits::default()
    };
    let (directory, images) = store(limits);
    images.put(&noise(0)).expect("put");
    // A 32nd of the limit is more than one content and less than two.
    for n in 1..100 {
        Images::at(directory.path(), limits)
            .put(&noise(n))
            .expect("put");
    }
    let left = images.prune(SystemTime::now()).expect("prune");
    assert!(left.removed <= 2, "{left:?}");
}

/// 600 bytes that do not compress.
fn noise(seed: u8) -> Vec<u8> {
    (0..19_u8)
        .flat_map(|n| Hash::of(&[seed, n]).to_string().into_bytes())
        .map(|hex| hex.wrapping_mul(97) ^ seed)
        .enumerate()
        .map(|(n, byte)| byte.wrapping_add(u8::try_from(n % 251).unwrap_or(0)))
        .take(600)
        .collect()
}
