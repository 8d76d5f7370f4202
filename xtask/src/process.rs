//! Other programs: run to their end with their time shown, or kept running and never left behind.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How often a running program is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often the progress of one that says nothing itself is shown.
const SHOW_EVERY: Duration = Duration::from_secs(5);
/// A program that was asked to end has this long before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Whether somebody wants everything to end (Ctrl-C, a terminal that closes, `kill`).
#[derive(Clone)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens from now on; once in a process.
    ///
    /// # Errors
    /// When the system refuses the signal handler.
    pub fn listen() -> Result<Self> {
        let stop = Self(Arc::default());
        let flag = Arc::clone(&stop.0);
        ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)).context("listening for Ctrl-C")?;
        Ok(stop)
    }

    /// Whether it was asked for.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A running program with all that it starts; ended when dropped.
pub struct Kept {
    name: &'static str,
    child: Child,
}

impl Kept {
    /// Starts a program in a process group of its own: Ctrl-C then reaches xtask alone, which ends the
    /// programs in their order.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {name} ({})", command.get_program().display()))?;
        Ok(Self { name, child })
    }

    /// Its status if it has ended by itself.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("waiting for {}", self.name))
    }

    /// Waits until it ends by itself, or until `stop`; shows every few seconds what `progress` says.
    ///
    /// # Errors
    /// When `stop` is asked for; it is then ended.
    pub fn finish_showing(mut self, stop: &Stop, progress: impl Fn() -> Option<String>) -> Result<ExitStatus> {
        let mut shown = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if stop.asked() {
                bail!("stopped");
            }
            if shown.elapsed() >= SHOW_EVERY
                && let Some(progress) = progress()
            {
                eprintln!("   {progress}");
                shown = Instant::now();
            }
            pause();
        }
    }

    fn signal(&self, signal: Signal) {
        // It may have ended by now, which is what is wanted.
        if let Ok(group) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(group), signal);
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal(Signal::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        eprintln!("{} does not end by itself: killed", self.name);
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// Waits a moment between looks at several programs.
pub fn pause() {
    std::thread::sleep(LOOK_EVERY);
}

/// Shows what is being done, does it, and shows how long it took; all on standard error.
///
/// # Errors
/// As `work`.
pub fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("== {title}");
    let begun = Instant::now();
    let outcome = work();
    let end = if outcome.is_ok() { "done" } else { "FAILED" };
    eprintln!("== {title}: {end} after {:.1} s", begun.elapsed().as_secs_f64());
    outcome
}

/// Runs a program to its end, which must be a good one.
///
/// # Errors
/// When it does not start, ends badly, or `stop` is asked for.
pub fn run(name: &'static str, command: &mut Command, stop: &Stop) -> Result<()> {
    run_showing(name, command, stop, || None)
}

/// Like [`run`], and shows every few seconds what `progress` says.
///
/// # Errors
/// As [`run`].
pub fn run_showing(
    name: &'static str,
    command: &mut Command,
    stop: &Stop,
    progress: impl Fn() -> Option<String>,
) -> Result<()> {
    let status = Kept::start(name, command)?.finish_showing(stop, progress)?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    fn never() -> Stop {
        Stop(Arc::default())
    }

    #[test]
    fn a_program_that_fails_is_an_error_that_names_it() {
        assert!(run("true", &mut Command::new("true"), &never()).is_ok());
        let error = run("the check", &mut Command::new("false"), &never()).unwrap_err();
        assert!(error.to_string().contains("the check failed"), "{error}");
        assert!(run("nothing", &mut Command::new("/nonexistent"), &never()).is_err());
    }

    #[test]
    fn what_is_stopped_or_dropped_leaves_nothing_behind() {
        // The shell starts a child of its own and waits for it: both must go.
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 1000 & wait"]).stdout(Stdio::null());
        let kept = Kept::start("shell", &mut shell).unwrap();
        let group = Pid::from_raw(i32::try_from(kept.child.id()).unwrap());
        assert_eq!(killpg(group, None), Ok(()));
        let stop = never();
        stop.0.store(true, Ordering::SeqCst);
        assert_eq!(kept.finish_showing(&stop, || None).unwrap_err().to_string(), "stopped");
        let asked = Instant::now();
        while killpg(group, None).is_ok() {
            assert!(asked.elapsed() < Duration::from_secs(5), "the shell's child is still there");
            pause();
        }
    }
}
