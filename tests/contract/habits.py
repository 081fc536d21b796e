"""The habits of real clients that the published page does not mention. docs/compatibility.md lists them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Habit:
    """An action of a client, and the answer of the server."""

    client: str
    server: str


# Each under the name of the test that shows it.
HABITS = {
    "test_the_word_bearer_may_have_any_case": Habit(
        "writes `bearer` in lower case",
        "reads the word in any case",
    ),
    "test_deleting_is_answered_with_json": Habit(
        "parses JSON from every answer to `DELETE`",
        "answers 200 with `{}`, or 204 where the page has it",
    ),
    "test_an_agent_needs_only_a_name": Habit(
        "creates an agent with JSON in place of a form, with an `id` and without fields that the page requires",
        "reads both, ignores the id and needs only the name",
    ),
    "test_a_test_case_may_be_spelt_as_the_vendors_client_does": Habit(
        "creates a test case with `description`, `tags` and `origin`",
        "takes them for `testcaseDescription`, `testcaseTags` and `testcaseOrigin`, and answers with the page's",
    ),
    "test_a_tag_needs_only_its_text": Habit(
        "creates a tag of nothing but `tag`",
        "takes the author from the token and the model from the path",
    ),
    "test_a_license_may_spell_its_number_otherwise": Habit(
        "creates a license with `serialNumber` and without `eula_accepted`",
        "reads either spelling and takes the terms for accepted",
    ),
    "test_a_user_may_have_a_license_of_null": Habit(
        'creates a user with `"license": null`',
        "ignores the field",
    ),
    "test_runs_are_listed_by_id_from_the_first_when_the_offset_is_negative": Habit(
        "asks for the newest runs by `offset = total_count - 20`, which is negative while there are fewer",
        "sorts by id, ascending, and takes a negative offset for 0",
    ),
    "test_runs_are_filtered_by_the_uuid_of_a_model": Habit(
        "filters runs by the model's UUID, where the page has an integer",
        "takes it as text",
    ),
    "test_a_plus_sign_sorts_upwards": Habit(
        "sends `sort=+name` with the plus sign as it is, so that it arrives as a space",
        "sorts upwards",
    ),
    "test_a_line_of_log_needs_only_a_message": Habit(
        "adds a line of log with nothing but `message`",
        "fills in the time and the severity",
    ),
    "test_unknown_fields_are_ignored": Habit(
        "sends fields that no page names",
        "ignores them",
    ),
}
