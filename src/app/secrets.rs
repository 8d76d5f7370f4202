//! Secrets by name: files in a folder that only the daemon's user may read, never in a station file and never in a log.

use crate::access::certificate::make_key;
use crate::access::exit_token::ExitKey;
use crate::access::session::BadgeKey;
use crate::io::camera::Login;
use augenmass_core::weighing::wire::dialog::Polynomial;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where they lie, in the station's data folder.
const FOLDER: &str = "secrets";

/// Why a secret cannot be used. Never says what is in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("cannot read the secret {}: {source}; put it there, readable by the daemon's user alone", path.display())]
    Unreadable {
        /// Its file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others can read it.
    #[error("the secret {} can be read by others: `chmod 600` it", .0.display())]
    Open(PathBuf),
    /// It is no key, or none can be made.
    #[error("{} is no key and none can be made", .0.display())]
    NoKey(PathBuf),
    /// It is no polynomial.
    #[error("the secret {} holds no polynomial: write it in hexadecimal, as in 1A2B", .0.display())]
    NoPolynomial(PathBuf),
    /// It is no user name and password.
    #[error("the secret {} holds no login: write user name and password in one line, as in user:password", .0.display())]
    NoLogin(PathBuf),
}

/// Reads a secret that a person has put there, and that nobody else may read.
fn read_private(path: &Path) -> Result<String, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(SecretError::Open(path.to_owned()));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

/// Reads a camera's user name and password: one line, `user:password`; the password may hold colons.
///
/// # Errors
/// A file that is not there, that others can read, or that holds something else.
pub fn camera_login(data_directory: &Path, name: &str) -> Result<Login, SecretError> {
    let path = data_directory.join(FOLDER).join(name);
    let text = read_private(&path)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    match line.split_once(':') {
        Some((user, password)) if !user.is_empty() && !line.contains(char::is_control) => {
            Ok(Login { user: user.to_owned(), password: password.to_owned() })
        }
        Some(_) | None => Err(SecretError::NoLogin(path)),
    }
}

/// Reads a Checkout-Dialog polynomial: up to five hexadecimal digits.
///
/// # Errors
/// A file that is not there, that others can read, or that holds something else.
pub fn polynomial(data_directory: &Path, name: &str) -> Result<Polynomial, SecretError> {
    let path = data_directory.join(FOLDER).join(name);
    let text = read_private(&path)?;
    let digits = text.trim().trim_start_matches("0x");
    match u32::from_str_radix(digits, 16) {
        Ok(bits) if digits.len() <= 5 && bits <= 0x1_FFFF && bits & 0xFFFF != 0 => Ok(Polynomial::new(bits)),
        Ok(_) | Err(_) => Err(SecretError::NoPolynomial(path)),
    }
}

/// The station's key for exit tokens (PKCS #8), made the first time.
///
/// # Errors
/// A file that cannot be read or written, that others can read, and a system that makes no key.
pub fn exit_key(data_directory: &Path) -> Result<Vec<u8>, SecretError> {
    let path = data_directory.join(FOLDER).join("exit-key");
    let unreadable = |source| SecretError::Unreadable { path: path.clone(), source };
    match std::fs::metadata(&path) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => Err(SecretError::Open(path)),
        Ok(_) => std::fs::read(&path).map_err(unreadable),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = ExitKey::generate().map_err(|_| SecretError::NoKey(path.clone()))?;
            keep(&path, &key).map_err(unreadable)?;
            Ok(key)
        }
        Err(error) => Err(unreadable(error)),
    }
}

