//! A value that is costly to find out, and is found out only so often.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// The last value and when it was found.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    interval: Duration,
    last: Mutex<Option<(Instant, T)>>,
}

impl<T: Copy> Recent<T> {
    /// A value that is good for this long.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            last: Mutex::new(None),
        }
    }

    /// The value; found out if it is not recent. Those who ask meanwhile wait for the same.
    pub(crate) async fn get(&self, find: impl Future<Output = T>) -> T {
        let mut last = self.last.lock().await;
        if let Some((found, value)) = *last
            && found.elapsed() < self.interval
        {
            return value;
        }
        let value = find.await;
        *last = Some((Instant::now(), value));
        value
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_value_is_found_out_once_in_its_interval_by_however_many() {
        let recent = Recent::new(Duration::from_secs(10));
        let asked = Cell::new(0);
        let find = || async {
            tokio::task::yield_now().await;
            asked.update(|times| times + 1);
            asked.get()
        };
        assert_eq!(
            tokio::join!(recent.get(find()), recent.get(find())),
            (1, 1),
            "at the same time"
        );
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(recent.get(find()).await, 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(recent.get(find()).await, 2);
    }
}
