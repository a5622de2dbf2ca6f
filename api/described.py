"""What the OpenAPI page says of bodies and errors that FastAPI cannot see by itself."""

from __future__ import annotations

from typing import Any

from api.bodies import FIELD
from api.schemas import Problem

__all__ = ["file_body", "problems"]

_WORDS = {
    400: "The file is empty, broken off, or the form cannot be read",
    401: "The key is missing or wrong",
    403: "There is no key and the request does not come from this computer",
    404: "There is no such job or file",
    408: "The file did not arrive in time",
    409: "The job has no results (yet)",
    413: "The file is too large",
    415: "The file came as another media type",
    422: "The file or a parameter cannot be used",
    429: "Too many requests",
    503: "Too much to do, or something is missing on the server",
    507: "The server's disk is full",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of the errors with these statuses."""
    return {status: {"model": Problem, "description": f"{_WORDS[status]}."} for status in statuses}


def file_body(*media_types: str) -> dict[str, Any]:
    """A body that is a file, of one of `media_types`, or a form with the file in it."""
    content: dict[str, Any] = {kind: {"schema": _file(kind)} for kind in media_types}
    content["multipart/form-data"] = {
        "schema": {
            "type": "object",
            "properties": {FIELD: {"type": "string", "format": "binary"}},
            "required": [FIELD],
        },
        "encoding": {FIELD: {"contentType": ", ".join(media_types)}},
    }
    return {"requestBody": {"required": True, "content": content}}


def _file(kind: str) -> dict[str, Any]:
    return {"type": "string", "format": "binary", "contentMediaType": kind}
