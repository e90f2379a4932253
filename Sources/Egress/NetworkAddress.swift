import Glibc

/// An address of the network, as the resolver gave it.
package struct NetworkAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 of them, or 16. An IPv4 address that was written as IPv6 is the former: they lead to the same machine.
    package let bytes: [UInt8]

    /// Nil for another count than 4 or 16.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        let isMapped = bytes.count == 16 && bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10...11] == [0xFF, 0xFF]
        self.bytes = isMapped ? Array(bytes[12...]) : bytes
    }

    /// What is written as an address and not as a name: `10.0.0.1`, `fd00::1`, `[::1]`.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        var raw = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &raw) == 1 {
            self.init(bytes: Array(raw[..<4]))
        } else if inet_pton(AF_INET6, text, &raw) == 1 {
            self.init(bytes: raw)
        } else {
            return nil
        }
    }

    package var isV4: Bool { bytes.count == 4 }

    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = inet_ntop(isV4 ? AF_INET : AF_INET6, bytes, &text, UInt32(text.count))
        return text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    /// How an address stands in a URL.
    var inURL: String { isV4 ? description : "[\(description)]" }

    /// Whether it belongs to the open network, by the registries of special addresses (IANA, RFC 6890 and after).
    package var isPublic: Bool {
        if isV4 { return !NetworkAddress.closedV4.contains { $0.contains(self) } }
        // What carries an IPv4 address inside leads where that one leads.
        if NetworkAddress.translated.contains(self) {
            return NetworkAddress(bytes: Array(bytes[12...])).map(\.isPublic) ?? false
        }
        return NetworkAddress.globalV6.contains(self) && !NetworkAddress.closedV6.contains { $0.contains(self) }
    }

    private static let closedV4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        // A public address by its number, and the metadata of a cloud all the same.
        "168.63.129.16/32",
    ].compactMap { NetworkRange($0) }

    private static let globalV6 = NetworkRange("2000::/3")!
    private static let closedV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].compactMap {
        NetworkRange($0)
    }
    private static let translated = NetworkRange("64:ff9b::/96")!
}

/// Addresses that begin alike: `10.0.0.0/8`, `fd00::/8`, or one of them.
package struct NetworkRange: Hashable, Sendable {
    private let base: [UInt8]
    private let bits: Int

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = NetworkAddress(parts[0]) else { return nil }
        let all = address.bytes.count * 8
        guard parts.count == 2 else {
            (base, bits) = (address.bytes, all)
            return
        }
        guard let count = Int(parts[1]), (0...all).contains(count), parts[1].allSatisfy(\.isNumber) else { return nil }
        (base, bits) = (address.bytes, count)
    }

    package func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == base.count else { return false }
        let (whole, rest) = (bits / 8, bits % 8)
        guard address.bytes[..<whole] == base[..<whole] else { return false }
        return rest == 0 || (address.bytes[whole] ^ base[whole]) >> UInt8(8 - rest) == 0
    }
}
