//! One running program: its standard output by lines, its log in a file, and its end.
//!
//! A program is ended by its process id and never by name. Dropping a [`Process`] kills it.

use anyhow::{Context, Result, bail};
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// How long a program may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(10);

/// Where the built programs are: `MINGTING_BIN`, or the target folder's debug profile.
pub fn programs() -> PathBuf {
    std::env::var_os("MINGTING_BIN").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug"),
        PathBuf::from,
    )
}

/// A built program by its name.
pub fn program(name: &str) -> PathBuf {
    programs().join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// A program that runs.
pub struct Process {
    name: String,
    child: Child,
    /// Taken by whoever writes to the program.
    pub stdin: Option<ChildStdin>,
    /// Taken by whoever reads what the program says.
    pub stdout: Option<Lines<BufReader<ChildStdout>>>,
    log: PathBuf,
}

impl Process {
    /// Starts a program; its standard error is appended to `log`.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .context("cannot open a log file")?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!("cannot start {name}; build it with `cargo build -p server -p client --bins`")
            })?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().map(|out| BufReader::new(out).lines());
        Ok(Self {
            name: name.to_owned(),
            child,
            stdin,
            stdout,
            log: log.to_owned(),
        })
    }

    /// The id of the process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// The next line that the program prints, while nobody took [`Process::stdout`].
    pub async fn line(&mut self) -> Result<String> {
        let lines = self.stdout.as_mut().context("somebody else reads the output")?;
        match lines.next_line().await? {
            Some(line) => Ok(line),
            None => bail!("{} ended:\n{}", self.name, self.log_end()),
        }
    }

    /// Writes one line to the program.
    pub async fn tell(&mut self, line: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("the program's input is closed")?;
        stdin.write_all(line.as_bytes()).await?;
        stdin.write_all(b"\n").await?;
        stdin.flush().await.context("the program no longer reads")
    }

    /// Waits until the program ends by itself.
    pub async fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        match tokio::time::timeout(limit, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!("{} did not end within {} s", self.name, limit.as_secs()),
        }
    }

    /// Asks the program to end (SIGTERM, as a service manager does), and kills it if it does not.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        if let Some(id) = self.child.id() {
            if cfg!(unix) {
                Command::new("kill")
                    .args(["-TERM", &id.to_string()])
                    .status()
                    .await?;
            } else {
                self.child.start_kill()?;
            }
        }
        if let Ok(status) = self.ended(FAREWELL).await {
            return Ok(status);
        }
        self.kill().await
    }

    /// Ends the program with no chance to do anything, as a power cut does.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.child.start_kill()?;
        Ok(self.child.wait().await?)
    }

    /// Everything that the program has logged.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// The last lines of the log, for a failure's message.
    pub fn log_end(&self) -> String {
        end(&self.log())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        show_log(&self.name, &self.log);
    }
}

/// Prints the end of a log when a test may be failing.
pub(crate) fn show_log(name: &str, log: &Path) {
    // A test that fails by an error does not panic. The harness shows what is printed here only for tests that fail, and
    // only the lanes set the variable: the demo, which uses this too, has no harness around it.
    if std::thread::panicking() || std::env::var_os("MINGTING_SHOW_LOGS").is_some() {
        eprintln!("--- end of the log of {name}:\n{}", end(&read(log)));
    }
}

fn read(log: &Path) -> String {
    std::fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

fn end(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
