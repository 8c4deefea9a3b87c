//! Names of accounts, devices, sessions and groups, 32 bytes each (PROTOCOL §2, §3, §10).

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The id with these 32 bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Its 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Its 32 bytes, by value.
            pub const fn to_bytes(self) -> [u8; 32] {
                self.0
            }
        }

        impl fmt::Debug for $name {
            /// Four bytes in hex: enough to tell ids apart in a log.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Self([a, b, c, d, ..]) = self;
                write!(f, "{}({a:02x}{b:02x}{c:02x}{d:02x})", stringify!($name))
            }
        }
    };
}

id! {
    /// ``H("Sotto/1 account" || account key)``, 32 bytes (PROTOCOL §2.1).
    AccountId
}
id! {
    /// ``H("Sotto/1 device" || account key || device number || spki || ik_sig)``, 32 bytes
    /// (PROTOCOL §2.2).
    DeviceId
}
id! {
    /// A session's id, 32 bytes derived in its handshake (PROTOCOL §3.2). Of two sessions that two
    /// people started at the same time, both send in the smaller.
    SessionId
}
id! {
    /// A group, 32 random bytes (PROTOCOL §10).
    GroupId
}
id! {
    /// Who is in a group: a hash over the members' accounts, 32 bytes (PROTOCOL §10.1).
    MembersHash
}
id! {
    /// A message to a group: the hash of its sealed body, 32 bytes (PROTOCOL §10.2).
    GroupMessageId
}
