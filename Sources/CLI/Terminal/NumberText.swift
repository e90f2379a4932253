internal import Glibc

/// Numbers as people read them. NaN and the infinities are spelled out, as everywhere in the product.
package enum NumberText {
    /// Four significant digits and no idle zeros: `0.2084`, `12346`, `1.23e-05`. Whole numbers below 10⁹ keep every
    /// digit: a step of 100000 must not read as `1e+05`.
    package static func compact(_ value: Double) -> String {
        if let word = word(for: value) { return word }
        if value == 0 { return "0" }
        if value.rounded() == value, abs(value) < 1e9 { return String(Int(value)) }
        return abs(value) >= 1000 && abs(value) < 999_999.5 ? printed("%.0f", value) : printed("%.4g", value)
    }

    /// A fixed count of decimals, for columns: `0.2084`. Numbers too large for that become `1.2346e+12`.
    package static func fixed(_ value: Double, decimals: Int = 4) -> String {
        if let word = word(for: value) { return word }
        let decimals = max(0, min(17, decimals))
        let text = printed(abs(value) < 1e12 ? "%.\(decimals)f" : "%.\(decimals)e", value)
        return text.hasPrefix("-") && !text.contains { ("1"..."9").contains($0) } ? String(text.dropFirst()) : text
    }

    /// A difference always shows its sign: `+0.0123`; none is `0`.
    package static func signed(_ delta: Double) -> String {
        let text = compact(delta)
        return delta > 0 ? "+" + text : text
    }

    /// Every digit that matters, for CSV and JSON: reading it back gives the same number.
    package static func exact(_ value: Double) -> String {
        if let word = word(for: value) { return word }
        return value.rounded() == value && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    /// `512 B`, `1.5 KiB`, `20 MiB`.
    package static func bytes(_ count: Int64) -> String {
        guard count.magnitude >= 1024 else { return "\(count) B" }
        var size = Double(count.magnitude)
        var unit = 0
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        // 1023.96 KiB would be printed as 1024 KiB; it is 1 MiB.
        while size >= 1023.95, unit < units.count - 1 {
            size /= 1024
            unit += 1
        }
        var digits = printed(size < 99.95 ? "%.1f" : "%.0f", size)
        if digits.hasSuffix(".0") { digits.removeLast(2) }
        return (count < 0 ? "-" : "") + digits + " " + units[unit]
    }

    /// `1,234,567`, for counts that stand in sentences.
    package static func grouped(_ count: Int) -> String {
        let digits = Array(String(count.magnitude))
        var text = count < 0 ? "-" : ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    private static func word(for value: Double) -> String? {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return nil
    }

    /// C's own formatting; the process never sets a locale, so the point stays a point.
    static func printed(_ format: String, _ value: Double) -> String {
        withVaList([value]) { arguments in
            unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
                guard let start = buffer.baseAddress else { return "" }
                let count = unsafe vsnprintf(start, buffer.count, format, arguments)
                guard count >= 0, count < buffer.count else { return "" }
                return unsafe String(cString: start)
            }
        }
    }
}
