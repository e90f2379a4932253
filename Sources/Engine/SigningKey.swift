import MartletArtifacts
package import MartletDomain
import MartletStorage
import Synchronization

/// Signs the addresses that this server gives out, so that whoever holds one may do with it what it says, for as long as
/// it says, and nothing else. The key is made once and lies in the store: an address outlives a restart, and counts at
/// every server of the store.
package final class SigningKey: Sendable {
    private static let setting = "signing-key"

    private let engine: Engine
    private let known = Mutex<[UInt8]?>(nil)

    package init(_ engine: Engine) { self.engine = engine }

    /// Gives the key to `then`, at once where it is known. It is made in a change, so never wait for it here.
    private func key(then: @escaping @Sendable (Result<[UInt8], Refusal>) -> Void) {
        if let key = known.withLock({ $0 }) { return then(.success(key)) }
        engine.store.submit(.live, bytes: 128) { tx throws(Refusal) in
            if let text = try tx.setting(SigningKey.setting), let key = Base64Text.decode(text) { return key }
            let key = Chance.bytes(32)
            try tx.setSetting(SigningKey.setting, Base64Text.encode(key))
            return key
        } then: { [self] result in
            if case .success(let key) = result { known.withLock { $0 = key } }
            then(result)
        }
    }

    /// Something that can sign and check, without waiting again.
    package func ready(_ then: @escaping @Sendable (Result<Signer, Refusal>) -> Void) {
        key { result in then(result.map { Signer(key: $0) }) }
    }

    /// The same for a check; nil while nothing was ever signed, so that nothing can be right.
    package func signer() throws(Refusal) -> Signer? {
        if let key = known.withLock({ $0 }) { return Signer(key: key) }
        let text = try engine.read { (reader: any StoreReader) throws(Refusal) in
            try reader.setting(SigningKey.setting)
        }
        guard let key = text.flatMap(Base64Text.decode) else { return nil }
        known.withLock { $0 = key }
        return Signer(key: key)
    }
}

package struct Signer: Sendable {
    fileprivate let key: [UInt8]

    /// In hex. The words are joined by what none of them can hold.
    package func sign(_ words: [String]) -> String {
        let text = words.map { "\($0.utf8.count):\($0)" }.joined(separator: "\n")
        return Digest(bytes: MessageCode.sha256(key: key, Array(text.utf8))).text
    }

    package func isRight(_ signature: String, _ words: [String]) -> Bool {
        MessageCode.isEqual(Array(signature.utf8), Array(sign(words).utf8))
    }
}
