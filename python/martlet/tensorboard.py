"""`SummaryWriter` with the calls of `torch.utils.tensorboard`, writing into a Martlet run.

    from martlet.tensorboard import SummaryWriter
"""

from __future__ import annotations

import os

from ._media import Audio, Figure, Image, Object3D, Text, Video
from ._start import start_run
from ._tables import Histogram, Table

__all__ = ["SummaryWriter"]


class SummaryWriter:
    """One run. `log_dir` names it; `experiment`, `uri` and the rest go to `martlet.start_run`."""

    def __init__(self, log_dir=None, comment="", purge_step=None, max_queue=10, flush_secs=120, filename_suffix="",
                 run=None, experiment=None, **more):
        self.log_dir = log_dir or "runs"
        name = os.path.basename(os.path.normpath(log_dir)) if log_dir else None
        self._owns = run is None
        self.run = run if run is not None else start_run(
            experiment or "tensorboard", name=(name or "") + comment or None, **more)

    def get_logdir(self):
        return self.log_dir

    def _log(self, tag, value, step, walltime=None):
        if step is None:
            self.run.log_metrics({tag: value})
        else:
            self.run.log({tag: value}, int(step))

    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None, new_style=False, double_precision=False):
        self._log(tag, scalar_value, global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        self.run.log_metrics({"%s/%s" % (main_tag, name): value for name, value in tag_scalar_dict.items()}, global_step)

    def add_histogram(self, tag, values, global_step=None, bins="tensorflow", walltime=None, max_bins=None):
        self._log(tag, Histogram(values, bins=bins if isinstance(bins, int) else max_bins or 64), global_step)

    def add_histogram_raw(self, tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts, global_step=None,
                          walltime=None):
        edges = [float(min), *[float(each) for each in bucket_limits]]
        self._log(tag, Histogram(np_histogram=(list(bucket_counts), edges)), global_step)

    def add_image(self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"):
        self._log(tag, Image(_arranged(img_tensor, dataformats)), global_step)

    def add_images(self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"):
        pictures = _array(img_tensor)
        self._log(tag, [Image(_arranged(each, dataformats.replace("N", ""))) for each in pictures], global_step)

    def add_image_with_boxes(self, tag, img_tensor, box_tensor, global_step=None, walltime=None, rescale=1,
                             dataformats="CHW", labels=None):
        names = list(dict.fromkeys(labels or []))
        boxes = []
        for place, box in enumerate(_array(box_tensor)):
            left, top, right, bottom = map(float, box)
            boxes.append({"position": {"minX": left, "minY": top, "maxX": right, "maxY": bottom}, "domain": "pixel",
                          "class_id": names.index(labels[place]) if labels else 0})
        self._log(tag, Image(_arranged(img_tensor, dataformats), boxes={"boxes": {
            "box_data": boxes, "class_labels": dict(enumerate(names))}}), global_step)

    def add_figure(self, tag, figure, global_step=None, close=True, walltime=None):
        for each in figure if isinstance(figure, (list, tuple)) else [figure]:
            self._log(tag, Figure(each), global_step)
            if close:
                try:
                    import matplotlib.pyplot

                    matplotlib.pyplot.close(each)
                except Exception:
                    pass

    def add_video(self, tag, vid_tensor, global_step=None, fps=4, walltime=None):
        if isinstance(vid_tensor, (str, bytes, os.PathLike)):
            self._log(tag, Video(vid_tensor, fps=fps), global_step)
        else:
            frames = _array(vid_tensor)[0]
            self._log(tag, [Image(_arranged(frame, "CHW")) for frame in frames], global_step)

    def add_audio(self, tag, snd_tensor, global_step=None, sample_rate=44100, walltime=None):
        self._log(tag, Audio(_array(snd_tensor).reshape(-1), sample_rate=sample_rate), global_step)

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        self._log(tag, Text(text_string), global_step)

    def add_mesh(self, tag, vertices, colors=None, faces=None, config_dict=None, global_step=None, walltime=None):
        self._log(tag, Object3D(_array(vertices)[0]), global_step)

    def add_embedding(self, mat, metadata=None, label_img=None, global_step=None, tag="default", metadata_header=None):
        rows = _array(mat).tolist()
        columns = ["d%d" % index for index in range(len(rows[0]) if rows else 0)]
        if metadata is not None:
            rows = [[str(label), *row] for label, row in zip(metadata, rows)]
            columns.insert(0, "label")
        self._log("embeddings/" + tag, Table(rows, columns=columns), global_step)

    def add_pr_curve(self, tag, labels, predictions, global_step=None, num_thresholds=127, weights=None, walltime=None):
        labels, predictions = _array(labels).reshape(-1), _array(predictions).reshape(-1)
        rows = []
        for index in range(num_thresholds):
            threshold = index / (num_thresholds - 1)
            chosen = predictions >= threshold
            hits = float((chosen & (labels > 0)).sum())
            rows.append([threshold, hits / max(1.0, float(chosen.sum())), hits / max(1.0, float((labels > 0).sum()))])
        self._log(tag, Table(rows, columns=["threshold", "precision", "recall"]), global_step)

    def add_hparams(self, hparam_dict, metric_dict, hparam_domain_discrete=None, run_name=None, global_step=None):
        self.run.log_params(hparam_dict)
        self.run.log_metrics(metric_dict, global_step)

    def add_graph(self, model, input_to_model=None, verbose=False, use_strict_trace=True):
        self.run.log_text(str(model), "model/graph.txt")

    def add_custom_scalars(self, layout):
        self.run.log_dict(layout, "tensorboard/layout.json")

    def add_tensor(self, tag, tensor, global_step=None, walltime=None):
        self._log(tag, Histogram(tensor), global_step)

    def flush(self):
        self.run.flush()

    def close(self):
        if self._owns:
            self.run.finish()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _array(value):
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float().numpy() if str(value.dtype) == "torch.bfloat16" else value.numpy()
    import numpy

    return numpy.asarray(value)


def _arranged(picture, layout):
    """Rows, columns, channels, whatever the order in which they came."""
    array = _array(picture)
    if len(layout) == 3:
        array = array.transpose([layout.index(each) for each in "HWC"])
    return array