/// By which the numbers of badges are hidden, made the first time.
///
/// # Errors
/// A file that cannot be read or written, that others can read, and a system without random numbers.
pub fn badge_key(data_directory: &Path) -> Result<Vec<u8>, SecretError> {
    let path = data_directory.join(FOLDER).join("badge-key");
    let unreadable = |source| SecretError::Unreadable { path: path.clone(), source };
    match std::fs::metadata(&path) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => Err(SecretError::Open(path)),
        Ok(_) => std::fs::read(&path).map_err(unreadable),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = BadgeKey::generate().map_err(|_| SecretError::NoKey(path.clone()))?.into_bytes();
            keep(&path, &key).map_err(unreadable)?;
            Ok(key)
        }
        Err(error) => Err(unreadable(error)),
    }
}

/// The private key of the station's certificate, PEM; made the first time where the station makes its own certificate.
///
/// # Errors
/// A file that cannot be read or written, that others can read, and a system that makes no key.
pub fn tls_key(data_directory: &Path, make: bool) -> Result<String, SecretError> {
    let path = data_directory.join(FOLDER).join("tls-key.pem");
    let unreadable = |source| SecretError::Unreadable { path: path.clone(), source };
    match std::fs::metadata(&path) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => Err(SecretError::Open(path)),
        Ok(_) => std::fs::read_to_string(&path).map_err(unreadable),
        Err(error) if make && error.kind() == std::io::ErrorKind::NotFound => {
            let key = make_key().map_err(|_| SecretError::NoKey(path.clone()))?;
            keep(&path, key.as_bytes()).map_err(unreadable)?;
            Ok(key)
        }
        Err(error) => Err(unreadable(error)),
    }
}

/// Writes a secret that nobody else may read, not even for a moment, and that is whole or not there.
fn keep(path: &Path, secret: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    let fresh = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(secret)?;
    file.sync_all()?;
    std::fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(content: &str, mode: u32) -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir(data.path().join(FOLDER)).unwrap();
        let path = data.path().join(FOLDER).join("p");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        data
    }

    #[test]
    fn a_polynomial_is_read_from_a_file_of_its_own() {
        assert_eq!(polynomial(put("1A2B\n", 0o600).path(), "p").unwrap(), Polynomial::new(0x1A2B));
        assert_eq!(polynomial(put("0x11021", 0o400).path(), "p").unwrap(), Polynomial::new(0x1021));
    }

    #[test]
    fn a_cameras_login_is_read_from_a_file_of_its_own_and_never_shown() {
        let login = camera_login(put("viewer:a:b c\n", 0o600).path(), "p").unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("viewer", "a:b c"));
        assert!(!format!("{login:?}").contains("viewer"));
        for wrong in ["viewer", ":secret", "two:lines\nof it", ""] {
            let told = camera_login(put(wrong, 0o600).path(), "p").unwrap_err();
            assert!(matches!(told, SecretError::NoLogin(_)) && !told.to_string().contains("viewer"), "{wrong}");
        }
        assert!(matches!(camera_login(put("viewer:a", 0o640).path(), "p"), Err(SecretError::Open(_))));
    }

    #[test]
    fn the_exit_key_is_made_once_and_for_nobody_else() {
        let data = tempfile::tempdir().unwrap();
        let key = exit_key(data.path()).unwrap();
        assert_eq!(exit_key(data.path()).unwrap(), key);
        assert!(ExitKey::new(&key, "s", 1).is_ok());
        let path = data.path().join(FOLDER).join("exit-key");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(exit_key(data.path()), Err(SecretError::Open(_))));
    }

    #[test]
    fn what_others_can_read_is_no_secret_and_what_is_wrong_is_not_repeated() {
        let open = polynomial(put("1A2B", 0o644).path(), "p").unwrap_err();
        assert!(matches!(open, SecretError::Open(_)) && !open.to_string().contains("1A2B"));
        let wrong = polynomial(put("hunter2", 0o600).path(), "p").unwrap_err();
        assert!(matches!(wrong, SecretError::NoPolynomial(_)) && !wrong.to_string().contains("hunter2"));
        assert!(matches!(polynomial(put("1", 0o600).path(), "q"), Err(SecretError::Unreadable { .. })));
    }
}
