//! Certificates that `openssl` has made.
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const CONFIG: &str = "
[ca]
default_ca = issuer
[issuer]
database = index.txt
serial = serial.txt
crlnumber = crl.txt
default_crl_days = 30
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[ca_ext]
basicConstraints = critical,CA:TRUE
[req]
distinguished_name = name
[name]
";

const EXTENSIONS: &str =
    "basicConstraints = CA:FALSE\nsubjectAltName = IP:127.0.0.1,DNS:localhost\n";

/// An authority with its certificates, in a directory of its own.
pub struct Pki(TempDir);

impl Default for Pki {
    fn default() -> Self {
        Pki::new()
    }
}

impl Pki {
    /// Makes an authority, `ca.pem`, and the certificate `host.pem` of this machine with its key `host.key`.
    ///
    /// # Panics
    /// Panics if `openssl` fails.
    pub fn new() -> Self {
        let pki = Pki(tempfile::tempdir().expect("a temporary directory can be made"));
        pki.write("ca.cnf", CONFIG);
        pki.write("ext.cnf", EXTENSIONS);
        pki.write("index.txt", "");
        pki.write("serial.txt", "01\n");
        pki.write("crl.txt", "01\n");
        let args =
            "req -x509 -config ca.cnf -extensions ca_ext -keyout ca.key -out ca.pem -days 30";
        pki.openssl(args, &[&KEY[..], &["-subj", "/CN=the authority"]].concat());
        pki.issue("host", "/CN=host");
        pki
    }

    /// Returns the path of a file in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes the certificate `<name>.pem` and its key `<name>.key`.
    ///
    /// # Panics
    /// Panics if `openssl` fails.
    pub fn issue(&self, name: &str, subject: &str) {
        self.issue_from(name, subject, "20200101000000Z", "20900101000000Z");
    }

    /// Makes a certificate that counts for a time.
    ///
    /// # Panics
    /// Panics if `openssl` fails.
    pub fn issue_from(&self, name: &str, subject: &str, from: &str, to: &str) {
        let args = format!("req -config ca.cnf -keyout {name}.key -out {name}.csr -subj {subject}");
        self.openssl(&args, &KEY);
        let args = format!(
            "ca -config ca.cnf -batch -notext -in {name}.csr -out {name}.pem -startdate {from} -enddate {to} -extfile ext.cnf"
        );
        self.openssl(&args, &[]);
    }

    /// Revokes a certificate.
    ///
    /// # Panics
    /// Panics if `openssl` fails.
    pub fn revoke(&self, name: &str) {
        let args = format!("ca -config ca.cnf -batch -revoke {name}.pem");
        self.openssl(&args, &[]);
        self.list_revoked();
    }

    /// Writes the list of revoked certificates, `revoked.pem`.
    ///
    /// # Panics
    /// Panics if `openssl` fails.
    pub fn list_revoked(&self) {
        self.openssl("ca -config ca.cnf -batch -gencrl -out revoked.pem", &[]);
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the file can be written");
    }

    fn openssl(&self, args: &str, more: &[&str]) {
        let output = Command::new("openssl")
            .args(args.split(' '))
            .args(more)
            .current_dir(self.0.path())
            .output()
            .expect("openssl is installed");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args}: {told}");
    }
}

const KEY: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
];

impl AsRef<Path> for Pki {
    fn as_ref(&self) -> &Path {
        self.0.path()
    }
}
