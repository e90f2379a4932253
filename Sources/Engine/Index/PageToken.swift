import MartletDomain
import MartletSearch
import MartletSeries

/// Where a page ended: the keys of its last run, so that the next page begins behind it whatever was added since.
///
/// Opaque to clients. It carries a digest of the search it belongs to and a checksum, so that a token of another search
/// or a damaged one is refused instead of answering nonsense; and the moment of the first page, so that `ago(7d)` means
/// the same on every page.
struct PageToken: Equatable {
    var search: UInt64
    var now: Int64
    /// Nil for a text that is too long to carry: the last run is asked for it again.
    var keys: [SortKey?]

    private static let version: UInt8 = 1
    static let textBytesMax = 512

    /// Tells searches apart; FNV-1a over their text.
    static func digest(of parts: [String]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in parts {
            for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0x1F) &* 0x100_0000_01B3
        }
        return hash
    }

    var text: String {
        var bytes: [UInt8] = [PageToken.version]
        func put(_ word: UInt64) {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        func put(_ text: String) {
            put(UInt64(text.utf8.count))
            bytes += Array(text.utf8)
        }
        put(search)
        put(UInt64(bitPattern: now))
        bytes.append(UInt8(keys.count))
        for key in keys {
            switch key {
            case nil: bytes.append(7)
            case .number(_, let text?) where text.utf8.count > PageToken.textBytesMax: bytes.append(7)
            case .text(let text) where text.utf8.count > PageToken.textBytesMax: bytes.append(7)
            case .number(let number, nil):
                bytes.append(0)
                put(number.bitPattern)
            case .number(let number, let digits?):
                bytes.append(1)
                put(number.bitPattern)
                put(digits)
            case .time(let moment):
                bytes.append(2)
                put(UInt64(bitPattern: moment))
            case .text(let text):
                bytes.append(3)
                put(text)
            case .nan: bytes.append(4)
            case .flag: bytes.append(5)
            case .missing: bytes.append(6)
            }
        }
        let sum = bytes.withUnsafeBytes { crc32c($0) }
        for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: sum >> UInt32(shift))) }
        return Base64URL.text(of: bytes)
    }

    /// Nil for what this program did not write.
    init?(_ text: String) {
        guard text.utf8.count <= 64 * 1024, let all = Base64URL.bytes(of: text), all.count > 22 else { return nil }
        let bytes = all.dropLast(4)
        let sum = bytes.withUnsafeBytes { crc32c($0) }
        let written = all.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard sum == written else { return nil }
        var cursor = Cursor(rest: bytes)
        guard cursor.byte() == PageToken.version, let search = cursor.word(), let now = cursor.word(),
            let count = cursor.byte()
        else { return nil }
        var keys: [SortKey?] = []
        for _ in 0..<count {
            guard let key = cursor.key() else { return nil }
            keys.append(key)
        }
        guard cursor.rest.isEmpty else { return nil }
        self.init(search: search, now: Int64(bitPattern: now), keys: keys)
    }

    init(search: UInt64, now: Int64, keys: [SortKey?]) { (self.search, self.now, self.keys) = (search, now, keys) }

    private struct Cursor {
        var rest: ArraySlice<UInt8>

        mutating func byte() -> UInt8? { rest.popFirst() }

        mutating func word() -> UInt64? {
            guard rest.count >= 8 else { return nil }
            let word = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(8)
            return word
        }

        mutating func text() -> String? {
            guard let count = word(), count <= UInt64(rest.count) else { return nil }
            let text = String(validating: rest.prefix(Int(count)), as: UTF8.self)
            rest = rest.dropFirst(Int(count))
            return text
        }

        mutating func key() -> SortKey?? {
            switch byte() {
            case 0: return word().map { SortKey.number(Double(bitPattern: $0)) }
            case 1:
                guard let number = word(), let digits = text() else { return nil }
                return .some(.number(Double(bitPattern: number), digits: digits))
            case 2: return word().map { SortKey.time(Int64(bitPattern: $0)) }
            case 3: return text().map { SortKey.text($0) }
            case 4: return .some(.nan)
            case 5: return .some(.flag)
            case 6: return .some(.missing)
            case 7: return .some(nil)
            default: return nil
            }
        }
    }
}

/// Base 64 with the letters that need no escape in an address, without padding.
enum Base64URL {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let values: [UInt8: UInt32] = Dictionary(
        uniqueKeysWithValues: letters.enumerated().map { ($1, UInt32($0)) })

    static func text(of bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count * 4 + 2) / 3)
        var (held, bits): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            held = held << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                out.append(letters[Int(held >> bits & 63)])
            }
            held &= 1 << bits - 1
        }
        if bits > 0 { out.append(letters[Int(held << (6 - bits) & 63)]) }
        return String(decoding: out, as: UTF8.self)
    }

    static func bytes(of text: String) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count * 3 / 4)
        var (held, bits): (UInt32, UInt32) = (0, 0)
        for letter in text.utf8 {
            guard let value = values[letter] else { return nil }
            held = held << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: held >> bits))
                held &= 1 << bits - 1
            }
        }
        // What is left over must be nothing, so that a token has one spelling.
        return held == 0 && bits < 6 ? out : nil
    }
}
