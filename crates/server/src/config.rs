//! The server's configuration: one TOML file of flat keys, each of which `MINGTING_<KEY>` in the environment overrides.
//!
//! [`KEYS`] is the one list of keys. Every error names the key and where its value came from; values of secret keys
//! are never repeated.

use crate::keyed_hash::MIN_SECRET_LEN;
use protocol::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// One key: its name, its default as text (empty: none) and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As in the file; the environment has `MINGTING_` before it and is upper case.
    pub name: &'static str,
    /// Written as in the environment.
    pub default: &'static str,
    /// One sentence.
    pub help: &'static str,
}

const fn key(name: &'static str, default: &'static str, help: &'static str) -> Key {
    Key { name, default, help }
}

/// Every key there is.
pub const KEYS: &[Key] = &[
    key(
        "listen",
        "127.0.0.1:8443",
        "Address and port for HTTP, the hearing channel and media signalling; port 0 takes any.",
    ),
    key(
        "data_dir",
        "data",
        "Folder of the database and the server's key; made if missing.",
    ),
    key(
        "ui_dir",
        "",
        "Folder of the built page, served at /; without it there is no page.",
    ),
    key(
        "secret",
        "",
        "Keys the stored hashes of codes and tokens, at least 32 characters; without it a key file is made in data_dir.",
    ),
    key(
        "behind_proxy",
        "false",
        "A reverse proxy stands before the server: take the client's address from the last X-Forwarded-For entry.",
    ),
    key(
        "operator_token",
        "",
        "Bearer token for /metrics from other machines; the local machine needs none.",
    ),
    key(
        "log",
        "info",
        "How much of the server's own log goes to stderr: error, warn, info, debug or trace.",
    ),
    key("log_json", "false", "Write the log as JSON lines."),
    key(
        "drain_ms",
        "10000",
        "How long a graceful shutdown may take, in milliseconds.",
    ),
    key(
        "media_bind",
        "",
        "Address on which media packets arrive; the address of `listen` by default.",
    ),
    key(
        "media_advertise",
        "",
        "Addresses that clients are told to send media to, separated by commas; media_bind by default.",
    ),
    key("media_udp_port", "7882", "UDP port for media; 0 takes any."),
    key(
        "media_tcp_port",
        "7881",
        "TCP port for media where UDP is blocked; 0 takes any.",
    ),
    key(
        "media_shards",
        "0",
        "Threads that forward media; 0 means one a core.",
    ),
    key(
        "media_url",
        "",
        "Base address of media signalling that clients are told; empty means the server's own.",
    ),
    key(
        "media_key",
        "mingting",
        "Name of the key that signs media tokens.",
    ),
    key(
        "media_secret",
        "",
        "Signs media tokens; derived from the server's key by default.",
    ),
];

/// The configuration, checked.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "each field is the key of the same name, described in KEYS"
)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub ui_dir: Option<PathBuf>,
    pub secret: Option<Secret>,
    pub behind_proxy: bool,
    pub operator_token: Option<Secret>,
    pub log: LogLevel,
    pub log_json: bool,
    pub drain_ms: u64,
    pub media_bind: IpAddr,
    pub media_advertise: Vec<IpAddr>,
    pub media_udp_port: u16,
    pub media_tcp_port: u16,
    pub media_shards: usize,
    pub media_url: String,
    pub media_key: String,
    pub media_secret: Option<Secret>,
}

/// How much of the server's own log is written. Libraries never log below warnings: some print what people send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLevel {
    /// Failures of the server.
    Error,
    /// And what an operator should look at.
    Warn,
    /// And what happens.
    Info,
    /// And how.
    Debug,
    /// And every message, without its content.
    Trace,
}

impl LogLevel {
    /// As the key `log` has it.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace]
            .into_iter()
            .find(|l| l.name() == text)
    }
}

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The file at this path.
    File(PathBuf),
    /// The environment.
    Environment,
    /// [`KEYS`].
    Default,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {source}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the configuration file {path} is not TOML: {message}", path = path.display())]
    NotToml {
        /// Which.
        path: PathBuf,
        /// What the parser says.
        message: String,
    },
    /// There is no such key.
    #[error("unknown key `{key}` in {path}; known keys: {known}", path = path.display(), known = known_keys())]
    UnknownKey {
        /// Which.
        key: String,
        /// Where.
        path: PathBuf,
    },
    /// The value is not what the key takes.
    #[error("key `{key}` ({origin}): expected {expected}{shown}")]
    BadValue {
        /// Which.
        key: &'static str,
        /// Where it was given.
        origin: Origin,
        /// What it should be.
        expected: &'static str,
        /// What it was, unless it is a secret.
        shown: String,
    },
}

