//! The window of Sotto: shows snapshots of the client and returns what the person asks for.
//!
//! ```text
//!   ViewModel ──► App::ui ──► (profile, Command) …, and Errand … ──► Report
//!                   │
//!      rail │ chat list │ conversation = header, timeline, composer
//!                   │
//!         gate, dialogs and toasts over them
//! ```
//!
//! The library holds no handle to the client, the network or a file: [`App`] is the state of the
//! window alone, and the same code runs in tests without a window.
//!
//! | module | holds |
//! |---|---|
//! | `app` | the window's state, and which view is shown |
//! | `rail`, `chat_list`, `conversation`, `gate` | the parts of the window |
//! | `timeline`, `composer`, `chat_header` | the parts of a conversation |
//! | `dialogs`, `toasts` | what stands over them |
//! | `errand` | what is asked of the program around the window |
//! | `theme`, `icons`, `widgets` | how things look |
//! | `words`, `names`, `moment`, `bidi` | what a person reads |

mod app;
mod bidi;
mod chat_header;
mod chat_list;
mod chat_row;
mod composer;
mod conversation;
mod dialogs;
mod errand;
mod gate;
mod icons;
mod keys;
mod moment;
mod names;
mod rail;
mod relay;
mod relay_chip;
mod scan;
mod scene;
mod search;
mod theme;
mod timeline;
mod toasts;
mod widgets;
mod words;

pub use app::{App, AppOptions};
pub use errand::{Errand, FileChoice, Report};
pub use moment::Moment;
pub use relay::{RelayFailure, RelayInfo, RelayKind};
pub use theme::Theme;

/// The app's icon: a PNG of 256 by 256 pixels, for the window and the task bar.
pub const ICON_PNG: &[u8] = include_bytes!("../../assets/icon.png");
