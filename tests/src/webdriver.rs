//! As much of WebDriver (W3C) as a short smoke of the desktop window needs, over WebKitGTK's own driver, and a display for it.

use crate::{
    SOON,
    process::{self, Process},
    within,
};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

/// How often a page is asked again whether something has come about: WebDriver has no events.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// The key under which WebDriver hands out elements (W3C WebDriver §12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// True when the tools are here.
pub fn available() -> bool {
    let on_path = |name: &str| {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).exists()))
    };
    let missing: Vec<_> = ["Xvfb", "WebKitWebDriver", "dbus-daemon"]
        .into_iter()
        .filter(|name| !on_path(name))
        .collect();
    if !missing.is_empty() {
        crate::skip(&format!(
            "no {}; `cargo xtask setup` installs them",
            missing.join(", no ")
        ));
    }
    missing.is_empty()
}

/// A display without a screen, and a message bus: what a desktop session gives its programs.
pub struct Display {
    /// For `DISPLAY`.
    pub name: String,
    /// What is on the screen now, as an X window dump (XWD, `XWDFile.h`) that the server keeps up to date.
    pub frame_buffer: PathBuf,
    /// For `DBUS_SESSION_BUS_ADDRESS`. Never the developer's own, where a client of theirs may be running.
    bus: String,
    _server: Process,
    _bus: Process,
}

impl Display {
    /// Starts Xvfb on a free number, and the bus.
    pub async fn open(folder: &Path) -> Result<Self> {
        let mut command = Command::new("Xvfb");
        command.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1366x768x24",
            "-nolisten",
            "tcp",
            "-fbdir",
        ]);
        command.arg(folder);
        let mut server = Process::start("Xvfb", &mut command, &folder.join("xvfb.log"))?;
        let number = within(SOON, "Xvfb is ready", server.line()).await?;
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--print-address=1"]);
        let mut daemon = Process::start("the message bus", &mut command, &folder.join("bus.log"))?;
        let bus = within(SOON, "the message bus is ready", daemon.line()).await?;
        Ok(Self {
            name: format!(":{}", number.trim()),
            frame_buffer: folder.join("Xvfb_screen0"),
            bus: bus.trim().to_owned(),
            _server: server,
            _bus: daemon,
        })
    }

    /// What a program on this display is started with; its settings go into `folder`.
    fn dress(&self, command: &mut Command, folder: &Path) -> Result<()> {
        let home = folder.join("home");
        std::fs::create_dir_all(&home)?;
        command
            .env("DISPLAY", &self.name)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("HOME", &home)
            .env("XDG_RUNTIME_DIR", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("LANG", "zh_CN.UTF-8")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("GDK_BACKEND", "x11")
            .env_remove("WAYLAND_DISPLAY");
        Ok(())
    }

    /// Starts the program without a driver, as a click on a link does.
    pub fn start(&self, program: &Path, args: &[&str], folder: &Path) -> Result<Process> {
        let mut command = Command::new(program);
        command.args(args);
        self.dress(&mut command, folder)?;
        Process::start("the desktop client", &mut command, &folder.join("started.log"))
    }
}

/// The driver and one window under it.
pub struct Window {
    port: u16,
    session: String,
    driver: Process,
    /// Where the program keeps its log. On standard error, which is the driver's, ALSA buries it.
    logs: PathBuf,
}

