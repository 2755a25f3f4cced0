//! `mingting-participant selftest`: the self-test for technicians, without a window.

use crate::args::SelftestArgs;
use client::selftest::{Plan, Run};
use client::{Court, CourtError};
use media::clock::MediaClock;
use protocol::{Secret, SelfTest, SendSelfTest, TestPart, TestScore, TestSender, TimeMs};
use std::time::{SystemTime, UNIX_EPOCH};
use url::Url;

/// Runs the test and prints what it found, also when it is interrupted (Ctrl-C); returns the exit status.
pub(crate) async fn run(args: SelftestArgs) -> u8 {
    let plan = Plan {
        camera: args.video.camera(),
        microphone: args.audio.microphone(),
        speaker: args.audio.speaker(),
        server: args.server.clone(),
        data: args.data,
        webview: None,
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the driver of the command; a report says when it was made"
    )]
    let now = SystemTime::now();
    let taken_at = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    let mut test = Run::start(plan, MediaClock::start(), TimeMs(taken_at));
    tokio::select! {
        () = test.done() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    let report = test.report();
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&report).expect("a report is made of what JSON can hold")
        );
    } else {
        print!("{}", lines(&report));
    }
    let status = status(report.overall.score);
    if let (Some(server), Some(code)) = (args.server, args.code) {
        match send(&server, code, report).await {
            Ok(()) => eprintln!("the report was sent to the court"),
            // The status tells of the test; who asked for sending reads this.
            Err(error) => eprintln!("the report was not sent: {error}"),
        }
    }
    status
}

async fn send(server: &Url, code: String, report: SelfTest) -> Result<(), CourtError> {
    let by = TestSender::Code {
        code: Secret::new(code),
    };
    Court::new(server)?
        .send_self_test(&SendSelfTest { by, report })
        .await
}

/// Exit statuses, as documented. Nothing tested is not good.
fn status(score: TestScore) -> u8 {
    match score {
        TestScore::Good => 0,
        TestScore::Usable => 1,
        TestScore::Bad | TestScore::Unknown => 2,
    }
}

/// One line a part, in the codes of the wire.
fn lines(report: &SelfTest) -> String {
    let parts: [(&str, &TestPart); 7] = [
        ("camera", &report.camera),
        ("microphone", &report.microphone),
        ("speaker", &report.speaker),
        ("network", &report.network),
        ("computer", &report.computer),
        ("permissions", &report.permissions),
        ("overall", &report.overall),
    ];
    let line = |(name, part): &(&str, &TestPart)| {
        let codes = |list: Vec<String>| list.join(", ");
        let findings = codes(part.findings.iter().map(|f| format!("{f:?}")).collect());
        let remedies = codes(part.remedies.iter().map(|r| format!("{r:?}")).collect());
        let said = [format!("{name:<12}{:?}", part.score), findings, remedies];
        let said: Vec<String> = said.into_iter().filter(|said| !said.is_empty()).collect();
        format!("{}\n", said.join("; "))
    };
    parts.iter().map(line).collect()
}
