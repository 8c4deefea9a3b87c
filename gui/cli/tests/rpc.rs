//! `sotto-cli rpc` as bots drive it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{Rpc, World, with_input};

fn message(peer: &str, text: &str, direction: &str) -> impl Fn(&Value) -> bool {
    move |line| {
        let params = &line["params"];
        line["method"] == "message"
            && (&params["peer"], &params["text"], &params["direction"])
                == (&json!(peer), &json!(text), &json!(direction))
    }
}

fn delivery(id: &Value, state: &str) -> impl Fn(&Value) -> bool {
    move |line| {
        let params = &line["params"];
        line["method"] == "delivery" && params["id"] == *id && params["state"] == state
    }
}

#[test]
fn two_bots_talk_and_hear_how_far_their_messages_come() {
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    let (mut guest, mut bob) = (Rpc::start(&world, "guest"), Rpc::start(&world, "bob"));
    for bot in [&mut guest, &mut bob] {
        assert_eq!(bot.call("subscribe", &json!({})), json!({}));
        bot.connected();
    }
    let send = json!({ "identity": "guest", "to": "bob", "text": "ping" });
    let id = guest.call("send", &send)["id"].clone();
    let heard = bob.hear(message("guest", "ping", "in"));
    assert_eq!(heard["params"]["id"], id);
    assert_eq!(heard["params"]["identity"], "bob");
    assert!(heard["params"]["sent_at"].as_i64().unwrap() > 0);
    assert!(heard.get("id").is_none(), "a notification has none");
    guest.hear(message("bob", "ping", "out"));
    guest.hear(delivery(&id, "delivered"));
    let send = json!({ "identity": "bob", "to": "guest", "text": "pong \u{9b}" });
    bob.call("send", &send);
    guest.hear(message("bob", "pong \u{9b}", "in"));

    let history = json!({ "identity": "guest", "peer": "bob", "limit": 2 });
    let all = guest.call("history", &history);
    let texts = [&all[0]["text"], &all[1]["text"]];
    assert_eq!(texts, ["ping", "pong \u{9b}"]);
    let before = json!({ "identity": "guest", "peer": "bob", "before": all[1]["id"], "limit": 1 });
    let older = guest.call("history", &before);
    assert_eq!(older[0]["id"], id);
    let search = json!({ "identity": "guest", "query": "pin" });
    assert_eq!(guest.call("search", &search)[0]["id"], id);
    let contacts = guest.call("contacts", &json!({ "identity": "guest" }));
    let row = contacts
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["peer"] == "bob");
    assert_eq!(row.unwrap()["presence"], "online");
    let status = guest.call("status", &json!({}));
    assert_eq!(status["relay"], world.host.address().to_string());
    assert_eq!(status["identities"][0]["state"], "ready");

    let made = guest.call("identity.create", &json!({ "name": "Visitor Ω" }));
    assert_eq!(made, json!({ "handle": "visitor" }));
    let identities = guest.call("identities", &json!({}));
    assert_eq!(identities[1]["name"], "Visitor Ω");
    // Whom it does not know is found as soon as it is connected.
    guest.call(
        "send",
        &json!({ "identity": "visitor", "to": "bob", "text": "hi" }),
    );
    bob.hear(message("visitor", "hi", "in"));
    for bot in [guest, bob] {
        assert!(bot.end().1);
    }
}

/// The code and the id with which a line is refused.
fn refusal(rpc: &mut Rpc, line: &str) -> (i64, Value) {
    rpc.put(line);
    let answer = rpc.line().unwrap();
    assert_eq!(answer["jsonrpc"], "2.0");
    assert!(
        answer["error"]["message"].is_string(),
        "{line:.99}: {answer}"
    );
    (
        answer["error"]["code"].as_i64().unwrap(),
        answer["id"].clone(),
    )
}

