//! The OpenAPI document, made from the route table and from values of the real wire types, so that neither a route nor
//! a field can be missing or invented.

use super::routes::{Endpoint, Who};
use crate::media::{MediaEndpoint, Opens};
use axum::response::{IntoResponse, Response};
use protocol::{
    AgentAuthority, AgentKind, ApiError, ApiErrorCode, Capacity, CaseInfo, Enter, Entered, HearingState,
    IdNumber, MediaAccess, PersonName, Practice, Role, Seat, SeatTaken, SeatTest, Secret, SelfTest,
    SelfTestsRead, SendSelfTest, Side, StaffHearing, StaffHearings, StaffSignIn, StaffSignedIn,
    StaffTakeSeat, TakeSeat, TestFacts, TestPart, TestScore, TestSender, TimeMs,
};
use serde_json::{Value, json};
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder,
    RefOr, Required, ResponseBuilder, Schema,
};

/// The document.
pub fn openapi() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for endpoint in Endpoint::ALL {
        let row = endpoint.row();
        let method = if row.method == "POST" {
            HttpMethod::Post
        } else {
            HttpMethod::Get
        };
        paths = paths.path(row.path, PathItem::new(method, operation(endpoint)));
    }
    for endpoint in MediaEndpoint::ALL {
        let row = endpoint.row();
        let method = if row.method == "POST" {
            HttpMethod::Post
        } else {
            HttpMethod::Get
        };
        paths = paths.path(row.path, PathItem::new(method, media_operation(endpoint)));
    }
    let mut document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Mingting hearing server")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Everything outside the hearing channel. Frames of the channel are described in crates/protocol.",
                ))
                .build(),
        )
        .paths(paths.build())
        .build();
    let mut components = Components::new();
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
    );
    document.components = Some(components);
    document
}

pub(super) async fn serve() -> Response {
    axum::Json(openapi()).into_response()
}

/// The media plane's messages are LiveKit's, described there; here stands that the route is there and what opens it.
fn media_operation(endpoint: MediaEndpoint) -> OperationBuilder {
    let row = endpoint.row();
    let (status, what) = match (endpoint, row.opens) {
        (_, Opens::Nothing) => ("404", "It is not there."),
        (MediaEndpoint::Signalling, _) => ("101", "The connection is a WebSocket from here on."),
        _ => ("200", "Done."),
    };
    let mut operation = OperationBuilder::new()
        .summary(Some(row.summary))
        .operation_id(Some(format!("Media{endpoint:?}")))
        .response(status, ResponseBuilder::new().description(what).build());
    if row.path.contains("{method}") {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name("method")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some("Which method of the service."))
                .schema(Some(schema(&json!("ListParticipants")))),
        );
    }
    if row.opens != Opens::Nothing {
        operation = operation.security(SecurityRequirement::new("bearer", Vec::<String>::new()));
    }
    operation
}

fn operation(endpoint: Endpoint) -> OperationBuilder {
    let row = endpoint.row();
    let (request, reply) = examples(endpoint);
    let mut operation = OperationBuilder::new()
        .summary(Some(row.summary))
        .operation_id(Some(format!("{endpoint:?}")))
        .request_body(request.map(|example| {
            RequestBodyBuilder::new()
                .content(
                    "application/json",
                    ContentBuilder::new().schema(Some(schema(&example))).build(),
                )
                .required(Some(Required::True))
                .build()
        }));
    let ok = match &reply {
        Reply::Json(example) => ResponseBuilder::new().description("Done.").content(
            "application/json",
            ContentBuilder::new().schema(Some(schema(example))).build(),
        ),
        Reply::Text => ResponseBuilder::new().description("Text."),
        Reply::Upgrade => ResponseBuilder::new().description("The connection is a WebSocket from here on."),
    };
    operation = operation.response(
        if matches!(reply, Reply::Upgrade) {
            "101"
        } else {
            "200"
        },
        ok.build(),
    );
    if !matches!(reply, Reply::Text) {
        let failure = ApiError {
            code: ApiErrorCode::CodeNotYetValid,
            retry_after_ms: Some(1_000),
            valid_from: Some(TimeMs(1_780_000_000_000)),
        };
        let content = ContentBuilder::new()
            .schema(Some(schema(&value(&failure))))
            .build();
        operation = operation.response(
            "default",
            ResponseBuilder::new()
                .description("Not done; `code` says why.")
                .content("application/json", content)
                .build(),
        );
    }
    if row.path.contains("{id}") {
        operation = operation.parameter(
            ParameterBuilder::new()
                .name("id")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some("Which hearing."))
                .schema(Some(schema(&json!("h-1")))),
        );
    }
    if matches!(row.who, Who::Staff | Who::Operator) {
        operation = operation.security(SecurityRequirement::new("bearer", Vec::<String>::new()));
    }
    operation
}

enum Reply {
    Json(Value),
    Text,
    Upgrade,
}

