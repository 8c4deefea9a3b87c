//! QR codes for a terminal.

use std::fmt::Write as _;

use qrcode::{EcLevel, QrCode};
use sotto_net::Invite;

/// The invite as a QR code: two modules to a character, light on dark, with its quiet zone.
pub(crate) fn qr(invite: &Invite) -> String {
    const QUIET: i32 = 2;
    let Ok(code) = QrCode::with_error_correction_level(invite.to_string(), EcLevel::L) else {
        return String::new();
    };
    let width = i32::try_from(code.width()).unwrap_or(0);
    let is_light = |x: i32, y: i32| {
        let inside = (0..width).contains(&x) && (0..width).contains(&y);
        let at = |n: i32| usize::try_from(n).unwrap_or(0);
        !inside || code[(at(x), at(y))] == qrcode::Color::Light
    };
    let mut text = String::new();
    for y in (-QUIET..width + QUIET).step_by(2) {
        for x in -QUIET..width + QUIET {
            let character = match (is_light(x, y), is_light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            };
            text.push(character);
        }
        if writeln!(text).is_err() {
            return String::new();
        }
    }
    text
}
