//! What the window knows of the relay that it uses or hosts.

/// The relay behind the connection, as the relay chip and dialog show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayInfo {
    /// Where the relay runs.
    pub kind: RelayKind,
    /// The link with which others reach it, if there is one.
    pub invite: Option<String>,
}

impl Default for RelayInfo {
    /// Somewhere else, without a link.
    fn default() -> Self {
        Self {
            kind: RelayKind::Remote,
            invite: None,
        }
    }
}

/// Where the relay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayKind {
    /// In this window.
    Local,
    /// In another window on this computer.
    Neighbour,
    /// Elsewhere.
    Remote,
    /// It should run here and does not.
    Failed(RelayFailure),
}

/// Why a relay could not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayFailure {
    /// The folder cannot be read or written.
    Folder,
    /// Anything else.
    Other,
}
