//! What has become of errands, shown.

use egui::Context;

use crate::dialogs::Dialog;
use crate::errand::{Errand, Report};
use crate::scene::{Asks, Wish};
use crate::words;

use super::App;

impl App {
    /// Shows what was reported since the last frame.
    pub(super) fn take_reports(&mut self, ctx: &Context, asks: &mut Asks) {
        let now = ctx.input(|input| input.time);
        for report in std::mem::take(&mut self.reports) {
            match report {
                Report::Code(code) => {
                    if let Some(Dialog::RecoveryCode(form)) = &mut self.dialog {
                        form.show(code);
                    }
                }
                Report::Created(Ok(id)) => asks.wish(Wish::Profile(id)),
                Report::Created(Err(problem)) => self.toasts.warn(words::not_created(&problem)),
                Report::Deleted(id, outcome) => {
                    self.leaving.remove(&id);
                    match outcome {
                        Ok(()) => self.toasts.say(words::IDENTITY_DELETED.to_owned(), now),
                        Err(problem) => {
                            let text = words::not_deleted(id.as_str(), &problem);
                            self.toasts.warn(text);
                        }
                    }
                }
            }
        }
    }

    /// Hands errands on, and remembers who is about to leave.
    pub(super) fn put_errands(&mut self, errands: Vec<Errand>) {
        for errand in errands {
            if let Errand::Delete(id) = &errand {
                self.leaving.insert(id.clone());
            }
            self.errands.push(errand);
        }
    }
}
