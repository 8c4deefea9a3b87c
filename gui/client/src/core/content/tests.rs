use super::*;
use crate::view::TEXT_BYTES_MAX;

const ID: MessageId = MessageId([7; 16]);

fn sealed(shown: &Shown) -> Vec<Vec<u8>> {
    let mut next = 100;
    shown.encode(|| {
        next += 1;
        MessageId([next; 16])
    })
}

fn text_of(text: &str, answered: Option<Answered>) -> Vec<u8> {
    let mut bytes = sealed(&Shown::text(ID, 0x0102, text.into(), answered));
    assert_eq!(bytes.len(), 1);
    bytes.remove(0)
}

fn shown(bytes: &[u8]) -> Option<Shown> {
    match Content::decode(bytes) {
        Some(Content::Shown(shown)) => Some(shown),
        _ => None,
    }
}

/// Kind, id and time of a message.
fn head(kind: u8, id: u8) -> Vec<u8> {
    [&[kind][..], &[id; 16], &[0, 0, 0, 0, 0, 0, 1, 2]].concat()
}

#[test]
fn a_text_has_these_bytes() {
    let bytes = text_of("hé", None);
    assert_eq!(bytes, [&head(1, 7)[..], &[b'h', 0xc3, 0xa9]].concat());
    let read = shown(&bytes).unwrap();
    assert_eq!((read.as_text(), read.answered()), (Some("hé"), None));
    assert_eq!((read.id, read.sent_at_millis), (ID, 0x0102));
}

#[test]
fn a_reply_has_these_bytes() {
    for (is_own, author) in [(true, 0), (false, 1)] {
        let id = MessageId([9; 16]);
        let answered = Some(Answered { is_own, id });
        let bytes = text_of("hé", answered);
        let fields = [&[0, 19, 1, 17, author][..], &[9; 16]].concat();
        assert_eq!(
            bytes,
            [&head(2, 7)[..], &fields, &[b'h', 0xc3, 0xa9]].concat()
        );
        let read = shown(&bytes).unwrap();
        assert_eq!((read.as_text(), read.answered()), (Some("hé"), answered));
    }
}

#[test]
fn fields_of_tomorrow_are_passed_over_unless_the_message_means_nothing_without_them() {
    let with = |tag: u8| [&head(2, 7)[..], &[0, 5, tag, 3], b"newtext"].concat();
    let read = shown(&with(2)).unwrap();
    assert_eq!((read.as_text(), read.answered()), (Some("text"), None));
    let read = shown(&with(128)).unwrap();
    assert_eq!(read.as_text(), None);
    assert!(read.payload.ends_with(b"newtext"));
}

#[test]
fn a_long_text_travels_in_these_parts_and_comes_together_again() {
    let answered = Some(Answered {
        is_own: true,
        id: ID,
    });
    for answered in [None, answered] {
        // The border of the parts lies within a character.
        let text = "é".repeat(TEXT_BYTES_MAX / 2);
        let long = Shown::text(ID, 0x0102, text.clone(), answered);
        let parts = sealed(&long);
        assert_eq!(parts.len(), 22);
        let mut bytes = Vec::new();
        for (index, part) in (0..22).zip(&parts) {
            assert!(part.len() <= 25 + 20 + PART_BYTES_MAX);
            let id = if index == 21 { 7 } else { 101 + index };
            let place = [&head(3, id)[..], &[7; 16], &[0, index, 0, 22]].concat();
            assert!(part.starts_with(&place), "{index}");
            let Some(Content::Part(read, 0x0102)) = Content::decode(part) else {
                panic!("no part");
            };
            bytes.extend(read.bytes);
        }
        let whole = Shown::from_parts(ID, 0x0102, &bytes);
        assert!(whole == long);
        assert_eq!(whole.as_text(), Some(text.as_str()));
        // Of the beginning a whole number of characters is shown.
        for end in 2000..2005 {
            let beginning = Shown::from_parts(ID, 0, &bytes[..end]).ending_well();
            assert!(text.starts_with(beginning.as_text().unwrap()), "{end}");
        }
    }
    let short = Shown::text(ID, 0, "x".repeat(PART_BYTES_MAX), None);
    assert_eq!(sealed(&short).len(), 1);
}

#[test]
fn a_receipt_has_these_bytes() {
    let receipt = Receipt {
        delivery: Delivery::Read,
        ids: vec![ID, MessageId([8; 16])],
    };
    let bytes = receipt.encode();
    assert_eq!(bytes.len(), 2 + 32);
    assert_eq!(bytes[..3], [64, 2, 7]);
    let Some(Content::Receipt(read)) = Content::decode(&bytes) else {
        panic!("no receipt");
    };
    assert_eq!(read, receipt);
}

#[test]
fn keeps_the_bytes_of_an_unknown_shown_kind_and_ignores_an_unseen_one() {
    let mut bytes = text_of("new", None);
    bytes[0] = 63;
    let read = shown(&bytes).unwrap();
    assert_eq!(
        (read.as_text(), read.payload.as_slice()),
        (None, &b"new"[..])
    );
    for unseen in [&[200, 1, 2][..], &[67]] {
        assert!(matches!(Content::decode(unseen), Some(Content::Ignored)));
    }
    let typing = Content::decode(&Content::TYPING);
    assert!(matches!(typing, Some(Content::Typing)));
    assert_eq!(Content::TYPING, [65]);
    let greeting = Content::decode(&Content::GREETING);
    assert!(matches!(greeting, Some(Content::Greeting)));
    assert_eq!(Content::GREETING, [66]);
}