fn known_keys() -> String {
    KEYS.iter().map(|k| k.name).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(path) => write!(f, "in {}", path.display()),
            Origin::Environment => f.write_str("in the environment"),
            Origin::Default => f.write_str("by default"),
        }
    }
}

impl Config {
    /// Reads the file, if there is one, and then the environment through `env`.
    pub fn load(file: Option<&Path>, env: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut values = BTreeMap::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
            read_file(path, &text, &mut values)?;
        }
        for key in KEYS {
            if let Some(value) = env(&format!("MINGTING_{}", key.name.to_uppercase())) {
                values.insert(key.name, (value, Origin::Environment));
            }
        }
        Values(values).checked()
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data_dir.join("mingting.db")
    }

    /// The file of the server's key, when no secret is configured.
    pub fn key_file(&self) -> PathBuf {
        self.data_dir.join("server.key")
    }
}

fn read_file(
    path: &Path,
    text: &str,
    values: &mut BTreeMap<&'static str, (String, Origin)>,
) -> Result<(), ConfigError> {
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| ConfigError::NotToml {
        path: path.to_owned(),
        message: e.message().to_owned(),
    })?;
    for (name, value) in table {
        let Some(key) = KEYS.iter().find(|k| k.name == name) else {
            return Err(ConfigError::UnknownKey {
                key: name,
                path: path.to_owned(),
            });
        };
        let origin = Origin::File(path.to_owned());
        let text = plain_text(&value).ok_or_else(|| ConfigError::BadValue {
            key: key.name,
            origin: origin.clone(),
            expected: "a text, a number, true, false, or a list of texts",
            shown: String::new(),
        })?;
        values.insert(key.name, (text, origin));
    }
    Ok(())
}

fn plain_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(s) => Some(s.clone()),
        toml::Value::Integer(n) => Some(n.to_string()),
        toml::Value::Boolean(b) => Some(b.to_string()),
        toml::Value::Array(items) => items
            .iter()
            .map(|i| i.as_str())
            .collect::<Option<Vec<_>>>()
            .map(|items| items.join(",")),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

