//! Code pages by their number, as documents of Windows name them.
//!
//! Called by the readers. Promises: every number gives a charset; the one of western Europe where nobody here knows it, in which
//! ASCII reads as itself. Fails never.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, IBM866, ISO_8859_2, ISO_8859_5, ISO_8859_6, ISO_8859_7, ISO_8859_8,
    ISO_8859_15, KOI8_R, KOI8_U, MACINTOSH, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_874, WINDOWS_1250,
    WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
    X_MAC_CYRILLIC,
};

/// The charset of a code page.
pub(super) fn of(number: u32) -> &'static Encoding {
    match number {
        866 => IBM866,
        874 => WINDOWS_874,
        932 => SHIFT_JIS,
        936 => GBK,
        949 | 1361 => EUC_KR,
        950 => BIG5,
        1200 => UTF_16LE,
        1201 => UTF_16BE,
        1250 | 852 => WINDOWS_1250,
        1251 | 855 => WINDOWS_1251,
        1253 | 737 => WINDOWS_1253,
        1254 | 857 => WINDOWS_1254,
        1255 | 862 => WINDOWS_1255,
        1256 | 708 | 720 | 864 => WINDOWS_1256,
        1257 | 775 => WINDOWS_1257,
        1258 => WINDOWS_1258,
        10_000 => MACINTOSH,
        10_007 => X_MAC_CYRILLIC,
        20_866 => KOI8_R,
        21_866 => KOI8_U,
        20_932 | 51_932 => EUC_JP,
        28_592 => ISO_8859_2,
        28_595 => ISO_8859_5,
        28_596 => ISO_8859_6,
        28_597 => ISO_8859_7,
        28_598 => ISO_8859_8,
        28_605 => ISO_8859_15,
        54_936 => GB18030,
        65_001 => UTF_8,
        _ => WINDOWS_1252,
    }
}

/// RTF 1.9.1, `\fcharset`: the code page of a font; nothing where it is the document's own.
pub(super) fn of_font(charset: i32) -> Option<&'static Encoding> {
    Some(of(match charset {
        77 => 10_000,
        128 => 932,
        129 | 130 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178..=181 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        0 => 1252,
        _ => return None,
    }))
}

/// Octets as text, zeros at the end taken off.
pub(super) fn text(bytes: &[u8], page: &'static Encoding) -> String {
    page.decode_without_bom_handling(bytes).0.trim_end_matches('\0').to_owned()
}

/// Little-endian UTF-16 as text, zeros at the end taken off.
pub(super) fn wide(bytes: &[u8]) -> String {
    text(bytes, UTF_16LE)
}

#[cfg(test)]
mod tests {
    use super::{of, of_font, text, wide};

    #[test]
    fn every_number_reads_ascii_or_is_wide() {
        for number in (0..70_000).filter(|n| !matches!(n, 1200 | 1201)) {
            assert_eq!(text(b"943 476\0\0", of(number)), "943 476", "{number}");
        }
        assert_eq!(wide(b"9\x004\x00\0\0"), "94");
        assert_eq!(of_font(128).map(|page| text(b"\x82\x58", page)).as_deref(), Some("９"));
    }
}
