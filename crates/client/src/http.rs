//! The court's HTTP routes: code in, seat out. No state but the staff token; no retries, the person decides.

use protocol::{
    ApiError, Enter, Entered, HostError, Practice, SeatTaken, Secret, SelfTestsRead, SendSelfTest,
    StaffHearings, StaffSignIn, StaffSignedIn, StaffTakeSeat, TakeSeat,
};
use reqwest::{Client, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// Longest wait for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Why a request failed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum CourtError {
    /// The server refused, and says why.
    #[error("the court's server refused: {:?}", .0.code)]
    Api(ApiError),
    /// There is no server, or something else answers there.
    #[error("the court's server cannot be reached: {0}")]
    Unreachable(String),
}

impl From<CourtError> for HostError {
    fn from(error: CourtError) -> Self {
        match error {
            CourtError::Api(error) => HostError::Api { error },
            CourtError::Unreachable(reason) => {
                tracing::warn!(reason, "the court's server cannot be reached");
                HostError::Unreachable
            }
        }
    }
}

/// With what lies behind it: a technician needs "unknown issuer" and not "error sending request".
fn unreachable(error: reqwest::Error) -> CourtError {
    let error = error.without_url();
    let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let reasons: Vec<String> = chain.map(ToString::to_string).collect();
    CourtError::Unreachable(reasons.join(": "))
}

/// The court's server. Clones share the staff token.
#[derive(Clone)]
pub struct Court {
    base: Url,
    http: Client,
    staff: Arc<Mutex<Option<Secret>>>,
}

impl Court {
    /// The server at `base` (`https://…`, in tests `http://127.0.0.1:…`).
    pub fn new(base: &Url) -> Result<Self, CourtError> {
        let http = Client::builder()
            .timeout(ANSWER_LIMIT)
            // Ours never redirects; another would have the code sent on in clear.
            .redirect(reqwest::redirect::Policy::none())
            .use_preconfigured_tls(crate::tls::config())
            .build()
            .map_err(unreachable)?;
        Ok(Self {
            base: base.clone(),
            http,
            staff: Arc::default(),
        })
    }

    /// 输入庭审码.
    pub async fn enter(&self, enter: &Enter) -> Result<Entered, CourtError> {
        self.call(Method::POST, "enter", Some(enter)).await
    }

    /// 当事人 or 代理人 takes the seat.
    pub async fn take_seat(&self, take: &TakeSeat) -> Result<SeatTaken, CourtError> {
        self.call(Method::POST, "seat", Some(take)).await
    }

    /// 账号登录; later staff calls use the token it brings.
    pub async fn sign_in(&self, sign_in: &StaffSignIn) -> Result<StaffSignedIn, CourtError> {
        let signed_in: StaffSignedIn = self.call(Method::POST, "staff/sign-in", Some(sign_in)).await?;
        *self.staff.lock().unwrap_or_else(PoisonError::into_inner) = Some(signed_in.token.clone());
        Ok(signed_in)
    }

    /// A member of staff takes the seat.
    pub async fn staff_seat(&self, take: &StaffTakeSeat) -> Result<SeatTaken, CourtError> {
        self.call(Method::POST, "staff/seat", Some(take)).await
    }

    /// 我的庭审.
    pub async fn staff_hearings(&self) -> Result<StaffHearings, CourtError> {
        self.call(Method::GET, "staff/hearings", None::<&()>).await
    }

    /// A practice room.
    pub async fn practice(&self) -> Result<Practice, CourtError> {
        self.call(Method::POST, "practice", None::<&()>).await
    }

    /// A report goes to the court.
    pub async fn send_self_test(&self, send: &SendSelfTest) -> Result<(), CourtError> {
        self.call(Method::POST, "self-tests", Some(send)).await
    }

    /// The reports of a hearing, for a member of its staff.
    pub async fn self_tests(&self, seat: &SeatTaken) -> Result<SelfTestsRead, CourtError> {
        let route = format!("hearings/{}/self-tests", seat.hearing);
        let request = self.http.get(self.address(&route));
        Self::answer(request.bearer_auth(seat.token.expose())).await
    }

    /// Round trip of one request, if the server answers at all.
    pub async fn reach(&self) -> Option<Duration> {
        let started = Instant::now();
        let request = self.http.get(self.address("staff/hearings"));
        request.send().await.ok()?;
        Some(started.elapsed())
    }

    fn address(&self, route: &str) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}/api/v1/{route}", self.base.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        route: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, CourtError> {
        let mut request = self.http.request(method, self.address(route));
        if let Some(body) = body {
            request = request.json(body);
        }
        let staff = self.staff.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(token) = staff {
            request = request.bearer_auth(token.expose());
        }
        Self::answer(request).await
    }

    async fn answer<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, CourtError> {
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        read(status, &body)
    }
}

/// Reads an answer. Anything that is neither the reply nor an [`ApiError`] comes from something else than our server.
fn read<T: DeserializeOwned>(status: StatusCode, body: &[u8]) -> Result<T, CourtError> {
    if status.is_success() {
        return serde_json::from_slice(body)
            .map_err(|_| CourtError::Unreachable("an answer of another kind".into()));
    }
    match serde_json::from_slice(body) {
        Ok(error) => Err(CourtError::Api(error)),
        Err(_) => Err(CourtError::Unreachable(format!(
            "HTTP status {}",
            status.as_u16()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ApiErrorCode;

    #[test]
    fn answers_are_told_apart() {
        let refusal = br#"{"code":"tooManyTries","retryAfterMs":3000,"validFrom":null}"#;
        let Err(CourtError::Api(error)) = read::<Entered>(StatusCode::TOO_MANY_REQUESTS, refusal) else {
            panic!("a refusal");
        };
        assert_eq!(
            (error.code, error.retry_after_ms),
            (ApiErrorCode::TooManyTries, Some(3_000))
        );
        for (status, body) in [
            (StatusCode::OK, &b"<html>"[..]),
            (StatusCode::BAD_GATEWAY, b"<html>"),
        ] {
            assert!(matches!(
                read::<Entered>(status, body),
                Err(CourtError::Unreachable(_))
            ));
        }
    }
}