/// A full request and reply of each route.
fn examples(endpoint: Endpoint) -> (Option<Value>, Reply) {
    let case = CaseInfo {
        number: "（2026）示0101民初1234号".into(),
        cause: "房屋租赁合同纠纷".into(),
        court: "示范市样例区人民法院".into(),
        courtroom: "第三互联网法庭".into(),
        starts_at: TimeMs(1_780_000_000_000),
        public: true,
    };
    let seat = Seat {
        id: "s-1".into(),
        role: Role::Agent,
        title: "原告代理人".into(),
        name: PersonName::new("周样稿"),
        represents: Some("s-2".into()),
        side: Side::Plaintiff,
    };
    let secret = || Secret::new("…");
    let taken = Reply::Json(value(&SeatTaken {
        hearing: "h-1".into(),
        seat: "s-1".into(),
        token: secret(),
    }));
    let hearing = StaffHearing {
        hearing: "h-1".into(),
        case: case.clone(),
        state: HearingState::Open,
        seat: "s-9".into(),
        role: Role::Clerk,
        in_use: false,
    };
    match endpoint {
        Endpoint::Enter => (
            Some(value(&Enter {
                code: Secret::new("1234 5674"),
            })),
            Reply::Json(value(&Entered {
                ticket: secret(),
                hearing: "h-1".into(),
                case,
                state: HearingState::Open,
                seat: seat.clone(),
                others: vec![seat],
                in_use: false,
                identity_step: true,
            })),
        ),
        Endpoint::Seat => (
            Some(value(&TakeSeat {
                ticket: secret(),
                name: PersonName::new("周样稿"),
                capacity: Capacity::Agent {
                    represents: "s-2".into(),
                    kind: AgentKind::Lawyer,
                    licence: Some(IdNumber::new("11101202012345678")),
                    authority: AgentAuthority::Special,
                },
                take_over: false,
            })),
            taken,
        ),
        Endpoint::Channel => (None, Reply::Upgrade),
        Endpoint::StaffSignIn => (
            Some(value(&StaffSignIn {
                account: secret(),
                password: secret(),
            })),
            Reply::Json(value(&StaffSignedIn {
                token: secret(),
                name: PersonName::new("孙演示"),
                hearings: vec![hearing],
            })),
        ),
        Endpoint::StaffHearings => (
            None,
            Reply::Json(value(&StaffHearings {
                hearings: vec![hearing],
            })),
        ),
        Endpoint::StaffSeat => (
            Some(value(&StaffTakeSeat {
                hearing: "h-1".into(),
                take_over: false,
            })),
            taken,
        ),
        Endpoint::Practice => (
            None,
            Reply::Json(value(&Practice {
                media: MediaAccess {
                    url: "wss://media.example.cn".into(),
                    token: secret(),
                    expires_at: TimeMs(1_780_000_180_000),
                },
                mirror: secret(),
                server_time: TimeMs(1_780_000_000_000),
            })),
        ),
        Endpoint::SendSelfTest => (
            Some(value(&SendSelfTest {
                by: TestSender::Code { code: secret() },
                report: report(),
            })),
            Reply::Json(Value::Null),
        ),
        Endpoint::SelfTests => (
            None,
            Reply::Json(value(&SelfTestsRead {
                tests: vec![SeatTest {
                    seat: "plaintiff".into(),
                    sent_at: TimeMs(1_780_000_000_000),
                    report: report(),
                }],
            })),
        ),
        Endpoint::OpenApi => (None, Reply::Json(json!({ "openapi": "3.1.0" }))),
        Endpoint::Alive | Endpoint::Ready | Endpoint::Metrics => (None, Reply::Text),
    }
}

fn report() -> SelfTest {
    let part = || TestPart {
        score: TestScore::Good,
        findings: Vec::new(),
        remedies: Vec::new(),
    };
    SelfTest {
        taken_at: TimeMs(1_780_000_000_000),
        took_ms: 16_000,
        version: env!("CARGO_PKG_VERSION").into(),
        facts: TestFacts::default(),
        camera: part(),
        microphone: part(),
        speaker: part(),
        network: part(),
        computer: part(),
        permissions: part(),
        overall: part(),
    }
}

fn value(example: &impl serde::Serialize) -> Value {
    serde_json::to_value(example).expect("wire types always serialise")
}

fn schema(example: &Value) -> RefOr<Schema> {
    let mut schema = described(example);
    schema["examples"] = json!([example]);
    serde_json::from_value(schema).expect("what `described` makes is a schema")
}

/// The schema that a value is an example of.
fn described(example: &Value) -> Value {
    match example {
        Value::Null => json!({ "type": "null" }),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(n) if n.is_u64() => json!({ "type": "integer", "minimum": 0 }),
        Value::Number(_) => json!({ "type": "number" }),
        Value::String(_) => json!({ "type": "string" }),
        Value::Array(items) => {
            json!({ "type": "array", "items": items.first().map_or(json!({}), described) })
        }
        Value::Object(fields) => json!({
            "type": "object",
            "properties": fields.iter().map(|(name, v)| (name.clone(), described(v))).collect::<serde_json::Map<_, _>>(),
            "required": fields.keys().collect::<Vec<_>>(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_table_is_described_with_its_fields() {
        let document = value(&openapi());
        for endpoint in Endpoint::ALL {
            let row = endpoint.row();
            let operation = &document["paths"][row.path][row.method.to_lowercase()];
            assert_eq!(operation["summary"], row.summary);
        }
        let fields = &document["paths"]["/api/v1/seat"]["post"]["requestBody"]["content"]["application/json"]
            ["schema"];
        assert_eq!(
            fields["properties"]["capacity"]["properties"]["represents"]["type"], "string",
            "{fields}"
        );
        assert_eq!(fields["properties"]["takeOver"]["type"], "boolean", "{fields}");
    }
}
