//! Golden bytes, and bytes that are none.

use bytes::{Buf, Bytes, BytesMut};
use data_encoding::HEXLOWER;

use super::client::SendHead;
use super::payload::put_postcard;
use super::*;
use crate::frame::{FrameError, Frames, put_frame};

/// The specification, which lists each sample with its bytes.
const SPECIFICATION: &str = include_str!("../../WIRE.md");

const DEVICE: DeviceKey = DeviceKey([0xd1; 32]);
const OTHER: DeviceKey = DeviceKey([0xd2; 32]);
const ENVELOPE: EnvelopeId = EnvelopeId([0xe1; 16]);
const STORE: StoreId = StoreId([0x51; 16]);
const MARK: Mark = Mark([0x3a; 16]);

fn prekey(id: u32, record: &'static [u8]) -> Prekey {
    Prekey {
        id,
        record: Bytes::from_static(record),
    }
}

/// One frame of each kind that a client sends.
fn client_frames() -> Vec<ClientFrame> {
    vec![
        Login {
            minor: 0,
            device: DEVICE,
            proof: SignatureBytes {
                r: [0xaa; 32],
                s: [0xbb; 32],
            },
            store: STORE,
            after: 300,
        }
        .into(),
        Claim {
            request: 1,
            handle: "alice".to_owned(),
            name: "Alice".to_owned(),
            identity: Bytes::from_static(b"identity"),
        }
        .into(),
        PublishPrekeys {
            request: 2,
            signed: Some(prekey(7, b"signed")),
            one_time: vec![prekey(200, b"one"), prekey(201, b"two")],
        }
        .into(),
        TakeBundle {
            request: 3,
            device: DEVICE,
        }
        .into(),
        Send {
            request: 4,
            id: ENVELOPE,
            targets: vec![
                (DEVICE, Bytes::from_static(b"body")),
                (OTHER, Bytes::from_static(b"other body")),
            ],
        }
        .into(),
        Acknowledge { up_to: 300 }.into(),
        WatchPresence {
            devices: vec![DEVICE, OTHER],
        }
        .into(),
        LookUp {
            request: 5,
            handle: "bob".to_owned(),
        }
        .into(),
        SendEphemeral {
            targets: vec![
                (DEVICE, Bytes::from_static(b"typing")),
                (OTHER, Bytes::new()),
            ],
        }
        .into(),
        LeaveMark {
            request: 6,
            mark: None,
        }
        .into(),
        LeaveMark {
            request: 6,
            mark: Some(MARK),
        }
        .into(),
        WithdrawPrekeys { request: 7 }.into(),
    ]
}

/// One frame of each kind that a relay sends on the control stream, and both forms of what
/// may be missing.
fn relay_frames() -> Vec<RelayFrame> {
    let welcome = |signed_prekey| Welcome {
        minor: 0,
        store: STORE,
        signed_prekey,
        one_time_prekeys: 100,
    };
    let bundle = |one_time| Bundle {
        request: 3,
        signed: Bytes::from_static(b"signed"),
        one_time,
    };
    let entry = |request, identity| Entry {
        request,
        handle: "bob".to_owned(),
        name: "Bob".to_owned(),
        identity,
    };
    vec![
        welcome(Some(7)).into(),
        welcome(None).into(),
        Done { request: 4 }.into(),
        Refused {
            request: 300,
            reason: Refusal::MailboxFull,
            retry_after_millis: 5_000,
        }
        .into(),
        bundle(Some(Bytes::from_static(b"one"))).into(),
        bundle(None).into(),
        entry(5, Some(Bytes::from_static(b"identity"))).into(),
        entry(0, None).into(),
        PrekeysLow { left: 29 }.into(),
        Presence {
            device: DEVICE,
            online: true,
        }
        .into(),
        GoingAway {
            reconnect_after_millis: 1_500,
        }
        .into(),
        PreviousMark {
            request: 6,
            mark: Some(MARK),
        }
        .into(),
        PreviousMark {
            request: 6,
            mark: None,
        }
        .into(),
    ]
}

