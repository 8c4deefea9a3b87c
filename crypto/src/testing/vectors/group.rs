//! Messages to groups, and attachments (PROTOCOL §10, §11).

use serde_json::{Value, json};

use super::{Change, Recorder, check, hex, named, refusals};
use crate::testing::{alice, bob};
use crate::{
    ATTACHMENT_CHUNK_BYTES, ATTACHMENT_HEADER_BYTES, AttachmentError, AttachmentKey,
    AttachmentOpener, AttachmentSealer, Capsule, GroupContext, GroupId, GroupMessageId,
    MembersHash,
};

fn place(previous: GroupMessageId) -> GroupContext {
    let people = [alice(), bob()];
    GroupContext {
        group: GroupId::from_bytes([0x11; 32]),
        epoch: 3,
        members: MembersHash::of(people.map(|person| person.public().account_id())),
        sender: alice().public().device_id(),
        previous,
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn vectors_group() {
    let mut random = Recorder::new(51);
    let mut previous = GroupMessageId::from_bytes([0; 32]);
    let mut sealed = Vec::new();
    let texts = [b"to all".to_vec(), Vec::new(), vec![0x61; 5000]];
    let cases: Vec<Value> = texts
        .iter()
        .map(|text| {
            let place = place(previous);
            let (body, capsule) = place.seal(text, &mut random).unwrap();
            assert_eq!(place.open(&capsule, &body).unwrap().as_slice(), text);
            previous = capsule.id();
            let accounts = [alice(), bob()].map(|it| hex(it.public().account_id().as_bytes()));
            let case = json!({
                "group": hex(place.group.as_bytes()),
                "epoch": place.epoch,
                "member_accounts": accounts,
                "members": hex(place.members.as_bytes()),
                "sender": hex(place.sender.as_bytes()),
                "previous": hex(place.previous.as_bytes()),
                "text": hex(text),
                "key": hex(random.take()),
                "capsule": hex(capsule.encode().as_slice()),
                "body": hex(&body),
            });
            sealed.push((place, body, capsule));
            case
        })
        .collect();
    let (place, body, capsule) = &sealed[0];
    let mut refused = refusals(
        "body 0",
        body,
        [
            ("version", Change::flip(0)),
            ("commitment, first byte", Change::flip(1)),
            ("commitment, last byte", Change::flip(32)),
            ("text", Change::flip(33)),
            ("authentication tag", Change::flip(body.len() - 1)),
            (
                "cut by one byte",
                Change::Cut {
                    bytes: body.len() - 1,
                },
            ),
            ("cut to the commitment", Change::Cut { bytes: 33 }),
            ("empty", Change::Cut { bytes: 0 }),
            ("a trailing byte", Change::Append { bytes: vec![0] }),
        ],
        |body| named(place.open(capsule, body)),
    );
    // What a sender could do: the capsule names the changed body.
    for (what, at) in [("version", 0), ("commitment, first byte", 1), ("text", 33)] {
        let change = Change::flip(at);
        let changed = change.apply(body);
        let named_so = capsule.naming(&changed);
        refused.push(json!({
            "of": "body 0", "what": format!("{what}, with a capsule that names it"),
            "change": change.json(), "capsule": hex(named_so.encode().as_slice()),
            "refusal": named(place.open(&named_so, &changed)),
        }));
    }
    let encoded = capsule.encode();
    refused.extend(refusals(
        "capsule 0",
        encoded.as_slice(),
        [
            ("another key", Change::flip(0)),
            ("another id", Change::flip(32)),
        ],
        |capsule| named(place.open(&Capsule::decode(capsule).unwrap(), body)),
    ));
    let elsewhere = [
        (
            "another group",
            GroupContext {
                group: GroupId::from_bytes([0x12; 32]),
                ..*place
            },
        ),
        ("another epoch", GroupContext { epoch: 4, ..*place }),
        (
            "another membership",
            GroupContext {
                members: MembersHash::of([]),
                ..*place
            },
        ),
        (
            "another sender",
            GroupContext {
                sender: bob().public().device_id(),
                ..*place
            },
        ),
        (
            "another predecessor",
            GroupContext {
                previous: capsule.id(),
                ..*place
            },
        ),
    ];
    refused.extend(elsewhere.map(|(what, place)| {
        json!({"of": "place 0", "what": what, "refusal": named(place.open(capsule, body))})
    }));
    check("group.json", &json!({"cases": cases, "refused": refused}));
}

fn seal(file: &[u8], random: &mut Recorder) -> (AttachmentKey, Vec<u8>) {
    let key = AttachmentKey::generate(random);
    let mut sealer = AttachmentSealer::new(&key, random);
    let mut sealed = sealer.header().to_vec();
    let (chunks, rest) = file.as_chunks::<ATTACHMENT_CHUNK_BYTES>();
    for chunk in chunks.iter().map(|chunk| &chunk[..]).chain([rest]) {
        let mut chunk = chunk.to_vec();
        sealer.seal_next(&mut chunk).unwrap();
        sealed.extend(chunk);
    }
    (key, sealed)
}

fn open(key: &AttachmentKey, sealed: &[u8]) -> Result<Vec<u8>, AttachmentError> {
    let header = sealed.first_chunk().ok_or(AttachmentError::NotAuthentic)?;
    let opener = AttachmentOpener::new(key, header, sealed.len() as u64)?;
    let mut file = Vec::new();
    for index in 0..opener.chunk_count() {
        let range = opener.chunk_range(index).unwrap();
        let place = |byte| usize::try_from(byte).unwrap();
        let mut chunk = sealed[place(range.start)..place(range.end)].to_vec();
        opener.open_chunk(index, &mut chunk)?;
        file.extend(chunk);
    }
    Ok(file)
}

#[test]
fn vectors_attachment() {
    let mut random = Recorder::new(52);
    let sizes = [0, 5, ATTACHMENT_CHUNK_BYTES + 100];
    let mut all = Vec::new();
    let cases = sizes.map(|bytes| {
        let file: Vec<u8> = (0..=250).cycle().take(bytes).collect();
        let (key, sealed) = seal(&file, &mut random);
        assert_eq!(open(&key, &sealed).as_ref(), Ok(&file));
        let case = json!({
            "file": if bytes < 100 { hex(&file) } else { Value::Null },
            "file_bytes": bytes,
            "random": hex(random.take()),
            "sealed": hex(&sealed),
        });
        all.push((key, sealed));
        case
    });
    let (key, sealed) = &all[2];
    let first_end = ATTACHMENT_HEADER_BYTES + ATTACHMENT_CHUNK_BYTES + 16;
    let refused = refusals(
        "attachment 2",
        sealed,
        [
            ("salt", Change::flip(0)),
            ("commitment", Change::flip(24)),
            ("first chunk", Change::flip(56)),
            ("its tag", Change::flip(first_end - 1)),
            ("last chunk", Change::flip(first_end)),
            ("its tag", Change::flip(sealed.len() - 1)),
            ("no last chunk", Change::Cut { bytes: first_end }),
            (
                "cut by one byte",
                Change::Cut {
                    bytes: sealed.len() - 1,
                },
            ),
            ("only a header", Change::Cut { bytes: 56 }),
            ("less than a header", Change::Cut { bytes: 55 }),
            ("a trailing byte", Change::Append { bytes: vec![0] }),
            (
                "no first chunk",
                Change::Remove {
                    at: 56,
                    bytes: 16_400,
                },
            ),
        ],
        |sealed| named(open(key, sealed)),
    );
    check(
        "attachment.json",
        &json!({"cases": cases, "refused": refused}),
    );
}
