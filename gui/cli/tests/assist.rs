//! A model is asked from the command line: nothing goes to a cloud that was not agreed to.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails there"
)]

#[cfg(test)]
mod support;

use serde_json::json;
use sotto_tests::{ModelServer, Reply};

use crate::support::{World, fail, with_input};

const KEY: &str = "AIza-not-a-real-key";

/// The guest with a provider at this server.
fn set_up(world: &World, kind: &str, server: &ModelServer) {
    let address = server.address();
    let mut args = vec!["assist", "setup", kind, "--model", "model-1"];
    args.extend(["--address", &address]);
    let key = world.dir.path().join("key");
    if kind == "gemini" {
        std::fs::write(&key, format!("{KEY}\n")).unwrap();
        args.extend(["--key-file", key.to_str().unwrap()]);
    }
    world.ok("guest", &args);
}

#[test]
fn a_model_on_this_computer_answers_without_further_ado() {
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    let server = ModelServer::start([Reply::ollama(&["See you", " tomorrow.\n", "Bye."])]);
    set_up(&world, "ollama", &server);
    assert_eq!(server.connections(), 0);
    let answer = world.ok(
        "guest",
        &["assist", "rephrase", "c u tmrw", "--tone", "formal"],
    );
    assert_eq!(answer, "See you tomorrow.\nBye.\n");
    server.set_replies([Reply::ollama(&["Person B greets ", "Person A."])]);
    let answer = world.ok("guest", &["assist", "summarize", "bob"]);
    let bodies: Vec<String> = server
        .requests()
        .iter()
        .map(|request| String::from_utf8(request.body.clone()).unwrap())
        .collect();
    assert!(bodies[0].contains("c u tmrw") && !bodies[0].contains("hello"));
    assert!(bodies[1].contains("Person A: hello") && !bodies[1].contains("bob"));
    assert!(
        answer.contains("greets") && !answer.contains("Person"),
        "{answer}"
    );
    // Nobody but a cloud is noted, or told of.
    assert_eq!(world.ok("guest", &["assist", "log"]), "");
    assert_eq!(world.ok("bob", &["receive"]), "");
    let list = json!({ "models": [{ "name": "a" }, { "name": "model-1" }] });
    server.set_replies([Reply::json(&list)]);
    assert_eq!(world.ok("guest", &["assist", "models"]), "a\nmodel-1\n");
    let words = fail(
        &mut world.cli(
            "guest",
            &[
                "assist",
                "setup",
                "ollama",
                "--address",
                "http://example.org",
            ],
        ),
        2,
    );
    assert!(words.contains("http://127.0.0.1:11434"), "{words}");
}

#[test]
fn nothing_goes_to_a_cloud_but_what_was_shown_to_the_host_that_was_named() {
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    let server = ModelServer::start([Reply::gemini(&["They greet each other."])]);
    set_up(&world, "gemini", &server);
    let host = server.address().replace("http://", "").replace('/', "");
    let ask = ["assist", "summarize", "bob", "--last", "2"];
    let words = fail(&mut world.cli("guest", &ask), 2);
    assert!(
        words.contains("2 messages in ") && words.contains(&host),
        "{words}"
    );
    let shown = world.ok("guest", &[&ask[..], &["--show"]].concat());
    let other = [&ask[..], &["--yes-send-to", "example.org"]].concat();
    fail(&mut world.cli("guest", &other), 2);
    assert_eq!(server.connections(), 0);
    assert_eq!(world.ok("guest", &["assist", "log"]), "");

    let yes = [&ask[..], &["--yes-send-to", &host]].concat();
    assert_eq!(world.ok("guest", &yes), "They greet each other.\n");
    let request = &server.requests()[0];
    let body = String::from_utf8(request.body.clone()).unwrap();
    assert!(shown.ends_with(&format!("\n\n{body}\n")), "{shown}");
    assert!(!shown.contains(KEY) && request.header("x-goog-api-key") == Some(KEY));
    let log = world.json("guest", &["assist", "log", "--json"]);
    assert_eq!(log.len(), 1);
    assert_eq!(log[0]["messages"], 2);
    assert_eq!(log[0]["bytes"], body.len());
    assert_eq!(log[0]["task"], "summarize");
    assert_eq!(log[0]["host"], host.as_str());

    // The chat is told, once the guest is connected; and it calls nobody.
    world.ok("guest", &["receive"]);
    assert_eq!(world.ok("bob", &["receive"]), "");
    let history = world.json("bob", &["history", "guest", "--limit", "1", "--json"]);
    let note =
        json!({ "kind": "assisted", "task": "summary", "messages": 2, "provider": "Gemini" });
    assert_eq!(
        (&history[0]["note"], &history[0]["direction"]),
        (&note, &json!("in"))
    );
}

