//! A pty that stands for a device's serial port.
//!
//! A pty differs from a real port in ways that matter here: a new one is cooked and echoes, so it is made raw before anyone
//! can see it; it is instant, so [`crate::rig::Line`] paces it; it keeps what nobody reads, so nothing is written while
//! nobody listens; an exclusive lock of a killed host stays on it, so every host
//! gets a fresh one; and of the host's settings it keeps the speed alone, which the other end can read.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// Why a port cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The system gives no pty.
    #[error("no pty for {link}: {source}")]
    Pty {
        /// The path of the station file.
        link: PathBuf,
        /// What the system said.
        source: Errno,
    },
    /// The path of the station file cannot be made.
    #[error("cannot publish the port {link}: {source}")]
    Publish {
        /// The path of the station file.
        link: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Whether a host has the port open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// Nobody has opened it yet.
    Absent,
    /// Somebody has.
    Listening,
    /// Somebody had, and closed it.
    Gone,
}

/// The device's end of a serial port, published as a symlink. Dropping it pulls the cable: the host reads end of file and the
/// path vanishes.
#[derive(Debug)]
pub struct Port {
    master: PtyMaster,
    link: PathBuf,
    baud: u32,
    host: Host,
}

impl Port {
    /// Offers a new port at `link`; parent folders are made, what stood there before is replaced in one step. A host that
    /// sets no speed has `baud`.
    ///
    /// # Errors
    /// See [`PortError`].
    pub fn publish(link: &Path, baud: u32) -> Result<Self, PortError> {
        let (master, slave) = raw_pty(baud).map_err(|source| PortError::Pty { link: link.to_owned(), source })?;
        put_link(&slave, link).map_err(|source| PortError::Publish { link: link.to_owned(), source })?;
        Ok(Self { master, link: link.to_owned(), baud, host: Host::Absent })
    }

    /// Replaces the pty under the same path: what the former host left behind (unread bytes, its lock) is gone.
    ///
    /// # Errors
    /// See [`PortError`].
    pub fn renew(&mut self) -> Result<(), PortError> {
        let (master, slave) =
            raw_pty(self.baud).map_err(|source| PortError::Pty { link: self.link.clone(), source })?;
        put_link(&slave, &self.link).map_err(|source| PortError::Publish { link: self.link.clone(), source })?;
        self.master = master;
        self.host = Host::Absent;
        Ok(())
    }

    /// What the host has sent, and whether there is one. Never waits.
    pub fn read(&mut self) -> (Vec<u8>, Host) {
        let mut bytes = Vec::new();
        let mut chunk = [0; 512];
        loop {
            match self.master.read(&mut chunk) {
                Ok(count @ 1..) => {
                    bytes.extend_from_slice(&chunk[..count]);
                    self.host = Host::Listening;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.host = Host::Listening;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // EIO: no host has the port open.
                Ok(_) | Err(_) => {
                    self.host = match self.host {
                        Host::Absent => Host::Absent,
                        Host::Listening | Host::Gone => Host::Gone,
                    };
                    break;
                }
            }
        }
        (bytes, self.host)
    }

    /// The speed that the host has set; that of the device when it set none or cannot be asked.
    pub fn host_baud(&self) -> u32 {
        tcgetattr(&self.master).map_or(self.baud, |settings| settings.output_speed())
    }

    /// Sends bytes to the host. Never waits: what does not fit is lost, as on a line without flow control, and so is all
    /// when nobody listens.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.host == Host::Listening {
            // A lost frame is what the host must cope with; the next read tells of a host that is gone.
            let _ = self.master.write(bytes);
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // Somebody else may have replaced or removed the link; a dangling one does no harm.
        let _ = std::fs::remove_file(&self.link);
    }
}

/// A pty in raw mode and of this speed, on which a read of the master tells whether a host is there.
fn raw_pty(baud: u32) -> nix::Result<(PtyMaster, PathBuf)> {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    set_raw(&master, baud).map_err(|error| Errno::from_raw(error.raw_os_error()))?;
    let slave = PathBuf::from(ptsname_r(&master)?);
    // Before its first open a pty reads as quiet; opened and closed once, it reads EIO for as long as nobody is there.
    let once = OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(&slave);
    drop(once.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))?);
    Ok((master, slave))
}

fn set_raw(master: &PtyMaster, baud: u32) -> rustix::io::Result<()> {
    let mut settings = tcgetattr(master)?;
    settings.make_raw();
    settings.set_speed(baud)?;
    tcsetattr(master, OptionalActions::Now, &settings)
}

fn put_link(slave: &Path, link: &Path) -> std::io::Result<()> {
    let folder = link.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let name = link.file_name().unwrap_or_default().to_string_lossy();
    let fresh = folder.join(format!(".{name}.{}", std::process::id()));
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    std::os::unix::fs::symlink(slave, &fresh)?;
    std::fs::rename(&fresh, link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn open(link: &Path) -> File {
        OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(link).unwrap()
    }

    #[test]
    fn passes_every_byte_unchanged_and_echoes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("by-path/plate");
        let mut port = Port::publish(&link, 9600).unwrap();
        assert_eq!(port.read(), (vec![], Host::Absent));
        port.write(b"lost: nobody listens");
        let mut host = open(&link);
        assert_eq!(port.read(), (vec![], Host::Listening));
        let all: Vec<u8> = (0..=255).collect();
        port.write(&all);
        let mut seen = [0; 256];
        host.read_exact(&mut seen).unwrap();
        assert_eq!(seen[..], all);
        assert!(port.read().0.is_empty(), "a cooked pty would have echoed");
        host.write_all(&all).unwrap();
        assert_eq!(port.read().0, all);
    }

    #[test]
    fn a_host_that_left_leaves_nothing_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("plate");
        let mut port = Port::publish(&link, 9600).unwrap();
        let host = open(&link);
        port.read();
        port.write(b"unread");
        drop(host);
        assert_eq!(port.read().1, Host::Gone);
        port.renew().unwrap();
        let mut host = open(&link);
        assert_eq!(port.read().1, Host::Listening);
        port.write(b"new");
        let mut seen = [0; 3];
        host.read_exact(&mut seen).unwrap();
        assert_eq!(&seen, b"new");
    }

    #[test]
    fn a_pulled_cable_is_end_of_file_and_no_path() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("plate");
        let mut port = Port::publish(&link, 9600).unwrap();
        let mut host = open(&link);
        port.read();
        drop(port);
        assert_eq!(host.read(&mut [0; 8]).unwrap(), 0);
        assert!(!link.exists() && !link.is_symlink());
    }

    #[test]
    fn tells_the_hosts_speed_with_a_name_or_without() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("plate");
        let port = Port::publish(&link, 9600).unwrap();
        let host = open(&link);
        assert_eq!(port.host_baud(), 9600);
        for baud in [115_200, 250_000, 2400] {
            let mut settings = tcgetattr(&host).unwrap();
            settings.set_speed(baud).unwrap();
            tcsetattr(&host, OptionalActions::Now, &settings).unwrap();
            assert_eq!(port.host_baud(), baud);
        }
    }
}
