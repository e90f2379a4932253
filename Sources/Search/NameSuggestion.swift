/// The names nearest to a misspelled one, nearest first, at most three.
enum NameSuggestion {
    static func nearest(to word: String, among names: some Sequence<String>) -> [String] {
        let wanted = Array(word.lowercased().unicodeScalars.prefix(100))
        let allowed = wanted.count <= 3 ? 1 : 2
        var found: [(distance: Int, name: String)] = []
        for name in names {
            let candidate = Array(name.lowercased().unicodeScalars.prefix(100))
            guard abs(candidate.count - wanted.count) <= allowed else { continue }
            let distance = distance(wanted, candidate)
            if distance <= allowed, distance < max(wanted.count, candidate.count) { found.append((distance, name)) }
        }
        return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
    }

    /// Letters to insert, take away, change or swap with their neighbour.
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in b.indices {
                var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }

    /// `“a”`, `“a” or “b”`, `“a”, “b” or “c”`.
    static func list(_ names: [String]) -> String {
        let quoted = names.map { SearchError.quoted($0) }
        return quoted.count < 2
            ? quoted.joined() : quoted.dropLast().joined(separator: ", ") + " or " + quoted[quoted.count - 1]
    }
}
