import CCrypto
package import MartletDomain

/// The SHA-256 of bytes that come in pieces, by OpenSSL's libcrypto, which uses the processor's own instructions.
package final class SHA256 {
    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto has no SHA-256, which no build of it lacks")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        EVP_DigestUpdate(context, base, bytes.count)
    }

    /// Ends the digest; further updates are a mistake of ours.
    package func finish() -> Digest {
        var out = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        EVP_DigestFinal_ex(context, &out, &count)
        return Digest(bytes: out)
    }

    package static func digest(of bytes: some Collection<UInt8>) -> Digest {
        let hash = SHA256()
        if bytes.withContiguousStorageIfAvailable({ hash.update(UnsafeRawBufferPointer($0)) }) == nil {
            Array(bytes).withUnsafeBytes { hash.update($0) }
        }
        return hash.finish()
    }

    package static func digest(of text: String) -> Digest { digest(of: text.utf8) }
}

/// Bytes that nobody can guess.
package enum Chance {
    package static func bytes(_ count: Int) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count)
        let done = RAND_bytes(&out, Int32(count))
        precondition(done == 1, "the system gives no random bytes")
        return out
    }
}
