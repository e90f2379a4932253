import CCrypto

/// HMAC with SHA-256: what only those can make, and check, who have the key.
package enum MessageCode {
    package static func sha256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let made = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &out, &count)
        precondition(made != nil && count == 32, "libcrypto has no HMAC-SHA256, which no build of it lacks")
        return out
    }

    /// In a time that says nothing about where they differ.
    package static func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