struct Values(BTreeMap<&'static str, (String, Origin)>);

impl Values {
    fn text(&self, name: &'static str) -> (&str, Origin) {
        match self.0.get(name) {
            Some((value, origin)) => (value.trim(), origin.clone()),
            None => {
                let key = KEYS
                    .iter()
                    .find(|k| k.name == name)
                    .expect("only keys of the list are asked for");
                (key.default, Origin::Default)
            }
        }
    }

    fn get<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let (text, origin) = self.text(name);
        parse(text).ok_or_else(|| ConfigError::BadValue {
            key: name,
            origin,
            expected,
            shown: if is_secret(name) {
                String::new()
            } else {
                format!(", got `{text}`")
            },
        })
    }

    fn secret(
        &self,
        name: &'static str,
        min: usize,
        expected: &'static str,
    ) -> Result<Option<Secret>, ConfigError> {
        self.get(name, expected, |text| match text.len() {
            0 => Some(None),
            n if n >= min => Some(Some(Secret::new(text))),
            _ => None,
        })
    }

    fn checked(&self) -> Result<Config, ConfigError> {
        let listen: SocketAddr =
            self.get("listen", "an address with a port, such as 127.0.0.1:8443", |t| {
                t.parse().ok()
            })?;
        let yes_or_no = |text: &str| text.parse().ok();
        let port = |text: &str| text.parse().ok();
        Ok(Config {
            listen,
            data_dir: self.get("data_dir", "a folder", |t| {
                (!t.is_empty()).then(|| PathBuf::from(t))
            })?,
            // A server that finds no page would show everybody an empty one.
            ui_dir: self.get(
                "ui_dir",
                "a folder with the built page: its index.html is not there",
                |t| {
                    let folder = (!t.is_empty()).then(|| PathBuf::from(t));
                    let built = folder
                        .as_ref()
                        .is_none_or(|folder| folder.join("index.html").is_file());
                    built.then_some(folder)
                },
            )?,
            secret: self.secret("secret", MIN_SECRET_LEN, "at least 32 characters")?,
            behind_proxy: self.get("behind_proxy", "true or false", yes_or_no)?,
            operator_token: self.secret("operator_token", 16, "at least 16 characters")?,
            log: self.get("log", "error, warn, info, debug or trace", LogLevel::parse)?,
            log_json: self.get("log_json", "true or false", yes_or_no)?,
            drain_ms: self.get("drain_ms", "milliseconds, at most 600000", |t| {
                t.parse().ok().filter(|ms| *ms <= 600_000)
            })?,
            media_bind: self.get("media_bind", "an IP address", |t| {
                if t.is_empty() {
                    Some(listen.ip())
                } else {
                    t.parse().ok()
                }
            })?,
            media_advertise: self.get("media_advertise", "IP addresses separated by commas", |t| {
                t.split(',')
                    .map(str::trim)
                    .filter(|a| !a.is_empty())
                    .map(|a| a.parse().ok())
                    .collect()
            })?,
            media_udp_port: self.get("media_udp_port", "a port, 0 to 65535", port)?,
            media_tcp_port: self.get("media_tcp_port", "a port, 0 to 65535", port)?,
            media_shards: self.get("media_shards", "a number of threads, at most 256", |t| {
                t.parse().ok().filter(|n| *n <= 256)
            })?,
            media_url: self.get("media_url", "an address that begins with ws:// or wss://", |t| {
                (t.is_empty() || t.starts_with("ws://") || t.starts_with("wss://")).then(|| t.to_owned())
            })?,
            media_key: self.get("media_key", "a name", |t| (!t.is_empty()).then(|| t.to_owned()))?,
            media_secret: self.secret("media_secret", MIN_SECRET_LEN, "at least 32 characters")?,
        })
    }
}

fn is_secret(name: &str) -> bool {
    name.contains("secret") || name.contains("token")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("c.toml");
        std::fs::write(&path, file).expect("written");
        let env: BTreeMap<_, _> = env.iter().copied().collect();
        Config::load(Some(&path), |name| env.get(name).map(|v| (*v).to_owned())).map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_file_and_environment_lie_over_each_other() {
        let config = load(
            "listen = \"0.0.0.0:9000\"\nmedia_udp_port = 1\nmedia_advertise = [\"192.0.2.1\", \"192.0.2.2\"]",
            &[("MINGTING_MEDIA_UDP_PORT", "2")],
        )
        .expect("valid");
        assert_eq!(config.listen.port(), 9000);
        assert_eq!(config.media_udp_port, 2);
        assert_eq!(config.media_tcp_port, 7881);
        assert_eq!(config.media_advertise.len(), 2);
        assert_eq!(config.media_bind, config.listen.ip());
    }

    #[test]
    fn a_folder_without_the_built_page_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let name = folder.path().to_str().expect("a plain name");
        let said = load("", &[("MINGTING_UI_DIR", name)]).expect_err("there is no page");
        assert!(said.contains("`ui_dir`") && said.contains("index.html"), "{said}");
        std::fs::write(folder.path().join("index.html"), "").expect("written");
        let config = load("", &[("MINGTING_UI_DIR", name)]).expect("there is a page");
        assert_eq!(config.ui_dir.as_deref(), Some(folder.path()));
    }

    #[test]
    fn every_error_names_the_key_and_no_error_names_a_secret() {
        for key in KEYS {
            let env = format!("MINGTING_{}", key.name.to_uppercase());
            if let Err(said) = load("", &[(&env, "\u{1}not valid")]) {
                assert!(said.contains(&format!("`{}`", key.name)), "{said}");
                assert!(!is_secret(key.name) || !said.contains("not valid"), "{said}");
            }
        }
        let said = load("lisen = 1", &[]).expect_err("unknown");
        assert!(said.contains("`lisen`") && said.contains("listen,"), "{said}");
        let said = load("listen = 1.5", &[]).expect_err("not a text");
        assert!(said.contains("`listen`"), "{said}");
        let said = load("listen = ", &[]).expect_err("not TOML");
        assert!(said.contains("not TOML"), "{said}");
    }
}
