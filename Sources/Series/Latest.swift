/// Which of two points is the latest: the one comparison that compactor, index and reader share.
package enum Latest {
    /// The greatest step; then the greatest time; then the greatest value, a NaN counting as 0; then the greatest bit
    /// pattern, so that the order is total and two replicas never disagree.
    package static func isLater(_ a: Point, than b: Point) -> Bool {
        if a.step != b.step { return a.step > b.step }
        if a.time != b.time { return a.time > b.time }
        let (x, y) = (a.value.isNaN ? 0 : a.value, b.value.isNaN ? 0 : b.value)
        if x != y { return x > y }
        return a.value.bitPattern > b.value.bitPattern
    }

    /// The latest of some points, or nil if there are none.
    package static func of(_ points: SeriesPoints) -> Point? {
        of(points, in: 0..<points.count)
    }

    /// The latest of a part of some points, or nil if the part is empty.
    package static func of(_ points: SeriesPoints, in range: Range<Int>) -> Point? {
        guard var latest = range.first.map({ points[$0] }) else { return nil }
        for index in range.dropFirst() where points.steps[index] >= latest.step {
            let point = points[index]
            if isLater(point, than: latest) { latest = point }
        }
        return latest
    }
}
