//! What systemd is told about the relay, if it asks (`Type=notify`).

/// What there is to tell.
#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    /// The relay listens.
    Ready,
    /// The relay drains.
    Stopping,
}

/// Tells it; does nothing where nobody asks.
#[cfg(target_os = "linux")]
pub(crate) fn tell(state: State) {
    let state = match state {
        State::Ready => sd_notify::NotifyState::Ready,
        State::Stopping => sd_notify::NotifyState::Stopping,
    };
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd cannot be told how the relay is");
    }
}

/// There is no systemd here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn tell(_state: State) {}
