//! A conversation with everything that may happen on its way (PROTOCOL §4, §5).

use std::collections::HashMap;

use serde_json::{Value, json};

use super::handshake::{NOW_SECS, accept, start};
use super::{Change, Recorder, check, hex, named, refusals};
use crate::testing::{alice, rng};
use crate::{
    Capsule, GroupContext, GroupId, GroupMessageId, MembersHash, OpenError, Opened, Packet, Session,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Alice,
    Bob,
}
use Who::{Alice, Bob};

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Alice => "alice",
            Self::Bob => "bob",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }
}

/// Both ends, the packets by number, and what has happened.
struct Script {
    sessions: [Session; 2],
    now_secs: u64,
    random: Recorder,
    packets: HashMap<u32, (Who, Vec<u8>)>,
    cases: Vec<Value>,
    refused: Vec<Value>,
}

impl Script {
    fn begin() -> Self {
        let mut random = Recorder::new(41);
        let of_alice = start(true, &mut random);
        let drawn = random.take();
        let sealed = of_alice.seal(b"0", NOW_SECS, &mut random).unwrap();
        let accepted = accept(&sealed.output).unwrap();
        let first = json!({
            "do": "start", "at": NOW_SECS, "number": 0, "random": hex(drawn),
            "random_of_packet": hex(random.take()), "text": hex(b"0"),
            "packet": hex(&sealed.output),
        });
        let packets = [(0, (Alice, sealed.output))].into();
        Self {
            sessions: [sealed.next, accepted.session],
            now_secs: NOW_SECS,
            random,
            packets,
            cases: vec![
                first,
                json!({"do": "accept", "at": NOW_SECS, "number": 0, "text": hex(b"0")}),
            ],
            refused: Vec::new(),
        }
    }

    fn session(&mut self, who: Who) -> &mut Session {
        let [of_alice, of_bob] = &mut self.sessions;
        match who {
            Alice => of_alice,
            Bob => of_bob,
        }
    }

    /// Seals the next message, whose text is its number.
    fn seal(&mut self, who: Who) -> u32 {
        let number = u32::try_from(self.packets.len()).unwrap();
        let text = number.to_string();
        let session = self.session(who).clone();
        let sealed = session.seal(text.as_bytes(), self.now_secs, &mut self.random);
        self.sealed(who, number, sealed.unwrap(), json!({"text": hex(text)}))
    }

    fn seal_capsule(&mut self, who: Who, capsule: &Capsule) -> u32 {
        let number = u32::try_from(self.packets.len()).unwrap();
        let session = self.session(who).clone();
        let sealed = session.seal_capsule(capsule, self.now_secs, &mut self.random);
        let content = json!({"capsule": hex(capsule.encode().as_slice())});
        self.sealed(who, number, sealed.unwrap(), content)
    }

    fn sealed(
        &mut self,
        who: Who,
        number: u32,
        sealed: crate::Step<Vec<u8>>,
        mut it: Value,
    ) -> u32 {
        it["do"] = "seal".into();
        it["by"] = who.name().into();
        it["at"] = self.now_secs.into();
        it["number"] = number.into();
        it["random"] = hex(self.random.take());
        it["packet"] = hex(&sealed.output);
        self.cases.push(it);
        *self.session(who) = sealed.next;
        self.packets.insert(number, (who, sealed.output));
        number
    }

    fn open(&mut self, number: u32) {
        let (by, packet) = self.packets[&number].clone();
        let to = by.other();
        let mut case = json!({
            "do": "open", "by": to.name(), "at": self.now_secs, "number": number,
        });
        let now_secs = self.now_secs;
        let step = open(self.session(to), &packet, now_secs).unwrap();
        match step.output {
            Opened::Text(text) => case["text"] = hex(text.as_slice()),
            Opened::Capsule(capsule) => case["capsule"] = hex(capsule.encode().as_slice()),
        }
        *self.session(to) = step.next;
        self.cases.push(case);
    }

    /// Seals and opens.
    fn say(&mut self, who: Who) {
        let number = self.seal(who);
        self.open(number);
    }

    /// Both are stored, and read again.
    fn restart(&mut self) {
        for who in [Alice, Bob] {
            let stored = self.session(who).to_stored();
            *self.session(who) = Session::from_stored(&stored).unwrap();
            self.cases
                .push(json!({"do": "restart", "by": who.name(), "session": hex(&*stored)}));
        }
    }

    /// A packet with every part of it spoilt in turn, refused by whoever it is for.
    fn refuse_spoilt(&mut self, number: u32) {
        let (by, packet) = &self.packets[&number];
        let (to, changes) = (by.other(), spoilt(packet));
        self.refuse(to, number, &changes);
    }

