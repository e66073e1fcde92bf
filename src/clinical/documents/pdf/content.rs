//! Content streams as operators with their operands (ISO 32000-1 7.8.2); CMaps are written the same way.
//!
//! Called by `page`, `cmap` and `font`. Promises: linear; operands of any shape are one flat list, whose length is bounded; what
//! is no token is passed over, for other readers go on behind it. Where an inline image ends is a guess: see `InlineEnd`.
//! Fails never.

use memchr::memmem;

/// Operands of one operator: more than any writer makes.
const MOST_OPERANDS: usize = 200_000;
/// Strings without an end in one content: for each, all that follows is looked at once more.
const MOST_UNCLOSED: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operand {
    Number(f64),
    /// A string: where it stands in the octets of the operands.
    Text(usize, usize),
    Name(usize, usize),
    Open,
    Close,
}

/// What stands before an operator.
#[derive(Debug, Default)]
pub(super) struct Operands {
    pub list: Vec<Operand>,
    octets: Vec<u8>,
    /// Whether some were dropped.
    pub dropped: bool,
}

impl Operands {
    pub fn octets(&self, from: usize, to: usize) -> &[u8] {
        self.octets.get(from..to).unwrap_or_default()
    }

    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = f64> + '_ {
        self.list.iter().filter_map(|o| if let Operand::Number(n) = o { Some(*n) } else { None })
    }

    pub fn number(&self) -> Option<f64> {
        self.numbers().next_back()
    }

    /// The last six numbers, as a matrix.
    pub fn six(&self) -> Option<[f64; 6]> {
        let mut six = [0.0; 6];
        let mut last = self.numbers().rev();
        for slot in six.iter_mut().rev() {
            *slot = last.next()?;
        }
        Some(six)
    }

    /// The last two numbers.
    pub fn two(&self) -> Option<[f64; 2]> {
        let mut last = self.numbers().rev();
        let y = last.next()?;
        Some([last.next()?, y])
    }

    pub fn name(&self) -> Option<&[u8]> {
        self.list.iter().rev().find_map(|o| if let Operand::Name(a, b) = o { Some(self.octets(*a, *b)) } else { None })
    }

    /// The string behind a name, as dictionaries have them.
    pub fn text_of(&self, key: &[u8]) -> Option<&[u8]> {
        self.list.windows(2).find_map(|pair| match pair {
            [Operand::Name(a, b), Operand::Text(c, d)] if self.octets(*a, *b) == key => Some(self.octets(*c, *d)),
            _ => None,
        })
    }

    fn number_of(&self, keys: [&[u8]; 2]) -> Option<f64> {
        self.list.windows(2).find_map(|pair| match pair {
            [Operand::Name(a, b), Operand::Number(n)] if keys.contains(&self.octets(*a, *b)) => Some(*n),
            _ => None,
        })
    }

    pub fn has_name(&self, names: &[&[u8]]) -> bool {
        self.list.iter().any(|o| matches!(o, Operand::Name(a, b) if names.contains(&self.octets(*a, *b))))
    }

    fn clear(&mut self) {
        self.list.clear();
        self.octets.clear();
    }

    fn push(&mut self, operand: Operand) {
        if self.list.len() < MOST_OPERANDS {
            self.list.push(operand);
        } else {
            self.dropped = true;
        }
    }
}

/// Where an inline image ends (8.9.7): its data may contain what looks like its end, and readers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InlineEnd {
    /// At the first `EI` that stands alone.
    First,
    /// Where its size says, or where text follows.
    Plausible,
}

pub(super) struct Content<'a> {
    bytes: &'a [u8],
    at: usize,
    inline: InlineEnd,
    /// An inline image had two ends.
    pub ambiguous: bool,
    /// Where pieces were joined: a string across one is ambiguous too.
    seams: &'a [usize],
    /// Strings without an end so far.
    unclosed: usize,
    /// No string of hexadecimal digits ends behind here.
    no_hex: bool,
    pub operands: Operands,
}