/// What the first version shows of a message, and the bytes that it keeps.
fn in_the_first_version(bytes: &[u8]) -> Option<(Option<String>, u8, Vec<u8>)> {
    match older::Content::decode(bytes)? {
        older::Content::Shown(shown) => {
            let text = shown.as_text().map(str::to_owned);
            Some((text, shown.kind, shown.payload))
        }
        older::Content::Receipt(_) | older::Content::Ignored => None,
    }
}

#[test]
fn the_first_version_reads_texts_and_keeps_the_bytes_of_what_it_does_not_know() {
    let (text, ..) = in_the_first_version(&text_of("hello", None)).unwrap();
    assert_eq!(text.as_deref(), Some("hello"));

    let answered = Some(Answered {
        is_own: true,
        id: ID,
    });
    let reply = text_of("hello", answered);
    let (text, kind, payload) = in_the_first_version(&reply).unwrap();
    assert_eq!(text, None);
    // After an update it is there.
    let later = Shown {
        id: ID,
        sent_at_millis: 0,
        kind,
        payload,
    };
    assert_eq!(
        (later.as_text(), later.answered()),
        (Some("hello"), answered)
    );

    let long = Shown::text(ID, 0, "x".repeat(TEXT_BYTES_MAX), None);
    for part in sealed(&long) {
        let (text, kind, payload) = in_the_first_version(&part).unwrap();
        assert_eq!((text, kind), (None, 3));
        assert_eq!(payload, part[25..]);
    }
    assert_eq!(in_the_first_version(&Content::TYPING), None);
}

#[test]
fn refuses_what_is_malformed() {
    let refuse = |bytes: &[u8], what: &str| {
        assert!(Content::decode(bytes).is_none(), "{what}");
    };
    let text = text_of("", None);
    for cut in 0..text.len() {
        refuse(&text[..cut], "a text cut off");
    }
    refuse(&[&text[..], &[0xff]].concat(), "no UTF-8");
    let answered = Some(Answered {
        is_own: true,
        id: ID,
    });
    let reply = text_of("", answered);
    for cut in 0..reply.len() {
        refuse(&reply[..cut], "a reply cut off");
    }
    refuse(&[&reply[..], &[0xff]].concat(), "no UTF-8");
    for fields in [
        &[0, 1, 9][..],
        &[0, 2, 9, 1],
        &[0, 2, 1, 0],
        &[0, 3, 1, 1, 0],
        &[0, 3, 1, 1, 2],
    ] {
        refuse(&[&head(2, 7)[..], fields].concat(), "a field");
    }
    for (place, bytes) in [
        ([0, 1, 0, 1], 1),
        ([0, 0, 0, 33], 1),
        ([0, 0, 0, 0], 1),
        ([0, 0, 0, 2], 0),
        ([0, 0, 0, 2], PART_BYTES_MAX + 1),
    ] {
        let part = [&head(3, 7)[..], &[7; 16], &place, &vec![1; bytes]].concat();
        refuse(&part, "a part");
    }
    for receipt in [&[64][..], &[64, 9], &[64, 1, 0]] {
        refuse(receipt, "a receipt");
    }
}

#[test]
fn notes_have_these_bytes_and_those_of_tomorrow_are_placeholders() {
    let assisted = Note::Assisted {
        task: NoteTask::Summary,
        messages: 0x0102,
        provider: "Gémini".to_owned(),
    };
    let is_forbidden = true;
    for (note, payload) in [
        (assisted, b"\x01\x01\0\0\x01\x02G\xc3\xa9mini".as_slice()),
        (Note::Cloud { is_forbidden }, b"\x02\x01"),
    ] {
        let bytes = sealed(&Shown::note(ID, 0x0102, &note)).remove(0);
        assert_eq!(bytes, [&head(4, 7)[..], payload].concat());
        let read = shown(&bytes).unwrap();
        assert!(read.is_note() && read.as_text().is_none());
        assert_eq!(read.as_note(), Some(note));
    }
    let long = Note::Assisted {
        task: NoteTask::Translation,
        messages: 1,
        provider: "é".repeat(40),
    };
    let read = shown(&sealed(&Shown::note(ID, 1, &long)).remove(0)).unwrap();
    let Some(Note::Assisted { provider, .. }) = read.as_note() else {
        panic!("a note");
    };
    assert_eq!(provider, "é".repeat(32));
    for bad in [
        &b""[..],
        b"\x02",
        b"\x02\x02",
        b"\x02\x01\0",
        b"\x03\x01",
        b"\x01\x09\0\0\0\x01x",
        b"\x01\x01\0\0\0\x01",
        b"\x01\x01\0\0\0\x01\xff",
        b"\x01\x01\0\0\0",
    ] {
        let read = shown(&[&head(4, 7)[..], bad].concat()).unwrap();
        assert_eq!(read.as_note(), None, "{bad:?}");
        assert_eq!(read.payload, bad);
    }
}
