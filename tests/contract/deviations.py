"""Where the server knowingly differs from the published page, each with its reason. docs/compatibility.md prints it."""

from tests.contract.published import Object, Shape, envelope, shape_of

_OURS = "the server decides it"
_EMPTY = "an empty list is answered 200 with []: clients parse lists, and one that is empty is no fault"
_EVERYONE = "reading is not counted against the licenses; who may not read is answered 403"

# Published statuses that no request is answered with.
NOT_ANSWERED: dict[tuple[str, int], str] = {
    ("GET /ai/groups", 404): _EMPTY,
    ("GET /ai/licenses", 404): _EMPTY,
    ("GET /ai/models", 404): _EMPTY,
    ("GET /ai/users", 404): _EMPTY,
    ("GET /ai/users", 402): _EVERYONE,
    ("DELETE /ai/users/{user_id}", 402): "deleting a user frees a seat and needs none",
    ("POST /ai/users/{user_id}/welcome_popup", 402): "the popup needs no seat",
}

# Answers whose shape the page does not name, or names wrongly.
SHAPES: dict[str, tuple[Shape, str]] = {
    "GET /ai/runlogs/{id}": (
        envelope("RunLogs"),
        "an envelope {items, total_count, date_as_of}, as servers answer; the page names one RunLogs",
    ),
    "GET /ai/testconfigtasks/{id}/summary": (
        shape_of("TaskInstanceSummary"),
        "the schema TaskInstanceSummary, in whose place the page prints the words properties and required",
    ),
    "GET /ai/models/{model_id}/defects": (
        shape_of("[Run]"),
        "the failed runs, where the page names no schema: clients parse JSON",
    ),
    "GET /ai/models/{model_id}/tags": (shape_of("[ModelTags]"), "the tags, where the page names no schema"),
    "POST /ai/models/{model_id}/tags": (
        shape_of("ModelTags"),
        "the tag, where the page names no schema: clients parse JSON",
    ),
    "PUT /ai/models/{model_id}/tags/{tag_id}": (
        shape_of("ModelTags"),
        "the tag, where the page names no schema",
    ),
    "POST /ai/models/{model_id}/assets": (
        shape_of("NewModelAsset"),
        "the association, where the page names no schema",
    ),
    "GET /ai/models/{model_id}/assets": (
        shape_of("[NewModelAsset]"),
        "a list of associations, where the page names no schema",
    ),
    "GET /ai/models/{model_id}/assets/{asset_id}": (
        shape_of("NewModelAsset"),
        "the association, where the page names no schema",
    ),
    "PUT /ai/models/{model_id}/assets/{asset_id}": (
        shape_of("NewModelAsset"),
        "the association, where the page names no schema",
    ),
    "GET /ai/assets/{asset_id}": (
        shape_of("[NewModelAsset]"),
        "the associations of the models that the caller sees, where the page names no schema",
    ),
    "POST /ai/screenshots": (
        Object("", (("artifactid", "string"),)),
        "the id of the screenshot, where the page names no schema",
    ),
    "GET /ai/models/{model_id}/testcases": (shape_of("[TestCases]"), ""),
}

# Published fields that may be null, by "Schema.field".
NULLS: dict[str, str] = {
    "Model.agent": "no agent is associated with the model",
    "Run.endtime": "the run has not ended",
    "Run.testcase": "the run walks no test case",
    "Run.step": "the run belongs to no test configuration",
    "Run.failedaction": "no action has failed",
    "Run.scriptname": "the run walks a model",
    "Run.suitename": "the run walks a model",
    "TestConfigTask.test_config_id": "the execution is of no test configuration",
    "TestConfigTaskDetails.test_config_id": "the execution is of no test configuration",
    "TestConfigTaskExtended.test_config_id": "the execution is of no test configuration",
    "TestConfigTaskExtended.test_config_name": "the execution is of no test configuration",
    "TestConfigTaskExtended.suts": "no system under test was named",
    "TestConfigTaskExtended.agents": "no agent has walked yet",
    "TestConfigTaskExtended.model_name": "the execution ran elsewhere",
    "TaskInstanceSummary.sut_used": "no system under test was named",
}

# Published fields that no body is read for.
UNREAD: dict[str, str] = {
    "id": "the path names what is changed; what is new gets the next id",
    "created": _OURS,
    "updated": _OURS,
    "created_datetime": _OURS,
    "updated_datetime": _OURS,
    "modeluuid": _OURS,
    "tests": _OURS,
    "fails": _OURS,
    "testIds": _OURS,
    "model": "the path names the model of a tag",
    "model_id": "the path names the model of an asset",
    "modelId": "the path names the model of a test case",
    "modelName": "the path names the model of a test case",
    "author": "the author of a tag is whoever adds it",
}

# Published fields that the body of one operation is not read for, by "METHOD path" and field.
UNREAD_HERE: dict[tuple[str, str], str] = {
    ("POST /ai/users", "license"): "licenses belong to the installation and not to a person",
    ("PUT /ai/users/{user_id}", "license"): "licenses belong to the installation and not to a person",
    ("PUT /ai/testconfigtasks/{id}", "task_instance_id"): "the path names the task",
    ("PUT /ai/testconfigtasks/{id}", "test_config_id"): "a task stays one of its test configuration",
}

# Remarks about single operations.
REMARKS: dict[str, str] = {
    "POST /ai/auth": "the fields of a token (`access_token`, `expires_in`, `token_type`) stand beside the published "
    "user; every failed login is 404 in the same words",
    "GET /ai/models/{model_id}/coverage": "the published schema is the placeholder `{bob: string}`: `bob` repeats "
    "the coverage, beside the fields of DAI's older coverage report",
    "GET /ai/models/{model_id}/testcaseruns": "the published schema is the placeholder `{bob: string}`: `bob` is the "
    "number of test cases, beside the runs of each",
    "GET /ai/models/{model_id}/release-insights": "the published schema is the placeholder `{id: integer}`: `id` is "
    "the model's, beside the numbers of its newest version",
    "POST /ai/internal/auth": "404 unless OPENDAI_INTERNAL_AUTH=1: it is a second place to guess passwords at",
    "POST /ai/licenses": "the text is a JSON document of ours, with the optional limits `users`, `executions` and "
    "`expires`; the vendor's own licenses mean nothing here",
    "PATCH /ai/licenses": "reads all licenses again and answers the state of each",
    "DELETE /ai/groups/{id}": "a group that holds models or runs is not deleted: 400",
    "DELETE /ai/users/{user_id}": "the published body is ignored, the path decides",
    "GET /ai/users/{user_id}": "others than administrators see themselves",
    "PUT /ai/users/{user_id}": "others than administrators change their own password and welcome popup",
    "GET /ai/smtp": "the password is a constant mask; sending the mask back keeps what is stored",
    "GET /ai/ping": "open to all, although the page's sample sends a token",
    "GET /ai/status": "open to all, although the page's sample sends a token",
}

# Operations of ours under /ai.
EXTENSIONS: dict[str, str] = {
    "GET /ai/models/{model_id}/testcases": "the test cases of one model; the vendor's own client asks for it",
    "GET /ai/executions/{execution_id}": "how far an execution is; the vendor's own client asks for it",
    "GET /ai/audit": "who changed what that matters for security; DAI publishes no way to ask",
}


def shape_of_success(operation: str, published: Shape) -> Shape:
    """The shape of the body of a success: by the deviation if there is one, otherwise by the page."""
    return SHAPES[operation][0] if operation in SHAPES else published
