/// Rows and columns for people: fits the window, says what it left out, and writes itself as CSV for programs.
package struct Table: Sendable {
    package struct Column: Hashable, Sendable {
        package var title: String
        package var alignment: Alignment
        /// Never narrower; 0 for no wish.
        package var widthMin: Int
        /// Never wider while something has to fit; longer text is cut.
        package var widthMax: Int?
        /// Columns of low priority leave first when there is no room, of equal ones the rightmost.
        package var priority: Int
        package var truncation: Truncation
        /// A number cut short is another number: such a column keeps its width or leaves.
        package var isWhole: Bool

        package static func text(
            _ title: String, _ alignment: Alignment = .left, widthMin: Int = 0, widthMax: Int? = nil,
            priority: Int = 0, truncation: Truncation = .end
        ) -> Column {
            Column(
                title: title, alignment: alignment, widthMin: widthMin, widthMax: widthMax, priority: priority,
                truncation: truncation, isWhole: false)
        }

        package static func number(_ title: String, widthMin: Int = 0, priority: Int = 0) -> Column {
            Column(
                title: title, alignment: .right, widthMin: widthMin, widthMax: nil, priority: priority,
                truncation: .end, isWhole: true)
        }
    }

    package struct Cell: Hashable, Sendable {
        /// As a stranger wrote it: the table escapes it. Nil when there is nothing, which is not the empty text.
        package var text: String?
        /// What CSV gets instead, when people see less: every digit of a number.
        package var exact: String?
        package var styles: [Style]
        package init(_ text: String?, exact: String? = nil, _ styles: Style...) {
            (self.text, self.exact, self.styles) = (text, exact, styles)
        }
        package static let missing = Cell(nil)
    }

    package var columns: [Column]
    package var rows: [[Cell]] = []
    /// Spaces between columns.
    package var gap: Int
    package var indent: Int

    package init(_ columns: [Column], gap: Int = 2, indent: Int = 0) {
        (self.columns, self.gap, self.indent) = (columns, gap, indent)
    }

    /// A row shorter than the columns ends in missing cells; cells without a column are not shown.
    package mutating func add(_ cells: [Cell]) { rows.append(cells) }
    package mutating func add(_ cells: String?...) { rows.append(cells.map { Cell($0) }) }

    // MARK: For people

    /// The table with a rule under its titles. Without a width nothing is cut and no column leaves.
    package func rendered(width: Int? = nil, paint: Paint = .plain) -> String {
        guard !columns.isEmpty else { return "" }
        let texts = rows.map { row in
            columns.indices.map { $0 < row.count ? row[$0].text.map(Escape.text) ?? "-" : "-" }
        }
        let titles = columns.map { Escape.text($0.title) }
        var natural = titles.map(DisplayWidth.of)
        for row in texts {
            for (column, text) in row.enumerated() { natural[column] = max(natural[column], DisplayWidth.of(text)) }
        }
        let layout = TableLayout(columns: columns, natural: natural, gap: gap, width: width.map { $0 - indent })

        var lines = [line(titles, styles: { _ in [.bold] }, layout, paint)]
        lines.append(String(repeating: " ", count: indent) + paint(String(repeating: "-", count: layout.total), .dim))
        for (row, cells) in zip(texts, rows) {
            let missing: [Style] = [.dim]
            lines.append(
                line(
                    row,
                    styles: { $0 < cells.count && cells[$0].text != nil ? cells[$0].styles : missing }, layout, paint))
        }
        if layout.leftOut > 0 {
            lines.append("(+\(layout.leftOut) \(layout.leftOut == 1 ? "column" : "columns"): --wide)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(
        _ texts: [String], styles: (Int) -> [Style], _ layout: TableLayout, _ paint: Paint
    ) -> String {
        var line = String(repeating: " ", count: indent)
        for (place, column) in layout.shown.enumerated() {
            if place > 0 { line += String(repeating: " ", count: gap) }
            let width = layout.widths[place]
            let text = Fit.truncated(texts[column], to: width, columns[column].truncation)
            let padding = String(repeating: " ", count: max(0, width - DisplayWidth.of(text)))
            let painted = paint(text, styles(column))
            // No blanks at the end of a line: they would wrap in a window narrowed later.
            let isLast = place == layout.shown.count - 1
            line += columns[column].alignment == .right ? padding + painted : painted + (isLast ? "" : padding)
        }
        return line
    }

    // MARK: For programs

    /// RFC 4180, every column, with a line of titles; missing cells are empty.
    package func csv() -> String {
        var text = columns.map { CSV.field($0.title) }.joined(separator: ",") + "\r\n"
        for row in rows {
            let fields = columns.indices.map { column -> String in
                guard column < row.count else { return "" }
                return (row[column].exact ?? row[column].text).map(CSV.field) ?? ""
            }
            text += fields.joined(separator: ",") + "\r\n"
        }
        return text
    }
}

/// Fields of RFC 4180 that a spreadsheet cannot mistake for formulas.
package enum CSV {
    package static func field(_ text: String) -> String {
        let text = isFormula(text) ? "'" + text : text
        let needsQuotes = text.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13].contains($0) }
        guard needsQuotes else { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { quoted += "\"" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }

    /// A spreadsheet runs what begins with `= + - @`; it also skips a tab or a line break in front of them.
    private static func isFormula(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, "=+-@\t\r\n".unicodeScalars.contains(first) else { return false }
        return ValueShape.number(in: text) == nil
    }
}
