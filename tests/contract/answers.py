"""The OpenAPI pages of the application, read as the contract is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opendai.api.server import Server
from tests.contract.published import ListOf, Object, Shape


@dataclass(frozen=True)
class Served:
    """An operation as the application describes it."""

    method: str
    path: str
    page: dict[str, Any]
    schemas: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def statuses(self) -> set[int]:
        return {int(status) for status in self.page["responses"]}

    @property
    def has_body(self) -> bool:
        return "requestBody" in self.page

    @property
    def parameters(self) -> set[tuple[str, str]]:
        return {(entry["name"], entry["in"]) for entry in self.page.get("parameters", [])}

    @property
    def media_types(self) -> set[str]:
        return set(self.page.get("requestBody", {}).get("content", {}))

    def body_fields(self) -> set[str]:
        """The fields of the request's body that are read."""
        contents = self.page["requestBody"]["content"].values()
        schemas = [self.resolved(content["schema"]) for content in contents]
        return {field for schema in schemas for field in schema.get("properties", {})}

    def answer_schema(self, status: int) -> Any:
        return (
            self.page["responses"][str(status)].get("content", {}).get("application/json", {}).get("schema")
        )

    def resolved(self, schema: Any) -> Any:
        name = schema.get("$ref", "").rpartition("/")[2]
        return self.schemas[name] if name else schema


def served(app: Server, prefix: str) -> dict[str, Served]:
    """The operations of the family mounted at a prefix, by name."""
    family = next(family for family in app.families if family.prefix == prefix)
    document = family.openapi()
    found = [
        Served(method.upper(), prefix + path, page, document["components"].get("schemas", {}))
        for path, methods in document["paths"].items()
        for method, page in methods.items()
    ]
    return {operation.name: operation for operation in found}


def nullable_fields(operation: Served, shape: Shape, schema: Any) -> Iterator[str]:
    """The fields of a shape that the application's schema lets be null, as "Schema.field".

    A field that the schema does not promise is reported as "Schema.field is missing".
    """
    schema = operation.resolved(schema)
    if isinstance(shape, ListOf):
        yield from nullable_fields(operation, shape.item, schema["items"])
    elif isinstance(shape, Object):
        for name, inner in shape.fields:
            key = f"{shape.name}.{name}"
            if name not in schema.get("required", []):
                yield f"{key} is missing"
                continue
            choices = schema["properties"][name].get("anyOf", [schema["properties"][name]])
            if {"type": "null"} in choices:
                yield key
            yield from nullable_fields(operation, inner, choices[0])
