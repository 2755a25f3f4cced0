//! Who may use which route, against a second table written as data; and what every answer carries.

use crate::kit::Court;
use serde_json::{Value, json};

/// Every route with the status that each asker gets: nobody, a staff session, a ticket shown as a bearer, and nobody
/// from the server's own machine.
const TABLE: [(&str, &str, [u16; 4]); 13] = [
    ("POST", "/api/v1/enter", [400, 400, 400, 400]),
    ("POST", "/api/v1/seat", [400, 400, 400, 400]),
    ("GET", "/api/v1/hearings/h-1/channel", [400, 400, 400, 400]),
    ("POST", "/api/v1/staff/sign-in", [400, 400, 400, 400]),
    ("GET", "/api/v1/staff/hearings", [401, 200, 403, 401]),
    ("POST", "/api/v1/staff/seat", [401, 400, 403, 401]),
    ("POST", "/api/v1/practice", [200, 200, 200, 200]),
    ("POST", "/api/v1/self-tests", [400, 400, 400, 400]),
    ("GET", "/api/v1/hearings/h-1/self-tests", [401, 403, 403, 401]),
    ("GET", "/api/v1/openapi.json", [200, 200, 200, 200]),
    ("GET", "/healthz", [200, 200, 200, 200]),
    ("GET", "/readyz", [200, 200, 200, 200]),
    ("GET", "/metrics", [403, 403, 403, 200]),
];

/// The media plane's, asked by nobody, by a seat with its media token in the query, and by a staff session.
const MEDIA: [(&str, &str, [u16; 3]); 6] = [
    ("GET", "/rtc/v1", [400, 400, 400]),
    ("GET", "/rtc/v1/validate", [401, 200, 401]),
    ("GET", "/rtc/v1/tunnel", [400, 400, 400]),
    ("GET", "/rtc", [404, 404, 404]),
    ("GET", "/rtc/validate", [404, 404, 404]),
    (
        "POST",
        "/twirp/livekit.RoomService/ListParticipants",
        [401, 403, 401],
    ),
];

#[tokio::test]
async fn a_media_token_opens_its_room_and_nothing_else() {
    let court = Court::with_media().await;
    let (_judge, mut plaintiff, _defendant) = court.in_session().await;
    plaintiff.settle().await;
    let media = plaintiff.media.clone().expect("in court").token;
    let password = &court.passwords["clerk-demo"];
    let body = json!({ "account": "clerk-demo", "password": password });
    let (_, signed_in) = court.post("/api/v1/staff/sign-in", &body).await;
    let staff = signed_in["token"].as_str().expect("a token");
    for (method, path, expected) in MEDIA {
        let in_query = format!("{path}?access_token={}", media.expose());
        let askers = if method == "GET" {
            [(path, None), (in_query.as_str(), None), (path, Some(staff))]
        } else {
            [(path, None), (path, Some(media.expose())), (path, Some(staff))]
        };
        for ((path, bearer), expected) in askers.into_iter().zip(expected) {
            let body = (method == "POST").then(|| json!({ "room": court.hearing.as_str() }));
            let (status, answer) = court
                .request(method, path, "203.0.113.9", bearer, body.as_ref())
                .await;
            assert_eq!(status, expected, "{method} {path} {answer}");
        }
    }
    // And a media token opens none of the server's own doors.
    for (method, path, [nobody, ..]) in TABLE.iter().filter(|(_, path, _)| path.contains("/staff/h")) {
        let asked = court.request(method, path, "203.0.113.9", Some(media.expose()), None);
        assert_eq!(asked.await.0, *nobody, "{path}");
    }
}

#[tokio::test]
async fn every_route_is_in_the_table_and_keeps_to_it() {
    let court = Court::open().await;
    let password = &court.passwords["clerk-demo"];
    let body = json!({ "account": "clerk-demo", "password": password });
    let (_, signed_in) = court.post("/api/v1/staff/sign-in", &body).await;
    let staff = signed_in["token"].as_str().expect("a token");
    let ticket = court.enter("plaintiff").await.ticket;
    for (method, path, expected) in TABLE {
        let askers = [
            ("203.0.113.9", None),
            ("203.0.113.9", Some(staff)),
            ("203.0.113.9", Some(ticket.expose())),
            ("127.0.0.1", None),
        ];
        for ((from, bearer), expected) in askers.into_iter().zip(expected) {
            let body = (method == "POST").then(|| json!({ "not": "it" }));
            let (status, answer) = court.request(method, path, from, bearer, body.as_ref()).await;
            assert_eq!(status, expected, "{method} {path} {from} {answer}");
        }
    }
    let (_, document) = court
        .request("GET", "/api/v1/openapi.json", "203.0.113.9", None, None)
        .await;
    let described = document["paths"].as_object().expect("paths");
    let filled = |path: &String| {
        path.replace("{id}", "h-1")
            .replace("{method}", "ListParticipants")
    };
    let mut described: Vec<String> = described.keys().map(filled).collect();
    let own = TABLE.iter().map(|(_, path, _)| (*path).to_owned());
    let media = MEDIA.iter().map(|(_, path, _)| (*path).to_owned());
    let mut known: Vec<String> = own.chain(media).collect();
    described.sort();
    known.sort();
    assert_eq!(
        described, known,
        "the server has a route that this table does not know, or the other way round"
    );
}

