/// SplitMix64: the same seed gives the same documents on every machine, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}

/// A random document, written with random white space and escapes, from rules of its own and not by the writer under test.
struct RandomDocument {
    var random: SeededGenerator
    private(set) var text = ""

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        value(depth: 0)
    }

    private mutating func value(depth: Int) {
        space()
        switch random.below(depth > 5 ? 5 : 8) {
        case 0: text += ["true", "false", "null"].randomElement(using: &random) ?? "null"
        case 1: text += String(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
        case 2: text += "\(Double(random.below(2_000_000) - 1_000_000) / 1000)"
        case 3:
            let double = Double(bitPattern: random.next())
            text += double.isFinite ? "\(double)" : "0.1"
        case 4: string()
        case 5, 6:
            text += "{"
            for i in 0..<random.below(6) {
                if i > 0 { text += "," }
                space()
                // The place in front keeps the keys distinct.
                text += "\"\(i)"
                stringBody()
                text += "\""
                space()
                text += ":"
                value(depth: depth + 1)
            }
            space()
            text += "}"
        default:
            text += "["
            for i in 0..<random.below(6) {
                if i > 0 { text += "," }
                value(depth: depth + 1)
            }
            space()
            text += "]"
        }
        space()
    }

    private mutating func space() {
        while random.below(4) == 0 { text += [" ", "\n", "\t", "\r"].randomElement(using: &random) ?? " " }
    }

    private mutating func string() {
        text += "\""
        stringBody()
        text += "\""
    }

    private mutating func stringBody() {
        let pieces = [
            "a", "metric", "train/loss_", "é", "中文", "🐦", "\u{7F}", "\u{2028}", "\\n", "\\\"", "\\\\", "\\/", "\\b",
            "\\f",
            "\\r", "\\t", "\\u00e9", "\\uD83D\\uDC26", "\\u0000", "\\uFFFF", "<", " ",
        ]
        for _ in 0..<random.below(7) { text += pieces.randomElement(using: &random) ?? "" }
    }
}
