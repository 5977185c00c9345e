//! Which process something belongs to, so that a later one with the same number is not taken for it.
//!
//! In: nothing but what the system tells. Out: an [`Owner`] that can be written down, recognised again, and killed. A
//! process number alone names another process sooner or later; with the moment the process began, in ticks since a boot
//! that has a name, it does not.

use serde::{Deserialize, Serialize};

/// A process, told apart from all others that there ever were on its machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its number.
    pub pid: u32,
    /// When it began, in clock ticks since the machine started; `None` where the system does not tell.
    pub started: Option<u64>,
    /// Which start of which machine that was; `None` where the system does not tell.
    pub boot: Option<String>,
}

/// Whether a process is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It is.
    Alive,
    /// It is not, or its number belongs to another process by now.
    Dead,
    /// The system does not tell, or it ran on another machine.
    Unknown,
}

impl Owner {
    /// This process.
    pub fn this() -> Self {
        let pid = std::process::id();
        Self { pid, started: started(pid), boot: boot() }
    }

    /// Whether the process is still there.
    pub fn life(&self) -> Life {
        if self.started.is_none() || self.boot.is_none() || self.boot != boot() {
            return Life::Unknown;
        }
        if started(self.pid) == self.started { Life::Alive } else { Life::Dead }
    }

    /// Kills the process, and surely no other.
    ///
    /// # Errors
    /// When it is not surely alive on this machine, the system refuses, or the system has no way to do it safely.
    #[cfg(target_os = "linux")]
    pub fn kill(&self) -> anyhow::Result<()> {
        use anyhow::{Context as _, bail};
        use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).context("not the number of a process")?;
        // The handle stays with the process it was opened for, so what is found out afterwards holds when the signal goes.
        let handle = pidfd_open(pid, PidfdFlags::empty()).with_context(|| format!("no process {}", self.pid))?;
        if self.life() != Life::Alive {
            bail!("process {} is another one by now, or runs on another machine", self.pid);
        }
        pidfd_send_signal(handle, Signal::KILL).with_context(|| format!("cannot kill process {}", self.pid))
    }

    /// Kills the process, and surely no other.
    ///
    /// # Errors
    /// Always: this system has no way to do it safely.
    #[cfg(not(target_os = "linux"))]
    pub fn kill(&self) -> anyhow::Result<()> {
        anyhow::bail!("this system does not tell processes apart; end process {} yourself", self.pid)
    }
}

/// When a process began, in clock ticks since the machine started.
fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; the numbers come after the last bracket, this one is the 20th of them.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // A zombie has ended, though nobody has looked after it yet.
    (fields.first() != Some(&"Z")).then(|| fields.get(19)?.parse().ok()).flatten()
}

fn boot() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(name.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_known_again_and_another_with_its_number_is_not() {
        let this = Owner::this();
        assert_eq!(this.life(), Life::Alive);
        let later = Owner { started: this.started.map(|started| started + 1), ..this.clone() };
        assert_eq!(later.life(), Life::Dead);
        assert!(later.kill().unwrap_err().to_string().contains("another one"));
        let elsewhere = Owner { boot: Some("another boot".into()), ..this };
        assert_eq!(elsewhere.life(), Life::Unknown);
        assert!(elsewhere.kill().is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_that_was_meant_is_killed() {
        #[expect(clippy::disallowed_methods, reason = "a test needs a process")]
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let owner = Owner { pid: child.id(), started: started(child.id()), boot: boot() };
        owner.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        assert_eq!(owner.life(), Life::Dead);
        assert!(owner.kill().is_err());
    }
}