#[test]
fn every_malformed_line_gets_its_code_and_what_follows_is_served() {
    let world = World::new(&["guest"]);
    let mut rpc = Rpc::start(&world, "guest");
    let mut code = |line: &str| refusal(&mut rpc, line);
    let deep = "[".repeat(100_000);
    for (line, expected) in [
        ("nonsense", -32700),
        ("{\"jsonrpc\":\"2.0\"", -32700),
        (deep.as_str(), -32700),
        ("[]", -32600),
        ("7", -32600),
        ("\"text\"", -32600),
        ("{}", -32600),
    ] {
        assert_eq!(code(line), (expected, Value::Null), "{line:.40}");
    }
    let long = format!("\"{}\"", "x".repeat(8 * 1024 * 1024));
    assert_eq!(code(&long), (-32600, Value::Null));
    for (call, expected) in [
        (json!({ "id": 1, "method": "status" }), -32600),
        (
            json!({ "jsonrpc": "1.0", "id": 1, "method": "status" }),
            -32600,
        ),
        (json!({ "jsonrpc": "2.0", "id": 1, "method": 1 }), -32600),
        (
            json!({ "jsonrpc": "2.0", "id": 1, "method": "status", "params": 1 }),
            -32600,
        ),
    ] {
        assert_eq!(code(&call.to_string()), (expected, json!(1)), "{call}");
    }
    assert_eq!(rpc.call("identities", &json!({}))[0]["handle"], "guest");
}

#[test]
fn every_call_that_cannot_be_carried_out_gets_its_code_and_changes_nothing() {
    let world = World::new(&["guest"]);
    let mut rpc = Rpc::start(&world, "guest");
    let mut code = |line: &str| refusal(&mut rpc, line);
    let unknown = "00000000000000000000000000000000";
    for (method, params, expected) in [
        ("nothing", json!({}), -32601),
        ("status", json!({ "more": 1 }), -32602),
        ("status", json!([]), -32602),
        ("contacts", json!({}), -32602),
        ("contacts", json!({ "identity": 7 }), -32602),
        ("contacts", json!({ "identity": "bob" }), -32000),
        (
            "send",
            json!({ "identity": "guest", "to": "nobody", "text": "hi" }),
            -32002,
        ),
        (
            "send",
            json!({ "identity": "guest", "to": "alice", "text": "" }),
            -32602,
        ),
        (
            "history",
            json!({ "identity": "guest", "peer": "nobody" }),
            -32002,
        ),
        (
            "history",
            json!({ "identity": "guest", "peer": "alice", "limit": 0 }),
            -32602,
        ),
        (
            "history",
            json!({ "identity": "guest", "peer": "alice", "before": "x" }),
            -32602,
        ),
        (
            "history",
            json!({ "identity": "guest", "peer": "alice", "before": unknown }),
            -32003,
        ),
        (
            "search",
            json!({ "identity": "guest", "query": "" }),
            -32602,
        ),
        ("identity.create", json!({ "name": "Guest" }), -32006),
        ("identity.create", json!({ "name": "Ω" }), -32602),
        (
            "identity.create",
            json!({ "name": "x", "handle": "../x" }),
            -32602,
        ),
    ] {
        let call = json!({ "jsonrpc": "2.0", "id": "a", "method": method, "params": params });
        assert_eq!(
            code(&call.to_string()),
            (expected, json!("a")),
            "{method} {params}"
        );
    }
    assert_eq!(
        rpc.call("identities", &json!({})).as_array().unwrap().len(),
        1
    );
    let history = json!({ "identity": "guest", "peer": "alice" });
    assert_eq!(rpc.call("history", &history), json!([]));
}

