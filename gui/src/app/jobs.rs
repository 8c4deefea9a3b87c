//! Tells what has become of backups and exports.

use egui::Context;
use sotto_client::Command;
use sotto_client::view::{Job, JobState, ViewModel};

use crate::dialogs::Dialog;
use crate::scene::Asks;
use crate::words;

use super::App;

impl App {
    /// Tells once what has become of each job, in its dialog or in a note, and has it put away.
    pub(super) fn heed_jobs(&mut self, ctx: &Context, model: &ViewModel, asks: &mut Asks) {
        self.jobs.retain(|id, _| model.profile(id).is_some());
        for profile in &model.profiles {
            let Some(job) = &profile.job else {
                if let Some((kind, false)) = self.jobs.remove(&profile.id) {
                    self.toasts.warn(words::job_stopped(kind));
                }
                continue;
            };
            let has_ended = !matches!(job.state, JobState::Running { .. });
            let before = self.jobs.insert(profile.id.clone(), (job.kind, has_ended));
            if has_ended && before != Some((job.kind, true)) {
                asks.command(&profile.id, Command::EndJob);
                let is_shown = self.active.as_ref() == Some(&profile.id);
                self.tell_job(ctx, job, is_shown);
            }
        }
    }

    fn tell_job(&mut self, ctx: &Context, job: &Job, is_shown: bool) {
        let writing = self.dialog.as_mut().and_then(Dialog::writing);
        if let Some(writing) = writing.filter(|writing| is_shown && writing.is_of(job)) {
            writing.end(job);
            return;
        }
        match job.state {
            JobState::Running { .. } => {}
            JobState::Done { bytes } => {
                let text = words::job_done_at(job.kind, bytes, &job.to);
                self.toasts.say(text, ctx.input(|input| input.time));
            }
            JobState::Failed(error) => self.toasts.warn(words::job_failed(job.kind, error)),
        }
    }
}