#[test]
fn either_side_of_a_chat_forbids_clouds() {
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    let server = ModelServer::start([Reply::gemini(&["They greet each other."])]);
    set_up(&world, "gemini", &server);
    let host = server.address().replace("http://", "").replace('/', "");
    let yes = ["assist", "summarize", "bob", "--yes-send-to", &host];
    let draft = [
        "assist",
        "rephrase",
        "hi",
        "--to",
        "bob",
        "--yes-send-to",
        &host,
    ];
    world.ok("bob", &["assist", "cloud", "guest", "forbid"]);
    world.ok("bob", &["receive"]);
    world.ok("guest", &["receive"]);
    for ask in [&yes[..], &draft] {
        let words = fail(&mut world.cli("guest", ask), 2);
        assert!(words.contains("turned off for this chat"), "{words}");
    }
    assert_eq!(server.connections(), 0);
    assert_eq!(world.ok("guest", &["assist", "log"]), "");
    world.ok("bob", &["assist", "cloud", "guest", "allow"]);
    world.ok("bob", &["receive"]);
    world.ok("guest", &["receive"]);
    world.ok("guest", &yes);
    world.ok("guest", &["assist", "cloud", "bob", "forbid"]);
    fail(&mut world.cli("guest", &yes), 2);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_goes_wrong_is_said_with_its_remedy() {
    let world = World::new(&["guest", "bob"]);
    world.acquaint("guest", "bob");
    let words = fail(&mut world.cli("guest", &["assist", "rephrase", "hi"]), 2);
    assert!(words.contains("assist setup"), "{words}");
    let summary = world.ok("guest", &["assist", "summarize", "bob", "--key-sentences"]);
    assert!(summary.contains("hello"), "{summary}");
    let error = json!({ "code": 404, "status": "NOT_FOUND" });
    let reply = Reply::ollama(&["half an answer"]);
    let half = reply.len() / 2;
    let server = ModelServer::start([
        Reply::failure(404, "", &error),
        Reply::failure(429, "retry-after: 9\r\n", &error),
        reply.cut_after(half),
    ]);
    set_up(&world, "ollama", &server);
    for said in [
        "no such model",
        "again in 9 seconds",
        "broke before the end",
    ] {
        let words = fail(&mut world.cli("guest", &["assist", "rephrase", "hi"]), 1);
        assert!(words.contains(said), "{words}");
    }
    let words = fail(&mut world.cli("guest", &["assist", "rephrase", " "]), 2);
    assert!(words.contains("nothing to ask about"), "{words}");
    let output = with_input(
        &mut world.cli("guest", &["assist", "rephrase", "-"]),
        b"hi\n",
    );
    assert_eq!(output.status.code(), Some(1));
    let set_up = world.ok("guest", &["assist", "setup"]);
    let expected = format!("Ollama\tin use\t{}\tmodel-1\tno key\n", server.address());
    assert_eq!(set_up, expected);
    world.ok("guest", &["assist", "setup", "none"]);
    fail(&mut world.cli("guest", &["assist", "rephrase", "hi"]), 2);
}
