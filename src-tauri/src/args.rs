//! Where the client learns of its court: command line, then environment, then the file the court shipped with the
//! installer, then the built-in address of a server on this machine.

use clap::Parser;
use protocol::{JoinCode, Secret};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use url::Host;

/// The address of a server started by hand on this machine.
const LOCAL_SERVER: &str = "http://127.0.0.1:8443";
/// Lies beside the program, or in its configuration folder.
const COURT_FILE: &str = "court.toml";

/// 明庭: take part in an online court hearing.
#[derive(Parser, Debug)]
#[command(name = "mingting", version)]
pub(crate) struct Args {
    /// Address of the court's server, for example https://court.example
    #[arg(long, env = "MINGTING_SERVER")]
    pub(crate) server: Option<String>,
    /// Hearing code to fill in
    #[arg(long, env = "MINGTING_CODE", hide_env_values = true, value_parser = secret)]
    pub(crate) code: Option<Secret>,
    /// Use a moving test picture and a quiet tone instead of the camera and the microphone
    #[arg(long, env = "MINGTING_SYNTHETIC")]
    pub(crate) synthetic: bool,
    /// How much to log: error, warn, info, debug or trace
    #[arg(long, env = "MINGTING_LOG")]
    pub(crate) log: Option<String>,
    /// A mingting://join/… link, as the system hands it over
    pub(crate) link: Option<String>,
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CourtFile {
    server: String,
}

impl Args {
    /// The court's server.
    pub(crate) fn server(&self, config_dir: Option<&Path>) -> anyhow::Result<tauri::Url> {
        address(&self.named_server(config_dir)?)
    }

    fn named_server(&self, config_dir: Option<&Path>) -> anyhow::Result<String> {
        if let Some(server) = &self.server {
            return Ok(server.trim_end_matches('/').to_owned());
        }
        let beside_program = std::env::current_exe()
            .ok()
            .and_then(|exe| exe.parent().map(Path::to_owned));
        for dir in [config_dir.map(Path::to_owned), beside_program]
            .into_iter()
            .flatten()
        {
            if let Some(server) = read_court_file(&dir.join(COURT_FILE))? {
                return Ok(server);
            }
        }
        Ok(LOCAL_SERVER.to_owned())
    }

    /// The code to fill in, from `--code` or from a link.
    pub(crate) fn code(&self) -> Option<Secret> {
        self.code
            .clone()
            .or_else(|| self.link.as_deref().and_then(crate::link::code_in_link))
    }
}

/// Codes and names travel to it, so it is reached over TLS, or it is this computer.
fn address(server: &str) -> anyhow::Result<tauri::Url> {
    let url: tauri::Url = server
        .parse()
        .map_err(|error| anyhow::anyhow!("the server's address {server:?} is not one: {error}"))?;
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => anyhow::bail!(
            "法院服务器地址 {server:?} 应以 https:// 开头（本机除外），请检查 {COURT_FILE} \
             (the server's address must begin with https://, unless it is this computer)"
        ),
    }
}

fn read_court_file(path: &PathBuf) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let file: CourtFile = toml::from_str(&text).map_err(|error| {
                anyhow::anyhow!(
                    "{COURT_FILE}: {}; it needs one line: server = \"https://…\"",
                    error.message()
                )
            })?;
            Ok(Some(file.server.trim_end_matches('/').to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow::anyhow!("{COURT_FILE} cannot be read: {error}")),
    }
}

/// A code is only passed on when it could be one.
pub(crate) fn plausible_code(text: &str) -> Option<Secret> {
    JoinCode::parse(text).ok().map(|code| Secret::new(code.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_court_is_reached_over_tls_unless_it_is_this_computer() {
        for good in [
            "https://court.example",
            "https://10.0.0.7:8443",
            "http://127.0.0.1:8443",
            "http://[::1]:8443",
            "http://localhost:1",
        ] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://court.example",
            "http://10.0.0.7",
            "ftp://court.example",
            "court",
            "",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
