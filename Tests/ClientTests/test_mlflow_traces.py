"""Spans as exporters of OpenTelemetry send them, packed or plain, seen by MLflow's own client."""

import gzip
import os
import urllib.request
import zlib

import pytest

pytestmark = pytest.mark.newest


@pytest.mark.parametrize("coding", ["identity", "gzip", "deflate"])
def test_spans_arrive_however_their_exporter_packs_them(client, server, coding):
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    experiment = client.set_experiment("traced").experiment_id
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(
        trace_id=os.urandom(16), span_id=os.urandom(8), name="answer" * 100, start_time_unix_nano=10**18,
        end_time_unix_nano=10**18 + 5 * 10**9)
    span.status.code = 1
    packed = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}[coding](request.SerializeToString())
    sent = urllib.request.Request(
        f"{server.address}/v1/traces", data=packed, method="POST",
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": coding,
                 "x-mlflow-experiment-id": experiment, **getattr(server, "key", {})})
    assert urllib.request.urlopen(sent, timeout=10).status == 200
    trace = client.get_trace("tr-" + span.trace_id.hex())
    assert [one.name for one in trace.data.spans] == ["answer" * 100]
    assert trace.info.execution_duration == 5000
    found = client.search_traces(locations=[experiment], return_type="list")
    assert [one.info.trace_id for one in found] == [trace.info.trace_id]