fn delivery_frames() -> Vec<DeliveryFrame> {
    vec![
        Delivery {
            sequence: 300,
            id: ENVELOPE,
            body: Bytes::from_static(b"body"),
        }
        .into(),
        CaughtUp { sequence: 300 }.into(),
        Ephemeral {
            body: Bytes::from_static(b"typing"),
        }
        .into(),
    ]
}

fn encoded(frame: &impl Frames) -> Bytes {
    let mut bytes = BytesMut::new();
    put_frame(frame, &mut bytes);
    bytes.freeze()
}

/// Takes length and kind off, as the reader does.
fn decoded<F: Frames>(mut bytes: Bytes) -> Result<Option<F>, FrameError> {
    let length = bytes.get_u32();
    assert_eq!(length as usize, bytes.len());
    let kind = bytes.get_u8();
    F::decode(kind, bytes)
}

/// What every sample must do.
fn check<F: Frames + PartialEq + fmt::Debug>(direction: &str, frames: Vec<F>) {
    let section = SPECIFICATION
        .split("\n### ")
        .find(|section| section.starts_with(direction))
        .expect("a section of the specification");
    let listed: Vec<_> = section
        .lines()
        .filter_map(|line| line.strip_prefix("hex "))
        .collect();
    let written: Vec<_> = frames
        .iter()
        .map(|frame| HEXLOWER.encode(&encoded(frame)))
        .collect();
    assert_eq!(written, listed, "{direction}");
    for frame in frames {
        let bytes = encoded(&frame);
        assert_eq!(decoded::<F>(bytes.clone()).unwrap(), Some(frame));
    }
}

#[test]
fn every_frame_has_the_bytes_that_the_specification_lists() {
    check("Client to relay", client_frames());
    check("Relay to client", relay_frames());
    check("Delivery stream", delivery_frames());
}

/// Cuts each payload at each byte, and lengthens it by one. A body that ends with its frame
/// may be of any length; every other payload is refused.
fn check_cuts<F: Frames + fmt::Debug>(frames: &[F], head_bytes: impl Fn(&F) -> Option<usize>) {
    for frame in frames {
        let mut bytes = encoded(frame).slice(4..);
        let kind = bytes.get_u8();
        let refused = head_bytes(frame).unwrap_or(bytes.len());
        for cut in 0..refused {
            let outcome = F::decode(kind, bytes.slice(..cut));
            assert!(
                matches!(outcome, Err(FrameError::Malformed)),
                "{frame:?} cut at {cut}: {outcome:?}"
            );
        }
        if head_bytes(frame).is_none() {
            let longer = Bytes::from([&bytes[..], &[0]].concat());
            assert!(matches!(
                F::decode(kind, longer),
                Err(FrameError::Malformed)
            ));
        }
    }
}

#[test]
fn a_payload_that_is_cut_or_lengthened_is_refused() {
    check_cuts(&client_frames(), |_| None);
    check_cuts(&relay_frames(), |_| None);
    check_cuts(&delivery_frames(), |frame| match frame {
        // Sequence 300 in two bytes, then the id.
        DeliveryFrame::Delivery(_) => Some(18),
        DeliveryFrame::CaughtUp(_) => None,
        DeliveryFrame::Ephemeral(_) => Some(0),
    });
}

#[test]
fn a_send_that_announces_too_much_is_refused_before_it_is_allocated() {
    let head = |targets: Vec<(DeviceKey, u32)>| {
        let mut payload = BytesMut::new();
        let head = SendHead {
            request: 1,
            id: ENVELOPE,
            targets,
        };
        put_postcard(&head, &mut payload);
        ClientFrame::decode(5, payload.freeze())
    };
    assert!(head(Vec::new()).unwrap().is_some());
    assert!(head(vec![(DEVICE, 0); TARGETS_MAX]).unwrap().is_some());
    assert!(head(vec![(DEVICE, 0); TARGETS_MAX + 1]).is_err());
    assert!(head(vec![(DEVICE, 1)]).is_err());
    assert!(head(vec![(DEVICE, u32::MAX)]).is_err());
    // A list of 2^32 - 1 devices in a payload of a few bytes.
    let mut endless = vec![1];
    endless.extend_from_slice(&ENVELOPE.0);
    endless.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert!(ClientFrame::decode(5, Bytes::from(endless)).is_err());
}

