import MartletClient

/// Curves in a terminal, drawn with braille dots.
///
/// Each dot column shows the exact range of the points that fall into it, so that a single spike among a million points
/// is seen. A value that is not finite (or not above zero on a logarithmic axis) interrupts its curve and leaves a `×`
/// on the axis.
package struct LinePlot: Sendable {
    package struct Point: Hashable, Sendable {
        package var x: Double
        package var y: Double
        package init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
    }

    package struct Series: Sendable {
        package var name: String
        package var points: [Point]
        package init(_ name: String, _ points: [Point]) { (self.name, self.points) = (name, points) }
    }

    package var series: [Series]
    package var xTitle: String
    package var isLogY: Bool
    /// How a place on the x axis reads, for axes that are not plain numbers.
    package var xLabel: (@Sendable (Double) -> String)?

    package init(
        _ series: [Series], xTitle: String = "step", isLogY: Bool = false, xLabel: (@Sendable (Double) -> String)? = nil
    ) {
        (self.series, self.xTitle, self.isLogY, self.xLabel) = (series, xTitle, isLogY, xLabel)
    }

    private static let styles: [Style] = [.cyan, .yellow, .magenta, .green, .blue, .red]
    private static func style(_ series: Int) -> Style { styles[series % styles.count] }
    /// Stands at a curve's end and before its name: colours alone do not reach everyone, nor every log file.
    private static func letter(_ series: Int) -> String {
        String(Character(Unicode.Scalar(UInt8(ascii: "A") + UInt8(series % 26))))
    }

    /// At most `width` columns and `height` lines, but never smaller than 24 by 6, legend and axes included.
    package func rendered(width: Int, height: Int, paint: Paint = .plain) -> String {
        let (width, height) = (max(24, width), max(6, height))
        guard let y = PlotScale(covering: range(\.y, isLog: isLogY), isLog: isLogY),
            let x = PlotScale(covering: range(\.x, isLog: false))
        else {
            return "Nothing to plot: there is no finite value\(isLogY ? " above zero" : "").\n"
        }
        let legend = legend(width: width, room: max(1, min(height / 3, height - 5)), paint: paint)
        let rows = max(3, height - 2 - legend.count)
        let ticks = y.ticks(about: max(3, rows / 3))
        let title = Fit.truncated(Escape.text(xTitle), to: 10)
        let gutter = max(ticks.map(\.label.count).max() ?? 0, DisplayWidth.of(title))
        let margin = series.count > 1 ? 2 : 0
        let columns = max(4, width - gutter - 2 - margin)

        var canvas = BrailleCanvas(columns: columns, rows: rows)
        var gaps: Set<Int> = []
        var ends: [Int: String] = [:]
        for (place, one) in series.enumerated() {
            let end = draw(one, pen: place, x, y, on: &canvas, gaps: &gaps)
            guard margin > 0, let end else { continue }
            let row = LinePlot.freeRow(near: rows - 1 - end / 4, taken: ends, rows: rows)
            if let row { ends[row] = paint(LinePlot.letter(place), LinePlot.style(place)) }
        }

        var labels: [Int: String] = [:]
        for tick in ticks {
            guard let fraction = y.fraction(tick.value) else { continue }
            labels[rows - 1 - Int((fraction * Double(canvas.height - 1)).rounded()) / 4] = tick.label
        }
        var lines = (0..<rows).map { row in
            let label = Fit.padded(labels[row] ?? "", to: gutter, .right)
            let curve = canvas.text(row: row, style: LinePlot.style, paint: paint)
            let line = "\(label) \(labels[row] == nil ? "│" : "┤")\(curve)" + (ends[row].map { " " + $0 } ?? "")
            return LinePlot.trimmed(line)
        }
        lines += axis(x, columns: columns, gutter: gutter, title: title, gaps: gaps)
        return (lines + legend).joined(separator: "\n") + "\n"
    }

    // MARK: Curves

    private func isShown(_ point: Point) -> Bool { point.y.isFinite && (!isLogY || point.y > 0) }

    private func range(_ side: KeyPath<Point, Double>, isLog: Bool) -> (low: Double, high: Double)? {
        var range: (low: Double, high: Double)?
        for one in series {
            for point in one.points {
                let value = point[keyPath: side]
                guard value.isFinite, !isLog || value > 0 else { continue }
                range = range.map { (min($0.low, value), max($0.high, value)) } ?? (value, value)
            }
        }
        return range
    }

    /// The height in dots at which the curve ends; nil when nothing of it is seen.
    private func draw(
        _ one: Series, pen: Int, _ x: PlotScale, _ y: PlotScale, on canvas: inout BrailleCanvas, gaps: inout Set<Int>
    ) -> Int? {
        var points = one.points.filter { $0.x.isFinite }
        let isSorted = zip(points, points.dropFirst()).allSatisfy { $0.x <= $1.x }
        // A resumed run goes back in steps; its curve is drawn from left to right all the same.
        if !isSorted { points.sort { $0.x < $1.x } }
        var last: (x: Int, y: Int)?
        var end: Int?
        for point in points {
            guard let across = x.fraction(point.x) else { continue }
            let column = Int((across * Double(canvas.width - 1)).rounded())
            guard isShown(point), let up = y.fraction(point.y) else {
                gaps.insert(column / 2)
                last = nil
                continue
            }
            let dot = (x: column, y: Int((up * Double(canvas.height - 1)).rounded()))
            if let last, last == dot { continue }
            canvas.line(from: last ?? dot, to: dot, pen: pen)
            (last, end) = (dot, dot.y)
        }
        return end
    }

    /// Curves that end together get letters below and above one another.
    private static func freeRow(near row: Int, taken: [Int: String], rows: Int) -> Int? {
        for distance in 0..<rows {
            for candidate in [row + distance, row - distance] where (0..<rows).contains(candidate) {
                if taken[candidate] == nil { return candidate }
            }
        }
        return nil
    }

    // MARK: Around the curves

    private func axis(_ x: PlotScale, columns: Int, gutter: Int, title: String, gaps: Set<Int>) -> [String] {
        var rule = Array(repeating: Character("─"), count: columns)
        var labels = Array(repeating: Character(" "), count: columns)
        var free = 0
        for tick in x.ticks(about: max(2, columns / 12)) {
            guard let fraction = x.fraction(tick.value) else { continue }
            let column = Int((fraction * Double(columns * 2 - 1)).rounded()) / 2
            let label = Array(xLabel?(tick.value) ?? tick.label)
            let start = min(max(0, column - label.count / 2), columns - label.count)
            guard start >= free, !label.isEmpty else { continue }
            rule[column] = "┬"
            labels.replaceSubrange(start..<(start + label.count), with: label)
            free = start + label.count + 1
        }
        for gap in gaps { rule[gap] = "×" }
        let margin = String(repeating: " ", count: gutter + 1)
        return [
            "\(margin)└\(String(rule))",
            LinePlot.trimmed("\(Fit.padded(title, to: gutter, .right))  \(String(labels))"),
        ]
    }

    private func legend(width: Int, room: Int, paint: Paint) -> [String] {
        let shown = series.count > room ? Array(series.prefix(max(0, room - 1))) : series
        let names = shown.map { Escape.text($0.name) }
        let facts = shown.map(facts(of:))
        let factWidth = facts.map(\.count).max() ?? 0
        let nameWidth = min(names.map(DisplayWidth.of).max() ?? 0, max(8, width - factWidth - 4))
        var lines = zip(names, facts).enumerated().map { place, texts in
            let letter = series.count > 1 ? LinePlot.letter(place) + " " : ""
            let name = Fit.padded(Fit.truncated(texts.0, to: nameWidth, .middle), to: nameWidth, .left)
            let room = width - letter.count - nameWidth - 2
            return paint(letter + name, LinePlot.style(place)) + "  " + Fit.truncated(texts.1, to: room)
        }
        if shown.count < series.count { lines.append("(+\(series.count - shown.count) series)") }
        return lines
    }

    private func facts(of one: Series) -> String {
        var range: (low: Double, high: Double)?
        var last: Point?
        var missing = 0
        for point in one.points where point.x.isFinite {
            guard isShown(point) else {
                missing += 1
                continue
            }
            range = range.map { (min($0.low, point.y), max($0.high, point.y)) } ?? (point.y, point.y)
            if last.map({ point.x >= $0.x }) ?? true { last = point }
        }
        guard let range, let last else { return missing == 0 ? "no values" : "× \(missing) left out" }
        let gaps = missing == 0 ? "" : "  × \(missing) left out"
        return "last \(NumberText.compact(last.y))  min \(NumberText.compact(range.low))"
            + "  max \(NumberText.compact(range.high))\(gaps)"
    }

    private static func trimmed(_ line: String) -> String {
        var line = line[...]
        while line.last == " " { line.removeLast() }
        return String(line)
    }
}