#[test]
fn ids_come_back_as_they_were_and_notifications_and_batches_are_served() {
    let world = World::new(&["guest"]);
    let mut rpc = Rpc::start(&world, "guest");
    for id in [
        json!(null),
        json!(0.5),
        json!("x"),
        json!(true),
        json!([1]),
        json!({ "a": 1 }),
    ] {
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "subscribe" });
        rpc.put(&call.to_string());
        let answer = rpc.line().unwrap();
        assert_eq!((&answer["id"], &answer["result"]), (&id, &json!({})));
    }
    let note = json!({ "jsonrpc": "2.0", "method": "status" });
    let wrong = json!({ "jsonrpc": "2.0", "method": "nothing" });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "subscribe" });
    rpc.put(&note.to_string());
    rpc.put(&wrong.to_string());
    rpc.put(&json!([note, wrong]).to_string());
    rpc.put(&json!([note, call, 7, call]).to_string());
    let answers = rpc.line().unwrap();
    let ids: Vec<&Value> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert_eq!(ids, [&json!(1), &Value::Null, &json!(1)]);
    rpc.put(&Value::from(vec![call; 101]).to_string());
    assert_eq!(rpc.line().unwrap()["error"]["code"], -32600);
    let (rest, ended_well) = rpc.end();
    assert_eq!(rest, [Value::Null; 0]);
    assert!(ended_well);
}

#[test]
fn the_end_of_the_input_ends_it_when_what_was_accepted_is_kept() {
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    let mut input = String::new();
    for number in 0..50 {
        let params = json!({ "identity": "guest", "to": "bob", "text": number.to_string() });
        let call = json!({ "jsonrpc": "2.0", "id": number, "method": "send", "params": params });
        input += &call.to_string();
        input.push('\n');
    }
    // Without an end of its last line.
    let input = input.trim_end();
    let output = with_input(&mut world.cli("guest", &["rpc"]), input.as_bytes());
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), 50);
    let all = world.json("guest", &["history", "bob", "--json", "--limit", "50"]);
    let texts: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let kept: Vec<&str> = all.iter().filter_map(|it| it["text"].as_str()).collect();
    assert_eq!(kept, texts);
}

/// A call whose answer no pipe holds, so that whoever writes it waits for a reader.
fn large_call(world: &World) -> String {
    let text = "x".repeat(256 * 1024);
    let mut send = world.cli("guest", &["send", "alice", "--no-wait"]);
    assert!(with_input(&mut send, text.as_bytes()).status.success());
    let params = json!({ "identity": "guest", "peer": "alice" });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "history", "params": params });
    format!("{call}\n")
}

#[test]
fn the_last_answers_wait_for_their_reader_when_the_identity_is_closed_already() {
    let world = World::new(&["guest"]);
    let call = large_call(&world);
    let mut command = world.cli("guest", &["rpc"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(call.repeat(4).as_bytes()).unwrap();
    drop(input);
    let deadline = Instant::now() + support::DEADLINE;
    while !world
        .cli("guest", &["contacts"])
        .output()
        .unwrap()
        .status
        .success()
    {
        assert!(Instant::now() < deadline, "the identity is never closed");
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), 4);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_also_while_nobody_reads() {
    let world = World::new(&["guest"]);
    let call = large_call(&world);
    for name in ["-TERM", "-INT"] {
        let mut command = world.cli("guest", &["rpc"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(call.as_bytes()).unwrap();
        // The answer has begun, and does not end.
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0]).unwrap();
        support::signal(&child, name);
        assert!(child.wait().unwrap().success(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn the_echo_bot_of_the_manual_answers() {
    let python = std::process::Command::new("python3")
        .arg("--version")
        .output();
    if python.is_err() {
        eprintln!("without python3, the bot is not tried");
        return;
    }
    let world = World::new(&["echo", "bob"]);
    let bot = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/echo_bot.py");
    let mut command = std::process::Command::new("python3");
    let mut child = command
        .args([bot, env!("CARGO_BIN_EXE_sotto-cli"), "echo"])
        .env("SOTTO_DATA_DIR", world.folder("echo"))
        .env("SOTTO_RELAY", world.host.invite().to_string())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut bob = Rpc::start(&world, "bob");
    bob.call("subscribe", &json!({}));
    bob.connected();
    for text in ["hello", "zwei\nZeilen"] {
        let send = json!({ "identity": "bob", "to": "echo", "text": text });
        bob.call("send", &send);
        bob.hear(message("echo", text, "in"));
    }
    support::signal(&child, "-TERM");
    child.wait().unwrap();
}
