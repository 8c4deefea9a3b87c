//! Two who send each other numbers, and what must be true of them whatever happens.

use serde_json::{Value, json};

use super::{Rpc, World};

/// Messages in one answer.
const PAGE: usize = 500;

/// One of the two who talk.
pub(crate) struct Side {
    pub(crate) handle: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) rpc: Rpc,
    /// The number that its next message says.
    next: u64,
    /// Numbers whose message was acknowledged as stored, in order.
    pub(crate) acknowledged: Vec<u64>,
    /// What was asked in this life, by the ids of the calls.
    asked: Vec<(u64, u64)>,
    /// Messages that were not taken.
    pub(crate) declined: usize,
    /// Some of its calls fail.
    may_fail: bool,
}

impl Side {
    pub(crate) fn new(world: &World, handle: &'static str, peer: &'static str) -> Self {
        Self {
            handle,
            peer,
            rpc: start(world, handle, None),
            next: 0,
            acknowledged: Vec::new(),
            asked: Vec::new(),
            declined: 0,
            may_fail: false,
        }
    }

    /// Asks for so many messages at once.
    pub(crate) fn ask(&mut self, messages: usize) {
        self.asked.clear();
        for _ in 0..messages {
            let text = self.next.to_string();
            let params = json!({ "identity": self.handle, "to": self.peer, "text": text });
            self.asked.push((self.rpc.ask("send", &params), self.next));
            self.next += 1;
        }
    }

    /// Takes what was said for an answer, if it is one; says whether it was.
    fn take(&mut self, line: &Value) -> bool {
        let Some((_, number)) = self.asked.iter().find(|(id, _)| line["id"] == *id) else {
            return false;
        };
        if line["result"]["id"].is_string() {
            self.acknowledged.push(*number);
        } else {
            // The disk takes nothing, or the vault could not be read.
            let code = &line["error"]["code"];
            assert!(
                self.may_fail && [-32001, -32005].map(Value::from).contains(code),
                "{line}"
            );
            self.declined += 1;
        }
        true
    }

    /// Waits for so many answers, and messages of the peer.
    pub(crate) fn hear(&mut self, mut answers: usize, mut messages: usize) {
        while answers > 0 || messages > 0 {
            let line = self.rpc.line().unwrap();
            if self.take(&line) {
                answers = answers.saturating_sub(1);
            } else if line["params"]["direction"] == "in" {
                messages = messages.saturating_sub(1);
            }
        }
    }

    /// `kill -9`, then a new process.
    pub(crate) fn kill(&mut self, world: &World) {
        self.restart(world, None);
    }

    /// `kill -9`, then a new process, some of whose calls fail: strace's expression for `inject`.
    pub(crate) fn restart(&mut self, world: &World, fault: Option<&str>) {
        self.rpc.child.kill().unwrap();
        // What was said before counts.
        while let Some(line) = self.rpc.line() {
            self.take(&line);
        }
        self.rpc.child.wait().unwrap();
        self.may_fail = fault.is_some();
        self.rpc = start(world, self.handle, fault);
    }

    /// The numbers of all messages in this direction, oldest first.
    pub(crate) fn numbers(&mut self, direction: &str) -> Vec<u64> {
        let mut pages: Vec<Vec<Value>> = Vec::new();
        loop {
            let mut params = json!({ "identity": self.handle, "peer": self.peer, "limit": PAGE });
            if let Some(oldest) = pages.last().and_then(|page| page.first()) {
                params["before"] = oldest["id"].clone();
            }
            let page = self.rpc.call("history", &params);
            let page = page.as_array().unwrap().clone();
            let is_last = page.len() < PAGE;
            pages.push(page);
            if is_last {
                break;
            }
        }
        let messages = pages.iter().rev().flatten();
        messages
            .filter(|message| message["direction"] == direction)
            .filter_map(|message| message["text"].as_str()?.parse().ok())
            .collect()
    }
}

fn start(world: &World, handle: &str, fault: Option<&str>) -> Rpc {
    let mut rpc = Rpc::start_with(world, handle, fault);
    rpc.call("subscribe", &json!({}));
    rpc
}

/// Waits until everything that one has in its history is in the other's.
pub(crate) fn arrive(from: &mut Side, to: &mut Side) {
    let sent = from.numbers("out");
    assert!(sent.is_sorted_by(|a, b| a < b), "in order, and once");
    let mut stored = sent.iter();
    let is_stored = |number: &u64| stored.any(|it| it == number);
    assert!(
        from.acknowledged.iter().all(is_stored),
        "acknowledged and lost"
    );
    loop {
        let received = to.numbers("in");
        assert!(received.is_sorted_by(|a, b| a < b), "in order, and once");
        assert!(sent.starts_with(&received), "in order, and without a gap");
        if received.len() == sent.len() {
            return;
        }
        if to.rpc.news.is_empty() {
            to.rpc.line().unwrap();
        }
        to.rpc.news.clear();
    }
}

/// A number from the environment.
pub(crate) fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
