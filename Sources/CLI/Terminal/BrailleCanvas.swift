/// A field of dots, two by four to a character, each drawn by one of several pens.
struct BrailleCanvas {
    let columns: Int
    let rows: Int
    private var dots: [UInt8]
    /// The first pen that touched a character gives its colour.
    private var pens: [Int?]

    var width: Int { columns * 2 }
    var height: Int { rows * 4 }

    init(columns: Int, rows: Int) {
        (self.columns, self.rows) = (columns, rows)
        dots = Array(repeating: 0, count: columns * rows)
        pens = Array(repeating: nil, count: columns * rows)
    }

    /// The bits of Unicode's braille patterns: dots 1-3 and 7 on the left, 4-6 and 8 on the right.
    private static let bits: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]

    /// `y` counts from the bottom.
    mutating func set(_ x: Int, _ y: Int, pen: Int) {
        guard x >= 0, y >= 0, x < width, y < height else { return }
        let row = rows - 1 - y / 4
        let place = row * columns + x / 2
        dots[place] |= BrailleCanvas.bits[x % 2][3 - y % 4]
        if pens[place] == nil { pens[place] = pen }
    }

    /// All dots between two, after Bresenham (1965).
    mutating func line(from a: (x: Int, y: Int), to b: (x: Int, y: Int), pen: Int) {
        let (dx, dy) = (abs(b.x - a.x), -abs(b.y - a.y))
        let (sx, sy) = (a.x < b.x ? 1 : -1, a.y < b.y ? 1 : -1)
        var (x, y, slack) = (a.x, a.y, dx + dy)
        while true {
            set(x, y, pen: pen)
            if x == b.x, y == b.y { return }
            let twice = 2 * slack
            if twice >= dy {
                slack += dy
                x += sx
            }
            if twice <= dx {
                slack += dx
                y += sy
            }
        }
    }

    func isSet(_ x: Int, _ y: Int) -> Bool {
        dots[(rows - 1 - y / 4) * columns + x / 2] & BrailleCanvas.bits[x % 2][3 - y % 4] != 0
    }

    /// One row of characters, an empty one being a blank rather than an empty pattern.
    func text(row: Int, style: (Int) -> Style, paint: Paint) -> String {
        var text = ""
        var run = ""
        var pen: Int?
        func flush() { text += pen.map { paint(run, style($0)) } ?? run }
        for place in (row * columns)..<((row + 1) * columns) {
            if pens[place] != pen {
                flush()
                (run, pen) = ("", pens[place])
            }
            run.unicodeScalars.append(dots[place] == 0 ? " " : Unicode.Scalar(0x2800 + UInt32(dots[place])) ?? " ")
        }
        flush()
        return text
    }
}
