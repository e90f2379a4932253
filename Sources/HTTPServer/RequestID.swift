import MartletHTTPMessages
import Synchronization

/// Names for requests: the client's own where it is harmless, else 16 hex digits.
struct RequestIDs: ~Copyable {
    private let counter = Atomic<UInt64>(UInt64.random(in: .min ... .max))

    func id(for headers: Headers) -> String {
        if let given = headers["x-request-id"], (1...64).contains(given.utf8.count),
            given.utf8.allSatisfy(RequestIDs.isSane)
        {
            return given
        }
        // SplitMix64: a counter would do, but neighbours should not look alike in a log.
        var z = counter.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return String(unsafeUninitializedCapacity: 16) { buffer in
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: z >> UInt64(60 - 4 * index)) & 15
                buffer[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
            }
            return 16
        }
    }

    private static func isSane(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}
