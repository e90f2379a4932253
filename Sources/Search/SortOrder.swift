/// The order of an answer: the terms asked for, then the newest start, then the id, so that it is always the same one.
///
/// Whichever way a term runs: numbers come before text, both before NaN, NaN before a tag without a value, and what is
/// missing last. Only numbers among numbers and text among text turn round with DESC. So params that are all numbers
/// sort as numbers, however they were written, and one `auto` among them goes behind them.
package struct SortOrder: Sendable {
    package let terms: [OrderTerm]

    package init(_ terms: [OrderTerm]) {
        self.terms =
            terms + [OrderTerm(.attribute(.started), descending: true), OrderTerm(.attribute(.id))]
    }

    package func keys(of document: some SearchDocument) -> [SortKey] {
        terms.map { SortKey(document.value(of: $0.field), kind: $0.kind) }
    }

    /// Negative when `a` comes first, positive when `b` does, zero only for one id twice.
    package func compare(_ a: [SortKey], _ b: [SortKey]) -> Int {
        for (index, term) in terms.enumerated() {
            let order = a[index].compare(b[index], descending: term.isDescending)
            if order != 0 { return order }
        }
        return 0
    }
}

/// What a term sees of one document.
package enum SortKey: Hashable, Sendable {
    /// With its digits where a Double does not tell neighbours apart.
    case number(Double, digits: String? = nil)
    case time(Int64)
    case text(String)
    case nan
    case flag
    case missing

    package init(_ value: SearchValue, kind: FieldKind) {
        switch value {
        case .missing: self = .missing
        case .flag: self = .flag
        case .number(let number): self = number.isNaN ? .nan : .number(number)
        case .time(let moment): self = .time(moment)
        case .text(let text): self = SortKey(text, kind == .typedText ? NumberText.parse(text) : nil)
        case .typedText(let text, let number): self = SortKey(text, kind == .typedText ? number : nil)
        case .several(let values): self = values.first.map { SortKey($0, kind: kind) } ?? .missing
        }
    }

    private init(_ text: String, _ number: Double?) {
        guard let number else {
            self = .text(text)
            return
        }
        let isLong = number.magnitude >= NumberText.exactBelow && NumberText.isInteger(text)
        self = number.isNaN ? .nan : .number(number, digits: isLong ? text : nil)
    }

    private var place: Int {
        switch self {
        case .number, .time: 0
        case .text: 1
        case .nan: 2
        case .flag: 3
        case .missing: 4
        }
    }

    package func compare(_ other: SortKey, descending: Bool) -> Int {
        var order: Int
        switch (self, other) {
        case (.number(let a, let digits), .number(let b, let otherDigits)):
            order = a < b ? -1 : a > b ? 1 : 0
            if order == 0 {
                switch (digits, otherDigits) {
                case (let digits?, let other?): order = NumberText.compareIntegers(digits, other) ?? 0
                case (nil, _?): order = -1
                case (_?, nil): order = 1
                case (nil, nil): break
                }
            }
        case (.time(let a), .time(let b)): order = a < b ? -1 : a > b ? 1 : 0
        case (.text(let a), .text(let b)): order = a == b ? 0 : a < b ? -1 : 1
        case (.number, .time): return -1
        case (.time, .number): return 1
        default: return place - other.place
        }
        return descending ? -order : order
    }
}

/// The first `capacity` of all that is offered, in O(n log capacity): a heap with the last of them on top.
///
/// Inlinable, because other rooms rank their own kinds of rows.
package struct FirstRanked<Element> {
    @usableFromInline let capacity: Int
    @usableFromInline let compare: (Element, Element) -> Int
    @usableFromInline var heap: [Element] = []

    /// `compare` answers negative when its first argument comes first.
    @inlinable package init(_ capacity: Int, compare: @escaping (Element, Element) -> Int) {
        self.capacity = capacity
        self.compare = compare
    }

    /// The last of those kept, once there are as many as wanted: what does not come before it need not be offered.
    @inlinable package var last: Element? { heap.count == capacity ? heap.first : nil }

    @inlinable package mutating func offer(_ element: Element) {
        if heap.count < capacity {
            heap.append(element)
            var child = heap.count - 1
            while child > 0, compare(heap[(child - 1) / 2], heap[child]) < 0 {
                heap.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        } else if let top = heap.first, compare(element, top) < 0 {
            heap[0] = element
            var parent = 0
            while true {
                var last = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && compare(heap[last], heap[child]) < 0 { last = child }
                if last == parent { break }
                heap.swapAt(parent, last)
                parent = last
            }
        }
    }

    @inlinable package func sorted() -> [Element] { heap.sorted { compare($0, $1) < 0 } }
}

extension Query {
    /// What the query means, document by document: the first `limit` of those found, in order, and how many there are.
    package func select<Document: SearchDocument>(
        from documents: some Sequence<Document>, context: EvaluationContext
    ) throws(SearchError) -> (documents: [Document], total: Int) {
        let compiled = try filter.compiled(in: context)
        let order = SortOrder(order)
        var total = 0
        var seen = 0
        var first = FirstRanked<(keys: [SortKey], document: Document)>(limit ?? .max) {
            order.compare($0.keys, $1.keys)
        }
        let leading = order.terms[0]
        for document in documents {
            seen += 1
            if seen & 0x3FF == 0 { try context.checkDeadline() }
            guard try compiled.matches(document) else { continue }
            total += 1
            // Most lose by their first key alone; the other keys are fetched for those that do not.
            if let last = first.last {
                let key = SortKey(document.value(of: leading.field), kind: leading.kind)
                if key.compare(last.keys[0], descending: leading.isDescending) > 0 { continue }
            }
            first.offer((order.keys(of: document), document))
        }
        return (first.sorted().map(\.document), total)
    }
}
