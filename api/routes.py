"""The addresses. What stands behind each is elsewhere; here is who is called, and what is said."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from api.bodies import receive_bytes, receive_file
from api.choices import Choice
from api.described import file_body, problems
from api.errors import Refusal
from api.job import RESULTS, Job
from api.schemas import Health, JobOut, ModelsOut, PictureOut
from api.service import Service
from fer_core.confined.clips import probe_confined
from fer_core.detectors import DETECTORS
from fer_core.errors import ModelError
from fer_core.model_store import default_model_name, load_card, model_folder, runnable_models

__all__ = ["guarded_routes", "open_routes"]

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UPLOADS = (400, 408, 413, 415, 422, 503, 507)


async def chosen(
    detector: Annotated[
        str,
        Query(description="How faces are found.", json_schema_extra={"enum": list(DETECTORS)}),
    ] = DETECTORS[0],
    model: Annotated[
        str | None,
        Query(
            description="A name from `/v1/models`; the default one where none is given.",
            json_schema_extra={"enum": runnable_models()},
        ),
    ] = None,
    min_confidence: Annotated[
        float | None,
        Query(ge=0, le=1, description="Labels under it read `uncertain`; default: the model's own"),
    ] = None,
) -> Choice:
    """The parameters that pictures and clips share."""
    # A coroutine though it awaits nothing: FastAPI would send a plain function to a thread.
    return Choice(detector, model, min_confidence)


Chosen = Annotated[Choice, Depends(chosen)]
Number = Annotated[str, Path(description="The job's `id`.")]


def open_routes() -> APIRouter:
    """What anybody may ask, such as a load balancer."""
    router = APIRouter(tags=["server"])

    @router.get("/health", response_model=Health, summary="Whether the process is up")
    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    return router


def guarded_routes(service: Service) -> APIRouter:
    """Everything else."""
    router = APIRouter(responses=problems(429))
    _add_server(router, service)
    _add_pictures(router, service)
    _add_clips(router, service)
    return router


def _add_server(router: APIRouter, service: Service) -> None:
    @router.get(
        "/metrics",
        tags=["server"],
        summary="Counts and times for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        return Response(service.metrics_text(), media_type=METRICS_TYPE)

    @router.get(
        "/v1/models",
        tags=["pictures"],
        summary="What can be chosen",
        response_model=ModelsOut,
        responses=problems(503),
    )
    async def models() -> JSONResponse:
        return JSONResponse(await asyncio.to_thread(_models_json))


def _add_pictures(router: APIRouter, service: Service) -> None:
    @router.post(
        "/v1/analyze",
        tags=["pictures"],
        summary="The faces in a picture and their expressions",
        response_model=PictureOut,
        responses=problems(*UPLOADS),
        openapi_extra=file_body("image/jpeg", "image/png", "image/webp"),
    )
    async def analyze(request: Request, choice: Chosen) -> JSONResponse:
        """Send the file itself as the body, or a form with the field `file`.

        JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP and TIFF are read, and turned as EXIF says. Nothing
        is stored. Pictures that come at the same time are classified together.
        """
        content = await receive_bytes(request, service.picture_limits)
        return JSONResponse(await service.pictures.analyze(content, choice))


def _add_clips(router: APIRouter, service: Service) -> None:
    @router.post(
        "/v1/videos",
        tags=["clips"],
        summary="Annotate a clip",
        status_code=202,
        response_model=JobOut,
        responses={
            202: {"headers": {"Location": {"schema": {"type": "string"}, "required": True}}},
            **problems(*UPLOADS),
        },
        openapi_extra=file_body("video/mp4", "video/webm"),
    )
    async def post_clip(request: Request, choice: Chosen) -> JSONResponse:
        """Send the file itself as the body, or a form with the field `file`.

        mp4, mov, avi, mkv and webm are read. The answer comes at once; ask the address in
        `Location` for progress and results. Clips are worked on one after the other.
        """
        settled = await asyncio.to_thread(choice.settled)
        with service.jobs.place() as folder:
            upload = folder / "upload"
            await receive_file(request, service.clip_limits, upload)
            await asyncio.to_thread(probe_confined, upload, service.jobs.options)
            job = service.jobs.add(folder, settled)
        where = f"{request.url.path.rstrip('/')}/{job.number}"
        return JSONResponse(_job_json(job, where), 202, headers={"Location": where})

    @router.get(
        "/v1/videos/{number}",
        tags=["clips"],
        summary="Progress and results of a clip",
        response_model=JobOut,
        responses=problems(404),
    )
    async def get_clip(request: Request, number: Number) -> JSONResponse:
        return JSONResponse(_job_json(service.jobs.get(number), request.url.path))

    @router.delete(
        "/v1/videos/{number}",
        tags=["clips"],
        summary="Stop a clip and delete everything of it",
        status_code=204,
        responses=problems(404),
    )
    async def delete_clip(number: Number) -> Response:
        await asyncio.to_thread(service.jobs.remove, number)
        return Response(status_code=204)

    for name, kind in RESULTS.items():
        _add_result(router, service, name, kind)


def _add_result(router: APIRouter, service: Service, name: str, kind: str) -> None:
    @router.get(
        f"/v1/videos/{{number}}/{name}",
        tags=["clips"],
        summary=f"The file {name} of a clip that is done",
        response_class=FileResponse,
        responses={
            200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}},
            **problems(404, 409),
        },
    )
    async def result(number: Number) -> FileResponse:
        job = service.jobs.get(number)
        if job.state != "done":
            raise Refusal(409, _why_not(job))
        return FileResponse(job.folder / name, media_type=kind, filename=name)


def _why_not(job: Job) -> str:
    if job.state == "failed":
        return f"This job failed and has no results. {job.error}"
    if job.state == "cancelled":
        return "This job was cancelled and has no results."
    return f"This job is {job.state}; its results are there when its state is `done`."


def _job_json(job: Job, where: str) -> dict[str, Any]:
    done = job.state == "done"
    files = {name.replace(".", "_"): f"{where}/{name}" if done else None for name in RESULTS}
    return {**job.to_dict(), "files": files}


def _models_json() -> dict[str, Any]:
    default = default_model_name()
    found = []
    for name in runnable_models():
        try:
            card = load_card(model_folder(name))
        except ModelError:
            continue  # it cannot be chosen either
        found.append(
            {
                "name": name,
                "default": name == default,
                "architecture": card.architecture,
                "classes": list(card.classes),
                "input_size": card.input_size,
                "parameters": card.parameters,
                "multiply_adds": card.multiply_adds,
                "uncertain_below": card.uncertain_below,
                "figures": card.figures,
                "intended_use": card.intended_use,
                "out_of_scope": list(card.out_of_scope),
                "limits": list(card.limits),
            }
        )
    return {"models": found, "detectors": list(DETECTORS)}