#[test]
fn a_publication_of_too_many_prekeys_is_refused_while_it_is_read() {
    let publication = |count: u32| {
        let frame = PublishPrekeys {
            request: 1,
            signed: None,
            one_time: (0..count).map(|id| prekey(id, b"")).collect(),
        };
        let mut payload = BytesMut::new();
        put_postcard(&frame, &mut payload);
        ClientFrame::decode(3, payload.freeze())
    };
    assert!(publication(100).unwrap().is_some());
    assert!(publication(101).is_err());
    // As many as a frame could announce, of which none is there.
    assert!(ClientFrame::decode(3, Bytes::from_static(&[1, 0, 0xff, 0xff, 0x0f])).is_err());
}

#[test]
fn an_unknown_kind_is_passed_over_and_an_unknown_reason_is_kept() {
    let payload = Bytes::from_static(b"of a newer version");
    for kind in [0, 12, 255] {
        assert_eq!(ClientFrame::decode(kind, payload.clone()).unwrap(), None);
        assert_eq!(RelayFrame::decode(kind, payload.clone()).unwrap(), None);
        assert_eq!(DeliveryFrame::decode(kind, payload.clone()).unwrap(), None);
    }
    for number in 0..=300 {
        let reason = Refusal::from(number);
        assert_eq!(u16::from(reason), number);
        assert_eq!(
            matches!(reason, Refusal::Other(_)),
            !(1..=11).contains(&number)
        );
    }
}

/// What a relay says of time is how long to wait, never what time it is: it has nothing to lie
/// about. A new field or frame does not compile here before somebody has thought of that.
#[test]
fn r19_no_frame_of_a_relay_carries_a_time() {
    /// All that a frame says of time.
    fn wait_millis(frame: &RelayFrame) -> Option<u32> {
        match frame {
            RelayFrame::Welcome(Welcome {
                minor: _,
                store: StoreId(_),
                signed_prekey: _,
                one_time_prekeys: _,
            })
            | RelayFrame::Done(Done { request: _ })
            | RelayFrame::Bundle(Bundle {
                request: _,
                signed: _,
                one_time: _,
            })
            | RelayFrame::Entry(Entry {
                request: _,
                handle: _,
                name: _,
                identity: _,
            })
            | RelayFrame::PrekeysLow(PrekeysLow { left: _ })
            | RelayFrame::PreviousMark(PreviousMark {
                request: _,
                mark: _,
            })
            | RelayFrame::Presence(Presence {
                device: _,
                online: _,
            }) => None,
            RelayFrame::Refused(Refused {
                request: _,
                reason: _,
                retry_after_millis,
            }) => Some(*retry_after_millis),
            RelayFrame::GoingAway(GoingAway {
                reconnect_after_millis,
            }) => Some(*reconnect_after_millis),
        }
    }
    for frame in delivery_frames() {
        match frame {
            DeliveryFrame::Delivery(Delivery {
                sequence: _,
                id: _,
                body: _,
            })
            | DeliveryFrame::CaughtUp(CaughtUp { sequence: _ })
            | DeliveryFrame::Ephemeral(Ephemeral { body: _ }) => {}
        }
    }
    let waits: Vec<_> = relay_frames().iter().filter_map(wait_millis).collect();
    assert_eq!(waits, [5_000, 1_500]);
}

#[test]
fn ids_and_proofs_do_not_show_in_debug_output() {
    let [login, ..] = &client_frames()[..] else {
        panic!("no login");
    };
    let text = format!("{login:?} {ENVELOPE:?}");
    assert!(text.contains("d1d1…") && text.contains("e1e1…"), "{text}");
    assert!(
        !text.contains("170, 170") && !text.contains("209, 209"),
        "{text}"
    );
}
