import MartletObservability
import Testing

@Suite("Counters are rendered as Prometheus reads them") struct MetricsTests {
    @Test("families in order, each with its help and type once")
    func rendering() {
        let metrics = Metrics()
        metrics.counter("b_total", "Requests.", ("code", "200")).add(3)
        metrics.counter("b_total", "Requests.", ("code", "4\"\\\n")).add()
        metrics.gauge("a", "Line one\nline two.").set(-2)
        metrics.gauge("c", "Read when asked.") { 1.5 }
        #expect(
            String(decoding: metrics.render(), as: UTF8.self) == """
                # HELP a Line one\\nline two.
                # TYPE a gauge
                a -2
                # HELP b_total Requests.
                # TYPE b_total counter
                b_total{code="200"} 3
                b_total{code="4\\"\\\\\\n"} 1
                # HELP c Read when asked.
                # TYPE c gauge
                c 1.5

                """)
    }

    @Test("a histogram's buckets are cumulative, and NaN spoils nothing")
    func histogram() {
        let metrics = Metrics()
        let histogram = metrics.histogram("h", "Seconds.", bounds: [1, 0.5])
        for value in [0.25, 0.5, 0.75, 4, Double.nan] { histogram.observe(value) }
        let text = String(decoding: metrics.render(), as: UTF8.self)
        #expect(
            text.contains(
                "h_bucket{le=\"0.5\"} 2\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 5\nh_sum 5.5\nh_count 5\n"))
    }

    @Test("the same name and labels are the same counter, from any thread")
    func identity() async {
        let metrics = Metrics()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<1000 { metrics.counter("n", "N.", ("k", "v")).add() } } }
        }
        #expect(metrics.counter("n", "N.", ("k", "v")).value == 8000)
    }

    @Test("labels that clients choose cannot grow a family without end")
    func bounded() {
        let metrics = Metrics()
        for index in 0..<5000 { metrics.counter("n", "N.", ("k", String(index))).add() }
        let lines = String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n")
        #expect(lines.count <= 1010)
        #expect(lines.contains("n{k=\"other\"} 4000"))
    }
}
