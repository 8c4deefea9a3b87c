//! Distances, radii and sizes, in points.

/// Half a step.
pub(crate) const XS: f32 = 4.0;
/// One step.
pub(crate) const S: f32 = 8.0;
/// Between related things.
pub(crate) const M: f32 = 12.0;
/// Around a group.
pub(crate) const L: f32 = 16.0;
/// Between groups.
pub(crate) const XL: f32 = 24.0;

/// Corners of an input.
pub(crate) const RADIUS_INPUT: u8 = 6;
/// Corners of a row or a card.
pub(crate) const RADIUS_ROW: u8 = 10;
/// Corners of a bubble.
pub(crate) const RADIUS_BUBBLE: u8 = 14;
/// The corner of a bubble at its tail.
pub(crate) const RADIUS_TAIL: u8 = 4;
/// Corners of a dialog.
pub(crate) const RADIUS_DIALOG: u8 = 16;

/// Height of a control.
pub(crate) const CONTROL: f32 = 36.0;
/// Height of a screen's main button.
pub(crate) const CONTROL_LARGE: f32 = 44.0;
/// The least size of what a pointer should hit.
pub(crate) const TARGET: f32 = 32.0;

/// Width of the rail of identities.
pub(crate) const RAIL: f32 = 64.0;
/// Width of the list of chats: least, first, most.
pub(crate) const LIST: [f32; 3] = [220.0, 288.0, 380.0];
/// Below this width of the window, the list and the chat take turns.
pub(crate) const NARROW: f32 = 680.0;
/// Height of the header of list and chat.
pub(crate) const HEADER: f32 = 60.0;
/// Height of a row in the list of chats.
pub(crate) const CHAT_ROW: f32 = 64.0;
/// The most width that the column of messages takes.
pub(crate) const COLUMN_MAX: f32 = 760.0;
/// The most width of a bubble.
pub(crate) const BUBBLE_MAX: f32 = 560.0;
