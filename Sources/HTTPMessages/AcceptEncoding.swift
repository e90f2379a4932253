/// Which codings a client can unpack, from its Accept-Encoding header.
package struct AcceptEncoding: Sendable, Hashable {
    private struct Wish: Sendable, Hashable {
        let name: String
        let quality: Double
    }

    private let wishes: [Wish]

    package init(_ values: [String]) {
        wishes = values.flatMap { MediaType.splitQuoted($0, on: UInt8(ascii: ",")) }.prefix(64).compactMap { piece in
            let parts = MediaType.splitQuoted(piece, on: UInt8(ascii: ";"))
            let name = parts[0].trimmingHTTPSpace().asciiLowercased()
            guard !name.isEmpty else { return nil }
            var quality = 1.0
            for part in parts.dropFirst() {
                guard let (key, value) = MediaType.parameter(part), key == "q" else { continue }
                quality = Double(value) ?? 0
            }
            return Wish(name: name == "x-gzip" ? "gzip" : name, quality: quality.isFinite ? quality : 0)
        }
    }

    /// The offer wanted most, the earlier one at a tie; nil when the bytes are wanted as they are, or nothing was said.
    ///
    /// `*` is everything that is not named, and only the last offer is safe to send to somebody who says no more.
    package func preferred(among offers: [String]) -> String? {
        var best: (offer: String, quality: Double)?
        for offer in offers {
            let quality = quality(of: offer) ?? (offer == offers.last ? quality(of: "*") : nil) ?? 0
            if quality > (best?.quality ?? 0) { best = (offer, quality) }
        }
        guard let best, best.quality >= quality(of: "identity") ?? 0 else { return nil }
        return best.offer
    }

    private func quality(of name: String) -> Double? { wishes.first { $0.name == name }?.quality }
}