impl<'a> Content<'a> {
    pub fn new(bytes: &'a [u8], inline: InlineEnd) -> Content<'a> {
        let (ambiguous, operands) = (false, Operands::default());
        Content { bytes, at: 0, inline, ambiguous, seams: &[], unclosed: 0, no_hex: false, operands }
    }

    /// The places at which pieces of content were joined, in order.
    pub fn with_seams(self, seams: &'a [usize]) -> Content<'a> {
        Content { seams, ..self }
    }

    /// Whether a token from `start` to here stands across a seam.
    fn note_seam(&mut self, start: usize) {
        let next = self.seams.partition_point(|seam| *seam <= start);
        self.ambiguous |= self.seams.get(next).is_some_and(|seam| *seam < self.at);
    }

    /// The next operator; its operands are in `operands`. `BI` comes with the dictionary of its image.
    pub fn next(&mut self) -> Option<&'a [u8]> {
        self.operands.clear();
        loop {
            let byte = *self.bytes.get(self.at)?;
            match byte {
                b'%' => self.at += line_len(self.rest()),
                b'/' => {
                    self.at += 1;
                    self.name();
                }
                b'(' => self.literal(),
                b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => self.at += 2,
                b'<' => self.hex(),
                b'[' => self.mark(Operand::Open),
                b']' => self.mark(Operand::Close),
                b'+' | b'-' | b'.' | b'0'..=b'9' => self.number(),
                byte if is_regular(byte) => {
                    let operator = self.word();
                    if let Some(operator) = self.operator(operator) {
                        return Some(operator);
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn mark(&mut self, operand: Operand) {
        self.at += 1;
        self.operands.push(operand);
    }

    fn word(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let len = rest.iter().take_while(|b| is_regular(**b)).count();
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// `true`, `false` and `null` are operands; the dictionary of an inline image stands between `BI` and `ID`.
    fn operator(&mut self, word: &'a [u8]) -> Option<&'a [u8]> {
        match word {
            b"true" | b"false" | b"null" => None,
            b"BI" => {
                self.operands.clear();
                None
            }
            b"ID" => {
                self.pass_image();
                Some(b"BI")
            }
            word => Some(word),
        }
    }

    fn number(&mut self) {
        let start = self.at;
        let len = self.rest().iter().take_while(|b| matches!(b, b'+' | b'-' | b'.' | b'0'..=b'9')).count();
        self.at += len;
        let digits = self.bytes.get(start..self.at).unwrap_or_default();
        self.operands.push(Operand::Number(number(digits)));
    }

    fn name(&mut self) {
        let from = self.operands.octets.len();
        let word = self.word();
        let mut at = 0;
        while let Some(byte) = word.get(at) {
            // 7.3.5: `#` and two digits.
            let escaped = word.get(at + 1..at + 3).filter(|_| *byte == b'#').and_then(hex_pair);
            self.operands.octets.push(escaped.unwrap_or(*byte));
            at += if escaped.is_some() { 3 } else { 1 };
        }
        let name = Operand::Name(from, self.operands.octets.len());
        self.operands.push(name);
    }

    fn hex(&mut self) {
        let from = self.operands.octets.len();
        let rest = self.rest().get(1..).unwrap_or_default();
        let end = if self.no_hex { None } else { memchr::memchr(b'>', rest) };
        let Some(len) = end else {
            self.no_hex = true;
            self.at += 1;
            return;
        };
        let mut high = None;
        for digit in rest.iter().take(len).filter_map(|b| char::from(*b).to_digit(16)) {
            match high.take() {
                None => high = Some(digit),
                Some(high) => self.operands.octets.push((high << 4 | digit) as u8),
            }
        }
        // 7.3.4.3: a last digit that is missing is zero.
        self.operands.octets.extend(high.map(|high| (high << 4) as u8));
        let start = self.at;
        self.at += len + 2;
        self.note_seam(start);
        let text = Operand::Text(from, self.operands.octets.len());
        self.operands.push(text);
    }

    /// 7.3.4.2. A string without an end is none: what is behind its bracket may be operators for others.
    fn literal(&mut self) {
        if self.unclosed >= MOST_UNCLOSED {
            self.at += 1;
            return;
        }
        let from = self.operands.octets.len();
        let (mut at, mut depth) = (self.at + 1, 1);
        while let Some(byte) = self.bytes.get(at).copied() {
            at += 1;
            match byte {
                b'\\' => at += self.escape(at),
                b')' if depth == 1 => {
                    let start = std::mem::replace(&mut self.at, at);
                    self.note_seam(start);
                    let text = Operand::Text(from, self.operands.octets.len());
                    return self.operands.push(text);
                }
                b'\r' => {
                    at += usize::from(self.bytes.get(at) == Some(&b'\n'));
                    self.operands.octets.push(b'\n');
                }
                _ => {
                    depth += match byte {
                        b'(' => 1,
                        b')' => -1,
                        _ => 0,
                    };
                    self.operands.octets.push(byte);
                }
            }
        }
        self.operands.octets.truncate(from);
        self.unclosed += 1;
        self.at += 1;
    }

    /// What follows a backslash, and how long that is.
    fn escape(&mut self, at: usize) -> usize {
        let Some(byte) = self.bytes.get(at).copied() else { return 0 };
        let meant = match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'f' => 12,
            b'\r' => return 1 + usize::from(self.bytes.get(at + 1) == Some(&b'\n')),
            b'\n' => return 1,
            b'0'..=b'7' => {
                let digits = self.bytes.get(at..).unwrap_or_default().iter().take(3);
                let digits: Vec<u32> = digits.map_while(|b| char::from(*b).to_digit(8)).collect();
                let value = digits.iter().fold(0, |value, digit| value << 3 | digit);
                self.operands.octets.push((value & 0xFF) as u8);
                return digits.len();
            }
            byte => byte,
        };
        self.operands.octets.push(meant);
        1
    }

    /// Passes over the data of an inline image.
    fn pass_image(&mut self) {
        let data = self.rest();
        let first = ends(data).next();
        let likely =
            self.known_end(data).or_else(|| ends(data).take(1_000).find(|end| is_followed_by_text(data, *end)));
        let (first, likely) = (first.unwrap_or(data.len()), likely.or(first).unwrap_or(data.len()));
        self.ambiguous |= first != likely;
        self.at += if self.inline == InlineEnd::First { first } else { likely };
    }

    /// The end by the size of an image that is not packed, or by the length that PDF 2.0 asks for.
    fn known_end(&self, data: &[u8]) -> Option<usize> {
        let of = |keys: [&[u8]; 2]| self.operands.number_of(keys);
        let said = of([b"L", b"Length"]);
        let octets = said.or_else(|| {
            let is_packed = self.operands.has_name(&[b"F", b"Filter"]);
            let is_mask = self.operands.has_name(&[b"IM", b"ImageMask"]);
            let (width, height) = (of([b"W", b"Width"])?, of([b"H", b"Height"])?);
            let bits = if is_mask { 1.0 } else { of([b"BPC", b"BitsPerComponent"]).unwrap_or(8.0) };
            let colours = match () {
                () if self.operands.has_name(&[b"RGB", b"DeviceRGB"]) => 3.0,
                () if self.operands.has_name(&[b"CMYK", b"DeviceCMYK"]) => 4.0,
                () => 1.0,
            };
            (!is_packed).then(|| (width * colours * bits / 8.0).ceil() * height)
        })?;
        // One blank stands before the data.
        let from = 1 + octets.clamp(0.0, data.len() as f64) as usize;
        ends(data.get(from.saturating_sub(1)..)?.get(..8.min(data.len() - from.saturating_sub(1)))?)
            .next()
            .map(|end| from.saturating_sub(1) + end)
    }
}

/// Where `EI` ends that stands alone.
fn ends(data: &[u8]) -> impl Iterator<Item = usize> + '_ {
    memmem::find_iter(data, b"EI").filter_map(|at| {
        let before = at.checked_sub(1).and_then(|at| data.get(at));
        let alone = before.is_none_or(|b| !is_regular(*b)) && data.get(at + 2).is_none_or(|b| !is_regular(*b));
        alone.then_some(at + 2)
    })
}

/// Whether only what operators are made of stands in the next octets.
fn is_followed_by_text(data: &[u8], end: usize) -> bool {
    let next = data.get(end..).unwrap_or_default();
    next.iter().take(24).all(|b| b.is_ascii_graphic() || matches!(b, b'\t' | b'\n' | b'\r' | b' '))
}

/// 7.2.2: neither white space nor a delimiter.
pub(super) fn is_regular(byte: u8) -> bool {
    !matches!(
        byte,
        0 | b'\t' | b'\n' | 12 | b'\r' | b' ' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

fn line_len(bytes: &[u8]) -> usize {
    memchr::memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len())
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
    Some((digit(0)? << 4 | digit(1)?) as u8)
}

/// A number as readers take it: signs anywhere before the digits, one point, and an end at whatever else.
fn number(word: &[u8]) -> f64 {
    let (mut value, mut scale, mut negative, mut digits) = (0.0f64, 0.0f64, false, false);
    for byte in word {
        match byte {
            b'0'..=b'9' => {
                digits = true;
                value = value * 10.0 + f64::from(byte - b'0');
                scale *= 10.0;
            }
            b'.' if scale == 0.0 => scale = 1.0,
            b'-' if !digits => negative = true,
            b'+' if !digits => {}
            _ => break,
        }
    }
    let value = if scale > 1.0 { value / scale } else { value };
    let value = if value.is_finite() { value } else { 0.0 };
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operators(bytes: &[u8], inline: InlineEnd) -> Vec<String> {
        let mut content = Content::new(bytes, inline);
        let mut all = Vec::new();
        while let Some(operator) = content.next() {
            let texts = content.operands.list.iter().rev().find_map(|o| match o {
                Operand::Text(a, b) => Some(content.operands.octets(*a, *b)),
                _ => None,
            });
            let text = texts.map(|t| String::from_utf8_lossy(t).into_owned());
            all.push(format!(
                "{}{}",
                String::from_utf8_lossy(operator),
                text.map_or(String::new(), |t| format!(" {t}"))
            ));
        }
        all
    }

    #[test]
    fn strings_are_read_in_every_way_they_are_written() {
        let read = |text: &[u8]| operators(text, InlineEnd::First);
        assert_eq!(read(b"(94\\063 \\64\\0676(5)\\))Tj"), ["Tj 943 476(5))"]);
        assert_eq!(read(b"(94\\\r\n3\\\n4)Tj <39 3\n433> Tj <3943 3>Tj"), ["Tj 9434", "Tj 943", "Tj 9C0"]);
        assert_eq!(read(b"%(no)\n/a#20b(c)Tj"), ["Tj c"]);
        assert_eq!(read(b"1 0 0 1 72 700Tm(a)' BT/F1 12Tf[(b)-200<63>]TJ"), ["Tm", "' a", "BT", "Tf", "TJ c"]);
        assert_eq!(read(b"] >> ) } (a)Tj"), ["Tj a"], "and what is no token is passed over");
        assert_eq!(read(b"(a)Tj (open BT (b)Tj"), ["Tj a", "open", "BT", "Tj b"], "a string that has no end is none");
        assert_eq!(read(&b"(".repeat(300_000)).len(), 0);
        let start = std::time::Instant::now();
        assert_eq!(read(&b"< ".repeat(2_000_000)).len(), 0);
        assert!(start.elapsed().as_secs() < 5, "and what never ends is looked for once");
    }

    #[test]
    fn numbers_are_read_as_readers_take_them() {
        for (text, value) in [("12", 12.0), ("-.5", -0.5), ("--3", -3.0), ("+4.", 4.0), ("1.2.3", 1.2), ("7-3", 7.0)] {
            assert_eq!(number(text.as_bytes()), value, "{text}");
        }
        assert!(number(&[b'9'; 400]) == 0.0, "and none is infinite");
    }

    #[test]
    fn an_inline_image_has_two_ends_where_readers_differ() {
        let plain = b"BI /W 2 /H 2 /BPC 8 /CS /G ID abcd\nEI (x)Tj";
        assert_eq!(operators(plain, InlineEnd::First), operators(plain, InlineEnd::Plausible));
        let hidden = b"BI /W 12 /H 1 /BPC 8 /CS /G ID ab EI (cdefg \nEI (x)Tj";
        assert_eq!(operators(hidden, InlineEnd::Plausible), ["BI", "Tj x"]);
        let mut content = Content::new(hidden, InlineEnd::First);
        while content.next().is_some() {}
        assert!(content.ambiguous);
    }
}
