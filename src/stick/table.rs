//! Where the machine means to mount something, whether or not it is mounted now.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whether the machine's own table says of a folder that a file system is to be mounted on it.
pub fn is_mount_point(path: &Path) -> bool {
    let table = std::fs::read("/etc/fstab").unwrap_or_default();
    path.canonicalize().is_ok_and(|path| names_mount_point(&table, path.as_os_str().as_bytes()))
}

/// Whether a table of file systems (fstab(5)) has one for a place.
fn names_mount_point(table: &[u8], place: &[u8]) -> bool {
    let is_place = |line: &[u8]| {
        let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        let is_said = fields.next().is_some_and(|what| !what.starts_with(b"#"));
        is_said && fields.next().is_some_and(|at| unescaped(at) == place)
    };
    table.split(|byte| *byte == b'\n').any(is_place)
}

/// A field of such a table, in which spaces and the like stand as a backslash and three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), field);
    while let Some((first, behind)) = rest.split_first() {
        let octal = behind.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| *first == b'\\') {
            Some(byte) => (bytes.push(byte), rest = &behind[3..]),
            None => (bytes.push(*first), rest = behind),
        };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_names_places_and_not_what_is_mounted_there() {
        let table = b"# /dev/sda1 /media/old vfat\n\n  UUID=1\t/media/stick\tvfat noauto 0 0\n/dev/sdb1 /media/my\\040stick\\134 auto\nbroken";
        for place in ["/media/stick", "/media/my stick\\"] {
            assert!(names_mount_point(table, place.as_bytes()), "{place}");
        }
        for place in ["/media/old", "/media", "/media/stick/", "/dev/sdb1", "vfat", ""] {
            assert!(!names_mount_point(table, place.as_bytes()), "{place}");
        }
        for odd in ["\\", "\\04", "\\999", "\\é1"] {
            assert_eq!(unescaped(odd.as_bytes()), odd.as_bytes());
        }
    }
}
