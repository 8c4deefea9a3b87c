//! Over real HTTP: what leaves is what was shown, and whatever comes back has an end.

use std::process::Command;

use serde_json::{Value, json};
use sotto_tests::{ModelServer, Reply};
use tokio::runtime::Runtime;

use super::super::http::{Limits, ask, models};
use super::*;

const KEY: &str = "AIza-not-a-real-key";
/// A text with characters of one to four bytes.
const TEXT: &str = "Grüße, 世界 👋 \"quoted\"\nand more";

/// What is waited for in vain ends soon; what comes, comes at once.
fn limits() -> Limits {
    let soon = Duration::from_millis(300);
    Limits {
        connect: Duration::from_secs(10),
        begin: soon,
        silence: soon,
    }
}

/// Nothing that is waited for in vain.
fn patient() -> Limits {
    let wait = Duration::from_secs(30);
    Limits {
        connect: wait,
        begin: wait,
        silence: wait,
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn at(kind: ProviderKind, server: &ModelServer) -> Provider {
    Provider::new(kind, &server.address(), "model-1").unwrap()
}

fn outgoing(provider: &Provider) -> Outgoing {
    let draft = TEXT.to_owned();
    let tone = Tone::Friendlier;
    prepare(provider, &Task::Rephrase { draft, tone }).unwrap()
}

fn asked(
    kind: ProviderKind,
    server: &ModelServer,
    limits: Limits,
) -> Result<(String, bool), AssistError> {
    let outgoing = outgoing(&at(kind, server));
    runtime().block_on(ask(&outgoing, Some(KEY), limits, &mut |_| {}))
}

fn reply_of(kind: ProviderKind, texts: &[&str]) -> Reply {
    match kind {
        ProviderKind::Ollama => Reply::ollama(texts),
        ProviderKind::OpenAi => Reply::openai(texts),
        ProviderKind::Gemini => Reply::gemini(texts),
    }
}

fn failure(status: u16, headers: &str, error: &Value) -> AssistError {
    let server = ModelServer::start([Reply::failure(status, headers, error)]);
    asked(ProviderKind::Gemini, &server, patient()).unwrap_err()
}

#[test]
fn what_leaves_is_what_was_shown_and_the_key_is_in_its_header_alone() {
    for kind in ProviderKind::ALL {
        let server = ModelServer::start([reply_of(kind, &["yes"])]);
        let outgoing = outgoing(&at(kind, &server));
        let asked = runtime().block_on(ask(&outgoing, Some(KEY), patient(), &mut |_| {}));
        assert_eq!(asked, Ok(("yes".to_owned(), false)));
        let [request] = &server.requests()[..] else {
            panic!("one request");
        };
        assert_eq!(request.body, outgoing.body().as_bytes());
        let base = server.address();
        let path = request.line.strip_suffix(" HTTP/1.1").unwrap();
        let path = path.strip_prefix("POST /").unwrap();
        assert_eq!(outgoing.request_line(), format!("POST {base}{path}"));
        let mut shown: Vec<&str> = outgoing
            .headers()
            .leak()
            .lines()
            .map(|line| line.split(':').next().unwrap())
            .collect();
        let mut sent: Vec<&str> = request.headers.iter().map(|(name, _)| &**name).collect();
        shown.sort_unstable();
        sent.sort_unstable();
        assert_eq!(sent, shown);
        let bytes = String::from_utf8_lossy(&request.bytes).into_owned();
        assert_eq!(bytes.matches(KEY).count(), 1);
        let header = match kind {
            ProviderKind::Gemini => request.header("x-goog-api-key"),
            _ => request.header("authorization"),
        };
        assert!(header.unwrap().ends_with(KEY));
    }
}

#[test]
fn a_cloud_without_a_key_is_told_nothing() {
    let server = ModelServer::start([Reply::gemini(&["yes"])]);
    let cloud = outgoing(&at(ProviderKind::Gemini, &server));
    for (key, error) in [
        (None, AssistError::KeyMissing),
        (Some(" "), AssistError::KeyMissing),
        (Some("a\r\nb: c"), AssistError::KeyRefused),
    ] {
        let asked = runtime().block_on(ask(&cloud, key, patient(), &mut |_| {}));
        assert_eq!(asked, Err(error));
    }
    assert_eq!(server.connections(), 0);
    // Here, none is needed.
    server.set_replies([Reply::ollama(&["yes"])]);
    let outgoing = outgoing(&at(ProviderKind::Ollama, &server));
    let asked = runtime().block_on(ask(&outgoing, None, patient(), &mut |_| {}));
    assert_eq!(asked, Ok(("yes".to_owned(), false)));
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[test]
fn an_answer_is_the_same_wherever_its_bytes_are_split() {
    for kind in ProviderKind::ALL {
        let whole = reply_of(kind, &["Grü", "ße, 世界 👋", "\n", TEXT]);
        let expected = format!("Grüße, 世界 👋\n{TEXT}");
        for reply in [whole.clone(), whole.with_crlf()] {
            for bytes in [1, 2, 3, 7, 1000] {
                let server = ModelServer::start([reply.clone().in_pieces(bytes)]);
                let answer = asked(kind, &server, patient());
                assert_eq!(answer, Ok((expected.clone(), false)), "{kind:?} by {bytes}");
            }
        }
    }
}

#[test]
fn the_answer_so_far_is_heard_as_it_comes() {
    let reply = Reply::gemini(&["one ", "two"]);
    let half = reply.len() / 2;
    let server = ModelServer::start([reply.held_after(half)]);
    let outgoing = outgoing(&at(ProviderKind::Gemini, &server));
    let mut heard = Vec::new();
    let mut hear = |text: &str| {
        heard.push(text.to_owned());
        server.go_on();
    };
    let answer = runtime().block_on(ask(&outgoing, Some(KEY), patient(), &mut hear));
    assert_eq!(answer, Ok(("one two".to_owned(), false)));
    assert_eq!(heard.first().map(String::as_str), Some("one "));
    assert_eq!(heard.last().map(String::as_str), Some("one two"));
}

#[test]
fn each_failure_is_told_as_what_it_is() {
    let error =
        |code: u16, status: &str| json!({ "code": code, "message": TEXT, "status": status });
    let key = json!({
        "code": 400,
        "message": "API key not valid.",
        "status": "INVALID_ARGUMENT",
        "details": [{ "reason": "API_KEY_INVALID" }],
    });
    assert_eq!(failure(400, "", &key), AssistError::KeyRefused);
    for (status, expected) in [
        (400, AssistError::Rejected),
        (401, AssistError::KeyRefused),
        (403, AssistError::KeyRefused),
        (404, AssistError::ModelUnknown),
        (413, AssistError::TooLong),
        (429, AssistError::Quota { retry_after: None }),
        (500, AssistError::Busy { retry_after: None }),
        (503, AssistError::Busy { retry_after: None }),
        (418, AssistError::Failed),
    ] {
        assert_eq!(
            failure(status, "", &error(status, "NO")),
            expected,
            "{status}"
        );
    }
    let retry_after = Some(Duration::from_secs(17));
    let quota = failure(
        429,
        "retry-after: 17\r\n",
        &error(429, "RESOURCE_EXHAUSTED"),
    );
    assert_eq!(quota, AssistError::Quota { retry_after });
    let busy = failure(503, "retry-after: 17\r\n", &error(503, "UNAVAILABLE"));
    assert_eq!(busy, AssistError::Busy { retry_after });
    let endless = failure(
        503,
        "retry-after: 99999999999\r\n",
        &error(503, "UNAVAILABLE"),
    );
    let most = Some(Duration::from_hours(24));
    assert_eq!(endless, AssistError::Busy { retry_after: most });
    assert!(!format!("{quota:?} {quota}").contains("Grüße"));
}

/// What becomes of a stream that holds this.
fn stream(body: &str) -> Result<(String, bool), AssistError> {
    let server = ModelServer::start([Reply::stream("text/event-stream", body)]);
    asked(ProviderKind::Gemini, &server, patient())
}

#[test]
fn what_a_stream_says_of_its_end_is_heeded() {
    let said = |text: &str, reason: &str| {
        let content = json!({ "parts": [{ "text": text }] });
        let candidate = json!({ "content": content, "finishReason": reason });
        format!("data: {}\n\n", json!({ "candidates": [candidate] }))
    };
    assert_eq!(stream(&said("a", "STOP")), Ok(("a".to_owned(), false)));
    assert_eq!(stream(&said("a", "MAX_TOKENS")), Ok(("a".to_owned(), true)));
    assert_eq!(stream(&said("a", "NEW_REASON")), Ok(("a".to_owned(), true)));
    assert_eq!(stream(&said("a", "SAFETY")), Err(AssistError::Declined));
    let blocked = json!({ "promptFeedback": { "blockReason": "OTHER" } });
    let blocked = stream(&format!("data: {blocked}\n\n"));
    assert_eq!(blocked, Err(AssistError::Declined));
    let parts = json!([
        { "text": "let me think", "thought": true },
        { "text": "", "thoughtSignature": "c2ln" },
        { "text": "yes" },
    ]);
    let thought = json!([{ "content": { "parts": parts }, "finishReason": "STOP" }]);
    let thought = stream(&format!("data: {}\n\n", json!({ "candidates": thought })));
    assert_eq!(thought, Ok(("yes".to_owned(), false)));
    let quota = json!({ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED" } });
    let quota = stream(&format!("data: {quota}\n\n"));
    assert_eq!(quota, Err(AssistError::Quota { retry_after: None }));
    // Comments, other fields, and data over two lines.
    let odd = stream(
        ": hello\nevent: x\ndata: {\"candidates\":[{\"content\":{\"parts\":\ndata: \
         [{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\n\n",
    );
    assert_eq!(odd, Ok(("a".to_owned(), false)));
    assert_eq!(stream(""), Err(AssistError::NotUnderstood));
    assert_eq!(stream("data: []\n\n"), Err(AssistError::NotUnderstood));
    assert_eq!(stream("data: hello\n\n"), Err(AssistError::NotUnderstood));
    let bytes = ModelServer::start([Reply::stream("text/event-stream", b"data: \xff\n\n")]);
    let bytes = asked(ProviderKind::Gemini, &bytes, patient());
    assert_eq!(bytes, Err(AssistError::NotUnderstood));
    let ollama = Reply::stream("application/x-ndjson", "{\"error\":\"out of memory\"}\n");
    let ollama = ModelServer::start([ollama]);
    let ollama = asked(ProviderKind::Ollama, &ollama, patient());
    assert_eq!(ollama, Err(AssistError::Failed));
}

#[test]
fn an_answer_that_breaks_off_anywhere_is_not_taken_for_a_whole_one() {
    for kind in ProviderKind::ALL {
        let reply = reply_of(kind, &["one ", "two ", "three"]);
        // The last line says that it is the last one.
        for bytes in (0..reply.len() - 3).step_by(7) {
            let server = ModelServer::start([reply.clone().cut_after(bytes)]);
            let answer = asked(kind, &server, patient());
            let expected = [AssistError::Cut, AssistError::NotUnderstood];
            let error = answer.unwrap_err();
            assert!(
                expected.contains(&error),
                "{kind:?} after {bytes}: {error:?}"
            );
        }
    }
}

#[test]
fn silence_redirects_pages_and_endless_replies_come_to_an_end() {
    let reply = Reply::gemini(&["one ", "two"]);
    for bytes in [0, reply.len() / 3] {
        let server = ModelServer::start([reply.clone().silent_after(bytes)]);
        let answer = asked(ProviderKind::Gemini, &server, limits());
        assert_eq!(answer, Err(AssistError::Silent));
        server.wait_until_closed();
    }
    let other = ModelServer::start([Reply::gemini(&["stolen"])]);
    let location = format!("location: {}\r\n", other.address());
    for status in [301, 302, 307, 308] {
        let error = failure(status, &location, &Value::Null);
        assert_eq!(error, AssistError::Redirected);
    }
    assert_eq!(other.connections(), 0);
    let page = ModelServer::start([Reply::stream("text/html; charset=utf-8", "<html></html>")]);
    let page = asked(ProviderKind::Gemini, &page, patient());
    assert_eq!(page, Err(AssistError::NotUnderstood));
    let long = "word ".repeat(2_000);
    let endless = json!({ "candidates": [{ "content": { "parts": [{ "text": long }] } }] });
    for body in [
        format!("data: {endless}\n\n"),
        ": nothing\n".repeat(1_000),
        "x".repeat(10_000),
    ] {
        let reply = Reply::stream("text/event-stream", body).endless();
        let server = ModelServer::start([reply]);
        let answer = asked(ProviderKind::Gemini, &server, patient());
        assert_eq!(answer, Err(AssistError::ReplyTooLong));
        server.wait_until_closed();
        assert!(server.written() < 40 * 1024 * 1024, "{}", server.written());
    }
}

#[test]
fn nobody_there_is_told() {
    let address = ModelServer::start([]).address();
    let provider = Provider::new(ProviderKind::Ollama, &address, "m").unwrap();
    let outgoing = outgoing(&provider);
    let asked = runtime().block_on(ask(&outgoing, None, patient(), &mut |_| {}));
    assert_eq!(asked, Err(AssistError::Unreachable));
}

#[test]
fn what_speaks_no_tls_where_it_has_to_is_told_nothing() {
    let server = ModelServer::start([Reply::gemini(&["stolen"])]);
    let address = server.address().replace("http://", "https://");
    let provider = Provider::new(ProviderKind::Gemini, &address, "model-1").unwrap();
    let outgoing = outgoing(&provider);
    let asked = runtime().block_on(ask(&outgoing, Some(KEY), patient(), &mut |_| {}));
    assert_eq!(asked, Err(AssistError::Unreachable));
    assert_eq!((server.connections(), server.requests().len()), (1, 0));
}

#[test]
fn a_request_that_is_given_up_closes_its_connection() {
    let reply = Reply::ollama(&["one"]);
    let server = ModelServer::start([reply.held_after(5)]);
    let outgoing = outgoing(&at(ProviderKind::Ollama, &server));
    runtime().block_on(async {
        let mut nothing = |_: &str| {};
        let asked = ask(&outgoing, None, patient(), &mut nothing);
        let is_there = async {
            while server.requests().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = asked => panic!("there is no answer"),
            () = is_there => {}
        }
    });
    server.wait_until_closed();
}

#[test]
fn models_are_listed_as_each_provider_lists_them() {
    let gemini = json!({ "models": [
        { "name": "models/a", "supportedGenerationMethods": ["generateContent", "x"] },
        { "name": "models/b", "supportedGenerationMethods": ["embedContent"] },
        { "name": "models/../c" },
        { "name": "models/d" },
    ] });
    let ollama = json!({ "models": [{ "name": "a" }, { "name": "d" }] });
    let openai = json!({ "data": [{ "id": "a" }, { "id": "d" }] });
    for (kind, list, line) in [
        (
            ProviderKind::Gemini,
            gemini,
            "GET /models?pageSize=1000 HTTP/1.1",
        ),
        (ProviderKind::Ollama, ollama, "GET /api/tags HTTP/1.1"),
        (ProviderKind::OpenAi, openai, "GET /models HTTP/1.1"),
    ] {
        let server = ModelServer::start([Reply::json(&list)]);
        let provider = at(kind, &server);
        let listed = runtime().block_on(models(&provider, Some(KEY), patient()));
        assert_eq!(listed, Ok(vec!["a".to_owned(), "d".to_owned()]), "{kind:?}");
        let [request] = &server.requests()[..] else {
            panic!("one request");
        };
        assert_eq!((&*request.line, request.body.len()), (line, 0));
    }
    let server = ModelServer::start([Reply::json(&json!([1]))]);
    let provider = at(ProviderKind::Ollama, &server);
    let listed = runtime().block_on(models(&provider, None, patient()));
    assert_eq!(listed, Err(AssistError::NotUnderstood));
}

#[test]
fn no_proxy_sees_what_is_meant_for_this_computer() {
    const CHILD: &str = "SOTTO_ASK_HERE";
    const NAME: &str = "assistant::tests::network::no_proxy_sees_what_is_meant_for_this_computer";
    if let Ok(address) = std::env::var(CHILD) {
        for kind in ProviderKind::ALL {
            let provider = Provider::new(kind, &address, "model-1").unwrap();
            let outgoing = outgoing(&provider);
            let asked = runtime().block_on(ask(&outgoing, Some(KEY), patient(), &mut |_| {}));
            asked.unwrap();
        }
        return;
    }
    let replies = ProviderKind::ALL.map(|kind| reply_of(kind, &["yes"]));
    let server = ModelServer::start(replies);
    let proxy = ModelServer::start([Reply::gemini(&["stolen"])]);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", NAME]).env(CHILD, server.address());
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "https_proxy",
    ] {
        child.env(name, proxy.address());
    }
    for name in ["no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.requests().len(), 3);
    assert_eq!(proxy.connections(), 0);
}
