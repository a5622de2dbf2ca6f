"""What the routes work with: made once, closed when the server ends."""

from __future__ import annotations

from api.access import Guard
from api.bodies import Limits
from api.jobs import JobQueue
from api.metrics import Metrics
from api.pictures import PictureDesk
from api.settings import ApiSettings

__all__ = ["Service"]


class Service:
    """Everything behind the routes.

    Attributes:
        settings: the limits.
        guard: who may ask.
        metrics: what is counted.
        pictures: where pictures are read.
        jobs: where clips are.
        picture_limits, clip_limits: of posted files.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self.settings = settings
        self.guard = Guard(settings)
        self.metrics = Metrics()
        self.pictures = PictureDesk(settings, self.metrics.note_batch)
        self.jobs = JobQueue(settings)
        self.picture_limits = Limits(
            "picture", "image", settings.picture_megabytes, settings.receive_seconds
        )
        self.clip_limits = Limits(
            "clip", "video", settings.video_megabytes, settings.video_receive_seconds
        )

    def close(self) -> None:
        """Stop the work and delete every file."""
        self.jobs.close()
        self.pictures.close()

    def metrics_text(self) -> bytes:
        """The metrics as they are now."""
        self.metrics.inside.set(self.pictures.inside)
        counts = self.jobs.counts()
        for state in ("waiting", "running", "done", "failed", "cancelled"):
            self.metrics.clips.labels(state).set(counts[state])
        return self.metrics.text()
