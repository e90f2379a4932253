import Glibc
import MartletClient
import MartletDomain
import MartletHTTPClient
import MartletHTTPMessages
import MartletJSON

extension World {
    /// A store to look around in: what a week of work leaves behind, made from a seed.
    var demo: Command {
        plainCommand(
            "demo", "Make an example store to look around in",
            discussion: """
                Four configurations of five seeds each: one run diverged, one was killed, one still runs. Always the \
                same numbers.
                """,
            arguments: [
                Argument("folder", "Where; ./martlet-demo if left out", count: .optional, candidates: .folders)
            ],
            examples: [Example("martlet demo && martlet ui martlet-demo --open")]
        ) { parsed, terminal in
            let path = Disk.absolute(parsed.text("folder") ?? "martlet-demo", from: workingFolder)
            guard !Disk.exists(path) else {
                throw CommandFailure(
                    .refused, "\(path) is there already.", remedy: "Name another folder, or remove that one.")
            }
            let backend = try backend(for: .folder(path), parsed, terminal, creates: true)
            defer { backend.close() }
            let count = try DemoStore(api: API(backend), now: now()).make()
            terminal.line("\(count) runs. Look at them: martlet ui \(parsed.text("folder") ?? "martlet-demo")")
            return .good
        }
    }
}

/// The example's runs, written through the API like anybody's.
struct DemoStore {
    let api: API
    let now: Timestamp

    private struct Config {
        var model: String
        var rate: Double
        var batch: Int
        var schedule: String
        var loss: Double
        var accuracy: Double
    }

    private static let configs = [
        Config(model: "resnet18", rate: 0.1, batch: 128, schedule: "cosine", loss: 0.26, accuracy: 0.942),
        Config(model: "resnet18", rate: 0.1, batch: 128, schedule: "step", loss: 0.33, accuracy: 0.931),
        Config(model: "resnet34", rate: 0.05, batch: 128, schedule: "cosine", loss: 0.22, accuracy: 0.951),
        Config(model: "resnet34", rate: 0.4, batch: 256, schedule: "cosine", loss: 0.30, accuracy: 0.934),
    ]
    private static let steps = 2000

    func make() throws(CommandFailure) -> Int {
        try api.send(
            .post, ["projects"], [],
            ["name": "Vision", "slug": "vision", "description": "Image models for the sorting line."])
        try api.send(
            .post, ["experiments"], [],
            [
                "name": "resnet-cifar10", "project": "vision",
                "description": "Does a cosine schedule help at small batch sizes?",
                "hypothesis": "Cosine decay beats steps by half a point at batch 128.",
            ])
        var chance = Chance(seed: 7)
        var count = 0
        for (place, config) in DemoStore.configs.enumerated() {
            for seed in 0..<5 {
                count += 1
                try run(config, place, seed, number: count, &chance)
            }
        }
        try api.send(.post, ["models"], [], ["name": "cifar-classifier", "project": "vision"])
        return count
    }

    private func run(
        _ config: Config, _ place: Int, _ seed: Int, number: Int, _ chance: inout Chance
    ) throws(CommandFailure) {
        let (diverges, isKilled) = (place == 3 && seed == 2, place == 3 && seed == 4)
        let isRunning = place == 2 && seed == 4
        let end = diverges ? 1000 : isKilled ? 1300 : DemoStore.steps
        let start = now.micros / 1000 - Int64(24 - number) * 5_400_000
        let made = try api.send(
            .post, ["experiments", "resnet-cifar10", "runs"], [],
            [
                "params": [
                    "model": .string(config.model), "lr": .double(config.rate), "batch_size": .int(Int64(config.batch)),
                    "schedule": .string(config.schedule), "seed": .int(Int64(seed)), "epochs": 50, "optimizer": "sgd",
                    "weight_decay": 0.0005,
                ],
                "tags": ["dataset": "cifar10"], "start_time": .int(start),
                "environment": ["python": "3.11.6", "packages": ["torch": "2.4.0", "numpy": "1.26.4"]],
            ])
        let id = made["id"]?.string ?? ""
        let base = config.loss + chance.normal() * 0.012
        let best = config.accuracy + chance.normal() * 0.0025
        var series: [JSONValue] = []
        func add(_ name: String, every: Int, _ value: (Int, Double) -> Double) {
            let steps = Array(stride(from: 0, to: end, by: every))
            series.append([
                "metric": .string(name), "steps": .array(steps.map { .int(Int64($0)) }),
                "values": .array(
                    steps.map { step in
                        let value = value(step, Double(step) / Double(DemoStore.steps))
                        return value.isNaN ? "NaN" : value.isInfinite ? "Infinity" : .double(value)
                    }),
                "timestamps": .array(steps.map { .int(start + Int64($0) * 1300) }),
            ])
        }
        func blown(_ value: Double, _ step: Int, _ power: Double) -> Double {
            guard diverges, step > 700 else { return value }
            let past = Double(step - 700) / 100
            return step > 900 ? .nan : value * exp(past * past * power)
        }
        add("train/loss", every: 2) { step, share in
            let value = base + 2 * exp(-share * 7) + abs(chance.normal()) * 0.1 * exp(-share * 2)
            return blown(value + (config.schedule == "step" && share < 0.5 ? 0.1 : 0), step, 0.6)
        }
        add("train/grad_norm", every: 2) { step, share in
            let value = 1.2 * exp(-share * 2) + abs(chance.normal()) * 0.15
            return diverges && step > 880 && step <= 900 ? .infinity : blown(value, step, 1.1)
        }
        add("train/lr", every: 10) { _, share in
            config.schedule == "cosine"
                ? config.rate * 0.5 * (1 + cos(.pi * share))
                : config.rate * (share < 0.5 ? 1 : share < 0.75 ? 0.1 : 0.01)
        }
        add("val/accuracy", every: 40) { step, share in
            diverges && step > 740
                ? 0.1 : best - (best - 0.3) * exp(-share * 6) + chance.normal() * 0.006 * exp(-share * 2)
        }
        add("val/loss", every: 40) { step, share in
            blown(base + 0.12 + 1.8 * exp(-share * 6) + chance.normal() * 0.02, step, 0.8)
        }
        add("system/gpu.0.util", every: 10) { _, _ in min(100, max(0, 93 + chance.normal() * 4)) }
        add("system/memory.gb", every: 10) { _, share in 13 - 2 * exp(-share * 8) + chance.normal() * 0.05 }
        try api.send(.post, ["runs", id, "metrics"], [], ["series": .array(series)])
        try api.send(
            .post, ["runs", id, "metrics"], [],
            ["metrics": ["params_millions": config.model == "resnet18" ? 11.2 : 21.3]])
        if seed == 0 || diverges { try media(id, place, end) }
        if diverges {
            try api.send(
                .post, ["runs", id, "notes"], [],
                ["text": "The loss turns upward here: **lr 0.4** is too much.", "metric": "train/loss", "step": 720])
        }
        guard !isRunning else { return }
        try api.send(
            .post, ["runs", id, "end"], [],
            [
                "status": diverges ? "FAILED" : isKilled ? "KILLED" : "FINISHED",
                "end_time": .int(start + Int64(end) * 1300),
            ])
    }

