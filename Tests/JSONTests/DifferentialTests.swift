import Foundation
import MartletJSON
import Testing

/// Whether our value and Foundation's say the same.
private func same(_ ours: JSONValue, _ theirs: Any) -> Bool {
    switch ours {
    case .null: return theirs is NSNull
    case .bool(let value): return (theirs as? NSNumber)?.boolValue == value
    case .int(let value): return (theirs as? NSNumber)?.int64Value == value
    case .double(let value):
        // JSONSerialization goes through Decimal and rounds twice; exactness is tested against strtod.
        guard let theirs = (theirs as? NSNumber)?.doubleValue else { return false }
        return abs(value - theirs) <= abs(value) * 1e-13
    case .string(let value): return (theirs as? String).map { $0.utf8.elementsEqual(value.utf8) } ?? false
    case .array(let value):
        guard let theirs = theirs as? [Any], theirs.count == value.count else { return false }
        return zip(value, theirs).allSatisfy { same($0, $1) }
    case .object(let value):
        guard let theirs = theirs as? [String: Any] else { return false }
        return theirs.count == value.count
            && value.members.allSatisfy { member in theirs[member.key].map { same(member.value, $0) } ?? false }
    }
}

private func foundation(_ bytes: [UInt8]) -> Any? {
    try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
}

@Suite("Random documents") struct DifferentialTests {
    @Test("are read as Foundation reads them, and come back from the writer")
    func documents() throws {
        for seed in 1...600 as ClosedRange<UInt64> {
            let text = RandomDocument(seed: seed).text
            let value = try JSONValue(parsing: text)
            let theirs = try #require(foundation(Array(text.utf8)), "seed \(seed): \(text)")
            #expect(same(value, theirs), "seed \(seed): \(text)")

            for isPretty in [false, true] {
                var writer = JSONWriter(pretty: isPretty, escapesLessThan: seed % 2 == 0)
                writer.value(value)
                #expect(try JSONValue(parsing: writer.bytes) == value, "seed \(seed): \(writer.text)")
                let again = try #require(foundation(writer.bytes), "seed \(seed): \(writer.text)")
                #expect(same(value, again), "seed \(seed): \(writer.text)")
            }
        }
    }

    @Test("cut off anywhere are refused, unless they are a number or end in white space")
    func truncations() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            let bytes = Array("[\(RandomDocument(seed: seed).text)]".utf8)
            for length in bytes.indices {
                #expect(throws: JSONError.self, "seed \(seed), \(length) bytes") {
                    try JSONValue(parsing: Array(bytes[..<length]))
                }
            }
        }
    }

    @Test("with bytes changed are refused, or else are valid to Foundation too and mean the same")
    func mutations() throws {
        let tokens: [[UInt8]] = [
            "\"", "\\", "{", "}", "[", "]", ",", ":", "\\u", "\\ud800", "e", ".", "-", "0", "\u{0}",
        ]
        .map { Array($0.utf8) }
        var refused = 0
        var accepted = 0
        for seed in 1...4000 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            var bytes = Array(RandomDocument(seed: seed % 200 + 1).text.utf8)
            for _ in 0...random.below(3) where !bytes.isEmpty {
                let place = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(contentsOf: tokens[random.below(tokens.count)], at: place)
                default: bytes.swapAt(place, random.below(bytes.count))
                }
            }
            // Looser readers must not crash either.
            _ = try? JSONValue(parsing: bytes, allowsNonFinite: true)
            do throws(JSONError) {
                let value = try JSONValue(parsing: bytes)
                accepted += 1
                guard let theirs = foundation(bytes) else {
                    Issue.record("seed \(seed): refused by Foundation: \(String(decoding: bytes, as: UTF8.self))")
                    continue
                }
                #expect(same(value, theirs), "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            } catch {
                refused += 1
                #expect((0...bytes.count).contains(error.offset), "seed \(seed)")
            }
        }
        // Both ways are walked, or this test says nothing.
        #expect(refused > 500)
        #expect(accepted > 200)
    }

    @Test("of random bytes are refused or read, never more")
    func noise() {
        let alphabet = Array("{}[]\",:\\u0123456789eE+-. truefalsn\n\u{1}é".utf8)
        for seed in 1...20_000 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let bytes = (0..<random.below(40)).map { _ in
                random.below(8) == 0 ? UInt8(truncatingIfNeeded: random.next()) : alphabet[random.below(alphabet.count)]
            }
            guard let value = try? JSONValue(parsing: bytes, allowsNonFinite: true) else { continue }
            var writer = JSONWriter()
            writer.value(value)
            #expect((try? JSONValue(parsing: writer.bytes)) != nil, "seed \(seed): \(writer.text)")
        }
    }
}
