import MartletCLI
import Testing

@Suite("Numbers and times read as people write them") struct NumberAndTimeTests {
    @Test(
        "a compact number has four digits that matter",
        arguments: [
            (0.208422, "0.2084"), (0, "0"), (-0.0, "0"), (1.23e-05, "1.23e-05"), (0.00012344, "0.0001234"),
            (1.0239, "1.024"),
            (999.96, "1000"), (9999.7, "10000"), (12345.678, "12346"), (-12345.6, "-12346"), (999_999.4, "999999"),
            (999_999.7, "1e+06"), (1_234_567.8, "1.235e+06"), (100_000, "100000"), (123_456_789, "123456789"),
            (1e9, "1e+09"), (1e300, "1e+300"), (.leastNonzeroMagnitude, "4.941e-324"), (.nan, "NaN"),
            (.infinity, "Infinity"),
            (-.infinity, "-Infinity"),
        ] as [(Double, String)])
    func compact(_ value: Double, _ text: String) { #expect(NumberText.compact(value) == text) }

    @Test("fixed decimals never say minus zero, and stay short for giants")
    func fixed() {
        #expect(NumberText.fixed(0.6) == "0.6000")
        #expect(NumberText.fixed(1.493178, decimals: 6) == "1.493178")
        #expect(NumberText.fixed(-0.00001) == "0.0000")
        #expect(NumberText.fixed(-2.5, decimals: 1) == "-2.5")
        #expect(NumberText.fixed(1.5e300) == "1.5000e+300")
        #expect(NumberText.fixed(.nan) == "NaN")
    }

    @Test("deltas carry their sign")
    func signed() {
        #expect(
            [0.5, -0.5, 0, .nan, .infinity].map { NumberText.signed($0) } == ["+0.5", "-0.5", "0", "NaN", "+Infinity"])
    }

    @Test("an exact number reads back as itself")
    func exact() {
        for value in [0.1, 1.0 / 3, 1e15, -7, .leastNonzeroMagnitude, 1.7976931348623157e308, 123456789012] {
            #expect(Double(NumberText.exact(value)) == value)
        }
        #expect(NumberText.exact(3) == "3")
    }

    @Test(
        "bytes use binary units",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (1_048_575, "1 MiB"),
            (104_857_600, "100 MiB"),
            (-2048, "-2 KiB"), (Int64.max, "8 EiB"), (Int64.min, "-8 EiB"),
        ] as [(Int64, String)])
    func bytes(_ count: Int64, _ text: String) { #expect(NumberText.bytes(count) == text) }

    @Test("counts in sentences are grouped")
    func grouped() {
        #expect([0, 999, 1000, -1_234_567].map(NumberText.grouped) == ["0", "999", "1,000", "-1,234,567"])
        #expect(NumberText.grouped(.min) == "-9,223,372,036,854,775,808")
    }

    @Test(
        "spans take the unit that fits",
        arguments: [
            (0, "0 ms"), (0.35, "350 ms"), (0.9999, "1.0 s"), (4.23, "4.2 s"), (9.97, "10 s"), (59.4, "59 s"),
            (59.6, "1m 00s"),
            (65, "1m 05s"), (3599.6, "1h 00m"), (3720, "1h 02m"), (273_600, "3d 04h"), (-65, "-1m 05s"), (.nan, "-"),
            (.infinity, "-"), (1e300, "1e+300 s"),
        ] as [(Double, String)])
    func durations(_ seconds: Double, _ text: String) { #expect(TimeText.duration(seconds: seconds) == text) }

    @Test("times near now are told from now, in both directions")
    func relative() {
        let now: Int64 = 1_772_357_400_000
        let told = [0, 4, 42, 200, 7300, 86_400, 400_000, 3_000_000, -200].map {
            TimeText.relative(now - $0 * 1000, now: now)
        }
        #expect(
            told == [
                "just now", "just now", "42 s ago", "3 min ago", "2 h ago", "1 day ago", "4 days ago", "2026-01-25",
                "in 3 min",
            ])
        #expect(TimeText.relative(.min, now: .max).hasPrefix("-292275055-05-16"))
    }

    @Test("dates are right on both sides of leap days, of 1970 and of the year 1")
    func dates() {
        #expect(TimeText.iso(0) == "1970-01-01T00:00:00Z")
        #expect(TimeText.iso(1_772_357_400_250) == "2026-03-01T09:30:00.250Z")
        #expect(TimeText.iso(951_782_399_007) == "2000-02-28T23:59:59.007Z")
        #expect(TimeText.date(951_782_400_000) == "2000-02-29")
        #expect(TimeText.date(4_107_542_400_000) == "2100-03-01")
        #expect(TimeText.iso(-1) == "1969-12-31T23:59:59.999Z")
        #expect(TimeText.date(-62_135_596_800_000) == "0001-01-01")
        #expect(TimeText.minute(1_772_357_400_000, offset: 5 * 3600 + 1800) == "2026-03-01 15:00")
        #expect(TimeText.minute(1_772_357_400_000, offset: -10 * 3600) == "2026-02-28 23:30")
    }
}

