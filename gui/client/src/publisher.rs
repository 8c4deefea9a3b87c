//! From the engines' views to the snapshot that a frame reads.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::view::{ProfileId, ProfileView, ViewModel};

/// Called from an engine's thread when something visible changed.
pub(crate) type Wake = Box<dyn Fn() + Send + Sync>;

/// Holds the latest snapshot. Readers never wait.
pub(crate) struct Publisher {
    snapshot: ArcSwap<ViewModel>,
    /// Held while a new snapshot is made from the last one.
    writing: Mutex<()>,
    wake: Wake,
}

impl Publisher {
    pub(crate) fn new(wake: Wake) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(ViewModel::default()),
            writing: Mutex::new(()),
            wake,
        }
    }

    pub(crate) fn snapshot(&self) -> Arc<ViewModel> {
        self.snapshot.load_full()
    }

    /// One profile more.
    pub(crate) fn add(&self, view: ProfileView) {
        self.change(|profiles| profiles.push(Arc::new(view)));
    }

    /// One profile less.
    pub(crate) fn remove(&self, id: &ProfileId) {
        self.change(|profiles| profiles.retain(|profile| profile.id != *id));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<ProfileView>>)) {
        {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let mut model = ViewModel::clone(&self.snapshot.load());
            change(&mut model.profiles);
            self.snapshot.store(Arc::new(model));
        }
        (self.wake)();
    }

    /// Replaces one profile's part, and wakes the reader if it looks different.
    pub(crate) fn publish(&self, view: ProfileView) {
        {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let mut model = ViewModel::clone(&self.snapshot.load());
            let Some(slot) = model.profiles.iter_mut().find(|slot| slot.id == view.id) else {
                return;
            };
            if **slot == view {
                return;
            }
            *slot = Arc::new(view);
            self.snapshot.store(Arc::new(model));
        }
        (self.wake)();
    }
}
