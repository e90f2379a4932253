import Foundation
import MartletJSON

/// The scanner against Foundation on what clients send most: a log-batch of 1,000 metrics with 17 digits each.
enum Parsing {
    struct Body: Decodable {
        struct Metric: Decodable {
            var key: String
            var value: Double
            var timestamp: Int64
            var step: Int64
        }
        var run_id: String
        var metrics: [Metric]
    }

    static func run(_ settings: Settings, _ report: inout Report) throws {
        var chance = Chance(1)
        var text = #"{"run_id":"0123456789abcdef0123456789abcdef","metrics":["#
        for index in 0..<1000 {
            text += index == 0 ? "" : ","
            text +=
                #"{"key":"train/metric_\#(index)","value":\#(chance.unit()),"timestamp":1700000000000,"step":\#(index)}"#
        }
        let body = Array((text + "]}").utf8)
        let data = Data(body)
        let want = try JSONDecoder().decode(Body.self, from: data).metrics.reduce(0) { $0 + $1.value }

        var (ours, theirs): ([Double], [Double]) = ([], [])
        for _ in 0..<max(settings.rounds, 5) {
            let decoder = JSONDecoder()
            theirs.append(
                try timed { for _ in 0..<10 { _ = try decoder.decode(Body.self, from: data).metrics.count } }.seconds
                    / 10)
            ours.append(
                try timed {
                    for _ in 0..<100 {
                        guard try scanned(body).reduce(0, { $0 + $1.value }) == want else {
                            throw Complaint("The two parsers do not agree.")
                        }
                    }
                }.seconds / 100)
        }
        let speed = Double(body.count) / median(ours) / 1e6
        report.add(
            "parse.log_batch", ratio: theirs, over: ours,
            note: "\(short(speed)) MB/s, \(short(1000 / median(ours) / 1e6)) M points/s, \(body.count / 1000) KB")
    }

    private static func scanned(_ body: [UInt8]) throws -> [Body.Metric] {
        try JSONScanner.read(body) { scanner in
            var metrics: [Body.Metric] = []
            metrics.reserveCapacity(1024)
            try scanner.beginObject()
            while let key = try scanner.nextKey() {
                guard key.is("metrics") else {
                    try scanner.skip()
                    continue
                }
                try scanner.beginArray()
                while try scanner.nextElement() { metrics.append(try metric(&scanner)) }
            }
            return metrics
        }
    }

    private static func metric(_ scanner: inout JSONScanner) throws -> Body.Metric {
        var metric = Body.Metric(key: "", value: 0, timestamp: 0, step: 0)
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if key.is("key") {
                metric.key = try scanner.text().string
            } else if key.is("value") {
                metric.value = try scanner.doubleOrName()
            } else if key.is("timestamp") {
                metric.timestamp = try scanner.int64()
            } else if key.is("step") {
                metric.step = try scanner.int64()
            } else {
                try scanner.skip()
            }
        }
        return metric
    }
}