@Suite("Text is as wide as it looks, and harmless") struct WidthAndEscapeTests {
    @Test(
        "columns are counted, not characters",
        arguments: [
            ("abc", 3), ("", 0), ("é", 1), ("e\u{301}", 1), ("漢字", 4), ("ｆｕｌｌ", 8), ("한글", 4),
            ("\u{1112}\u{1161}\u{11AB}", 2),
            ("👍", 2), ("👍🏽", 2), ("👩‍👩‍👧‍👦", 2), ("🇪🇺", 2), ("❤️", 2), ("❤", 1), ("a\u{200B}b", 2), ("…", 1), ("█▁⣿", 3),
            ("½", 1),
            ("नमस्ते", 4), ("\u{1B}", 0),
        ])
    func widths(_ text: String, _ columns: Int) { #expect(DisplayWidth.of(text) == columns) }

    @Test("cutting never exceeds the width, even between wide characters")
    func cutting() {
        #expect(Fit.truncated("abcdef", to: 4) == "abc…")
        #expect(Fit.truncated("abcdef", to: 6) == "abcdef")
        #expect(Fit.truncated("漢字漢字", to: 4) == "漢…")
        #expect(Fit.truncated("abcdefghij", to: 7, .middle) == "abc…hij")
        #expect(Fit.truncated("abc", to: 0) == "")
        for width in 0...12 {
            for text in ["abcdefghijklm", "漢a字b漢c字", "👩‍👩‍👧‍👦👍🏽👩‍👩‍👧‍👦👍🏽"] {
                #expect(DisplayWidth.of(Fit.truncated(text, to: width)) <= width)
                #expect(DisplayWidth.of(Fit.truncated(text, to: width, .middle)) <= width)
            }
        }
    }

    @Test("wrapping keeps every word and the width")
    func wrapping() {
        #expect(Wrap.lines("one two  three", width: 7) == ["one two", "three"])
        #expect(Wrap.lines("abcdefgh i", width: 3) == ["abc", "def", "gh", "i"])
        #expect(Wrap.lines("漢字", width: 1) == ["漢", "字"])
        #expect(Wrap.lines("", width: 5) == [])
    }

    @Test("controls and marks that reorder text are spelled out; scripts and emoji are left alone")
    func escaping() {
        #expect(Escape.text("a\tb\r\nc\u{0}") == "a\\tb\\r\\nc\\u{0}")
        #expect(Escape.text("\u{1B}]0;title\u{7}") == "\\u{1b}]0;title\\u{7}")
        #expect(Escape.text("\u{9B}31m\u{7F}") == "\\u{9b}31m\\u{7f}")
        for scalar in ["\u{202A}", "\u{202E}", "\u{2066}", "\u{2069}", "\u{200F}", "\u{61C}", "\u{2028}", "\u{E0041}"] {
            #expect(Escape.text("x\(scalar)y").hasPrefix("x\\u{"), "\(scalar.unicodeScalars.first!.value)")
        }
        for text in ["plain", "naïve", "العربية", "👩‍👩‍👧‍👦❤️", "क्षि", "\\n"] { #expect(Escape.text(text) == text) }
    }
}

@Suite("The nearest name is found") struct NearestTests {
    @Test("slips are counted as Damerau counts them")
    func slips() {
        let pairs = [("", "abc", 3), ("abc", "abc", 0), ("ab", "ba", 1), ("kitten", "sitting", 3), ("ca", "abc", 3)]
        for (a, b, slips) in pairs {
            #expect(Nearest.slips(a, b) == slips)
            #expect(Nearest.slips(b, a) == slips)
        }
    }

    @Test("the best come first, and what is far is not offered")
    func ranking() {
        let names = ["val_accuracy", "val_loss", "train_loss", "lr", "epoch"]
        #expect(Nearest.names(to: "val_los", among: names).first == "val_loss")
        #expect(Nearest.names(to: "val", among: names) == ["val_loss", "val_accuracy"])
        #expect(Nearest.names(to: "VAL_LOSS", among: names) == ["val_loss"])
        #expect(Nearest.names(to: "epcoh", among: names) == ["epoch"])
        #expect(Nearest.names(to: "zzz", among: names) == [])
        #expect(Nearest.names(to: "", among: names) == [])
        #expect(Nearest.names(to: String(repeating: "a", count: 100_000), among: names) == [])
        #expect(Nearest.question("rl", among: names) == " Did you mean “lr”?")
        #expect(Nearest.question("los1", among: ["loss", "lost"]) == " Did you mean “loss” or “lost”?")
    }
}
