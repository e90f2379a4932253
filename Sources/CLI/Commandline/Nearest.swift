/// Finds the name that was probably meant. Used for commands and options, and for the names in a store:
/// a run, a metric, an experiment.
package enum Nearest {
    /// Names longer than this are not compared: the work grows with the square of the length.
    static let lengthMax = 250

    /// The candidates nearest to a word, best first; empty when none is near enough to be worth saying.
    package static func names(to word: String, among candidates: some Sequence<String>, limit: Int = 3) -> [String] {
        let wanted = Array(word.lowercased().unicodeScalars)
        guard !wanted.isEmpty, wanted.count <= lengthMax, limit > 0 else { return [] }
        var seen: Set<String> = []
        var ranked: [(name: String, cost: Int)] = []
        for name in candidates where seen.insert(name).inserted {
            if let cost = cost(of: Array(name.lowercased().unicodeScalars), for: wanted) { ranked.append((name, cost)) }
        }
        ranked.sort { ($0.cost, $0.name.utf8.count, $0.name) < ($1.cost, $1.name.utf8.count, $1.name) }
        return ranked.prefix(limit).map(\.name)
    }

    /// ` Did you mean “runs”?`, ready to stand behind a sentence; empty when nothing is near.
    package static func question(_ word: String, among candidates: some Sequence<String>, limit: Int = 3) -> String {
        let names = names(to: word, among: candidates, limit: limit).map { "“\(Escape.text($0))”" }
        guard let last = names.last else { return "" }
        return names.count == 1
            ? " Did you mean \(last)?" : " Did you mean \(names.dropLast().joined(separator: ", ")) or \(last)?"
    }

    /// Twice the number of slips between the two, so that a beginning of a name can come between: `val` is nearer to
    /// `val_loss` than a word with two slips is. Nil when they are too far apart: about a slip for each three letters.
    private static func cost(of name: [Unicode.Scalar], for wanted: [Unicode.Scalar]) -> Int? {
        guard !name.isEmpty, name.count <= lengthMax else { return nil }
        if wanted.count >= 2, name.starts(with: wanted) { return name.count == wanted.count ? 0 : 3 }
        let slipsMax = max(1, (min(wanted.count, name.count) + 1) / 3)
        guard abs(wanted.count - name.count) <= slipsMax else { return nil }
        let slips = slips(wanted, name)
        guard slips <= slipsMax, slips < max(wanted.count, name.count) else { return nil }
        return slips * 2
    }

    /// Damerau and Levenshtein's distance between two words, restricted to one edit a place: letters added, lost,
    /// changed, and neighbours swapped (Damerau 1964). O(n·m) time, three rows of memory.
    package static func slips(_ a: String, _ b: String) -> Int {
        slips(Array(a.unicodeScalars), Array(b.unicodeScalars))
    }

    private static func slips(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var twoBack = [Int](repeating: 0, count: b.count + 1)
        var back = Array(0...b.count)
        var row = back
        for i in 1...a.count {
            row[0] = i
            for j in 1...b.count {
                let change = back[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                row[j] = min(change, back[j] + 1, row[j - 1] + 1)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { row[j] = min(row[j], twoBack[j - 2] + 1) }
            }
            (twoBack, back, row) = (back, row, twoBack)
        }
        return back[b.count]
    }
}
