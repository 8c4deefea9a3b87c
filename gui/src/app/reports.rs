//! What has become of errands, shown.

use egui::Context;
use sotto_client::BackupError;
use sotto_client::view::{ProfileId, ViewModel};

use crate::dialogs::Dialog;
use crate::errand::{Errand, Report};
use crate::scene::{Asks, Wish};
use crate::words;

use super::App;

impl App {
    /// Shows what was reported since the last frame.
    pub(super) fn take_reports(&mut self, ctx: &Context, model: &ViewModel, asks: &mut Asks) {
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
                Report::Restoring { done, total } => self.restoring = Some((done, total)),
                Report::Restored(outcome) => {
                    self.restoring = None;
                    self.restored(outcome, model, now, asks);
                }
            }
        }
    }

    /// Shows who was restored if the person waits for that, and says so.
    fn restored(
        &mut self,
        outcome: Result<ProfileId, BackupError>,
        model: &ViewModel,
        now: f64,
        asks: &mut Asks,
    ) {
        match (outcome, &mut self.dialog) {
            (Ok(id), _) if model.profile(&id).is_none() => {
                self.toasts.warn(words::RESTORED_FOR_LATER.to_owned());
            }
            (Ok(id), dialog) => {
                self.toasts.say(words::restored(id.as_str()), now);
                // Whoever has gone on with something else is left there.
                if matches!(dialog, Some(Dialog::Restore(_))) {
                    asks.wish(Wish::Profile(id));
                }
            }
            (Err(problem), Some(Dialog::Restore(form))) => form.fail(problem),
            (Err(problem), _) => self.toasts.warn(words::not_restored(problem)),
        }
    }

    /// Hands errands on, and remembers who is about to leave or to come back.
    pub(super) fn put_errands(&mut self, errands: Vec<Errand>) {
        for errand in errands {
            match &errand {
                Errand::Delete(id) => {
                    self.leaving.insert(id.clone());
                }
                Errand::Restore { .. } => self.restoring = Some((0, 0)),
                _ => {}
            }
            self.errands.push(errand);
        }
    }
}