/// Routers are made from the two tables; what runs the media plane alone for tools adds a page of its own.
#[test]
fn no_other_module_makes_routes() {
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src"
    ))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path).expect("text").contains(".route(") {
                found.push(path);
            }
        }
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let inside = |path: &std::path::PathBuf| path.strip_prefix(root).expect("inside").display().to_string();
    let mut found: Vec<String> = found.iter().map(inside).collect();
    found.sort();
    assert_eq!(
        found,
        ["http/routes.rs", "media/routes.rs", "media/standalone.rs"]
    );
}

#[tokio::test]
async fn the_operator_reads_counters_from_elsewhere_with_the_token_only() {
    let court = Court::with(&[("OPERATOR_TOKEN", "an operator's token")]).await;
    let ask = async |bearer| {
        court
            .request("GET", "/metrics", "203.0.113.9", bearer, None)
            .await
    };
    assert_eq!(ask(Some("another token")).await.0, 403);
    let (status, text) = ask(Some("an operator's token")).await;
    let text = text.as_str().expect("text").to_owned();
    assert!(
        status == 200 && text.contains("mingting_hearings_loaded") && text.contains("mingting_sfu_"),
        "{text}"
    );
}

#[tokio::test]
async fn behind_a_proxy_that_it_does_not_know_of_nobody_is_the_local_machine() {
    let court = Court::with(&[("BEHIND_PROXY", "false")]).await;
    let url = format!("http://{}/metrics", court.address);
    let client = reqwest::Client::new();
    let ask = async |header: Option<&str>| {
        let request = header.map_or(client.get(&url), |name| {
            client.get(&url).header(name, "203.0.113.9")
        });
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(ask(None).await, 200, "from the machine itself");
    for header in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        assert_eq!(ask(Some(header)).await, 403, "{header}");
    }
}

#[tokio::test]
async fn one_address_does_not_fill_the_hall_for_the_others() {
    let court = Court::open().await;
    let mut quiet = Vec::new();
    for _ in 0..128 {
        quiet.push(crate::kit::socket(court.address, court.hearing.as_str()).await);
    }
    let upgrade = async |from: &str| {
        let url = format!("http://{}/api/v1/hearings/h/channel", court.address);
        let request = reqwest::Client::new().get(url).header("x-forwarded-for", from);
        let request = request
            .header("connection", "upgrade")
            .header("upgrade", "websocket");
        let request = request
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(upgrade("127.0.0.1").await, 429);
    assert_eq!(upgrade("203.0.113.9").await, 101);
    drop(quiet);
}

#[tokio::test]
async fn the_page_is_served_with_strict_headers_and_the_api_never_looks_like_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir(dir.path().join("assets")).expect("made");
    std::fs::write(dir.path().join("index.html"), "<!doctype html>page").expect("written");
    std::fs::write(dir.path().join("assets/a.js"), "1").expect("written");
    let court = Court::with(&[("UI_DIR", dir.path().to_str().expect("a plain path"))]).await;
    let get = async |path: &str| court.request("GET", path, "203.0.113.9", None, None).await;
    for path in ["/", "/join/12345674", "/court"] {
        assert_eq!(
            get(path).await,
            (200, Value::from("<!doctype html>page")),
            "{path}"
        );
    }
    assert_eq!(get("/assets/a.js").await, (200, json!(1)));
    assert_eq!(get("/assets/b.js").await.0, 404);
    assert_eq!(get("/api/v1/nothing").await.1["code"], "notFound");
    assert_eq!(
        get("/..%2f..%2fetc/passwd").await.1,
        Value::from("<!doctype html>page"),
        "no way out of the folder"
    );
    let answer = reqwest::get(format!("http://{}/", court.address))
        .await
        .expect("an answer");
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
}