    /// A packet that is refused at this point of the script, as it is or changed.
    fn refuse(&mut self, to: Who, number: u32, changes: &[(&'static str, Change)]) {
        let (_, packet) = self.packets[&number].clone();
        let now_secs = self.now_secs;
        let after = self.cases.len();
        let session = self.session(to).clone();
        let stored = session.to_stored();
        let of = format!("packet {number}");
        let refused = refusals(&of, &packet, changes.iter().cloned(), |bytes| {
            named(open(&session, bytes, now_secs).map(drop))
        });
        assert_eq!(session.to_stored(), stored);
        self.refused.extend(refused.into_iter().map(|mut case| {
            case["by"] = to.name().into();
            case["after"] = after.into();
            case["at"] = now_secs.into();
            case
        }));
    }
}

fn open(session: &Session, packet: &[u8], now_secs: u64) -> Result<crate::Step<Opened>, OpenError> {
    session.open(&Packet::parse(packet)?, now_secs, &mut rng(0))
}

const AS_IT_IS: Change = Change::Append { bytes: Vec::new() };

/// A spoilt byte at every border of a packet without a handshake.
fn spoilt(packet: &[u8]) -> Vec<(&'static str, Change)> {
    let bytes = packet.len();
    let header = if packet[1] == 4 { 2368 } else { 32 };
    vec![
        ("version", Change::Flip { at: 0, with: 3 }),
        ("the flag of a step", Change::Flip { at: 1, with: 4 }),
        ("the flag of a handshake", Change::Flip { at: 1, with: 1 }),
        ("tag16, first byte", Change::flip(2)),
        ("tag16, last byte", Change::flip(17)),
        ("r16, first byte", Change::flip(18)),
        ("r16, last byte", Change::flip(33)),
        ("header, first byte", Change::flip(34)),
        ("header, last byte", Change::flip(34 + header - 1)),
        ("body, first byte", Change::flip(34 + header)),
        ("body, last byte", Change::flip(bytes - 1)),
        ("cut by one byte", Change::Cut { bytes: bytes - 1 }),
        ("cut by a body", Change::Cut { bytes: 34 + header }),
        ("a trailing byte", Change::Append { bytes: vec![0] }),
        ("a byte left out", Change::Remove { at: 40, bytes: 1 }),
    ]
}

#[test]
fn vectors_conversation() {
    let mut script = Script::begin();
    // The handshake goes along until the answer; the second packet finds the session by its tag.
    script.say(Alice);
    script.refuse(Bob, 0, &[("a duplicate of the first packet", AS_IT_IS)]);
    let lost = script.seal(Alice);
    // Bob's first message makes a step, which is repeated; the first of the two comes late.
    script.now_secs += 5;
    let late = script.seal(Bob);
    let early = script.seal(Bob);
    script.refuse_spoilt(late);
    script.open(early);
    script.open(late);
    script.refuse(Alice, late, &[("a duplicate", AS_IT_IS)]);
    // Too early for a step of Alice's.
    let plain = script.seal(Alice);
    script.refuse_spoilt(plain);
    script.open(plain);
    script.say(Bob);
    script.restart();
    // Steps in turn.
    for _ in 0..3 {
        script.now_secs += 20;
        script.say(Alice);
        script.now_secs += 20;
        script.say(Bob);
    }
    script.open(lost);
    // A chain with gaps, across a step; some come late, one never.
    let chain: Vec<u32> = (0..6).map(|_| script.seal(Alice)).collect();
    script.refuse_spoilt(chain[0]);
    script.open(chain[2]);
    script.open(chain[5]);
    script.restart();
    script.now_secs += 60;
    script.say(Bob);
    let next: Vec<u32> = (0..3).map(|_| script.seal(Alice)).collect();
    script.open(next[1]);
    for late in [chain[3], next[2], chain[0], next[0], chain[4]] {
        script.open(late);
    }
    for number in [chain[2], chain[0], next[1]] {
        script.refuse(Bob, number, &[("a duplicate", AS_IT_IS)]);
    }
    // Messages that cross while both could step.
    for _ in 0..2 {
        script.now_secs += 60;
        let of_alice = script.seal(Alice);
        let of_bob = script.seal(Bob);
        script.open(of_bob);
        script.open(of_alice);
    }
    let mirrored = script.seal(Alice);
    script.refuse(Alice, mirrored, &[("reflected", AS_IT_IS)]);
    script.open(mirrored);
    // Capsules, in both directions.
    let place = GroupContext {
        group: GroupId::from_bytes([1; 32]),
        epoch: 1,
        members: MembersHash::of([]),
        sender: alice().public().device_id(),
        previous: GroupMessageId::from_bytes([0; 32]),
    };
    let (_, capsule) = place.seal(b"to all", &mut rng(42)).unwrap();
    for who in [Bob, Alice] {
        let number = script.seal_capsule(who, &capsule);
        script.refuse_spoilt(number);
        script.open(number);
    }
    script.restart();
    script.now_secs += 60;
    script.say(Bob);
    script.say(Alice);
    assert!(script.packets.len() >= 30, "{}", script.packets.len());
    let (cases, refused) = (script.cases, script.refused);
    check(
        "conversation.json",
        &json!({"cases": cases, "refused": refused}),
    );
}
