internal import Glibc

/// One axis of a plot: its range, where a value lies on it, and the values worth a label.
struct PlotScale {
    /// Bounds as the axis measures: logarithms on a logarithmic axis.
    let low: Double
    let high: Double
    let isLog: Bool

    /// An axis that ends exactly at these values; a single value gets some air on both sides. Nil without values.
    init?(covering values: (low: Double, high: Double)?, isLog: Bool = false) {
        guard let values else { return nil }
        self.isLog = isLog
        var low = isLog ? log10(values.low) : values.low
        var high = isLog ? log10(values.high) : values.high
        if !(high / 2 - low / 2 > 0) {
            let most = Double.greatestFiniteMagnitude
            let air = isLog ? 0.5 : (low == 0 ? 1 : max(abs(low) * 0.1, .leastNormalMagnitude))
            (low, high) = (max(-most, low - air), min(most, high + air))
        }
        (self.low, self.high) = (low, high)
    }

    /// 0 at the low end, 1 at the high end; nil for what has no place on the axis.
    func fraction(_ value: Double) -> Double? {
        guard value.isFinite, !isLog || value > 0 else { return nil }
        let measured = isLog ? log10(value) : value
        // Halves, because the distance between the largest numbers has no place in a Double.
        let fraction = (measured / 2 - low / 2) / (high / 2 - low / 2)
        return fraction.isFinite ? min(1, max(0, fraction)) : nil
    }

    /// About so many round values inside the range, with their labels.
    func ticks(about count: Int) -> [(value: Double, label: String)] {
        guard isLog else { return PlotScale.linearTicks(low, high, about: count) }
        let decades = (high - low).rounded(.up)
        let stride = max(1, (decades / Double(max(1, count))).rounded(.up))
        var values: [Double] = []
        var power = (low / stride).rounded(.up) * stride
        while power <= high, values.count < 100 {
            values.append(pow(10, power))
            power += stride
        }
        if values.count < 2 {
            let (bottom, top) = (pow(10, low), pow(10, high))
            let first = pow(10, low.rounded(.down))
            values = [1, 2, 5, 10, 20, 50].map { $0 * first }.filter { $0 >= bottom && $0 <= top }
            if values.count < 2 { return PlotScale.linearTicks(bottom, top, about: count) }
        }
        return values.map { ($0, NumberText.compact($0)) }
    }

    /// Multiples of 1, 2 or 5 times a power of ten (Heckbert, “Nice numbers for graph labels”, Graphics Gems, 1990).
    private static func linearTicks(_ low: Double, _ high: Double, about count: Int) -> [(Double, String)] {
        let rough = (high - low) / Double(max(1, count))
        guard rough.isFinite, rough > 0 else {
            return [(low, NumberText.compact(low)), (high, NumberText.compact(high))]
        }
        let power = pow(10, log10(rough).rounded(.down))
        let mantissa = rough / power
        let factor = mantissa < 1.5 ? 1.0 : mantissa < 3 ? 2 : mantissa < 7 ? 5 : 10
        let step = factor * power
        guard step.isNormal else { return [(low, NumberText.compact(low)), (high, NumberText.compact(high))] }
        let decimals = max(0, Int(-log10(step * 1.001).rounded(.down)))
        var ticks: [(Double, String)] = []
        let first = (low / step - 1e-9).rounded(.up)
        for place in 0..<max(2, count * 3) {
            let value = (first + Double(place)) * step
            guard value <= high + step * 1e-9 else { break }
            let isPlain = decimals <= 5 && abs(value) < 1e7
            ticks.append((value, isPlain ? NumberText.fixed(value, decimals: decimals) : NumberText.compact(value)))
        }
        return ticks
    }
}
