//! `keygen`, `sign`, and `verify`, and minisign's own tool on the same keys and signatures.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::fixture::{Fixture, Ran};

const MOON: &str = "libmoon.so";

/// A fixture with the plugin `moon` at its root, and the keys `one` and `two`, which have no password.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.library(MOON, "moon", &[], &[]);
    for key in ["one.key", "two.key"] {
        fixture.ok(&["keygen", key, "--no-password"]);
    }
    fixture
}

/// Runs minisign itself, with this input.
fn minisign(fixture: &Fixture, args: &[&str], input: &str) -> Output {
    let mut command = Command::new("minisign");
    command.args(args).current_dir(&fixture.root);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let started = command.stderr(Stdio::piped()).spawn();
    let mut child = started.expect("minisign is installed: see `tests/run --setup`");
    let mut stdin = child.stdin.take().expect("it has an input");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn minisign_ok(fixture: &Fixture, args: &[&str], input: &str) -> String {
    let output = minisign(fixture, args, input);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let told = text(&output.stderr);
    assert!(output.status.success(), "{args:?}: {told}");
    text(&output.stdout)
}

fn key_id(fixture: &Fixture, public: &str) -> String {
    let text = fixture.read(public);
    let first = text.lines().next().expect("a key has a comment");
    first.rsplit(' ').next().expect("it has an id").to_owned()
}

fn mode(fixture: &Fixture, file: &str) -> u32 {
    let found = fixture.root.join(file).metadata();
    found.expect("it is there").permissions().mode() & 0o777
}

/// Returns what the command printed to stderr, without ids.
fn redacted(fixture: &Fixture, ran: &Ran) -> String {
    let mut text = ran.stderr.clone();
    for key in ["one", "two"] {
        text = text.replace(&key_id(fixture, &format!("{key}.pub")), &format!("<{key}>"));
    }
    text
}

#[test]
fn what_is_signed_here_is_verified_here_and_by_minisign() {
    let fixture = fixture();
    assert_eq!(mode(&fixture, "one.key"), 0o600);
    fs::set_permissions(fixture.root.join(MOON), fs::Permissions::from_mode(0o755))
        .expect("it is ours");
    let ran = fixture.ok(&["sign", "-s", "one.key", MOON]);
    assert!(ran.stderr.contains("Signed moon (build "), "{}", ran.stderr);
    assert_eq!(mode(&fixture, "libmoon.so.minisig"), 0o644);
    let build = fixture.ok(&["inspect", "--json", MOON]).stdout;
    let build: serde_json::Value = serde_json::from_str(&build).expect("it is JSON");
    let build = build["build_id"].as_str().expect("it has one");

    let ran = fixture.ok(&["verify", "-k", "one.pub", MOON]);
    let id = key_id(&fixture, "one.pub");
    assert!(
        ran.stdout.contains(&format!("signed by {id} (")),
        "{}",
        ran.stdout
    );
    let ran = fixture.ok(&["verify", "-k", "one.pub", "--json", MOON]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(json["plugin"], "moon");
    assert_eq!(json["build"], build);
    assert_eq!(json["key"], id);
    assert!(json["error"].is_null(), "{json}");

    let told = minisign_ok(&fixture, &["-V", "-p", "one.pub", "-m", MOON], "");
    let comment = format!("\tfile:libmoon.so\tplugin:moon\tbuild:{build}\thashed");
    assert!(told.contains(&comment), "{told}");
    assert!(
        json["comment"]
            .as_str()
            .is_some_and(|it| it.ends_with(&comment)),
        "{json}"
    );
}

#[test]
fn what_minisign_signs_is_verified() {
    let fixture = fixture();
    minisign_ok(
        &fixture,
        &["-G", "-W", "-p", "their.pub", "-s", "their.key"],
        "",
    );
    minisign_ok(&fixture, &["-S", "-W", "-s", "their.key", "-m", MOON], "");
    fixture.ok(&["verify", "-k", "their.pub", MOON]);
    // The text of a key does as well as its file.
    let text = fixture.read("their.pub");
    let key = text.lines().nth(1).expect("the key is in the second line");
    fixture.ok(&["verify", "-k", key, MOON]);
    // Their key signs here, too.
    fixture.ok(&["sign", "-s", "their.key", MOON]);
    minisign_ok(&fixture, &["-V", "-P", key, "-m", MOON], "");

    // And our key there.
    minisign_ok(&fixture, &["-S", "-W", "-s", "one.key", "-m", MOON], "");
    fixture.ok(&["verify", "-k", "one.pub", MOON]);

    // The legacy algorithm hashes nothing before it signs.
    minisign_ok(
        &fixture,
        &["-S", "-l", "-W", "-s", "their.key", "-m", MOON],
        "",
    );
    let ran = fixture.run(&["verify", "-k", "their.pub", MOON]);
    assert_eq!(ran.code, Some(6));
    assert!(
        ran.stderr
            .contains("minisign's legacy algorithm; sign it again"),
        "{}",
        ran.stderr
    );
}

/// The password of a key is that of minisign, too.
#[test]
fn a_password_protects_a_key() {
    let fixture = fixture();
    fixture.write("password", "correct horse\n");
    fixture.write("wrong", "battery staple\n");
    fixture.ok(&["keygen", "safe.key", "--password-file", "password"]);
    fixture.ok(&[
        "sign",
        "-s",
        "safe.key",
        "--password-file",
        "password",
        MOON,
    ]);
    minisign_ok(&fixture, &["-V", "-p", "safe.pub", "-m", MOON], "");
    minisign_ok(
        &fixture,
        &["-S", "-s", "safe.key", "-m", MOON],
        "correct horse\n",
    );
    fixture.ok(&["verify", "-k", "safe.pub", MOON]);

    fs::remove_file(fixture.root.join("libmoon.so.minisig")).expect("it is there");
    let ran = fixture.run(&["sign", "-s", "safe.key", "--password-file", "wrong", MOON]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"error: the password is not that of the secret key `<root>/safe.key`; try again, or make another key with `cargo hotswap keygen`");
    assert!(!fixture.root.join("libmoon.so.minisig").exists());
}

#[test]
fn a_password_comes_from_stdin_and_is_not_empty() {
    let fixture = Fixture::new();
    let keygen = |input: &[u8]| {
        let mut command = fixture.command("", &["keygen", "a.key", "--password-file", "-"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("it has an input");
        stdin.write_all(input).expect("it reads");
        drop(stdin);
        Ran::new(&fixture, child.wait_with_output().expect("it ends"))
    };
    for (input, said) in [
        (
            &b"\n"[..],
            "error: the password is empty; for a key without one, pass --no-password to `keygen`\n",
        ),
        (
            &b""[..],
            "error: the password is empty; for a key without one, pass --no-password to `keygen`\n",
        ),
        (
            &[b'x'; 1025][..],
            "error: the password is longer than 1024 bytes, which minisign does not accept\n",
        ),
        (
            &b"\xff\n"[..],
            "error: cannot read the password from stdin\n  caused by: stream did not contain valid UTF-8\n",
        ),
    ] {
        let ran = keygen(input);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), said));
        assert!(!fixture.root.join("a.key").exists());
    }
    assert_eq!(keygen(b"a password\nand a second line\n").code, Some(0));
}

/// A terminal does not show the password, and shows again what is typed after it.
#[test]
fn a_password_is_asked_for_on_the_terminal() {
    let fixture = Fixture::new();
    let run = |args: &str, typed: &[(&str, &str)]| {
        let command = fixture.command("", &[]);
        let program = command.get_program().to_str().expect("the path is text");
        let line = format!("trap : INT; '{program}' {args}; stty -a");
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        script.current_dir(&fixture.root).env("SHELL", "/bin/sh");
        let mut child = script
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("util-linux is installed");
        let mut input = child.stdin.take().expect("it has an input");
        let mut output = child.stdout.take().expect("it has an output");
        let mut shown = Vec::new();
        for (prompt, password) in typed {
            let mut byte = [0];
            while !String::from_utf8_lossy(&shown).contains(prompt) {
                assert_eq!(
                    output.read(&mut byte).expect("it can be read"),
                    1,
                    "{prompt}"
                );
                shown.extend(byte);
            }
            input.write_all(password.as_bytes()).expect("it reads");
        }
        output.read_to_end(&mut shown).expect("it ends");
        child.wait().expect("it ends");
        String::from_utf8_lossy(&shown).into_owned()
    };
    let first = "Password for the new secret key: ";
    let again = "The same password once more: ";
    let shown = run("keygen a.key", &[(first, "secret\n"), (again, "secrets\n")]);
    assert!(
        shown.contains("the two passwords differ, so no key was made"),
        "{shown}"
    );
    assert!(!fixture.root.join("a.key").exists());
    let shown = run("keygen a.key", &[(first, "secret\n"), (again, "secret\n")]);
    assert!(fixture.root.join("a.key").exists(), "{shown}");
    assert!(!shown.contains("secret\r\n"), "{shown}");
    assert!(shown.contains(" echo "), "{shown}");
    // An interruption leaves a terminal that shows what is typed.
    let shown = run("keygen b.key", &[(first, "\u{3}")]);
    assert!(
        shown.contains(" echo ") && !shown.contains("-echo "),
        "{shown}"
    );
    assert!(!fixture.root.join("b.key").exists());
    // Without a terminal, there is a way out.
    let mut command = Command::new("setsid");
    let alone = fixture.command("", &[]);
    command
        .arg("--wait")
        .arg(alone.get_program())
        .args(["keygen", "c.key"]);
    let output = command
        .current_dir(&fixture.root)
        .stdin(Stdio::null())
        .output();
    let ran = Ran::new(&fixture, output.expect("util-linux is installed"));
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .contains("there is no terminal to ask for the password; pass --password-file"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_does_not_count_as_signed_is_told() {
    let fixture = fixture();
    let verify = |args: &[&str]| {
        let ran = fixture.run(&[&["verify", MOON, "-k"], args].concat());
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(6), ""),
            "{}",
            ran.stderr
        );
        redacted(&fixture, &ran)
    };
    insta::assert_snapshot!(verify(&["one.pub"]), @r#"
error: moon, libmoon.so: it is not signed: there is no <root>/libmoon.so.minisig; sign it with `cargo hotswap sign`, and install the signature before the artifact
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#a-signature-does-not-count
"#);
    fixture.ok(&["sign", "-s", "one.key", MOON]);
    insta::assert_snapshot!(verify(&["two.pub"]), @r#"
error: moon, libmoon.so: it is signed by the key <one>, which is not trusted (only <two> is); sign it with a trusted key
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#a-signature-does-not-count
"#);
    insta::assert_snapshot!(verify(&["one.pub", "--revoked", "one.pub"]), @r#"
error: moon, libmoon.so: it is signed by the key <one>, which was revoked; sign it with another trusted key
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#a-signature-does-not-count
"#);
    // One of several keys is enough, in options and in one file.
    fixture.ok(&["verify", "-k", "two.pub", "-k", "one.pub", MOON]);
    let both = fixture.read("two.pub") + "\n# The key before.\n" + &fixture.read("one.pub");
    fixture.write("both.pub", &both);
    fixture.ok(&["verify", "-k", "both.pub", MOON]);
    let signature = fixture.read("libmoon.so.minisig");
    // The comment is signed as well.
    fixture.write(
        "libmoon.so.minisig",
        &signature.replace("plugin:moon", "plugin:sun"),
    );
    insta::assert_snapshot!(verify(&["one.pub"]), @r#"
error: moon, libmoon.so: the signature by the key <one> does not fit: the artifact or its signature was changed or replaced; install both again, the signature first
  see https://github.com/hotswap-rs/hotswap/blob/main/book/src/troubleshooting.md#a-signature-does-not-count
"#);
    for broken in [
        "",
        "no signature",
        &signature[..signature.len() / 2],
        &signature.replace("RU", "\u{1b}[31m"),
    ] {
        fixture.write("libmoon.so.minisig", broken);
        let said = verify(&["one.pub"]);
        assert!(
            said.contains("its signature is not in minisign's format; sign it again"),
            "{said}"
        );
    }
    fs::write(fixture.root.join("libmoon.so.minisig"), [0xff; 99]).expect("it can be written");
    assert!(verify(&["one.pub"]).contains("not in minisign's format"));
    fixture.write("libmoon.so.minisig", &"x".repeat(1 << 20));
    assert!(verify(&["one.pub"]).contains("is longer than 32768 bytes"));
    // Nothing waits for the other end of a pipe.
    fs::remove_file(fixture.root.join("libmoon.so.minisig")).expect("it is there");
    let made = Command::new("mkfifo")
        .arg(fixture.root.join("libmoon.so.minisig"))
        .status();
    assert!(made.expect("there is mkfifo").success());
    assert!(verify(&["one.pub"]).contains("it is not a regular file"));
    fs::remove_file(fixture.root.join("libmoon.so.minisig")).expect("it is there");
    // Another build with the signature of this one.
    fixture.write("libmoon.so.minisig", &signature);
    fixture.library(MOON, "moon", &[("Moon", 1)], &[]);
    assert!(verify(&["one.pub"]).contains("does not fit"));
}

/// Each artifact is looked at, whatever is wrong with another.
#[test]
fn several_artifacts_are_signed_and_verified() {
    let fixture = fixture();
    fixture.library("libsun.so", "sun", &[], &[]);
    fixture.ok(&["sign", "-s", "one.key", MOON, "libsun.so"]);
    let ran = fixture.ok(&["verify", "-k", "one.pub", MOON, "libsun.so"]);
    assert_eq!(ran.lines().len(), 2);
    fs::remove_file(fixture.root.join("libmoon.so.minisig")).expect("it is there");
    let ran = fixture.run(&["verify", "-k", "one.pub", "--json", MOON, "libsun.so"]);
    assert_eq!(ran.code, Some(6));
    let lines = ran.lines().into_iter();
    let lines: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .collect();
    let error = lines[0]["error"].as_str().expect("it is not signed");
    assert!(error.starts_with("it is not signed"), "{error}");
    assert_eq!(lines[1]["plugin"], "sun");
    assert!(lines[1]["error"].is_null());
}

#[test]
fn keys_are_not_overwritten_and_what_is_no_key_is_told() {
    let fixture = fixture();
    let before = fixture.read("one.key");
    let ran = fixture.run(&["keygen", "one.key", "--no-password"]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"error: `<root>/one.key` exists already, and a key that is overwritten is lost; choose another file, or pass --force");
    assert_eq!(fixture.read("one.key"), before);
    // Nor is a public key alone.
    fixture.write("three.pub", "mine");
    let ran = fixture.run(&["keygen", "three.key", "--no-password"]);
    assert!(
        ran.stderr.contains("`<root>/three.pub` exists already"),
        "{}",
        ran.stderr
    );
    assert!(!fixture.root.join("three.key").exists());
    fixture.ok(&["keygen", "one.key", "--no-password", "--force"]);
    assert_ne!(fixture.read("one.key"), before);
    let ran = fixture.run(&["keygen", "four.pub", "--no-password"]);
    insta::assert_snapshot!(ran.stderr, @"error: `<root>/four.pub` is the name of a public key, which is written beside the secret key; name the secret key otherwise, as in `<root>/four.key`");

    let ran = fixture.run(&["sign", "-s", "one.pub", MOON]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"
    warning: other users can read the secret key <root>/one.pub; take it from them with `chmod 600`
    error: `<root>/one.pub` is not a secret key of minisign, or is damaged; make one with `cargo hotswap keygen`
    ");
    // A key that is damaged signs nothing. The second one has no checksum, as minisign writes it.
    minisign_ok(
        &fixture,
        &["-G", "-W", "-p", "their.pub", "-s", "their.key"],
        "",
    );
    for key in ["two.key", "their.key"] {
        let text = fixture.read(key);
        let at = text.find('\n').expect("it has a second line") + 100;
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        fixture.write(
            "damaged.key",
            &(text[..at].to_owned() + other + &text[at + 1..]),
        );
        fs::set_permissions(
            fixture.root.join("damaged.key"),
            fs::Permissions::from_mode(0o600),
        )
        .expect("it is ours");
        let ran = fixture.run(&["sign", "-s", "damaged.key", MOON]);
        assert_eq!(ran.code, Some(1), "{key}");
        assert!(!fixture.root.join("libmoon.so.minisig").exists(), "{key}");
    }
    let ran = fixture.run(&["verify", "-k", "one.key", MOON]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"error: the keys in <root>/one.key cannot be read: it is not one public key of minisign, which has 56 characters and begins with `RW`; it has to be a list of public keys, as `cargo hotswap keygen` writes them");
    // A file that is no plugin is neither signed nor verified.
    for args in [
        &["sign", "-s", "two.key", "Cargo.toml"],
        &["verify", "-k", "two.pub", "Cargo.toml"],
    ] {
        let ran = fixture.run(args);
        assert_eq!(ran.code, Some(1));
        assert!(
            ran.stderr.contains("is not a library in any known format"),
            "{}",
            ran.stderr
        );
    }
    for args in [
        &["verify", MOON][..],
        &["sign", MOON],
        &["keygen"],
        &["keygen", "a", "--no-password", "--password-file", "b"],
    ] {
        assert_eq!(fixture.run(args).code, Some(2), "{args:?}");
    }
}

/// A name cannot add values to the comment.
#[test]
fn a_name_of_a_file_is_escaped_in_the_comment() {
    let fixture = fixture();
    let odd: PathBuf = "lib\tbuild:0\nx.so".into();
    fs::rename(fixture.root.join(MOON), fixture.root.join(&odd)).expect("it can be renamed");
    let odd = odd.to_str().expect("it is text");
    fixture.ok(&["sign", "-s", "one.key", odd]);
    let ran = fixture.ok(&["verify", "-k", "one.pub", "--json", odd]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    let comment = json["comment"].as_str().expect("it is signed");
    assert_eq!(comment.split('\t').count(), 5, "{comment}");
    minisign_ok(&fixture, &["-V", "-p", "one.pub", "-m", odd], "");
}

#[test]
fn a_manifest_lists_a_set_and_is_signed() {
    let fixture = fixture();
    fixture.library("libsun.so", "sun", &[], &[]);
    fixture.ok(&["sign", "-s", "one.key", MOON, "libsun.so"]);
    let manifest = |args: &[&str]| {
        let line = [&["manifest", "-s", "one.key", "-o", "set.json"], args].concat();
        fixture.run(&line)
    };
    let ran = manifest(&["--set-version", "7", MOON, "libsun.so"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said = "Wrote version 7 of a set of 2 plugins -> <root>/set.json";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let json: serde_json::Value =
        serde_json::from_str(&fixture.read("set.json")).expect("it is JSON");
    assert_eq!(json["format"], 1);
    assert_eq!(json["version"], 7);
    assert_eq!(json["plugins"].as_object().map(|it| it.len()), Some(2));
    let told = minisign_ok(&fixture, &["-V", "-p", "one.pub", "-m", "set.json"], "");
    assert!(told.contains("\tset:7\tplugins:2\thashed"), "{told}");
    let verify = |artifacts: &[&str]| {
        let line = [
            &["verify", "-k", "one.pub", "--manifest", "set.json"],
            artifacts,
        ]
        .concat();
        fixture.run(&line)
    };
    assert_eq!(verify(&[MOON, "libsun.so"]).code, Some(0));
    let ran = verify(&[MOON]);
    assert_eq!(ran.code, Some(6));
    let said = "sun is missing, but the manifest of version 7 has build ";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    // By default, the version grows with the time.
    assert_eq!(manifest(&[MOON]).code, Some(0));
    let json: serde_json::Value =
        serde_json::from_str(&fixture.read("set.json")).expect("it is JSON");
    assert!(json["version"].as_u64() > Some(1_700_000_000), "{json}");
    let days = json["expires"].as_u64().zip(json["version"].as_u64());
    assert_eq!(
        days.map(|(end, begin)| end - begin),
        Some(30 * 24 * 60 * 60)
    );
    assert_eq!(verify(&[MOON]).code, Some(0));
    fixture.edit("set.json", "\"moon\"", "\"moor\"");
    let ran = verify(&[MOON]);
    assert_eq!(ran.code, Some(6));
    assert!(ran.stderr.contains("does not fit"), "{}", ran.stderr);

    fixture.library("libluna.so", "moon", &[], &[]);
    let ran = manifest(&[MOON, "libluna.so"]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"error: `libmoon.so` and `libluna.so` are both the plugin moon; name each plugin of the set once");
    assert_eq!(manifest(&["--days", "0", MOON]).code, Some(2));
    assert_eq!(manifest(&[]).code, Some(2));
}
