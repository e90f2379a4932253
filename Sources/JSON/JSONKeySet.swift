/// The keys met so far in one object, so that a second one of the same name can be refused.
///
/// Comparing one by one is fastest for the few keys of ordinary objects; past that a hash set keeps a hostile object of a
/// million keys linear. It keeps the lent keys themselves: no string is made.
package struct JSONKeySet {
    private static let fewMax = 12
    private var few: [JSONText] = []
    private var many: Set<JSONText> = []

    package init() {}

    /// Remembers `key`, or refuses it when it was there already. `scanner` says where.
    package mutating func insert(_ key: JSONText, at scanner: borrowing JSONScanner) throws(JSONError) {
        if isNew(key) { return }
        throw scanner.error(
            .duplicateKey, "The key “\(JSONScanner.excerpt(key.string))” occurs twice in one object",
            remedy: "Send each key once.")
    }

    private mutating func isNew(_ key: JSONText) -> Bool {
        guard many.isEmpty else { return many.insert(key).inserted }
        guard !few.contains(key) else { return false }
        few.append(key)
        if few.count > Self.fewMax { many = Set(few) }
        return true
    }
}
