import MartletStorage

/// Batches of 1,000 points on their way to the disk, `synchronous=FULL` everywhere: the journal against rows.
///
/// The disk is the noise, so all variants take turns in every round and only their ratios are held to anything.
enum Ingest {
    static func run(_ settings: Settings, _ report: inout Report) throws {
        try withFolder(settings, "ingest") { folder in
            let store = try OpenStore(folder + "/store")
            defer { store.store.close() }
            let text = try TextRows(folder + "/text.db")
            let integers = try IntegerRows(folder + "/integers.db")
            for shape in Material.Shape.standard {
                try run(shape, settings, store, text, integers, &report)
            }
        }
    }

    private static func run(
        _ shape: Material.Shape, _ settings: Settings, _ store: OpenStore, _ text: TextRows, _ integers: IntegerRows,
        _ report: inout Report
    ) throws {
        var speeds: [String: [Double]] = [:]
        // A row table takes about 20 ms for a batch of 1,000 keys: as few of them as give a steady figure.
        let few = 12
        let many = 512
        let all = Material.batches(shape, count: few + many)
        for round in 0...settings.rounds {
            let run = try store.makeRuns(1)[0]
            let peerRun = shape.keys * 100 + round + 1
            func measure(_ name: String, _ batches: ArraySlice<PointBatch>, _ body: ([PointBatch]) throws -> Void)
                rethrows
            {
                let batches = Array(batches)
                let seconds = try timed { try body(batches) }.seconds
                // The first round warms caches and lets the names become known, as in any second request.
                if round > 0 { speeds[name, default: []].append(Double(batches.count * shape.count) / seconds / 1e3) }
            }
            try measure("text x1", all[..<few]) { try text.write($0, run: peerRun, grouped: 1) }
            try measure("journal x64", all[few...]) { try store.append($0, to: run, inFlight: 64) }
            try measure("integers x64", all[few..<few + 64]) { try integers.write($0, run: peerRun, grouped: 64) }
            try measure("journal x1", all[..<few]) { try store.append($0, to: run, inFlight: 1) }
            let other = try store.makeRuns(1)[0]
            try measure("rules x64", all[few...]) { try store.log($0, to: other, inFlight: 64) }
        }
        let told = speeds.sorted { $0.key < $1.key }.map { "\($0.key) \(short(median($0.value)))k" }
        let note = "points/s: " + told.joined(separator: ", ")
        let name = shape.name
        report.add("ingest.x64_over_text.\(name)", ratio: speeds["journal x64"]!, over: speeds["text x1"]!, note: note)
        report.add("ingest.x64_over_integers.\(name)", ratio: speeds["journal x64"]!, over: speeds["integers x64"]!)
        report.add("ingest.x1_over_text.\(name)", ratio: speeds["journal x1"]!, over: speeds["text x1"]!)
        report.add("ingest.rules_over_store.\(name)", ratio: speeds["rules x64"]!, over: speeds["journal x64"]!)
    }
}
