//! Opens the data folder and reads what a start needs of it, before anything listens.
//!
//! Called by `build`. Promises: damage that is met here is salvaged in the same start, once, as if opening had found it: a
//! supervisor that starts the gateway again and again would meet the same page each time. Fails with `StoreError`.

use crate::clock::EntryId;
use crate::queue::recover;
use crate::store::{Opened, StoreError};
use std::path::Path;
use std::time::Duration;

/// The open folder, and its newest id. Files of messages that were never acknowledged are gone.
pub(super) fn open(
    folder: &Path,
    observe: impl Fn(Duration) + Clone + Send + 'static,
) -> Result<(Opened, Option<EntryId>), StoreError> {
    read(Opened::open(folder, observe.clone())?, || Opened::open(folder, observe))
}

/// Where what is open turns out to be damaged, it is opened once more.
fn read(
    opened: Opened,
    again: impl FnOnce() -> Result<Opened, StoreError>,
) -> Result<(Opened, Option<EntryId>), StoreError> {
    let newest = swept(&opened);
    let Err(StoreError::Damaged(_)) = newest else { return Ok((opened, newest?)) };
    // Leaves word for the opening that follows.
    opened.store.look_at(&newest);
    opened.close();
    let opened = again()?;
    let newest = swept(&opened)?;
    Ok((opened, newest))
}

/// Sweeps left-overs, while no message is on its way in. The newest id, so that ids never run backwards.
fn swept(opened: &Opened) -> Result<Option<EntryId>, StoreError> {
    let connection = opened.reader()?;
    let swept = recover::sweep(&connection, opened.store.bodies())?;
    if swept > 0 {
        tracing::info!(swept, "files of messages that were never acknowledged are gone");
    }
    recover::newest(&connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::damage::{leaves, zero};
    use crate::store::{Change, Value};

    /// Opening looks for damage for half a second: in a large queue, this is where the rest is found.
    #[tokio::test]
    async fn damage_that_only_the_start_meets_is_salvaged_in_the_same_start() {
        let folder = tempfile::tempdir().unwrap();
        let (opened, newest) = open(folder.path(), |_| {}).unwrap();
        assert_eq!(newest, None);
        let entry = |id| {
            let values = vec![Value::Int(id), Value::Blob(vec![b'x'; 500].into())];
            Change::new("INSERT INTO entry (id, head) VALUES (?1, ?2)", values)
        };
        opened.store.commit((1..=100).map(entry).collect()).await.unwrap();
        opened.close();
        let (opened, newest) = open(folder.path(), |_| {}).unwrap();
        assert_eq!(newest, Some(EntryId::from_row(100)));
        let (page, rows) = *leaves(folder.path(), "entry").last().unwrap();
        zero(folder.path(), page);
        let (opened, newest) = read(opened, || Opened::open(folder.path(), |_| {})).unwrap();
        assert_eq!(newest, Some(EntryId::from_row(100 - rows)));
        assert!(folder.path().join("damaged-1/mailward.db").exists());
        opened.store.commit(vec![entry(200)]).await.unwrap();
        opened.close();
        assert_eq!(open(folder.path(), |_| {}).unwrap().1, Some(EntryId::from_row(200)));
        assert!(!folder.path().join("damaged-2").exists(), "once is enough");
    }
}