impl Window {
    /// Starts the program under the driver.
    pub async fn open(display: &Display, program: &Path, args: &[&str], folder: &Path) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new("WebKitWebDriver");
        command
            .args([&format!("--port={port}"), "--host=127.0.0.1"])
            // Without these the shell does not let itself be driven.
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        display.dress(&mut command, folder)?;
        let driver = Process::start("WebKitWebDriver", &mut command, &folder.join("window.log"))?;
        within(SOON, "the driver listens", async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                tokio::time::sleep(ASK_AGAIN).await;
            }
            Ok(())
        })
        .await?;
        let mut window = Self {
            port,
            session: String::new(),
            driver,
            logs: folder.join("home/.local/share/cn.mingting.client/logs"),
        };
        let wanted = json!({
            "capabilities": {
                "alwaysMatch": { "webkitgtk:browserOptions": { "binary": program, "args": args } }
            }
        });
        let opened = window.ask("POST", "/session", Some(&wanted)).await?;
        window.session = opened["sessionId"]
            .as_str()
            .context("the driver gives a session")?
            .to_owned();
        Ok(window)
    }

    /// The process of the program, the driver's child.
    pub fn program(&self) -> Result<u32> {
        let driver = self.driver.id().context("the driver runs")?;
        children(driver)
            .first()
            .map(|(id, _)| *id)
            .context("the driver has started the program")
    }

    /// Runs a function body in the page.
    pub async fn run(&self, script: &str) -> Result<Value> {
        let body = json!({ "script": script, "args": [] });
        self.ask(
            "POST",
            &format!("/session/{}/execute/sync", self.session),
            Some(&body),
        )
        .await
    }

    /// Waits until a function body in the page gives something other than null or false.
    pub async fn run_until(&self, what: &str, script: &str) -> Result<Value> {
        within(SOON, what, async {
            loop {
                // While the page is being loaded there is nothing to run in.
                match self.run(script).await {
                    Ok(Value::Null | Value::Bool(false)) | Err(_) => tokio::time::sleep(ASK_AGAIN).await,
                    Ok(value) => return Ok(value),
                }
            }
        })
        .await
        .with_context(|| self.driver.log_end())
    }

    /// Waits for an element (XPath) and clicks it.
    pub async fn click(&self, xpath: &str) -> Result<()> {
        self.on_element(xpath, "click", &json!({})).await
    }

    /// Waits for an element (XPath) and types into it.
    pub async fn type_into(&self, xpath: &str, text: &str) -> Result<()> {
        self.on_element(xpath, "value", &json!({ "text": text })).await
    }

    async fn on_element(&self, xpath: &str, verb: &str, body: &Value) -> Result<()> {
        within(SOON, &format!("{verb} on {xpath}"), async {
            loop {
                if self.try_on_element(xpath, verb, body).await.is_ok() {
                    return Ok(());
                }
                tokio::time::sleep(ASK_AGAIN).await;
            }
        })
        .await
        .with_context(|| self.driver.log_end())
    }

    async fn try_on_element(&self, xpath: &str, verb: &str, body: &Value) -> Result<()> {
        let session = &self.session;
        let by = json!({ "using": "xpath", "value": xpath });
        let found = self
            .ask("POST", &format!("/session/{session}/element"), Some(&by))
            .await?;
        let id = found[ELEMENT].as_str().context("the driver gives an element")?;
        self.ask(
            "POST",
            &format!("/session/{session}/element/{id}/{verb}"),
            Some(body),
        )
        .await
        .map(|_| ())
    }

    /// Closes the window and ends the driver.
    pub async fn close(mut self) -> Result<()> {
        let _ = self
            .ask("DELETE", &format!("/session/{}", self.session), None)
            .await;
        self.driver.stop().await.map(|_| ())
    }

    /// One request to the driver, which closes the connection after its answer.
    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.port,
            body.len()
        );
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        within(SOON, "the driver answers", async {
            Ok(stream.read_to_end(&mut answer).await?)
        })
        .await?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .context("the driver answers in HTTP")?;
        let value: Value = serde_json::from_str(body).with_context(|| format!("the driver said {head}"))?;
        if !head.starts_with("HTTP/1.1 200") {
            bail!("{path}: {}", value["value"]["message"]);
        }
        Ok(value["value"].clone())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let Ok(days) = std::fs::read_dir(&self.logs) else {
            return;
        };
        for day in days.flatten() {
            process::show_log("the program in the window", &day.path());
        }
    }
}

/// Children of a process and their names, from /proc.
fn children(parent: u32) -> Vec<(u32, String)> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name is in parentheses and may itself hold spaces; after it come the state and the parent.
            let (before, after) = stat.rsplit_once(')')?;
            let name = before.split_once('(')?.1.to_owned();
            let its_parent: u32 = after.split_whitespace().nth(1)?.parse().ok()?;
            (its_parent == parent).then_some((id, name))
        })
        .collect()
}

/// The process in which WebKit runs the page of a program.
pub fn web_process(program: u32) -> Option<u32> {
    let mut open = vec![program];
    while let Some(parent) = open.pop() {
        for (id, name) in children(parent) {
            // The kernel keeps the first fifteen characters of `WebKitWebProcess`.
            if name.starts_with("WebKitWebProces") {
                return Some(id);
            }
            open.push(id);
        }
    }
    None
}

/// The built program `mingting`.
pub fn desktop_client() -> PathBuf {
    crate::process::program("mingting")
}
