//! Disks of a test's own: an image in a file whose content at an instant can be kept, and small ones that fill up.
//!
//! Mounted where the gateway has its data folder. Given back when dropped.

use crate::lab::until;
use crate::world::Gateway;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub fn run(programme: &str, words: &[&OsStr]) {
    let output = Command::new(programme).args(words).output().unwrap();
    assert!(output.status.success(), "{programme} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Something that is mounted on a gateway's data folder.
pub struct Mounted {
    folder: PathBuf,
}

impl Mounted {
    fn on(gateway: &Gateway, source: &Path, options: &str) -> Mounted {
        let folder = gateway.folder.path().join("data");
        fs::create_dir_all(&folder).unwrap();
        let mut words: Vec<&OsStr> = options.split(' ').map(OsStr::new).collect();
        words.extend([source.as_os_str(), folder.as_os_str()]);
        run("mount", &words);
        Mounted { folder }
    }

    /// A file system in memory; `options` as `size=8m,nr_inodes=100`.
    pub fn small(gateway: &Gateway, options: &str) -> Mounted {
        Mounted::on(gateway, Path::new("none"), &format!("-t tmpfs -o {options}"))
    }

    /// The same with other options.
    pub fn becomes(&self, options: &str) {
        let options = format!("remount,{options}");
        run("mount", &["-o".as_ref(), options.as_ref(), self.folder.as_os_str()]);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// A file system in a file. What is on it survives a cut only if it was flushed: the kernel writes nothing back on its own
/// within the time of a round (commit=600, and dirty pages are 30 s old before anybody looks at them).
pub struct Image {
    file: PathBuf,
    mounted: Option<Mounted>,
}

impl Image {
    pub fn of(gateway: &Gateway) -> Image {
        let file = gateway.folder.path().join("disk");
        fs::File::create(&file).unwrap().set_len(96 * 1024 * 1024).unwrap();
        run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), file.as_os_str()]);
        let mut image = Image { file, mounted: None };
        image.mount(gateway);
        image
    }

    fn mount(&mut self, gateway: &Gateway) {
        self.mounted = Some(Mounted::on(gateway, &self.file, "-o loop,commit=600"));
    }

    /// The power goes: the gateway ends, and what was not flushed at this instant is gone. It is held still first, so that
    /// the copy is of one instant.
    pub fn cut(&mut self, gateway: &mut Gateway) {
        gateway.signal("STOP");
        assert!(until(|| is_still(gateway.process()).then_some(())).is_some(), "the gateway does not hold still");
        let kept = self.file.with_extension("kept");
        run("cp", &["--sparse=always".as_ref(), self.file.as_os_str(), kept.as_os_str()]);
        gateway.kill();
        self.mounted = None;
        fs::rename(&kept, &self.file).unwrap();
        self.mount(gateway);
    }
}

/// Whether every thread is stopped: none is inside a flush any more.
fn is_still(process: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    threads.map_while(Result::ok).all(|thread| {
        let state = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        state.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    })
}
