//! For tests: pages of a database that are gone.
//!
//! Called by the tests of the rooms that read. Falls over where the database does not open.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The leaves of a table in the order of their keys: page and number of rows. What is in the log only is not seen.
pub fn leaves(folder: &Path, table: &str) -> Vec<(u64, i64)> {
    let connection = rusqlite::Connection::open(folder.join("mailward.db")).unwrap();
    let select = "SELECT pageno, ncell FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path";
    let mut select = connection.prepare(select).unwrap();
    let leaves = select.query_map([table], |row| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))).unwrap();
    leaves.collect::<Result<_, _>>().unwrap()
}

/// Writes zeros over a page.
pub fn zero(folder: &Path, page: u64) {
    let file = File::options().write(true).open(folder.join("mailward.db")).unwrap();
    file.write_all_at(&[0; 4096], (page - 1) * 4096).unwrap();
}
