/// A series in one line: `▁▂▃▅▇█`. Every bar is the mean of its share of the values; what is not finite is left out,
/// and a share without any finite value is a blank.
package enum Sparkline {
    private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    package static func text(_ values: [Double], width: Int) -> String {
        guard !values.isEmpty, width > 0 else { return "" }
        let count = min(width, values.count)
        let means = (0..<count).map { bar -> Double? in
            let share = values[(bar * values.count / count)..<((bar + 1) * values.count / count)]
            let finite = share.filter(\.isFinite)
            guard !finite.isEmpty else { return nil }
            // Divided first: the sum of two large numbers may have no place in a Double.
            return finite.reduce(0) { $0 + $1 / Double(finite.count) }
        }
        let finite = means.compactMap { $0 }
        guard let low = finite.min(), let high = finite.max() else { return String(repeating: " ", count: count) }
        return String(
            means.map { mean in
                guard let mean else { return " " }
                guard low < high else { return bars[3] }
                let height = (mean / 2 - low / 2) / (high / 2 - low / 2)
                return bars[min(7, Int(height * 8))]
            })
    }
}
