/// What a client would like to get, from its Accept header.
package struct Accept: Sendable, Hashable {
    private struct Wish: Sendable, Hashable {
        let essence: String
        let quality: Double
    }

    private let wishes: [Wish]

    package init(_ values: [String]) {
        wishes = values.flatMap { MediaType.splitQuoted($0, on: UInt8(ascii: ",")) }.prefix(64).compactMap { piece in
            guard let type = MediaType(piece) else { return nil }
            let quality = type.parameters["q"].map { Double($0) ?? 0 } ?? 1
            return Wish(essence: type.essence, quality: quality.isFinite ? quality : 0)
        }
    }

    /// How much a type is wanted, 0 to 1. The most exact wish decides; no header at all wants everything.
    package func quality(of essence: String) -> Double {
        guard !wishes.isEmpty else { return 1 }
        let group = essence.prefix { $0 != "/" } + "/*"
        for pattern in [essence, String(group), "*/*"] {
            if let wish = wishes.first(where: { $0.essence == pattern }) { return wish.quality }
        }
        return 0
    }

    /// The offer wanted most, the earlier one at a tie; nil if none is wanted at all.
    package func preferred(among offers: [String]) -> String? {
        var best: (offer: String, quality: Double)?
        for offer in offers {
            let quality = quality(of: offer)
            if quality > (best?.quality ?? 0) { best = (offer, quality) }
        }
        return best?.offer
    }

    /// True when the type itself is named: a browser's `*/*` is no wish for an event stream.
    package func names(_ essence: String) -> Bool { wishes.contains { $0.essence == essence && $0.quality > 0 } }
}