    private func media(_ id: String, _ place: Int, _ end: Int) throws(CommandFailure) {
        for step in stride(from: 0, to: end, by: 400) {
            let picture = Picture(width: 96, height: 64) { x, y in
                let (x, y) = (Double(x), Double(y))
                return (
                    127 + 120 * sin(x / 9 + Double(step) / 300), 127 + 120 * sin(y / 7 + Double(place)),
                    127 + 100 * sin((x + y) / 13)
                )
            }
            var request = ClientRequest(
                .put, API.target(["runs", id, "artifacts", "media", "samples_\(step).png"], [("type", "plot")]))
            request.body = .bytes(picture.png)
            request.headers["Content-Type"] = "image/png"
            _ = try api.send(request)
            let width = 0.3 + 0.4 * exp(-Double(step) / 900)
            let edges = (0...40).map { -2 + Double($0) * 0.1 }
            let counts = edges.dropLast().map { Int64(2000 * exp(-pow(($0 + 0.05) / width, 2) / 2)) }
            try api.send(
                .post, ["runs", id, "rich", "weights"], [],
                [
                    "kind": "histogram", "step": .int(Int64(step)),
                    "value": ["edges": .array(edges.map { .double($0) }), "counts": .array(counts.map { .int($0) })],
                ])
        }
    }
}

/// The same numbers every time.
private struct Chance {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    /// SplitMix64: small, and good enough for noise on a curve.
    private mutating func next() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53
    }

    mutating func normal() -> Double { sqrt(-2 * log(max(next(), 1e-300))) * cos(2 * .pi * next()) }
}

/// A picture as PNG, its pixels stored and not compressed: enough for an example, and no library for it.
private struct Picture {
    let png: [UInt8]

    init(width: Int, height: Int, _ colour: (Int, Int) -> (Double, Double, Double)) {
        var rows: [UInt8] = []
        for y in 0..<height {
            rows.append(0)
            for x in 0..<width {
                let (red, green, blue) = colour(x, y)
                rows += [red, green, blue].map { UInt8(min(255, max(0, $0))) }
            }
        }
        var stream: [UInt8] = [0x78, 0x01]
        var place = 0
        while place < rows.count {
            let length = min(0xFFFF, rows.count - place)
            stream.append(place + length == rows.count ? 1 : 0)
            stream += [UInt8(length & 255), UInt8(length >> 8), ~UInt8(length & 255), ~UInt8(length >> 8)]
            stream += rows[place..<place + length]
            place += length
        }
        stream += Picture.bytes(of: Picture.adler(rows))
        let head = Picture.bytes(of: UInt32(width)) + Picture.bytes(of: UInt32(height)) + [8, 2, 0, 0, 0]
        png =
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Picture.chunk("IHDR", head)
            + Picture.chunk("IDAT", stream) + Picture.chunk("IEND", [])
    }

    private static func bytes(of number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private static func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(kind.utf8) + data
        return bytes(of: UInt32(data.count)) + body + bytes(of: crc(body))
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    private static func adler(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return b << 16 | a
    }
}
